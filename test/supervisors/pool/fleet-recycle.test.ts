// Does a worker that has done enough go, by calls, age or memory, each at a time of its own?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import { inSession } from './calling.ts';
import { fleet, starting } from './fleet-watch.ts';

describe('a worker that has had its number of calls', () => {
  const options = { size: 1, maxCallsPerWorker: 3 };

  it('is replaced, and fails no call', async () => {
    const { call, done, log, ready, counters } = fleet(options);
    ready.fewest = Infinity;
    const calls = [];
    for (let n = 0; n < 7; n += 1) {
      calls.push(call('echo'));
      await done();
    }
    expect(calls.map(({ state }) => state)).toEqual(calls.map(() => 'resolved'));
    expect(log).toEqual([
      ...['p/1 comes: calls for p/0', 'p/0#1 goes: calls'],
      ...['p/2 comes: calls for p/1', 'p/1#1 goes: calls'],
    ]);
    expect([ready.fewest, counters().recycled]).toEqual([1, { calls: 2, age: 0, rss: 0 }]);
  });

  it('goes on taking calls until its replacement is ready', async () => {
    const { call, done, world } = fleet(options, starting('ready', 'hangs'));
    for (let n = 0; n < 5; n += 1) {
      call('echo');
      await done();
    }
    expect(world.processes.map(({ calls }) => calls.length)).toEqual([5, 0]);
  });

  it('draws its own lower limit, so that not all go at once', async () => {
    const drawn = [0, 0.999];
    const random = { next: () => drawn.shift() ?? 0 };
    const jittered = { size: 2, maxCallsPerWorker: 10, recycleJitter: 0.5 };
    const { call, done, log } = fleet(jittered, {}, { random });
    for (let n = 0; n < 10; n += 1) {
      call('echo', {}, inSession('a'));
      call('echo', {}, inSession('b'));
      await done();
      if (log.length > 0) break;
    }
    expect(log[0]).toBe('p/2 comes: calls for p/1');
  });

  it('begins anew with the next incarnation', async () => {
    const { call, done, world, log } = fleet(options);
    for (let n = 0; n < 2; n += 1) {
      call('echo');
      await done();
    }
    world.processes[0]!.exit(1, null);
    await done();
    for (let n = 0; n < 2; n += 1) {
      call('echo');
      await done();
    }
    expect(log).toEqual([]);
  });

  it('stays where it is when the replacement does not start, which is tried again later', async () => {
    const script = starting('ready', 'exits_before_hello', 'ready');
    const { call, done, pass, log, ids, pool } = fleet({ ...options, maxRestarts: 0 }, script);
    for (let n = 0; n < 3; n += 1) {
      call('echo');
      await done();
    }
    const between = [ids(), pool.statistics.state];
    await pass(LIMITS.plannedStartBackoffMinMs);
    expect([between, ids()]).toEqual([[['0'], 'serving'], ['2']]);
    expect(log).toEqual([
      'p/1 comes: calls for p/0',
      `p/1 failed: calls again in ${LIMITS.plannedStartBackoffMinMs}`,
      ...['p/2 comes: calls for p/0', 'p/0#1 goes: calls'],
    ]);
  });
});

describe('a worker that is old enough', () => {
  it('is replaced at its time, one after the other', async () => {
    const { pass, log, ready } = fleet({ size: 2, maxAgeMs: 10_000 });
    ready.fewest = Infinity;
    await pass(9_999);
    const before = [...log];
    await pass(1);
    expect(before).toEqual([]);
    expect(log).toEqual([
      ...['p/2 comes: age for p/0', 'p/0#1 goes: age'],
      ...['p/3 comes: age for p/1', 'p/1#1 goes: age'],
    ]);
    expect(ready.fewest).toBe(2);
  });

  it('is so at a time of its own', async () => {
    const drawn = [0.5, 0];
    const random = { next: () => drawn.shift() ?? 0 };
    const { pass, log } = fleet({ size: 2, maxAgeMs: 10_000, recycleJitter: 0.2 }, {}, { random });
    await pass(9_000);
    const first = [...log];
    await pass(1_000);
    expect([first[0], log[2]]).toEqual(['p/2 comes: age for p/0', 'p/3 comes: age for p/1']);
  });
});

describe('a worker that takes too much memory', () => {
  it('is replaced, as its heartbeats tell it', async () => {
    const rss = new Map([[1, 100]]);
    const host = {
      readProcess: (pid: number) => ({
        ...{ state: 'running' as const, cpuMs: 0, threads: 1, startedAtMs: 0 },
        ...{ rssBytes: rss.get(pid) ?? 100, threadsCpuMs: [] },
      }),
      countOpenFiles: () => undefined,
    };
    const options = { size: 1, maxRssBytes: 1_000, heartbeatMs: 500 };
    const { pass, log, counters } = fleet(options, {}, { host: host as never });
    await pass(5_000);
    const before = [...log];
    rss.set(1, 1_000);
    await pass(1_000);
    expect([before, log]).toEqual([[], ['p/1 comes: rss for p/0', 'p/0#1 goes: rss']]);
    await pass(5_000);
    expect(counters().recycled).toEqual({ calls: 0, age: 0, rss: 1 });
  });
});
