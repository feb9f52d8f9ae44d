import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import {
  backoffDelayMs,
  failoverDelayMs,
  immediateDelayMs,
  type Backoff,
} from '../../../actors/ground/retry-delay.ts';

/** In the middle of the jitter, which changes nothing then. */
const MIDDLE = 0.5;
const ATTEMPTS = [1, 2, 3, 4, 5, 6];

const after = (attempt: number, random = MIDDLE, lastDelayMs = 0) => ({
  attempt,
  random,
  lastDelayMs,
});

const waits = (backoff: Backoff): readonly number[] =>
  ATTEMPTS.map((attempt) => backoffDelayMs(backoff, after(attempt)));

describe('an immediate retry', () => {
  it('waits not at all, then a little, and the last wait repeats', () => {
    const found = ATTEMPTS.map((attempt) => immediateDelayMs(after(attempt)));
    expect(found).toEqual([0, 100, 200, 200, 200, 200]);
  });

  it('is at once at first, whatever chance says', () => {
    expect([immediateDelayMs(after(1, 0)), immediateDelayMs(after(1, 0.999))]).toEqual([0, 0]);
  });

  it('is a quarter earlier or later after that', () => {
    expect([immediateDelayMs(after(2, 0)), immediateDelayMs(after(2, 0.999))]).toEqual([75, 125]);
  });
});

describe('a failover', () => {
  it('waits a first wait, a quarter less or more', () => {
    const found = [0, MIDDLE, 0.999].map((random) => failoverDelayMs(after(1, random)));
    expect(found).toEqual([75, 100, 125]);
  });
});

describe('waits that grow', () => {
  it.each([
    ['exponential', [100, 200, 400, 800, 1_600, 3_200]],
    ['linear', [100, 200, 300, 400, 500, 600]],
    ['fibonacci', [100, 100, 200, 300, 500, 800]],
  ] as const)('are those of %s', (backoff, expected) => {
    expect(waits(backoff)).toEqual(expected);
  });

  it('are those of a function of the attempt', () => {
    expect(waits((attempt) => attempt * 7)).toEqual([7, 14, 21, 28, 35, 42]);
  });

  it.each(['exponential', 'linear', 'fibonacci'] as const)(
    'are never longer than the bound: %s',
    (backoff) => {
      const found = [0, MIDDLE, 0.999].map((random) =>
        backoffDelayMs(backoff, after(5_000, random)),
      );
      expect(found).toEqual([7_500, LIMITS.retryDelayMsMax, LIMITS.retryDelayMsMax]);
    },
  );

  it.each([Number.NaN, -1, Number.NEGATIVE_INFINITY, 0])(
    'are none where a function gives %d',
    (given) => {
      expect(backoffDelayMs(() => given, after(1))).toBe(0);
    },
  );

  it('are the bound where a function gives more', () => {
    expect(backoffDelayMs(() => Number.POSITIVE_INFINITY, after(1))).toBe(LIMITS.retryDelayMsMax);
  });
});

describe('decorrelated jitter', () => {
  const decorrelated = (lastDelayMs: number, random: number): number =>
    backoffDelayMs('decorrelated_jitter', after(1, random, lastDelayMs));

  it('lies between the first wait and three times the last one', () => {
    expect([decorrelated(200, 0), decorrelated(200, MIDDLE), decorrelated(200, 0.9999)]).toEqual([
      100, 350, 600,
    ]);
  });

  it('is the first wait where there was none before', () => {
    expect([decorrelated(0, 0), decorrelated(0, 0.9999)]).toEqual([100, 100]);
  });

  it('is never longer than the bound', () => {
    expect(decorrelated(LIMITS.retryDelayMsMax, 0.999_999)).toBe(LIMITS.retryDelayMsMax);
  });
});

describe('every wait (B22)', () => {
  const BACKOFFS = ['exponential', 'linear', 'fibonacci', 'decorrelated_jitter'] as const;

  it('is a whole number from 0 to the bound, for whatever attempt, last wait and chance', () => {
    const facts = fc.record({
      attempt: fc.integer({ min: 1, max: 1_000_000 }),
      lastDelayMs: fc.integer({ min: 0, max: 1_000_000 }),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    fc.assert(
      fc.property(facts, (given) => {
        const found = [
          ...BACKOFFS.map((backoff) => backoffDelayMs(backoff, given)),
          ...[immediateDelayMs(given), failoverDelayMs(given)],
        ];
        for (const ms of found) {
          expect(Number.isInteger(ms) && ms >= 0 && ms <= LIMITS.retryDelayMsMax).toBe(true);
        }
      }),
    );
  });
});
