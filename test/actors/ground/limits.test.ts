import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';

describe('the limits', () => {
  /** Parts of something, not amounts. */
  const isPart = ([name]: readonly [string, number]): boolean => /(?:Jitter|Ratio)$/u.test(name);
  const all = Object.entries<number>(LIMITS);

  it.each(all.filter((entry) => !isPart(entry)))('%s is a positive integer', (_name, value) => {
    expect(Number.isInteger(value) && value > 0).toBe(true);
  });

  it.each(all.filter(isPart))('%s is a part', (_name, value) => {
    expect(value > 0 && value < 1).toBe(true);
  });

  it.each([
    ['a whole frame is larger than the first one', 'laneFrameBytesMax', 'frameBytesMax'],
    ['a hello comes before a whole start is over', 'helloTimeoutMs', 'startTimeoutMs'],
    ['a checkout is over before its call is', 'checkoutTimeoutMs', 'callTimeoutMs'],
    ['a default pool is a permitted one', 'poolSize', 'poolSizeMax'],
  ] as const)('%s', (_what, smaller, larger) => {
    expect(LIMITS[smaller]).toBeLessThan(LIMITS[larger]);
  });
});
