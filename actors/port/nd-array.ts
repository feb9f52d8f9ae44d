// What is an array with a type and a shape, as NumPy has them and JavaScript has not? `docs/protocol.md` §5.
import { UnencodableError } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';

/** Element types that cross the wire, by NumPy's names. */
export type Dtype =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128';

/** What holds the elements of an {@link NdArray}. */
export type NdData =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

type NdDataConstructor = new (
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
) => NdData;

/** How the elements of a dtype lie in memory: `words` of the array's type for each element. */
interface Layout {
  readonly words: 1 | 2;
  readonly wordBytes: number;
  readonly array: NdDataConstructor & { readonly name: string };
  /** Whether a typed array alone says this dtype. */
  readonly isBare: boolean;
}

const bare = (array: Layout['array'], wordBytes: number): Layout => ({
  words: 1,
  wordBytes,
  array,
  isBare: true,
});

const LAYOUTS: Readonly<Record<Dtype, Layout>> = {
  bool: { words: 1, wordBytes: 1, array: Uint8Array, isBare: false },
  int8: bare(Int8Array, 1),
  int16: bare(Int16Array, 2),
  int32: bare(Int32Array, 4),
  int64: bare(BigInt64Array, 8),
  uint8: bare(Uint8Array, 1),
  uint16: bare(Uint16Array, 2),
  uint32: bare(Uint32Array, 4),
  uint64: bare(BigUint64Array, 8),
  float16: { words: 1, wordBytes: 2, array: Uint16Array, isBare: false },
  float32: bare(Float32Array, 4),
  float64: bare(Float64Array, 8),
  complex64: { words: 2, wordBytes: 4, array: Float32Array, isBare: false },
  complex128: { words: 2, wordBytes: 8, array: Float64Array, isBare: false },
};

const DTYPES_BY_ARRAY: Readonly<Record<string, Dtype>> = {
  Int8Array: 'int8',
  Int16Array: 'int16',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Uint16Array: 'uint16',
  Uint32Array: 'uint32',
  BigUint64Array: 'uint64',
  Float16Array: 'float16',
  Float32Array: 'float32',
  Float64Array: 'float64',
};

const BRAND = Symbol.for('caduceus.NdArray');

/**
 * Numbers with a dtype and a shape, in C order: the last index runs fastest. Python sees a NumPy array, and sends one back as this.
 * A one-dimensional array of a dtype that a typed array has is simply that typed array; this is for all others.
 */
export class NdArray {
  readonly dtype: Dtype;
  /** Length of each dimension; `[]` is a single element. */
  readonly shape: readonly number[];
  /** @internal the mark that another copy of this package knows it by. */
  declare readonly [BRAND]: true;
  /** The elements: `bool` as one byte each, 0 or 1; `float16` as its raw 16-bit words; a complex number as two floats, the real part first. */
  readonly data: NdData;

  /**
   * The array over `data`, which is not copied.
   * @throws {@link UnencodableError} when dtype, shape and data do not fit each other; the message says how.
   */
  constructor(dtype: Dtype, shape: readonly number[], data: NdData | Uint8ClampedArray) {
    if (!isDtype(dtype)) throw refusal('dtype', `there is no dtype ${quoted(dtype)}`);
    const size = checkedSize(dtype, shape);
    this.dtype = dtype;
    this.shape = Object.freeze([...shape]);
    this.data = checkedData(dtype, data);
    const { words } = LAYOUTS[dtype];
    if (this.data.length !== size * words) {
      throw refusal(
        'data',
        `shape [${shape.join(', ')}] of ${dtype} needs ${size * words} elements, found ${this.data.length}`,
      );
    }
  }

  /** The dtype is that of the typed array; the shape, unless given, its length. */
  static from(data: NdData | Uint8ClampedArray, shape: readonly number[] = [data.length]): NdArray {
    const dtype = dtypeOf(data);
    if (dtype === undefined) throw refusal('data', 'a typed array is expected');
    return new NdArray(dtype, shape, data);
  }

  /** Number of elements. */
  get size(): number {
    return this.data.length / LAYOUTS[this.dtype].words;
  }

  /** Whether dtype, shape and every bit of every element are the same. */
  equals(other: NdArray): boolean {
    return (
      this.dtype === other.dtype &&
      this.shape.length === other.shape.length &&
      this.shape.every((length, index) => length === other.shape[index]) &&
      Buffer.compare(bytesOf(this.data), bytesOf(other.data)) === 0
    );
  }
}

