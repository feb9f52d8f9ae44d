// Does a row say what was found, and judge it by the right side of its limit?
import { describe, expect, it } from 'vitest';

import { readArguments } from './arguments.ts';
import { describeRow, notMeasured, percentile, rowOf, verdictOf, type Row } from './row.ts';
import { merged } from './store.ts';

const ROW: Row = {
  id: 'echo.sequential',
  value: 1.5,
  unit: '× raw p50',
  must: 1.8,
  aim: 1.3,
  n: 10,
  p50: 100,
  p99: 20_000,
  detail: { points: [{ bytes: 1 }, { bytes: 2 }] },
};

describe('a row', () => {
  it.each([
    [1.2, 1.8, 1.3, 'aim met'],
    [1.8, 1.8, 1.3, 'must met'],
    [1.81, 1.8, 1.3, 'must not met'],
    [0.95, 0.5, 0.9, 'aim met'],
    [0.6, 0.5, 0.9, 'must met'],
    [0.4, 0.5, 0.9, 'must not met'],
    [1.1, 1, 1, 'aim met'],
    [0.9, 1, 1, 'must not met'],
    [3, null, null, 'no limit'],
    [null, 1.8, 1.3, 'not measured'],
  ] as const)('with value %s, must %s and aim %s is "%s"', (value, must, aim, verdict) => {
    expect(verdictOf({ value, must, aim })).toBe(verdict);
  });

  it('is written with its limits, times in a fitting unit, and a line for each point', () => {
    const text = describeRow(ROW, 'what?');
    expect(text).toContain('1.5 × raw p50   must ≤ 1.8, aim 1.3   must met');
    expect(text).toContain('p50 100 µs, p99 20 ms, n 10');
    expect(text).toContain('points  {bytes: 1}\n          {bytes: 2}');
  });

  it('that could not be measured keeps its limits and says why', () => {
    const benchmark = { ...ROW, question: 'what?', run: () => Promise.reject(new Error('unused')) };
    const row = rowOf(benchmark, notMeasured('no such package'));
    expect(row).toEqual({
      ...ROW,
      value: null,
      n: 0,
      p50: null,
      p99: null,
      detail: { reason: 'no such package' },
    });
    expect(describeRow(row, 'what?')).toContain('reason  no such package');
  });

  it('takes the place of the stored row with its id, and new ones go behind', () => {
    const [first, second, third] = ['a', 'b', 'c'].map((id) => ({ ...ROW, id }));
    const again = { ...first!, value: 9 };
    expect(merged([first!, second!], [third!, again])).toEqual([again, second, third]);
  });
});

describe('a percentile', () => {
  it('of one sample is that sample, and never lies beyond the last', () => {
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(3);
    expect(percentile([1, 2, 3, 4], 1)).toBe(4);
  });
});

describe('the arguments', () => {
  it('are a prefix and what is done with the figures', () => {
    expect(readArguments(['--', '--json', '--quick', 'echo.seq'])).toEqual({
      prefix: 'echo.seq',
      isJson: true,
      isStored: false,
      isProfile: false,
      thoroughness: 'quick',
    });
  });

  it.each([
    [['a', 'b'], /at most one prefix/u],
    [['--store', '--quick'], /measured in full/u],
    [['--profile', '--json'], /prints a table/u],
    [['--fast'], /--fast/u],
  ])('%j are refused', (argv, message) => {
    expect(() => readArguments(argv)).toThrow(message);
    expect(() => readArguments(argv)).toThrow(TypeError);
  });
});
