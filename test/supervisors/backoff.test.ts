import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelayMs, restartsInRow, type Backoff } from '../../supervisors/backoff.ts';

const BACKOFF: Backoff = { minMs: 100, maxMs: 1_000 };
const chance = (value: number) => ({ next: () => value });
/** The largest number below 1: what is drawn at the upper end. */
const ALMOST_ONE = 1 - Number.EPSILON / 2;

describe('the wait before a restart', () => {
  it('is nothing without a back-off, however many came before', () => {
    expect([0, 1, 50].map((row) => backoffDelayMs(undefined, row, chance(ALMOST_ONE)))).toEqual([
      ...[0, 0, 0],
    ]);
  });

  it.each([
    [0, 100],
    [1, 200],
    [2, 400],
    [3, 800],
    [4, 1_000],
    [5, 1_000],
    [5_000, 1_000],
  ])('after %i restarts in a row is at most %i ms', (row, ceilingMs) => {
    expect(backoffDelayMs(BACKOFF, row, chance(ALMOST_ONE))).toBe(ceilingMs);
    expect(backoffDelayMs(BACKOFF, row, chance(0))).toBe(0);
  });

  it('is anywhere between, as chance has it', () => {
    expect([0.25, 0.5, 0.75].map((drawn) => backoffDelayMs(BACKOFF, 1, chance(drawn)))).toEqual([
      ...[50, 100, 150],
    ]);
  });

  it('stays a number when a ceiling without an end is doubled for ever', () => {
    const endless: Backoff = { minMs: 1, maxMs: Number.MAX_VALUE };
    expect(backoffDelayMs(endless, 52, chance(0.5))).toBe(2 ** 51);
    expect(backoffDelayMs(endless, 2_000, chance(0.5))).toBe(2 ** 51);
  });

  it('is whole ms from 0 to the ceiling, which never falls and never passes the maximum', () => {
    const backoff = fc
      .tuple(fc.integer({ min: 1, max: 60_000 }), fc.nat({ max: 600_000 }))
      .map(([minMs, more]): Backoff => ({ minMs, maxMs: minMs + more }));
    const drawn = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(backoff, fc.nat({ max: 3_000 }), drawn, (given, row, next) => {
        const delayMs = backoffDelayMs(given, row, chance(next));
        const ceilingMs = backoffDelayMs(given, row, chance(ALMOST_ONE));
        expect(Number.isInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(ceilingMs);
        expect(ceilingMs).toBeLessThanOrEqual(given.maxMs);
        expect(backoffDelayMs(given, row + 1, chance(ALMOST_ONE))).toBeGreaterThanOrEqual(
          ceilingMs,
        );
      }),
    );
  });
});

describe('a row of restarts', () => {
  it.each([
    ['goes on when the child was up for less than the mean of the two', BACKOFF, 549, 7],
    ['ends when it was up for the mean', BACKOFF, 550, 0],
    ['goes on below a reset time of its own', { ...BACKOFF, resetAfterMs: 10 }, 9, 7],
    ['ends at a reset time of its own', { ...BACKOFF, resetAfterMs: 10 }, 10, 0],
    ['is none without a back-off', undefined, 0, 0],
  ])('%s', (_what, backoff, upMs, left) => {
    expect(restartsInRow(backoff, 7, upMs)).toBe(left);
  });
});
