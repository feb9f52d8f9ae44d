import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runInNewContext } from 'node:vm';
import { UnencodableError } from '../../../actors/ground/errors.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { decodeValue, encodeValue } from '../../../actors/port/codec.ts';
import { NdArray } from '../../../actors/port/nd-array.ts';
import { areEqual } from '../../vectors/equality.ts';
import { fromNeutral, segmentsOf, VALUES } from '../../vectors/neutral.ts';

class Point {
  readonly x = 1;
}
class Rows extends Array<number> {}
class Half extends Uint16Array {}

function refusalOf(value: unknown): UnencodableError | undefined {
  try {
    encodeValue(value, 'args');
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(UnencodableError);
    return error as UnencodableError;
  }
}

function nested(levels: number, inmost: unknown = []): unknown {
  let value = inmost;
  for (let level = 1; level < levels; level += 1) value = [value];
  return value;
}

/** As a frame carries it: the JSON is text in between, and segments are memory of their own. */
function roundTrip(value: unknown): unknown {
  const { json, tagged, segments } = encodeValue(value, 'args');
  return decodeValue(
    JSON.parse(JSON.stringify(json)),
    tagged,
    segments.map((segment) => Buffer.from(segment)),
  );
}

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;

const detached = new Float64Array(4);
structuredClone(detached.buffer, { transfer: [detached.buffer] });
const robbed = new NdArray('float64', [2, 2], new Float64Array(4));
structuredClone(robbed.data.buffer, { transfer: [robbed.data.buffer as ArrayBuffer] });
const overwritten = new NdArray('bool', [2], new Uint8Array(2));
overwritten.data[1] = 7;

describe('a vector', () => {
  it.each(VALUES.values)('is read as JavaScript: $name', (vector) => {
    const found = decodeValue(structuredClone(vector.json), vector.tagged, segmentsOf(vector));
    const meant = fromNeutral(vector.javascript);
    expect(found).toEqual(meant);
    expect(areEqual(meant, found)).toBe(true);
  });

  const written = VALUES.values.filter(({ writtenBy }) => writtenBy.includes('javascript'));
  it.each(written)('is what JavaScript writes: $name', (vector) => {
    const { json, tagged, segments } = encodeValue(fromNeutral(vector.javascript), 'args');
    expect(JSON.stringify(json)).toBe(JSON.stringify(vector.json));
    expect(tagged).toBe(vector.tagged);
    expect(segments.map((one) => Buffer.from(one).toString('hex'))).toEqual(vector.segments);
  });

  it.each(VALUES.malformed)('is refused as malformed: $name', (vector) => {
    const decode = () =>
      decodeValue(structuredClone(vector.json), vector.tagged, segmentsOf(vector));
    expect(decode).toThrow(ProtocolError);
  });
});

