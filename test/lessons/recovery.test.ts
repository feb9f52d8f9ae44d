// Is recovery on the path of the calls? It once stood beside it. Scripted workers under virtual time; each test is a row of docs/lessons.md.
import { afterEach, describe, expect, it } from 'vitest';

import {
  fateOf,
  microtasks,
  request,
  scriptedPool,
  type Fate,
  type ScriptedPool,
} from '../support/scripted-pool.ts';
import type { CallMessage, ScriptedProcess } from '../support/scripted-world.ts';

let of: ScriptedPool;
afterEach(() => {
  of.stop();
  expect(of.world.callsToTheDead).toEqual([]);
});

/** What the scripted workers do with an operation of these; everything else is answered. */
type Doing = Readonly<Record<string, (process: ScriptedProcess, call: CallMessage) => void>>;

function started(options: Parameters<typeof scriptedPool>[0], doing: Doing = {}): ScriptedPool {
  const onCall = (process: ScriptedProcess, call: CallMessage): void => {
    const now = doing[call.op];
    if (now === undefined) process.reply(call.id, call.args);
    else now(process, call);
  };
  of = scriptedPool({ maxRestarts: 100, ...options }, { onCall });
  of.settle();
  return of;
}

const die = (process: ScriptedProcess): void => process.exit(null, 'SIGKILL');
const raise = (process: ScriptedProcess, { id }: CallMessage): void => process.fail(id, 'no');

/** A call, with all that happens by itself within the time behind it. */
async function made(
  op: string,
  args: object = {},
  more: Parameters<typeof request>[2] = {},
  withinMs = 1_000,
): Promise<Fate> {
  const fate = fateOf(of.pool.call(request(op, { ...args }, more)));
  of.advance(withinMs);
  await microtasks();
  return fate;
}

describe('a call that has lost its worker', () => {
  it('is made again by itself when it is idempotent, and answered by another (B23, S11)', async () => {
    let tries = 0;
    const { world, pool } = started(
      { size: 2 },
      {
        flaky: (process, { id }) => {
          tries += 1;
          if (tries === 1) die(process);
          else process.reply(id, 'answered');
        },
      },
    );
    const idempotent = { isIdempotent: true, maxRetries: 2 };
    expect(await made('flaky', {}, idempotent)).toMatchObject({ state: 'resolved' });
    expect(world.callsWritten).toHaveLength(2);
    expect(pool.statistics.counters).toMatchObject({
      accepted: 1,
      completed: 1,
      retried: 1,
      failed: 0,
    });
  });

  it('is not made again when it is not, since it may have run (A7)', async () => {
    const { world } = started({ size: 2, quarantine: { crashes: 100 } }, { once: die });
    const error = { code: 'worker_crashed', outcome: 'maybeExecuted' };
    expect(await made('once', {}, { maxRetries: 2 })).toMatchObject({ state: 'rejected', error });
    expect(world.callsWritten).toHaveLength(1);
  });

  it('is made again no more often than it may, and fails then', async () => {
    const { world } = started({ size: 2, quarantine: { crashes: 100 } }, { flaky: die });
    const idempotent = { isIdempotent: true, maxRetries: 2 };
    const fate = await made('flaky', {}, idempotent, 10_000);
    expect(fate).toMatchObject({ state: 'rejected', error: { code: 'worker_crashed' } });
    expect(world.callsWritten).toHaveLength(3);
  });
});

