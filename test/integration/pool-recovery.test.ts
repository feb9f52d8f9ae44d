// What does a pool do about workers that crash again and again, and what do its neighbours notice? On real processes.
import { afterEach, describe, expect, it } from 'vitest';

import { createRuntime, type PoolOptions, type Runtime } from '../../src/index.ts';
import {
  assertBalanced,
  bridgeOf,
  idleWorkers,
  poolRuntime,
  whenStatistics,
} from '../support/pool-runtime.ts';
import { fixture, nextEvent, PYTHON, rejection, until } from '../support/real-runtime.ts';

/** Crashes are what these tests are about: no restart intensity ends the pool before. */
const PATIENT: PoolOptions = { maxRestarts: 1_000, maxConsecutiveStartFailures: 1_000 };

let runtime: Runtime;
afterEach(async () => {
  assertBalanced(runtime);
  await runtime.stop();
});

const pool = () => runtime.pool('pool');
const crash = async (status: number): Promise<void> => {
  await rejection(pool().call('exit', { status }));
};

describe('the breaker', () => {
  it('opens after so many crashes, tells when to come again, and closes by success', async () => {
    const breaker = { failureThreshold: 2, openMs: 300, successThreshold: 1 };
    runtime = await poolRuntime({ ...PATIENT, breaker });
    for (const status of [1, 2]) await crash(status);
    const error = await rejection(pool().call('who'));
    expect(error).toMatchObject({ code: 'circuit_open', outcome: 'notSent' });
    expect(error['retryAfterMs']).toBeGreaterThan(0);
    expect(error['retryAfterMs']).toBeLessThanOrEqual(300);
    await whenStatistics(runtime, ({ gauges }) => gauges.breaker === 'half_open');
    expect(await pool().call('who')).toBeTypeOf('number');
    expect(pool().statistics()).toMatchObject({
      gauges: { breaker: 'closed' },
      counters: { refused: { circuit_open: 1 } },
    });
  });

  it('of which the configuration wants none never opens', async () => {
    runtime = await poolRuntime({ ...PATIENT, breaker: false });
    for (let status = 1; status <= 12; status += 1) await crash(status);
    expect(await pool().call('who')).toBeTypeOf('number');
    expect(pool().statistics().gauges.breaker).toBe('none');
  });
});

describe('the quarantine', () => {
  it('refuses a call that workers died of, and its like, for so long, and no other', async () => {
    const quarantine = { crashes: 2, forMs: 400 };
    runtime = await poolRuntime({ ...PATIENT, breaker: false, quarantine });
    for (const status of [5, 5]) await crash(status);
    const error = await rejection(pool().call('exit', { status: 5 }));
    expect(error).toMatchObject({ code: 'poisoned', outcome: 'notSent' });
    expect(pool().statistics().counters).toMatchObject({ refused: { poisoned: 1 } });
    expect(await rejection(pool().call('exit', { status: 6 }))).toMatchObject({
      code: 'worker_crashed',
    });
    let code: unknown = 'poisoned';
    await until(() => {
      void rejection(pool().call('exit', { status: 5 })).then((again) => (code = again['code']));
      return code !== 'poisoned';
    }, 5_000);
    expect(code).toBe('worker_crashed');
  });
});

describe('a pool that is started in the background', () => {
  it('is not waited for: calls are, in its queue', async () => {
    runtime = await poolRuntime({}, { startup: 'background' });
    expect(pool().statistics()).toMatchObject({ state: 'starting', gauges: { idle: 0 } });
    const early = pool().call('who');
    expect(pool().statistics().gauges.queued).toBe(1);
    expect(await early).toBeTypeOf('number');
    expect(pool().statistics().state).toBe('serving');
  });
});

describe('a pool that cannot start', () => {
  it('and is started in the background lets the runtime go on, and tells each caller why', async () => {
    runtime = await poolRuntime(
      {},
      { startup: 'background', scriptPath: fixture('import_raises.py') },
    );
    const waiting = rejection(pool().call('who'));
    const failed =
      pool().statistics().state === 'failed' ? undefined : nextEvent(runtime, 'pool.failed');
    expect((await waiting)['code']).toBe('pool_failed');
    await failed;
    const error = await rejection(pool().call('who'));
    expect(error).toMatchObject({ code: 'pool_failed', outcome: 'notSent' });
    expect((error.cause as Error).message).toContain('this bridge is broken by design');
    expect(pool().statistics().state).toBe('failed');
  });

  it('rejects the start that waits for it', async () => {
    runtime = await poolRuntime();
    const error = await rejection(poolRuntime({}, { scriptPath: fixture('import_raises.py') }));
    expect(error).toMatchObject({ code: 'pool_failed' });
  });

  it('is started again by itself when the breaker lets it try', async () => {
    runtime = await poolRuntime(
      { breaker: { openMs: 200 } },
      { startup: 'background', scriptPath: fixture('import_raises.py') },
    );
    await nextEvent(runtime, 'pool.failed');
    await nextEvent(runtime, 'pool.failed');
    expect(pool().statistics().state).not.toBe('serving');
  });
});

describe('several pools in one runtime', () => {
  it(
    'one whose bridge ends at import a hundred times costs another one under load no call',
    { timeout: 120_000 },
    async () => {
      runtime = await createRuntime({
        python: PYTHON,
        logger: false,
        bridges: {
          pool: bridgeOf({ size: 2 }),
          bad: bridgeOf(
            { ...PATIENT, size: 2, breaker: false },
            { startup: 'background', scriptPath: fixture('import_exits.py') },
          ),
        },
      });
      await idleWorkers(runtime, 2);
      let exits = 0;
      runtime.on('child.crashed', ({ path }) => {
        if (path.startsWith('bad/')) exits += 1;
      });
      const errors: unknown[] = [];
      let calls = 0;
      const client = async (n: number): Promise<void> => {
        const session = { sessionId: `s${n}` };
        for (let value = 0; exits < 100; value += 1) {
          try {
            calls += 2;
            await pool().call('put', { id: 'n', value }, session);
            const read = await pool().call('get', { id: 'n' }, session);
            if (read !== value) errors.push({ wanted: value, read });
          } catch (error) {
            errors.push(error);
          }
        }
      };
      const waiting = rejection(runtime.pool('bad').call('who', {}, { checkoutTimeoutMs: 100 }));
      await Promise.all(Array.from({ length: 8 }, (_, n) => client(n)));
      expect(errors).toEqual([]);
      expect((await waiting)['outcome']).toBe('notSent');
      expect(exits).toBeGreaterThanOrEqual(100);
      expect(pool().statistics().counters).toMatchObject({
        accepted: calls,
        completed: calls,
        failed: 0,
      });
      assertBalanced(runtime, 'bad');
    },
  );

  it('one that has given up leaves another one alone', async () => {
    runtime = await createRuntime({
      python: PYTHON,
      logger: false,
      bridges: {
        pool: bridgeOf({ size: 1 }),
        bad: bridgeOf({ size: 1, maxRestarts: 1 }),
      },
    });
    const bad = runtime.pool('bad');
    const failed = nextEvent(runtime, 'pool.failed');
    for (const status of [1, 2]) await rejection(bad.call('exit', { status }));
    expect(await failed).toMatchObject({ pool: 'bad' });
    expect(await rejection(bad.call('who'))).toMatchObject({ code: 'pool_failed' });
    expect(await pool().call('who')).toBeTypeOf('number');
    // And it is there again when it is told to be.
    await bad.start();
    expect(await bad.call('who')).toBeTypeOf('number');
  });
});
