// Do workers beyond the size come when calls wait, and go when nobody needs them; and does a resize lose nothing?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import type { PoolOptions } from '../../../supervisors/pool/pool-options.ts';
import { scriptedPool } from '../../support/scripted-pool.ts';
import type { WorldOptions } from '../../support/scripted-world.ts';
import { pooled, shown } from './calling.ts';
import { answered, starting, watched } from './fleet-watch.ts';

const LONG = { timeoutMs: 600_000, checkoutTimeoutMs: 600_000 };

function fleet(options: PoolOptions, world: Partial<WorldOptions> = {}) {
  const setup = pooled(options, world);
  /** Let the call that is in a process end. */
  const reply = (pid: number): void => {
    const process = setup.world.processes[pid - 1]!;
    process.reply(process.calls.at(-1)!.id, 'done');
    setup.advance(0);
  };
  const hang = () => setup.call('hang', {}, LONG);
  return { ...setup, ...watched(setup), reply, hang };
}

describe('overflow', () => {
  const options = { size: 1, overflow: 2, idleTimeoutMs: 1_000 };

  it('comes while calls wait and nobody is idle, within its number', async () => {
    const { hang, done, log, living } = fleet(options);
    for (let n = 0; n < 5; n += 1) hang();
    await done();
    expect([living(), log]).toEqual([3, ['p/1 comes: overflow', 'p/2 comes: overflow']]);
  });

  it('serves what waited, and goes after it had no call for the idle time', async () => {
    const { hang, reply, done, advance, log, living, counters } = fleet(options);
    const calls = [hang(), hang()];
    await done();
    reply(1);
    reply(2);
    await done();
    advance(999);
    const before = living();
    advance(1);
    expect(calls.map(shown)).toEqual(['done', 'done']);
    expect([before, living(), log.slice(1)]).toEqual([2, 1, ['p/0#1 goes: idle']]);
    expect(counters()).toMatchObject({ overflowed: 1, failed: 0 });
  });

  it('stays as long as it has calls', async () => {
    const { call, hang, reply, done, advance, living } = fleet(options);
    hang();
    hang();
    await done();
    reply(2);
    for (let n = 0; n < 5; n += 1) {
      advance(900);
      call('echo');
    }
    await done();
    expect(living()).toBe(2);
  });

  it('does not come without being wanted', async () => {
    const { hang, done, advance, living } = fleet({ size: 1, overflow: 0 });
    hang();
    hang();
    await done();
    advance(1_000);
    expect(living()).toBe(1);
  });

  it('that does not start costs nobody anything, and is tried again later and later', () => {
    const { hang, advance, log, pool, living, counters } = fleet(
      { size: 1, overflow: 1, maxRestarts: 0 },
      starting('ready', 'import_fails', 'exits_before_hello', 'ready'),
    );
    hang();
    hang();
    advance(0);
    const { plannedStartBackoffMinMs: minMs } = LIMITS;
    advance(minMs);
    advance(2 * minMs - 1);
    const before = living();
    advance(1);
    expect([before, living(), pool.statistics.state]).toEqual([1, 2, 'serving']);
    expect(log).toEqual([
      ...['p/1 comes: overflow', `p/1 failed: overflow again in ${minMs}`],
      ...['p/2 comes: overflow', `p/2 failed: overflow again in ${2 * minMs}`],
      'p/3 comes: overflow',
    ]);
    expect(counters()).toMatchObject({ startsFailed: 2, overflowed: 3 });
  });

  it('that was ready once is restarted like any other, and spends the budget', async () => {
    const { hang, done, world, log, living } = fleet({ ...options, maxRestarts: 1 });
    hang();
    hang();
    await done();
    world.processes[1]!.exit(1, null);
    await done();
    expect([living(), log]).toEqual([2, ['p/1 comes: overflow']]);
  });

  it('never makes the pool forget what it gave out: no id comes twice', async () => {
    const { hang, done, advance, log, world } = fleet({ ...options, overflow: 1 });
    for (let round = 0; round < 3; round += 1) {
      hang();
      hang();
      await done();
      for (const process of world.processes) {
        if (process.isAlive) process.reply(process.calls.at(-1)!.id, 'done');
      }
      await done();
      advance(1_000);
    }
    const came = log.filter((line) => line.includes('comes'));
    expect(came).toEqual([1, 2, 3].map((id) => `p/${id} comes: overflow`));
  });
});

