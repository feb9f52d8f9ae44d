import { describe, expect, it, vi } from 'vitest';
import { UnencodableError } from '../../../actors/ground/errors.ts';
import {
  dtypeOf,
  isNdArray,
  NdArray,
  typedArrayOf,
  type Dtype,
} from '../../../actors/port/nd-array.ts';

const TYPED_ARRAYS = [
  ['int8', new Int8Array(6)],
  ['int16', new Int16Array(6)],
  ['int32', new Int32Array(6)],
  ['int64', new BigInt64Array(6)],
  ['uint8', new Uint8Array(6)],
  ['uint16', new Uint16Array(6)],
  ['uint32', new Uint32Array(6)],
  ['uint64', new BigUint64Array(6)],
  ['float32', new Float32Array(6)],
  ['float64', new Float64Array(6)],
] as const;

describe('an array', () => {
  it.each(TYPED_ARRAYS)('of %s is made of a typed array', (dtype, data) => {
    const array = NdArray.from(data, [2, 3]);
    expect([array.dtype, array.shape, array.size]).toEqual([dtype, [2, 3], 6]);
    expect(array.data).toBe(data);
  });

  it('has one dimension unless another shape is given', () => {
    expect(NdArray.from(new Int8Array(4)).shape).toEqual([4]);
  });

  it.each([
    ['bool', new Uint8Array([0, 1, 1, 0]), 4],
    ['float16', new Uint16Array(4), 4],
    ['complex64', new Float32Array(8), 4],
    ['complex128', new Float64Array(8), 4],
  ] as const)('of %s lies in the words that the table says', (dtype, data, size) => {
    expect(new NdArray(dtype, [2, 2], data).size).toBe(size);
  });

  it.each([
    ['no dimension', [], 1],
    ['an empty dimension', [3, 0], 0],
    ['32 dimensions', Array.from({ length: 32 }, () => 1), 1],
  ])('may have %s', (_what, shape, size) => {
    expect(new NdArray('float64', shape, new Float64Array(size)).size).toBe(size);
  });

  it('takes a Buffer and clamped bytes as plain bytes of the same memory', () => {
    for (const given of [Buffer.alloc(2), new Uint8ClampedArray(2)]) {
      const { data, dtype } = NdArray.from(given);
      expect([dtype, data.constructor, data.buffer]).toEqual(['uint8', Uint8Array, given.buffer]);
    }
  });

  it('keeps its shape when the list that was given changes', () => {
    const shape = [2, 2];
    const array = new NdArray('int8', shape, new Int8Array(4));
    shape[0] = 9;
    expect(array.shape).toEqual([2, 2]);
    expect(Object.isFrozen(array.shape)).toBe(true);
  });

  it('is known across two copies of the package', async () => {
    vi.resetModules();
    const other = await import('../../../actors/port/nd-array.ts');
    const array = NdArray.from(new Int8Array(1));
    expect(array).not.toBeInstanceOf(other.NdArray);
    expect(other.isNdArray(array)).toBe(true);
    expect(isNdArray({ dtype: 'int8', shape: [1], data: new Int8Array(1) })).toBe(false);
  });
});

describe('an array is refused, with what was found and what is needed:', () => {
  it.each([
    ['an unknown dtype', 'float128', [1], new Float64Array(1), /dtype.*no dtype "float128"/u],
    ['a dtype named like a method', 'toString', [1], new Int8Array(1), /no dtype/u],
    ['too few elements', 'int8', [2, 3], new Int8Array(5), /\[2, 3\] of int8 needs 6 .* found 5/u],
    ['half a complex number', 'complex64', [1], new Float32Array(1), /needs 2 elements, found 1/u],
    ['the wrong typed array', 'float32', [1], new Float64Array(1), /float32 needs a Float32Array/u],
    ['bytes for words', 'int16', [1], new Uint8Array(2), /int16 needs a Int16Array/u],
    ['an ordinary array', 'int8', [1], [1], /needs a Int8Array/u],
    ['no data', 'int8', [1], null, /needs a Int8Array/u],
    ['a negative length', 'int8', [-1], new Int8Array(1), /shape.*-1 is no length/u],
    ['half a length', 'int8', [0.5], new Int8Array(1), /0.5 is no length/u],
    ['a length that is no number', 'int8', ['1'], new Int8Array(1), /"1" is no length/u],
    ['33 dimensions', 'int8', Array.from({ length: 33 }, () => 1), new Int8Array(1), /at most 32/u],
    ['more bytes than there can be', 'int8', [0, 2 ** 52, 4], new Int8Array(0), /more bytes/u],
    ['a shape that is no list', 'int8', 3, new Int8Array(3), /list|array of lengths/u],
    ['a bool that is 2', 'bool', [2], new Uint8Array([1, 2]), /data\[1\].*0 or 1, found 2/u],
  ] as [string, Dtype, number[], Int8Array, RegExp][])(
    '%s',
    (_what, dtype, shape, data, finding) => {
      const make = () => new NdArray(dtype, shape, data);
      expect(make).toThrow(UnencodableError);
      expect(make).toThrow(finding);
    },
  );

  it('nothing that is a typed array', () => {
    expect(() => NdArray.from([1] as unknown as Int8Array)).toThrow(/a typed array is expected/u);
  });
});

describe('two arrays', () => {
  const one = new NdArray('float32', [2], new Float32Array([0, Number.NaN]));

  it.each([
    [
      'are equal in other memory',
      new NdArray('float32', [2], new Float32Array([0, Number.NaN])),
      true,
    ],
    ['differ in a bit', new NdArray('float32', [2], new Float32Array([-0, Number.NaN])), false],
    ['differ in shape', new NdArray('float32', [2, 1], new Float32Array([0, Number.NaN])), false],
    ['differ in dtype', new NdArray('complex64', [1], new Float32Array([0, Number.NaN])), false],
  ])('%s', (_what, other, isEqual) => {
    expect(one.equals(other)).toBe(isEqual);
  });
});

describe('bytes', () => {
  it('are viewed where they lie as they must, and copied elsewhere', () => {
    const memory = new Uint8Array(new ArrayBuffer(24));
    expect(typedArrayOf('float64', memory.subarray(8, 16)).buffer).toBe(memory.buffer);
    expect(typedArrayOf('float64', memory.subarray(4, 12)).buffer).not.toBe(memory.buffer);
    expect(typedArrayOf('complex128', memory.subarray(8))).toHaveLength(2);
  });

  it('have a dtype only as a typed array itself', () => {
    class Half extends Uint16Array {}
    expect(dtypeOf(new Half(1))).toBeUndefined();
    expect(dtypeOf({ [Symbol.toStringTag]: 'Int8Array' })).toBeUndefined();
    expect(dtypeOf(Buffer.alloc(1))).toBe('uint8');
  });
});
