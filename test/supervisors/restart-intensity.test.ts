import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countRestart, replacementDelayMs } from '../../supervisors/restart-intensity.ts';

const intensity = (maxRestarts: number) => ({ maxRestarts, periodMs: 5_000 });

describe('one more restart', () => {
  it.each([
    ['is refused with intensity 0, the first one too', 0, [], 'exceeded'],
    ['is allowed as the first of one', 1, [], 'allowed'],
    ['is allowed as the N-th', 3, [9_000, 8_000], 'allowed'],
    ['is refused as the N+1-th', 3, [9_000, 8_000, 7_000], 'exceeded'],
    ['counts one exactly as old as the window', 1, [5_000], 'exceeded'],
    ['forgets one that is older than the window', 1, [4_999], 'allowed'],
    ['counts several of the same moment', 2, [10_000, 10_000], 'exceeded'],
  ])('%s', (_what, maxRestarts, history, type) => {
    expect(countRestart(intensity(maxRestarts), history, 10_000).type).toBe(type);
  });

  it('is remembered, newest first, together with those that still count', () => {
    expect(countRestart(intensity(3), [9_000, 8_000, 1_000], 10_000)).toEqual({
      type: 'allowed',
      history: [10_000, 9_000, 8_000],
    });
  });

  it('is allowed exactly when fewer than N lie in the window before it', () => {
    const gaps = fc.array(fc.nat({ max: 3_000 }), { maxLength: 40 });
    fc.assert(
      fc.property(gaps, fc.nat({ max: 5 }), (all, maxRestarts) => {
        const allowed: number[] = [];
        let history: readonly number[] = [];
        let nowMs = 0;
        for (const gap of all) {
          nowMs += gap;
          const verdict = countRestart(intensity(maxRestarts), history, nowMs);
          const recent = allowed.filter((thenMs) => nowMs - thenMs <= 5_000);
          expect(verdict.type === 'allowed').toBe(recent.length < maxRestarts);
          if (verdict.type === 'exceeded') return;
          history = verdict.history;
          allowed.push(nowMs);
        }
      }),
    );
  });
});

describe('one more ordered replacement', () => {
  it.each([
    ['waits for nothing as the first', [], 0],
    ['waits for nothing below the limit', [9_000], 0],
    ['waits until the window has moved past the N-th last', [9_000, 8_000], 3_000],
    ['waits for nothing when the N-th last is as old as the window', [9_000, 5_000], 0],
    ['waits for nothing when the N-th last is older', [9_000, 1_000], 0],
    ['waits behind those that wait already', [14_000, 13_000], 8_000],
  ])('%s', (_what, history, delayMs) => {
    expect(replacementDelayMs(intensity(2), history, 10_000)).toBe(delayMs);
  });
});
