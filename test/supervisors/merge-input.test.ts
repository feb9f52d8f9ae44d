import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeInput, shapeOf } from '../../supervisors/merge-input.ts';

class Box {
  readonly inside = 1;
}
const bare = (fields: object) => Object.assign(Object.create(null) as object, fields);
const box = new Box();

describe('input of two sources', () => {
  it.each([
    ['lists are joined, as OTP appends arguments', [1, 2], [3], [1, 2, 3]],
    ['objects are merged, the later wins', { a: 1, b: 1 }, { b: 2, c: 2 }, { a: 1, b: 2, c: 2 }],
    ['objects without a prototype are objects', bare({ a: 1 }), bare({ b: 2 }), { a: 1, b: 2 }],
    ['nothing after leaves what is before', { a: 1 }, undefined, { a: 1 }],
    ['nothing before gives what is after', undefined, [1], [1]],
    ['null is something', { a: 1 }, null, null],
    ['null before is replaced', null, { a: 1 }, { a: 1 }],
    ['a list does not go into an object', { a: 1 }, [1], [1]],
    ['an object does not go behind a list', [1], { a: 1 }, { a: 1 }],
    ['texts are replaced', 'a', 'b', 'b'],
    ['a function is replaced', { a: 1 }, 7, 7],
    ['an object does not go into a text', 'a', { b: 1 }, { b: 1 }],
  ])('%s', (_what, before, after, merged) => {
    expect(mergeInput(before, after)).toEqual(merged);
  });

  it('that is an instance of a class is taken as it is, never taken apart', () => {
    expect(mergeInput({ a: 1 }, box)).toBe(box);
    expect(mergeInput(box, { a: 1 })).toEqual({ a: 1 });
  });

  it('is never changed itself', () => {
    const before = Object.freeze({ a: 1 });
    const list = Object.freeze([1]);
    expect([mergeInput(before, { b: 2 }), mergeInput(list, [2])]).toEqual([{ a: 1, b: 2 }, [1, 2]]);
  });

  it('is put together the same whichever two of three come first', () => {
    const object = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat());
    const list = fc.array(fc.nat(), { maxLength: 3 });
    for (const kind of [object, list] as readonly fc.Arbitrary<unknown>[]) {
      fc.assert(
        fc.property(kind, kind, kind, (a, b, c) => {
          expect(mergeInput(mergeInput(a, b), c)).toEqual(mergeInput(a, mergeInput(b, c)));
        }),
      );
    }
  });
});

describe('the shape of an input', () => {
  it.each([
    [[], 'list'],
    [[{}], 'list'],
    [{}, 'record'],
    [bare({ a: 1 }), 'record'],
    [box, 'other'],
    [null, 'other'],
    [undefined, 'other'],
    ['text', 'other'],
    [() => 0, 'other'],
  ])('of %o is %s', (value, shape) => {
    expect(shapeOf(value)).toBe(shape);
  });
});