describe('autoscale', () => {
  const options: PoolOptions = {
    ...{ size: 1, idleTimeoutMs: 1_000 },
    autoscale: { min: 1, max: 3, queueWaitMs: 100 },
  };

  it('adds one worker when the oldest call has waited for long enough, and one more when it still does', () => {
    const { hang, advance, pool, living, log } = fleet(options);
    for (let n = 0; n < 6; n += 1) hang();
    advance(99);
    const before = living();
    advance(1);
    expect([before, log.slice(0, 2)]).toEqual([
      1,
      ['size 1 to 2: autoscale', 'p/1 comes: autoscale'],
    ]);
    advance(100);
    expect([living(), pool.size]).toEqual([3, 3]);
    advance(10_000);
    expect(living()).toBe(3);
  });

  it('takes them back one by one when they were idle for long enough', async () => {
    const { hang, reply, advance, done, pool, living, world } = fleet(options);
    const calls = [hang(), hang(), hang()];
    advance(500);
    for (const { pid } of world.processes) reply(pid);
    await done();
    expect(calls.map(shown)).toEqual(['done', 'done', 'done']);
    advance(1_000);
    expect([living(), pool.size]).toEqual([1, 1]);
    advance(60_000);
    expect([living(), pool.size]).toEqual([1, 1]);
  });

  it('begins within its bounds', () => {
    const autoscale = { min: 2, max: 3, queueWaitMs: 100 };
    expect(fleet({ size: 1, autoscale }).pool.size).toBe(2);
    expect(fleet({ size: 9, autoscale }).pool.size).toBe(3);
  });

  it('is the size again that it was when the new worker does not start', () => {
    const { hang, advance, pool, log } = fleet(options, starting('ready', 'import_fails'));
    hang();
    hang();
    advance(100);
    expect([pool.size, log.at(-1), pool.statistics.state]).toEqual([
      ...[1, 'size 2 to 1: start_failed', 'serving'],
    ]);
  });
});