describe('a call that kills its workers', () => {
  it('is refused after two of them, whoever makes it, and kills no third (S12, A7)', async () => {
    const { world } = started({ size: 2 }, { poison: die });
    for (let n = 0; n < 2; n += 1) {
      expect(await made('poison', { a: 1 })).toMatchObject({ error: { code: 'worker_crashed' } });
    }
    const refused = { code: 'poisoned', outcome: 'notSent' };
    expect(await made('poison', { a: 1 })).toMatchObject({ state: 'rejected', error: refused });
    expect(world.callsWritten).toHaveLength(2);
    expect(of.pool.statistics.counters).toMatchObject({ quarantined: 1, failed: 2 });
    expect(await made('poison_not', { a: 1 })).toMatchObject({ state: 'resolved' });
  });

  it('is not tried a third time, though it may be tried again and does no harm by running twice (S12)', async () => {
    const { world } = started({ size: 2 }, { poison: die });
    const idempotent = { isIdempotent: true, maxRetries: 5 };
    const fate = await made('poison', { a: 1 }, idempotent, 10_000);
    expect(fate).toMatchObject({ state: 'rejected', error: { code: 'worker_crashed' } });
    expect(world.callsWritten).toHaveLength(2);
  });

  it('is refused also when it waited already (S12)', async () => {
    const { world, pool } = started({ size: 1 }, { poison: die });
    const calls = Array.from({ length: 5 }, () => fateOf(pool.call(request('poison', { a: 1 }))));
    of.advance(10_000);
    await microtasks();
    expect(world.callsWritten).toHaveLength(2);
    const codes = calls.map(({ error }) => error?.code);
    expect(codes.slice(0, 2)).toEqual(['worker_crashed', 'worker_crashed']);
    expect(codes.slice(2)).toEqual(['poisoned', 'poisoned', 'poisoned']);
    expect(pool.statistics.counters).toMatchObject({ accepted: 5, failed: 5, quarantined: 3 });
  });
});

describe('the breaker of a pool', () => {
  const times = { openMs: 5_000, probeTimeoutMs: 3_600_000 };
  const breaker = { failureThreshold: 2, successThreshold: 1, halfOpenCallsMax: 1, ...times };
  const options = { size: 2, breaker, quarantine: { crashes: 100 } };

  it('runs no call itself: they run side by side (B21)', async () => {
    started(options, { hang: () => undefined });
    expect(await made('hang')).toMatchObject({ state: 'pending' });
    expect(await made('echo')).toMatchObject({ state: 'resolved' });
  });

  it('takes neither an error of Python for a failure, nor a failure for a success (B21)', async () => {
    started(options, { raise, die });
    for (let n = 0; n < 5; n += 1) {
      expect(await made('raise')).toMatchObject({ error: { code: 'no' } });
    }
    expect(of.pool.statistics.gauges.breaker).toBe('closed');
    await made('die', { n: 1 });
    await made('die', { n: 2 });
    const error = { code: 'circuit_open', outcome: 'notSent' };
    expect(await made('echo')).toMatchObject({ state: 'rejected', error });
  });

  it('forgets failures with the next success (S10)', async () => {
    started(options, { die });
    for (let n = 0; n < 4; n += 1) {
      await made('die', { n });
      expect(await made('echo')).toMatchObject({ state: 'resolved' });
    }
    expect(of.pool.statistics.gauges.breaker).toBe('closed');
  });

  it('loses no permit with a caller that is gone (B21, S10)', async () => {
    let isDeaf = true;
    started(options, {
      die,
      probe: (process, { id }) => {
        if (!isDeaf) process.reply(id, 'well');
      },
    });
    await made('die', { n: 1 });
    await made('die', { n: 2 });
    of.advance(breaker.openMs);
    const caller = new AbortController();
    await made('probe', {}, { signal: caller.signal });
    caller.abort();
    isDeaf = false;
    // Long enough for the end of that call, and not for its probe to count as lost.
    of.advance(60_000);
    expect(await made('probe')).toMatchObject({ state: 'resolved' });
    expect(of.pool.statistics.gauges.breaker).toBe('closed');
  });

  it('lets only so many through while it is half open, and a probe that is lost opens it again (S10)', async () => {
    const own = { ...breaker, halfOpenCallsMax: 2, probeTimeoutMs: 1_000 };
    const { world } = started(
      { ...options, size: 3, breaker: own },
      { die, hang: () => undefined },
    );
    await made('die', { n: 1 });
    await made('die', { n: 2 });
    of.advance(own.openMs);
    expect(of.pool.statistics.gauges.breaker).toBe('half_open');
    const before = world.callsWritten.length;
    const calls = [1, 2, 3].map((n) => fateOf(of.pool.call(request('hang', { n }))));
    of.settle();
    await microtasks();
    // The third has a worker that is idle, and waits or is refused all the same.
    expect(world.callsWritten).toHaveLength(before + 2);
    expect(calls.slice(0, 2).map(({ state }) => state)).toEqual(['pending', 'pending']);
    of.advance(own.probeTimeoutMs);
    expect(of.pool.statistics.gauges.breaker).toBe('open');
    of.advance(own.openMs);
    expect(of.pool.statistics.gauges.breaker).toBe('half_open');
  });
});
