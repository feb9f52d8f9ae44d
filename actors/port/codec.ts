// How does a value become JSON with tags and raw segments, and how does it come back? `docs/protocol.md` §5 is the table.
import { UnencodableError } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';
import { DATE_MS_MAX, DATE_MS_MIN } from './decode-value.ts';
import {
  bytesOf,
  checkBooleans,
  checkedSize,
  dtypeOf,
  isNdArray,
  itemBytesOf,
  type NdArray,
} from './nd-array.ts';
import {
  DOLLAR,
  isJsonNumber,
  isOrdinary,
  isPlainArray,
  isPlainObject,
  isSimple,
} from './ordinary.ts';

export { decodeValue } from './decode-value.ts';

/** A value, ready for a frame. */
export interface EncodedValue {
  /** What stands in the header: the value itself where JSON carries it unchanged. */
  readonly json: unknown;
  /** Whether `json` holds tags or escaped keys. */
  readonly tagged: boolean;
  /** What the tags name by index: views of the value's own memory. */
  readonly segments: readonly Uint8Array[];
}

const NO_SEGMENTS: readonly Uint8Array[] = Object.freeze([]);
const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}$]*$/u;

/**
 * What to write for `value`. An ordinary one, which JSON carries unchanged, is given back as it is.
 * @param path names the value in the error, e.g. `args`.
 * @throws {@link UnencodableError} with the path of the first thing in it that cannot be sent.
 */
export function encodeValue(value: unknown, path: string): EncodedValue {
  try {
    if (isOrdinary(value, 0)) return { json: value, tagged: false, segments: NO_SEGMENTS };
    return new Encoding(path).run(value);
  } catch (error) {
    if (error instanceof UnencodableError) throw error;
    // A getter or a proxy of the caller's.
    const found = error instanceof Error ? error.message : 'something that is no error';
    throw new UnencodableError(path, `looking at it threw: ${found}`);
  }
}

/** One value that is not ordinary: what is in it is copied as far as something changes. */
class Encoding {
  readonly #root: string;
  readonly #segments: Uint8Array[] = [];
  /** Where we are: a path is made of it only on the way out of a failure. */
  readonly #steps: (string | number)[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  run(value: unknown): EncodedValue {
    const json = this.#encode(value);
    // Here for a tag or an escaped key; nothing else leaves the ordinary way without an error.
    return { json, tagged: true, segments: this.#segments };
  }

