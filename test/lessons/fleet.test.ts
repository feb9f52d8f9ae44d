// What must hold while workers are replaced on purpose, since it once did not? Scripted workers under virtual time; each test is a row of docs/lessons.md.
import { afterEach, describe, expect, it } from 'vitest';

import {
  fateOf,
  microtasks,
  request,
  scriptedPool,
  type Fate,
  type ScriptedPool,
} from '../support/scripted-pool.ts';

let of: ScriptedPool;
afterEach(() => {
  of.stop();
  expect(of.world.callsToTheDead).toEqual([]);
});

describe('a worker that is replaced because of its age', () => {
  it('has its successor first, finishes what it has, and leaves as many as there were (S6, A4)', async () => {
    const size = 2;
    of = scriptedPool({ size, maxAgeMs: 1_000, recycleJitter: 0, drainMs: 60_000 });
    of.settle();
    const { world, pool, bus } = of;
    const readyCounts: number[] = [];
    bus.on('*', () => {
      const { idle, busy } = pool.statistics.gauges;
      readyCounts.push(idle + busy);
    });
    const running = fateOf(pool.call(request('hang', {}, { timeoutMs: 60_000 })));
    of.settle();
    const own = world.processes.find(({ calls }) => calls.length > 0)!;
    const others: Fate[] = [];
    for (let n = 0; n < 40; n += 1) {
      others.push(fateOf(pool.call(request('echo'))));
      of.advance(100);
    }
    expect(own.isAlive).toBe(true);
    own.reply(own.calls.find(({ op }) => op === 'hang')!.id, 'done');
    of.advance(500);
    await microtasks();
    expect(running).toMatchObject({ state: 'resolved', value: 'done' });
    expect(others.map(({ state }) => state)).toEqual(others.map(() => 'resolved'));
    expect(own.isAlive).toBe(false);
    expect(Math.min(...readyCounts)).toBeGreaterThanOrEqual(size);
    expect(world.processes.filter(({ isAlive }) => isAlive)).toHaveLength(size);
    expect(pool.statistics.counters.recycled).toMatchObject({ age: expect.any(Number) as number });
    expect(pool.statistics.counters).toMatchObject({ failed: 0, retried: 0, lost: 0 });
  });
});
