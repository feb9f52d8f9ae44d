import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';

describe('the limits', () => {
  it.each(Object.entries(LIMITS))('%s is a positive integer', (_name, value) => {
    expect(Number.isInteger(value) && value > 0).toBe(true);
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
