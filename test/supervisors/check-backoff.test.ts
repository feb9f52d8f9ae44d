import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffProblem } from '../../supervisors/check-backoff.ts';

const SHAPE = '{ minMs, maxMs } is expected';
const MIN = 'minMs above 0 is expected';
const MAX = 'maxMs of at least minMs is expected';
const RESET = 'resetAfterMs above 0 is expected';
const NO_TIMES = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', null];

describe('a back-off', () => {
  it.each([
    undefined,
    { minMs: 1, maxMs: 1 },
    { minMs: 0.5, maxMs: 3 },
    { minMs: 1, maxMs: 2, resetAfterMs: 1 },
    { minMs: 1, maxMs: 2, resetAfterMs: undefined },
  ])('is right: %o', (backoff) => {
    expect(backoffProblem(backoff)).toBeUndefined();
  });

  it.each<readonly [unknown, string]>([
    ...[null, 5, 'soon', true].map((backoff) => [backoff, SHAPE] as const),
    ...[undefined, ...NO_TIMES].map((minMs) => [{ minMs, maxMs: 5 }, MIN] as const),
    ...[undefined, ...NO_TIMES].map((maxMs) => [{ minMs: 1, maxMs }, MAX] as const),
    [{ minMs: 2, maxMs: 1 }, MAX],
    [{ minMs: 1, maxMs: 2, max: 3 }, 'max is unknown: known are minMs, maxMs, resetAfterMs'],
    ...NO_TIMES.map((resetAfterMs) => [{ minMs: 1, maxMs: 2, resetAfterMs }, RESET] as const),
  ])('is wrong: %o', (backoff, problem) => {
    expect(backoffProblem(backoff)).toBe(problem);
  });

  it('of any two positive times in order is right, and the other way round is not', () => {
    const time = fc.double({ min: 0, minExcluded: true, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(time, time, (a, b) => {
        const [minMs, maxMs] = [Math.min(a, b), Math.max(a, b)];
        expect(backoffProblem({ minMs, maxMs })).toBeUndefined();
        if (a !== b) expect(backoffProblem({ minMs: maxMs, maxMs: minMs })).toBe(MAX);
      }),
    );
  });
});
