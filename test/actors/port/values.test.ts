import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnencodableError } from '../../../actors/ground/errors.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { assertEncodable } from '../../../actors/port/values.ts';

class Point {
  readonly x = 1;
}

function refusalOf(value: unknown): UnencodableError | undefined {
  try {
    assertEncodable(value, 'args');
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(UnencodableError);
    return error as UnencodableError;
  }
}

function nested(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level += 1) value = [value];
  return value;
}

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;

describe('a value that JSON carries unchanged', () => {
  it.each([
    ['text', { a: '' }],
    ['a number', { a: 1.5 }],
    ['-0, which becomes 0', { a: -0 }],
    ['null', { a: null }],
    ['a boolean', { a: false }],
    ['an empty array', { a: [] }],
    ['nested containers', { a: [{ b: [1, 'x', null] }] }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['a key whose value is undefined, which is left out', { a: undefined, b: [{ c: undefined }] }],
    ['the deepest nesting allowed', nested(LIMITS.valueDepthMax)],
  ])('is accepted: %s', (_what, value) => {
    expect(refusalOf(value)).toBeUndefined();
  });

  it('is accepted, whatever it is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(refusalOf(value)).toBeUndefined();
      }),
    );
  });

  it('is accepted when one object stands in two places', () => {
    const shared = { a: 1 };
    expect(refusalOf({ left: shared, right: [shared] })).toBeUndefined();
  });
});

describe('a value that JSON would change', () => {
  it.each([
    ['NaN', { a: Number.NaN }, 'args.a'],
    ['Infinity', { a: [1, Number.POSITIVE_INFINITY] }, 'args.a[1]'],
    ['-Infinity', { a: { b: Number.NEGATIVE_INFINITY } }, 'args.a.b'],
    ['a bigint', { a: 1n }, 'args.a'],
    ['a function', { rows: [{}, { f: () => 1 }] }, 'args.rows[1].f'],
    ['a symbol', { a: Symbol('s') }, 'args.a'],
    ['undefined in an array', { a: [undefined] }, 'args.a[0]'],
    ['a hole in an array', { a: new Array(1) }, 'args.a[0]'],
    ['undefined itself', undefined, 'args'],
    ['a date', { a: new Date(0) }, 'args.a'],
    ['a map', { a: new Map() }, 'args.a'],
    ['a set', { a: new Set() }, 'args.a'],
    ['a typed array', { a: new Float32Array(1) }, 'args.a'],
    ['a buffer', { a: Buffer.alloc(1) }, 'args.a'],
    ['an error', { a: new Error('e') }, 'args.a'],
    ['a regular expression', { a: /x/u }, 'args.a'],
    ['a class instance', { a: [[new Point()]] }, 'args.a[0][0]'],
    ['a boxed number', { a: Object(1) as unknown }, 'args.a'],
    ['an object with a toJSON of its own', { a: { toJSON: () => 1 } }, 'args.a'],
    [
      'an object whose prototype has no constructor',
      { a: Object.create(Object.create(null) as object) as object },
      'args.a',
    ],
  ])('is refused with its path: %s', (_what, value, path) => {
    expect(refusalOf(value)?.path).toBe(path);
  });

  it('is refused when it is a cycle', () => {
    expect(refusalOf(cycle)?.code).toBe('unencodable');
  });

  it('is refused one level below the deepest nesting allowed', () => {
    expect(refusalOf(nested(LIMITS.valueDepthMax + 1))?.path).toBe(
      `args${'[0]'.repeat(LIMITS.valueDepthMax)}`,
    );
  });

  it('is named in the message', () => {
    expect(refusalOf({ a: new Point() })?.message).toBe(
      'args.a cannot be sent to Python: an instance of Point',
    );
  });
});
