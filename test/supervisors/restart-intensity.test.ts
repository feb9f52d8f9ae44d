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

  it('that is refused gives no history: it is not performed', () => {
    expect(countRestart(intensity(0), [], 10_000)).toEqual({ type: 'exceeded' });
  });
});

/** Restarts that were asked for at these times, until the first that was refused. */
function run(gapsMs: readonly number[], maxRestarts: number, periodMs: number) {
  const allowed: number[] = [];
  let history: readonly number[] = [];
  let nowMs = 0;
  for (const gapMs of gapsMs) {
    nowMs += gapMs;
    const verdict = countRestart({ maxRestarts, periodMs }, history, nowMs);
    if (verdict.type === 'exceeded') return { allowed, history, refusedAtMs: nowMs };
    history = verdict.history;
    allowed.push(nowMs);
  }
  return { allowed, history, refusedAtMs: undefined };
}

describe('whatever the times of the restarts', () => {
  const gaps = fc.array(fc.nat({ max: 3_000 }), { maxLength: 60 });
  const max = fc.nat({ max: 6 });
  const period = fc.integer({ min: 1, max: 8_000 });
  const within = (times: readonly number[], nowMs: number, periodMs: number) =>
    times.filter((thenMs) => thenMs <= nowMs && nowMs - thenMs <= periodMs);

  it('no window ever holds more of them than the intensity', () => {
    fc.assert(
      fc.property(gaps, max, period, (all, maxRestarts, periodMs) => {
        const { allowed } = run(all, maxRestarts, periodMs);
        for (const endMs of allowed) {
          expect(within(allowed, endMs, periodMs).length).toBeLessThanOrEqual(maxRestarts);
        }
      }),
    );
  });

  it('one is refused only when the window is full already', () => {
    fc.assert(
      fc.property(gaps, max, period, (all, maxRestarts, periodMs) => {
        const { allowed, refusedAtMs } = run(all, maxRestarts, periodMs);
        if (refusedAtMs === undefined) return;
        expect(within(allowed, refusedAtMs, periodMs)).toHaveLength(maxRestarts);
      }),
    );
  });

  it('the history is as long as the intensity at most, newest first, and never of the future', () => {
    fc.assert(
      fc.property(gaps, max, period, (all, maxRestarts, periodMs) => {
        const { allowed, history } = run(all, maxRestarts, periodMs);
        const nowMs = allowed.at(-1) ?? 0;
        expect(history).toEqual(within(allowed, nowMs, periodMs).reverse());
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
