// Do workers beyond the size come when calls wait, and go when nobody needs them?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import type { PoolOptions } from '../../../supervisors/pool/pool-options.ts';
import { shown } from './calling.ts';
import { fleet, starting } from './fleet-watch.ts';

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
