// Does a resize lose nothing, and do no more workers load at a time than may?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import { scriptedPool } from '../../support/scripted-pool.ts';
import { shown } from './calling.ts';
import { answered, fleet, starting } from './fleet-watch.ts';

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
    const waiting = call('echo');
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

describe('a worker of the size that does not become ready', () => {
  it('is counted, and counts for the breaker', async () => {
    const script = starting('ready', 'ready', 'exits_before_hello', 'ready');
    const { world, done, counters, gauges } = fleet(
      { size: 2, breaker: { failureThreshold: 2 } },
      script,
    );
    world.processes[0]!.exit(1, null);
    await done();
    expect([counters().startsFailed, gauges().breaker, gauges().idle]).toEqual([1, 'open', 2]);
  });
});