  #encode(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        return isJsonNumber(value) ? value : numberTag(value);
      case 'bigint':
        return this.#integer(value);
      case 'object':
        return value === null ? null : this.#object(value);
      case 'undefined':
        throw this.#refuse('undefined');
      default:
        throw this.#refuse(`a ${typeof value}`);
    }
  }

  #object(value: object): unknown {
    if (Array.isArray(value)) {
      if (!isPlainArray(value)) throw this.#refuse(`an array that is ${nameOf(value)}`);
      this.#assertDepth();
      return this.#array(value);
    }
    if (isPlainObject(value)) {
      this.#assertDepth();
      return this.#record(value as Readonly<Record<string, unknown>>);
    }
    if (isNdArray(value)) return this.#ndArray(value);
    if (Buffer.isBuffer(value)) return this.#bytes(value);
    if (value instanceof ArrayBuffer) return this.#bytes(new Uint8Array(value));
    const dtype = dtypeOf(value);
    if (dtype !== undefined) {
      const { length } = value as unknown as ArrayLike<unknown>;
      return this.#segment(value as ArrayBufferView, (i) => ({
        $: 'nd',
        d: dtype,
        s: [length],
        i,
      }));
    }
    if (value instanceof Date) return this.#date(value);
    throw this.#refuse(
      nameOf(value) === 'Object'
        ? 'an object with its own toJSON'
        : `an instance of ${nameOf(value)}`,
    );
  }

  #array(array: readonly unknown[]): readonly unknown[] {
    let copy: unknown[] | undefined;
    for (let index = 0; index < array.length; index += 1) {
      const item = array[index];
      if (isSimple(item)) {
        copy?.push(item);
        continue;
      }
      this.#steps.push(index);
      const json = this.#encode(item);
      this.#steps.pop();
      if (copy === undefined && json !== item) copy = array.slice(0, index);
      copy?.push(json);
    }
    return copy ?? array;
  }

  #record(object: Readonly<Record<string, unknown>>): object {
    const keys = Object.keys(object);
    let copy: Record<string, unknown> | undefined;
    for (const [index, key] of keys.entries()) {
      const item = object[key];
      if (item === undefined) continue;
      let json: unknown = item;
      if (!isSimple(item)) {
        this.#steps.push(key);
        json = this.#encode(item);
        this.#steps.pop();
      }
      const isEscaped = key.charCodeAt(0) === DOLLAR;
      if (copy === undefined && (isEscaped || json !== item)) {
        copy = {};
        for (const before of keys.slice(0, index)) {
          if (object[before] !== undefined) setOwn(copy, before, object[before]);
        }
      }
      if (copy !== undefined) setOwn(copy, isEscaped ? `$${key}` : key, json);
    }
    return copy ?? object;
  }

  #integer(value: bigint): object {
    const digits = (value < 0n ? -value : value).toString(16);
    if (digits.length > LIMITS.intHexDigitsMax) {
      throw this.#refuse(
        `an integer of ${digits.length} hexadecimal digits, at most ${LIMITS.intHexDigitsMax} are allowed`,
      );
    }
    return { $: 'int', v: `${value < 0n ? '-' : ''}0x${digits}` };
  }

  #date(value: Date): object {
    const ms = value.getTime();
    if (Number.isNaN(ms)) throw this.#refuse('an invalid Date');
    if (ms < DATE_MS_MIN || ms > DATE_MS_MAX) {
      throw this.#refuse('a Date outside of the years 1 to 9999, which Python has');
    }
    return { $: 'date', v: ms };
  }

  #bytes(bytes: Uint8Array): object {
    return this.#segment(bytes, (i) => ({ $: 'bytes', i }));
  }

  #ndArray({ dtype, shape, data }: NdArray): object {
    // Its constructor has checked it, but its memory may have been taken away or written to since.
    try {
      if (checkedSize(dtype, shape) * itemBytesOf(dtype) !== data.byteLength) {
        throw this.#refuse('an NdArray whose data has lost its memory');
      }
      if (dtype === 'bool') checkBooleans(bytesOf(data));
    } catch (error) {
      throw error instanceof UnencodableError ? this.#refuse(error.message) : error;
    }
    return this.#segment(data, (i) => ({ $: 'nd', d: dtype, s: shape, i }));
  }

  #segment(view: ArrayBufferView, tagOf: (index: number) => object): object {
    const index = this.#segments.length;
    if (index >= LIMITS.segmentsMax) {
      throw this.#refuse(`more than ${LIMITS.segmentsMax} bytes and arrays in one value`);
    }
    try {
      this.#segments.push(bytesOf(view));
    } catch {
      throw this.#refuse('an array whose memory was given away');
    }
    return tagOf(index);
  }

  #assertDepth(): void {
    // The steps lead from the outermost container to this one.
    if (this.#steps.length >= LIMITS.valueDepthMax) {
      throw this.#refuse(`nested deeper than ${LIMITS.valueDepthMax}, or a cycle`);
    }
  }

  #refuse(found: string): UnencodableError {
    let path = this.#root;
    for (const step of this.#steps) {
      if (typeof step === 'number') path += `[${step}]`;
      else path += IDENTIFIER.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    }
    return new UnencodableError(shortened(path), found);
  }
}

function numberTag(value: number): object {
  if (Number.isNaN(value)) return { $: 'nan' };
  if (value === Number.POSITIVE_INFINITY) return { $: 'inf' };
  if (value === Number.NEGATIVE_INFINITY) return { $: '-inf' };
  return value === 0 ? { $: '-0' } : { $: 'float', v: String(value) };
}

/** `__proto__` is a key like any other. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, {
      ...{ value, enumerable: true, configurable: true, writable: true },
    });
    return;
  }
  object[key] = value;
}

function nameOf(value: object): string {
  const { constructor } = value as { readonly constructor?: { readonly name?: unknown } };
  const name = constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'a class without a name';
}

function shortened(path: string): string {
  if (path.length <= LIMITS.pathCharsMax) return path;
  const half = LIMITS.pathCharsMax / 2;
  return `${path.slice(0, half)}…${path.slice(-half)}`;
}