describe('a resize', () => {
  it('up is done when the new workers are ready, and loses no call', async () => {
    const { pool, hang, done, living, log } = fleet({ size: 1 });
    const calls = [hang(), hang(), hang()];
    const { done: told, answers } = answered();
    pool.resize(3, told);
    await done();
    expect([answers, living(), pool.size]).toEqual([[undefined], 3, 3]);
    expect(log).toEqual(['size 1 to 3: resize', 'p/1 comes: resize', 'p/2 comes: resize']);
    expect(calls.map(shown)).toEqual(['pending', 'pending', 'pending']);
    expect(pool.statistics.gauges).toMatchObject({ busy: 3, queued: 0 });
  });

  it('down lets those go that are idle, and is done when they have ended', async () => {
    const { pool, hang, reply, done, living, log } = fleet({ size: 3 });
    const busy = hang();
    await done();
    const { done: told, answers } = answered();
    pool.resize(1, told);
    await done();
    expect([answers, living()]).toEqual([[undefined], 1]);
    expect(log).toEqual(['size 3 to 1: resize', 'p/1#1 goes: resize', 'p/2#1 goes: resize']);
    reply(1);
    await done();
    expect(shown(busy)).toBe('done');
  });

  it('down under load waits for what those have that go, and loses no call', async () => {
    const { pool, hang, reply, done, living, call } = fleet({ size: 2 });
    const busy = [hang(), hang()];
    await done();
    const { done: told, answers } = answered();
    pool.resize(1, told);
    const waiting = call('echo', {}, LONG);
    await done();
    expect([answers, living()]).toEqual([[], 2]);
    for (const pid of [1, 2]) reply(pid);
    await done();
    expect([answers, living()]).toEqual([[undefined], 1]);
    expect([...busy, waiting].map(({ state }) => state)).toEqual(Array(3).fill('resolved'));
  });

  it('down ends what does not end by itself when the time to drain is over', async () => {
    const { pool, hang, done, pass, living } = fleet({ size: 2, drainMs: 500, shutdownMs: 100 });
    hang();
    hang();
    await done();
    const { done: told, answers } = answered();
    pool.resize(1, told);
    await pass(499);
    const before = [...answers];
    await pass(1 + 100 + LIMITS.terminateGraceMs);
    expect([before, answers, living()]).toEqual([[], [undefined], 1]);
  });

  it('that a worker does not start for fails, and leaves the size and the workers as they were', async () => {
    const { pool, done, living, log } = fleet(
      { size: 1 },
      starting('ready', 'import_fails', 'hangs'),
    );
    const { done: told, answers } = answered();
    pool.resize(3, told);
    await done();
    expect([answers, pool.size, living()]).toEqual([['reload_failed'], 1, 1]);
    expect(log.slice(-2)).toEqual(['p/1 failed: resize', 'size 3 to 1: start_failed']);
    expect(pool.statistics).toMatchObject({ state: 'serving', gauges: { starting: 0 } });
  });

  it('that is not done in time fails, and what was begun for it is called off', async () => {
    const { pool, pass, living } = fleet({ size: 1 }, starting('ready', 'hangs'));
    const { done: told, answers } = answered();
    pool.resize(2, told, 3_000);
    await pass(2_999);
    const before = [...answers];
    await pass(1);
    await pass(LIMITS.terminateGraceMs);
    expect([before, answers, pool.size, living()]).toEqual([[], ['reload_failed'], 1, 1]);
  });

  it('gives way to one that comes after it', async () => {
    const { pool, done, living } = fleet({ size: 1 });
    const [first, second] = [answered(), answered()];
    pool.resize(4, first.done);
    pool.resize(2, second.done);
    await done();
    expect([first.answers, second.answers, living()]).toEqual([['reload_failed'], [undefined], 2]);
  });

  it('to what the pool has is done at once', async () => {
    const { pool, done, log } = fleet({ size: 2 });
    const { done: told, answers } = answered();
    pool.resize(2, told);
    await done();
    expect([answers, log]).toEqual([[undefined], []]);
  });

  it.each([0, -1, 1.5, Number.NaN, LIMITS.poolSizeMax + 1])('to %s is refused', (size) => {
    const { pool } = fleet({ size: 1 });
    const { done: told, answers } = answered();
    pool.resize(size, told);
    expect([answers, pool.size]).toEqual([['invalid_config'], 1]);
  });

  it('beyond the bounds of autoscale is refused', () => {
    const { pool } = fleet({ size: 2, autoscale: { min: 2, max: 3, queueWaitMs: 100 } });
    const { done: told, answers } = answered();
    pool.resize(1, told);
    pool.resize(4, told);
    expect(answers).toEqual(['invalid_config', 'invalid_config']);
  });

  it('changes how many restarts the pool may have', async () => {
    const { pool, done, world } = fleet({ size: 1 });
    pool.resize(4, () => undefined);
    await done();
    // Three for each of them, where it was three in all.
    for (let n = 0; n < 4; n += 1) {
      world.processes.findLast(({ isAlive }) => isAlive)!.exit(1, null);
      await done();
    }
    expect(pool.statistics.state).toBe('serving');
  });
});

describe('concurrent starts', () => {
  it('are as many as the pool says', () => {
    const setup = scriptedPool({ size: 5, maxConcurrentStarts: 3 }, starting(...hangs(5)));
    setup.advance(0);
    expect(setup.world.processes).toHaveLength(3);
    setup.stop();
  });

  it('are at least two by default', () => {
    const setup = scriptedPool({ size: 64 }, starting(...hangs(64)));
    setup.advance(0);
    expect(setup.world.processes.length).toBeGreaterThanOrEqual(2);
    setup.stop();
  });

  const hangs = (count: number) => Array.from({ length: count }, () => 'hangs' as const);
});