describe('an ordinary value', () => {
  it.each([
    ['text', { a: '' }],
    ['a number', { a: 1.5 }],
    ['null', { a: null }],
    ['nested containers', { a: [{ b: [1, 'x', null, false] }] }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['a key whose value is undefined', { a: undefined, b: [{ c: undefined }] }],
    ['the deepest nesting allowed', nested(LIMITS.valueDepthMax)],
    ['arrays of another realm', { a: runInNewContext('[1, [2]]') as unknown }],
  ])('is sent as it is, without a copy: %s', (_what, value) => {
    const encoded = encodeValue(value, 'args');
    expect(encoded.json).toBe(value);
    expect([encoded.tagged, encoded.segments]).toEqual([false, []]);
  });

  it('shares its empty list of segments', () => {
    expect(encodeValue(1, 'a').segments).toBe(encodeValue(2, 'a').segments);
  });

  it('comes back untouched, and nobody looks through it', () => {
    const json = { $: 'nan', deep: nested(2000) };
    expect(decodeValue(json, false, [])).toBe(json);
  });

  it('is accepted when one object stands in two places', () => {
    const shared = { a: 1 };
    expect(refusalOf({ left: shared, right: [shared] })).toBeUndefined();
  });
});

describe('a value with tags', () => {
  it('copies only what changes', () => {
    const rows = [{ a: 1 }, { a: 2 }];
    const { json } = encodeValue({ rows, score: Number.NaN }, 'args');
    expect((json as { rows: unknown }).rows).toBe(rows);
  });

  it('is not written to', () => {
    const value = Object.freeze({ $a: Object.freeze([Number.NaN, -0]), b: Object.freeze([1]) });
    expect(roundTrip(value)).toEqual({ $a: [Number.NaN, -0], b: [1] });
  });

  it('leaves out keys whose value is undefined', () => {
    const back = roundTrip({ $$: undefined, a: undefined, b: 1n, $: 1 });
    expect(Object.entries(back as object)).toEqual([
      ['b', 1],
      ['$', 1],
    ]);
  });

  it('may have a leaf below the deepest container', () => {
    const value = nested(LIMITS.valueDepthMax, [Number.NaN]);
    expect(areEqual(value, roundTrip(value))).toBe(true);
  });

  it('gives a text array of another view of memory the right bytes', () => {
    const memory = new Float32Array([1, 2, 3, 4]);
    expect(roundTrip(memory.subarray(1, 3))).toEqual(new Float32Array([2, 3]));
  });

  it('shares the memory of what it sends', () => {
    const array = new Float64Array(3);
    expect(encodeValue({ array }, 'args').segments[0]?.buffer).toBe(array.buffer);
  });

  it('takes no key into a prototype', () => {
    const value = JSON.parse('{"__proto__":{"polluted":1},"n":null}') as Record<string, unknown>;
    value['n'] = Number.NaN;
    const back = roundTrip({ value, $: value }) as Record<string, Record<string, unknown>>;
    expect(Object.getPrototypeOf(back['value'])).toBe(Object.prototype);
    expect(Object.keys(back['$']!)).toEqual(['__proto__', 'n']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('comes back from memory that is not aligned', () => {
    const memory = Buffer.alloc(25);
    memory.writeDoubleLE(1.5, 1);
    const tag = { $: 'nd', d: 'float64', s: [1], i: 0 };
    expect(decodeValue(tag, true, [memory.subarray(1, 9)])).toEqual(new Float64Array([1.5]));
  });

  it('is refused when it is nested deeper than any value that is sent', () => {
    const json = nested(LIMITS.valueDepthMax + 1, [{ $: 'nan' }]);
    expect(() => decodeValue(json, true, [])).toThrow(/nested deeper than 512/u);
  });
});

describe('a value that cannot be sent', () => {
  it.each([
    ['a function', { rows: [{}, { f: () => 1 }] }, 'args.rows[1].f'],
    ['a symbol', { a: Symbol('s') }, 'args.a'],
    ['undefined in an array', { a: [undefined] }, 'args.a[0]'],
    ['a hole in an array', { a: new Array(1) }, 'args.a[0]'],
    ['undefined itself', undefined, 'args'],
    ['an invalid date', { a: new Date(Number.NaN) }, 'args.a'],
    ['a date that Python does not have', { a: new Date(253_402_300_800_000) }, 'args.a'],
    ['one before all of them', { a: new Date(-62_135_596_800_001) }, 'args.a'],
    ['a map', { a: new Map() }, 'args.a'],
    ['a set', { a: new Set() }, 'args.a'],
    ['a data view', { a: new DataView(new ArrayBuffer(1)) }, 'args.a'],
    ['shared memory', { a: new SharedArrayBuffer(1) }, 'args.a'],
    ['an array whose memory was given away', { a: detached }, 'args.a'],
    ['an NdArray whose memory was given away', { a: robbed }, 'args.a'],
    ['a bool that is 7', { a: overwritten }, 'args.a'],
    ['a class that extends a typed array', { a: new Half(1) }, 'args.a'],
    ['a class that extends Array', { a: Rows.of(1) }, 'args.a'],
    ['an array with a toJSON of its own', { a: Object.assign([1], { toJSON: () => 1 }) }, 'args.a'],
    ['an error', { a: new Error('e') }, 'args.a'],
    ['a regular expression', { a: /x/u }, 'args.a'],
    ['a class instance', { a: [[new Point()]] }, 'args.a[0][0]'],
    ['a boxed number', { a: Object(1) as unknown }, 'args.a'],
    ['an object with a toJSON of its own', { a: { toJSON: () => 1 } }, 'args.a'],
    [
      'an object of a strange prototype',
      { a: Object.create(Object.create(null) as object) as object },
      'args.a',
    ],
    [
      'something behind a key that is no name',
      { 'a b': { $c: [1, new Map()] } },
      'args["a b"]["$c"][1]',
    ],
    ['an integer that is too long', { a: 1n << 262_144n }, 'args.a'],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      }),
      'args',
    ],
  ] as [string, unknown, string][])('is refused with its path: %s', (_what, value, path) => {
    expect(refusalOf(value)?.path).toBe(path);
  });

  it('is refused when it is a cycle', () => {
    expect(refusalOf(cycle)?.message).toContain('or a cycle');
  });

  it('is refused one level below the deepest nesting allowed, with a path of bounded length', () => {
    const refusal = refusalOf(nested(LIMITS.valueDepthMax + 1));
    expect(refusal?.message).toContain('nested deeper than 512');
    expect(refusal?.path).toHaveLength(LIMITS.pathCharsMax + 1);
  });

  it('is refused when it has more arrays than a frame has segments', () => {
    const array = new Uint8Array(1);
    const value = Array.from({ length: LIMITS.segmentsMax + 1 }, () => array);
    expect(refusalOf(value)?.path).toBe(`args[${LIMITS.segmentsMax}]`);
  });

  it('is named in the message', () => {
    expect(refusalOf({ a: new Point() })?.message).toBe(
      'args.a cannot be sent to Python: an instance of Point',
    );
  });

  it('never makes anything but an UnencodableError', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withTypedArray: true,
          withSparseArray: true,
          withNullPrototype: true,
          withBoxedValues: true,
          withMap: true,
        }),
        (value) => {
          const refusal = refusalOf(value);
          if (refusal === undefined) expect(areEqual(value, roundTrip(value))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('an integer at its limit', () => {
  it('is sent, and comes back', () => {
    const value = (1n << 262_144n) - 1n;
    expect(roundTrip(value)).toBe(value);
  });
});
