// Would the run notice a sum that does not hold, a count that differs, a leak?
import { describe, expect, it } from 'vitest';

import {
  accountOf,
  disagreements,
  imbalanceOf,
  refusedOf,
  sumOf,
  type Account,
} from './accounts.ts';
import { readArguments } from './arguments.ts';
import { Dice } from './dice.ts';
import { heapLeak, isLeaking, leaksOf, slopeOf, type Held, type MemorySample } from './leaks.ts';
import { endingOf, Tally, Times } from './tally.ts';

const ACCOUNT: Account = {
  ...{ accepted: 21, completed: 1, failed: 2, cancelled: 3, queued: 7, running: 8 },
};
const MIB = 1024 * 1024;

describe('the sum of a pool', () => {
  it('holds when every accepted call has one place', () => {
    expect(imbalanceOf(ACCOUNT)).toBeUndefined();
  });

  it.each(['accepted', 'completed', 'failed', 'cancelled', 'queued', 'running'])(
    'does not hold when %s is one too many',
    (name) => {
      const wrong = { ...ACCOUNT, [name]: ACCOUNT[name as keyof Account] + 1 };
      expect(imbalanceOf(wrong)).toContain('accepted is');
    },
  );

  it('does not hold when a part is negative or no number, even if it adds up', () => {
    expect(imbalanceOf({ ...ACCOUNT, queued: -1, running: 16 })).toBeDefined();
    expect(imbalanceOf({ ...ACCOUNT, running: Number.NaN })).toBeDefined();
  });

  it('is read from the counters and gauges of its statistics', () => {
    const { queued, running, ...counted } = ACCOUNT;
    const refused = { overloaded: 2, poisoned: 1 };
    const statistics = { counters: { ...counted, refused }, gauges: { queued, running } };
    expect(accountOf(statistics)).toEqual(ACCOUNT);
    expect(refusedOf(statistics)).toBe(3);
  });

  it('of several pools is that of all calls', () => {
    expect(sumOf([ACCOUNT, ACCOUNT])).toEqual({
      ...{ accepted: 42, completed: 2, failed: 4, cancelled: 6, queued: 14, running: 16 },
    });
  });
});

describe('pool and callers', () => {
  const closed = { ...ACCOUNT, accepted: 6, queued: 0, running: 0 };
  const counted = { completed: 1, failed: 2, cancelled: 3, refused: 4 };

  it('agree when every end was counted by both', () => {
    expect(disagreements(closed, 4, counted)).toEqual([]);
  });

  it.each(['completed', 'failed', 'cancelled', 'refused'] as const)(
    'disagree when one call more was %s to its caller',
    (name) => {
      const more = { ...counted, [name]: counted[name] + 1 };
      expect(disagreements(closed, 4, more).join()).toContain(name);
    },
  );

  it('disagree while a call is open', () => {
    expect(disagreements({ ...closed, accepted: 7, running: 1 }, 4, counted)).toHaveLength(2);
  });
});

describe('a leak', () => {
  const held: Held = { fds: 10, resources: { Timeout: 1 } };
  const nothing = {
    ...{ before: held, after: held, pids: new Set<number>(), folders: [], memory: [] },
  };

  it('is none when all is as it was', () => {
    expect(isLeaking(leaksOf(nothing))).toBe(false);
  });

  it.each([
    ['a descriptor', { after: { ...held, fds: 11 } }],
    ['a timer', { after: { ...held, resources: { Timeout: 2 } } }],
    ['a handle', { after: { ...held, resources: { Timeout: 1, PipeWrap: 1 } } }],
    ['a process', { pids: new Set([process.pid]) }],
    ['a folder', { folders: ['caduceus-x'] }],
    ['memory', { memory: heaps(20, 1 * MIB) }],
  ])('of %s is seen', (_what, found) => {
    expect(isLeaking(leaksOf({ ...nothing, ...found }))).toBe(true);
  });

  it('is not what a warm runtime still grows by, nor a heap that goes up and down', () => {
    expect(heapLeak(heaps(20, 0.3 * MIB))).toBe(0);
    const restless = heaps(20, 0).map((sample, index) => ({
      ...sample,
      heapBytes: (50 + 20 * (index % 2)) * MIB,
    }));
    expect(heapLeak(restless)).toBe(0);
  });

  it('of a long run is seen by its slope', () => {
    const hour = heaps(40, 8 * MIB).map((sample) => ({ ...sample, atMs: sample.atMs * 90 }));
    expect(heapLeak(hour)).toBeGreaterThan(0);
    expect(slopeOf(heaps(5, 1_000), ({ heapBytes }) => heapBytes)).toBeCloseTo(1);
  });
});

/** One a second. */
function heaps(samples: number, bytesEach: number): readonly MemorySample[] {
  return Array.from({ length: samples }, (_, index) => ({
    ...{ atMs: index * 1_000, rssBytes: 0 },
    heapBytes: 50 * MIB + index * bytesEach,
  }));
}

describe('what callers count', () => {
  it('is one end for each call, by the code of its error', () => {
    const tally = new Tally();
    tally.completed(1);
    for (const code of ['aborted', 'overloaded', 'worker_crashed', 'deadline_exceeded'])
      tally.ended(code, endingOf(code));
    expect(tally.counts).toEqual({ completed: 1, failed: 2, cancelled: 1, refused: 1 });
  });

  it('has percentiles within two of a hundred of the true ones', () => {
    const times = new Times();
    expect(times.percentile(0.5)).toBeNull();
    for (let ms = 1; ms <= 1_000; ms += 1) times.add(ms);
    expect(Math.abs(times.percentile(0.5)! - 500)).toBeLessThan(10);
    expect(Math.abs(times.percentile(0.99)! - 990)).toBeLessThan(20);
  });
});

describe('chance', () => {
  it('repeats with its seed and differs with another', () => {
    const throws = (seed: number): readonly number[] => {
      const dice = new Dice(seed);
      return Array.from({ length: 50 }, () => dice.between(1, 6));
    };
    expect(throws(7)).toEqual(throws(7));
    expect(throws(7)).not.toEqual(throws(8));
    expect([...new Set(throws(7))].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('keeps to its weights', () => {
    const dice = new Dice(1);
    const names = Array.from({ length: 1_000 }, () => dice.weighted({ often: 9, seldom: 1 }));
    const seldom = names.filter((name) => name === 'seldom').length;
    expect(seldom).toBeGreaterThan(50);
    expect(seldom).toBeLessThan(150);
  });
});

describe('the command line', () => {
  it('has defaults, a seed of chance among them', () => {
    const args = readArguments([], () => 0.5);
    expect(args).toEqual({ seconds: 60, seed: 500_000, isJson: false });
  });

  it('refuses what is no whole number', () => {
    expect(() => readArguments(['--seconds', 'x'], () => 0)).toThrow('--seconds must be');
    expect(() => readArguments(['--seed', '-1'], () => 0)).toThrow(TypeError);
    expect(() => readArguments(['--what'], () => 0)).toThrow(TypeError);
  });
});
