import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWithNonFinite } from '../../../actors/port/non-finite.ts';

describe('JSON with NaN and infinities', () => {
  it.each([
    ['[NaN]', [null]],
    ['{"a": -Infinity, "b": [Infinity, 1]}', { a: null, b: [null, 1] }],
    ['{"NaN": NaN}', { NaN: null }],
    [
      String.raw`["\"NaN", NaN, "\\", Infinity, "Infinity\\\""]`,
      ['"NaN', null, '\\', null, 'Infinity\\"'],
    ],
  ])('has null in their place: %s', (text, value) => {
    expect(parseWithNonFinite(text)).toEqual(value);
  });

  it.each(['', '{}', '{"a": "NaN"}', '[NaN', '["NaN]', '[nan]', '"\\', 'NaN NaN'])(
    'is not what this is: %s',
    (text) => {
      expect(parseWithNonFinite(text)).toBeUndefined();
    },
  );

  it('leaves every string alone', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (strings) => {
        const text = JSON.stringify([...strings, 'NaN']).replace(/"NaN"\]$/u, 'NaN]');
        expect(parseWithNonFinite(text)).toEqual([...strings, null]);
      }),
    );
  });

  it('takes a string of many megabytes', () => {
    const long = '\\"'.repeat(2 ** 22);
    expect(parseWithNonFinite(`["${long}", NaN]`)).toHaveLength(2);
  });
});