// On the prototype, where no spread and no comparison of tests sees it.
Object.defineProperty(NdArray.prototype, BRAND, { value: true });

/** Whether `value` is an array of this package, also when two copies of it are loaded. */
export function isNdArray(value: object): value is NdArray {
  return BRAND in value;
}

/** Whether `name` is one of the dtypes of the wire. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(LAYOUTS, name);
}

/** Bytes that one element takes. */
export function itemBytesOf(dtype: Dtype): number {
  const { words, wordBytes } = LAYOUTS[dtype];
  return words * wordBytes;
}

/** Whether a one-dimensional array of `dtype` is a typed array and nothing more. */
export function isBareDtype(dtype: Dtype): boolean {
  return LAYOUTS[dtype].isBare;
}

/** The dtype that a typed array says by itself; undefined for a class that only extends one, and for what is none. */
export function dtypeOf(array: object): Dtype | undefined {
  const name = (array as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  if (typeof name !== 'string' || !Object.hasOwn(DTYPES_BY_ARRAY, name)) return undefined;
  const isItself = array.constructor.name === name || Buffer.isBuffer(array);
  return ArrayBuffer.isView(array) && isItself ? DTYPES_BY_ARRAY[name] : undefined;
}

/** The memory of a view, as bytes. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Elements of `dtype` over these bytes: a view of them where their place in memory allows it, else a copy. */
export function typedArrayOf(dtype: Dtype, bytes: Uint8Array): NdData {
  const { array, wordBytes } = LAYOUTS[dtype];
  const placed = bytes.byteOffset % wordBytes === 0 ? bytes : new Uint8Array(bytes);
  return new array(placed.buffer, placed.byteOffset, placed.byteLength / wordBytes);
}

/**
 * Number of elements of a shape.
 * @throws {@link UnencodableError} when a length is none, or there are more dimensions or bytes than either side can have.
 */
export function checkedSize(dtype: Dtype, shape: readonly unknown[]): number {
  if (!Array.isArray(shape)) throw refusal('shape', 'an array of lengths is expected');
  if (shape.length > LIMITS.arrayDimensionsMax) {
    throw refusal(
      'shape',
      `${shape.length} dimensions, at most ${LIMITS.arrayDimensionsMax} are allowed`,
    );
  }
  let size = 1;
  // NumPy refuses what would be too large if the empty dimensions were not there.
  let bytes = itemBytesOf(dtype);
  for (const length of shape as readonly unknown[]) {
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) {
      throw refusal('shape', `${quoted(length)} is no length`);
    }
    size *= length;
    bytes *= Math.max(length, 1);
  }
  if (bytes > Number.MAX_SAFE_INTEGER) throw refusal('shape', 'more bytes than there can be');
  return size;
}

function checkedData(dtype: Dtype, data: unknown): NdData {
  const { array, wordBytes } = LAYOUTS[dtype];
  const found =
    typeof data === 'object' && data !== null && dtypeOf(data) !== undefined
      ? (data as NdData | Uint8ClampedArray)
      : undefined;
  if (found !== undefined) {
    const name = found[Symbol.toStringTag];
    // A Buffer is a Uint8Array with manners of its own, and clamping is no property of the elements.
    if (found.constructor === array) {
      if (dtype === 'bool') checkBooleans(found as Uint8Array);
      return found as NdData;
    }
    const isBytes = array === Uint8Array && (name === 'Uint8Array' || name === 'Uint8ClampedArray');
    if (isBytes || (dtype === 'float16' && (name as string) === 'Float16Array')) {
      const length = found.byteLength / wordBytes;
      const words = new array(found.buffer, found.byteOffset, length);
      if (dtype === 'bool') checkBooleans(words as Uint8Array);
      return words;
    }
    if (name === array.name) return found as NdData;
  }
  throw refusal('data', `${dtype} needs a ${array.name}`);
}

/** @throws {@link UnencodableError} for a byte that is neither 0 nor 1: NumPy computes nonsense with such a `bool`. */
export function checkBooleans(bytes: Uint8Array): void {
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte > 1) throw refusal(`data[${index}]`, `a bool is 0 or 1, found ${byte}`);
  }
}

function refusal(path: string, found: string): UnencodableError {
  return new UnencodableError(`NdArray.${path}`, found);
}

function quoted(value: unknown): string {
  return typeof value === 'string'
    ? JSON.stringify(value.slice(0, LIMITS.quotedCharsMax))
    : typeof value === 'number' || typeof value === 'bigint'
      ? String(value).slice(0, LIMITS.quotedCharsMax)
      : `a ${typeof value}`;
}
