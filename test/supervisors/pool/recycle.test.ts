// When has a worker done enough, and do two that were started together go apart?
import { describe, expect, it } from 'vitest';

import { drawLimits, NO_LIMITS, wearOf } from '../../../supervisors/pool/recycle.ts';

const ALL = { maxCallsPerWorker: 100, maxAgeMs: 60_000, maxRssBytes: 1_000_000 };
const always = (value: number) => ({ next: () => value });

describe('the limits that an incarnation draws', () => {
  it('are those of the pool, less a random part of at most the jitter', () => {
    const options = { ...ALL, recycleJitter: 0.5 };
    const full = { calls: 100, ageMs: 60_000, rssBytes: 1_000_000 };
    expect(drawLimits(options, always(0))).toEqual(full);
    expect(drawLimits(options, always(0.5))).toEqual({
      ...{ calls: 75, ageMs: 45_000, rssBytes: 750_000 },
    });
  });

  it('are lower by a tenth at most unless the pool says otherwise', () => {
    expect(drawLimits(ALL, always(0.999_999))).toEqual({
      ...{ calls: 91, ageMs: 54_001, rssBytes: 900_001 },
    });
  });

  it('are drawn for each limit apart', () => {
    let drawn = 0;
    const random = { next: () => (drawn += 0.25) };
    expect(drawLimits({ ...ALL, recycleJitter: 0.4 }, random)).toEqual({
      ...{ calls: 90, ageMs: 48_000, rssBytes: 700_000 },
    });
  });

  it('allow one call, however large the jitter', () => {
    const options = { maxCallsPerWorker: 1, recycleJitter: 0.9 };
    expect(drawLimits(options, always(0.9))).toMatchObject({ calls: 1 });
  });

  it('are none, and cost no chance, where the pool has none', () => {
    const random = {
      next: () => {
        throw new Error('asked');
      },
    };
    expect(drawLimits({}, random)).toEqual(NO_LIMITS);
  });
});

describe('the wear of a worker', () => {
  const limits = { calls: 10, ageMs: 1_000, rssBytes: 500 };
  const fresh = { calls: 9, ageMs: 999, rssBytes: 499 };

  it.each([
    ['none before a limit', {}, undefined],
    ['its calls', { calls: 10 }, 'calls'],
    ['its age', { ageMs: 1_000 }, 'age'],
    ['its memory', { rssBytes: 500 }, 'rss'],
    ['its calls, where it is all of them', { calls: 10, ageMs: 1_000, rssBytes: 500 }, 'calls'],
    ['its age rather than its memory', { ageMs: 1_000, rssBytes: 500 }, 'age'],
  ])('is %s', (_what, facts, wear) => {
    expect(wearOf({ ...fresh, ...facts }, limits)).toBe(wear);
  });

  it('is none where nothing is limited', () => {
    expect(wearOf({ calls: 1e9, ageMs: 1e9, rssBytes: 1e12 }, NO_LIMITS)).toBeUndefined();
  });
});
