// When does a worker come, when does it go, and what does that cost a call? Nothing, on real processes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { BusEvents, PoolOptions, Runtime } from '../../src/index.ts';
import {
  assertBalanced,
  idleWorkers,
  makeGate,
  poolRuntime,
  whenStatistics,
  type Gate,
} from '../support/pool-runtime.ts';
import { rejection, until, workersOf } from '../support/real-runtime.ts';

const PATIENCE_MS = 15_000;

let runtime: Runtime;
let gate: Gate;

beforeEach(() => {
  gate = makeGate();
});
afterEach(async () => {
  gate.open();
  assertBalanced(runtime);
  await runtime.stop();
});

async function start(options: PoolOptions): Promise<void> {
  runtime = await poolRuntime(options, { callbacks: gate.callbacks });
  await idleWorkers(runtime, options.size ?? 1);
}

const pool = () => runtime.pool('pool');
const pids = (): readonly (number | undefined)[] => workersOf(runtime).map(({ pid }) => pid);

/** Callers that call all the time. `end` gives how many calls there were, and what became of those that failed. */
function load(callers: number): {
  readonly end: () => Promise<{ calls: number; errors: unknown[] }>;
} {
  let isOver = false;
  let calls = 0;
  const errors: unknown[] = [];
  const run = async (caller: number): Promise<void> => {
    const session = caller % 2 === 0 ? { sessionId: `s${caller}` } : {};
    while (!isOver) {
      calls += 1;
      await pool()
        .call('work', { seconds: 0.002 }, session)
        .catch((error: unknown) => errors.push(error));
    }
  };
  const running = Array.from({ length: callers }, (_, caller) => run(caller));
  return {
    end: async () => {
      isOver = true;
      await Promise.all(running);
      return { calls, errors };
    },
  };
}

describe('workers beyond the size', () => {
  it('overflow and idleTimeoutMs: come while calls wait, and go when nothing is to do', async () => {
    await start({ size: 1, overflow: 1, idleTimeoutMs: 200 });
    const [first] = pids();
    const held = pool().call('hold');
    await gate.held(1);
    const answered = await pool().call('who');
    expect(answered).not.toBe(first);
    expect(pool().statistics().counters).toMatchObject({ overflowed: 1 });
    gate.open();
    await held;
    await until(() => workersOf(runtime).length === 1, PATIENCE_MS);
    expect(pool().statistics().counters.failed).toBe(0);
  });

  it('autoscale: more while calls wait too long, fewer when there is nothing to do', async () => {
    await start({ size: 1, autoscale: { min: 1, max: 3, queueWaitMs: 20 }, idleTimeoutMs: 200 });
    const held = Array.from({ length: 5 }, () => pool().call('hold'));
    await gate.held(3);
    expect(pool().statistics().size).toBe(3);
    gate.open();
    await Promise.all(held);
    await until(() => workersOf(runtime).length === 1, PATIENCE_MS);
    expect(pool().statistics()).toMatchObject({ size: 1, counters: { failed: 0 } });
  });
});

describe('workers that start', () => {
  it('maxConcurrentStarts: no more of them load at a time', async () => {
    const [loading, most]: [Set<string>, number[]] = [new Set(), []];
    runtime = await poolRuntime({ size: 1, maxConcurrentStarts: 1 });
    runtime.on('child.starting', ({ path }) => {
      loading.add(path);
      most.push(loading.size);
    });
    runtime.on('child.ready', ({ path }) => void loading.delete(path));
    await pool().resize(4);
    await idleWorkers(runtime, 4);
    expect(most).toEqual([1, 1, 1]);
  });
});

describe('workers that have had enough', () => {
  it('maxCallsPerWorker: each is replaced after its calls, and no call fails', async () => {
    await start({ size: 1, maxCallsPerWorker: 5, recycleJitter: 0 });
    const seen: unknown[] = [];
    // Until its replacement is ready the first one goes on.
    while (new Set(seen).size < 3) seen.push(await pool().call('who'));
    // The first one had five calls at least, before its replacement was ready.
    expect(seen.filter((pid) => pid === seen[0]).length).toBeGreaterThanOrEqual(5);
    expect(pool().statistics().counters).toMatchObject({
      failed: 0,
      recycled: { calls: expect.any(Number) as number },
    });
  });

  it('maxAgeMs: each is replaced when it is old, also when nobody calls', async () => {
    await start({ size: 1, maxAgeMs: 300 });
    const [first] = pids();
    await until(() => pids().length > 0 && !pids().includes(first), PATIENCE_MS);
    expect(pool().statistics().counters.recycled.age).toBeGreaterThanOrEqual(1);
    expect(await pool().call('who')).not.toBe(first);
  });

  it('maxRssBytes: each is replaced when it is large', async () => {
    await start({ size: 1, maxRssBytes: 256 * 1024 * 1024, heartbeatMs: 100 });
    const first = await pool().call('grow', { mib: 300 });
    await until(() => pids().length > 0 && !pids().includes(first as number), PATIENCE_MS);
    expect(pool().statistics().counters.recycled.rss).toBe(1);
    expect(pool().statistics().counters.failed).toBe(0);
  });

  it('recycleJitter: not all of them after the same number of calls', async () => {
    await start({ size: 1, maxCallsPerWorker: 100, recycleJitter: 0.9 });
    const calls = new Map<unknown, number>();
    const limits: number[] = [];
    const starting = (): number => pool().statistics().gauges.starting;
    // Its replacement is ordered in the turn in which a worker's last call ends.
    while (limits.length < 8) {
      const before = starting();
      const pid = await pool().call('who');
      const count = (calls.get(pid) ?? 0) + 1;
      calls.set(pid, count);
      if (before === 0 && starting() === 1) limits.push(count);
    }
    // Without it they would differ by the calls that come in between, one or two.
    expect(Math.max(...limits) - Math.min(...limits)).toBeGreaterThan(10);
    expect(Math.max(...limits)).toBeLessThanOrEqual(102);
  });

  it('drainMs: what it has may finish, but not for ever', async () => {
    await start({ size: 1, drainMs: 200, shutdownMs: 100 });
    const late = rejection(pool().call('hold'));
    await gate.held(1);
    await pool().reload({ timeoutMs: PATIENCE_MS });
    expect(await late).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(await pool().call('who')).toBeTypeOf('number');
  });
});

describe('orders', () => {
  it('resize: more and fewer under load, and no call is lost', async () => {
    await start({ size: 2 });
    const { end } = load(8);
    for (const size of [4, 1, 3]) {
      await pool().resize(size);
      expect(pool().statistics().size).toBe(size);
      await until(() => workersOf(runtime).length === size, PATIENCE_MS);
    }
    const { calls, errors } = await end();
    expect(errors).toEqual([]);
    expect(pool().statistics().counters).toMatchObject({ completed: calls, failed: 0 });
  });

  it('reload: every worker is another one, none is missed meanwhile, and no call is lost', async () => {
    await start({ size: 3 });
    const before = new Set(pids());
    const { end } = load(8);
    const short: number[] = [];
    const look = (): void => {
      const ready = workersOf(runtime).filter(({ state }) => state === 'ready' || state === 'busy');
      if (ready.length < 3) short.push(ready.length);
    };
    const unwatch = runtime.on('*', look);
    await pool().reload({ timeoutMs: PATIENCE_MS });
    unwatch();
    const { calls, errors } = await end();
    expect(errors).toEqual([]);
    expect(short).toEqual([]);
    expect(pids().filter((pid) => before.has(pid))).toEqual([]);
    expect(pool().statistics().counters).toMatchObject({ completed: calls, failed: 0 });
  });

  it('drain: no new calls, and those there are finish', async () => {
    await start({ size: 1 });
    const calls = [pool().call('hold'), pool().call('who')];
    await gate.held(1);
    const drained = pool().drain({ timeoutMs: PATIENCE_MS });
    expect(await rejection(pool().call('who'))).toMatchObject({
      code: 'pool_stopped',
      outcome: 'notSent',
    });
    gate.open();
    await Promise.all(calls);
    expect(await drained).toBe(0);
    expect(pool().statistics().state).toBe('stopped');
  });

  it('stop and start: the workers go, the sessions come back with the next ones', async () => {
    await start({ size: 2 });
    const alice = { sessionId: 'alice' };
    await pool().call('put', { id: 'n', value: 1 }, alice);
    const before = pids();
    await pool().stop();
    expect(pool().statistics().state).toBe('stopped');
    expect(workersOf(runtime)).toEqual([]);
    expect(await rejection(pool().call('who'))).toMatchObject({
      code: 'pool_stopped',
      outcome: 'notSent',
    });
    const told: BusEvents['child.ready'][] = [];
    runtime.on('child.ready', (event) => told.push(event));
    await pool().start();
    expect(await pool().call('get', { id: 'n' }, alice)).toBe(1);
    expect(pids().filter((pid) => before.includes(pid))).toEqual([]);
    // No epoch of a worker is given twice.
    expect(told.filter(({ path }) => path === 'pool/0').every(({ epoch }) => epoch > 1)).toBe(true);
  });

  it('that make no sense are refused by name', async () => {
    await start({ size: 1 });
    for (const size of [0, -1, 0.5, 1_000_000]) {
      expect(await rejection(pool().resize(size))).toMatchObject({
        code: 'invalid_config',
        field: 'size',
      });
    }
    for (const timeoutMs of [0, -1, Number.NaN]) {
      for (const order of ['reload', 'drain'] as const) {
        expect(await rejection(pool()[order]({ timeoutMs }))).toMatchObject({
          code: 'invalid_config',
          field: 'options.timeoutMs',
        });
      }
    }
    await whenStatistics(runtime, ({ size }) => size === 1);
  });
});
