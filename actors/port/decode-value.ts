// How do JSON with tags and raw segments become the value again? `docs/protocol.md` §5 is the table.
import { UnencodableError } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';
import { ProtocolError } from '../ground/start-errors.ts';
import {
  checkBooleans,
  checkedSize,
  isBareDtype,
  isDtype,
  itemBytesOf,
  NdArray,
  typedArrayOf,
} from './nd-array.ts';

type Tag = Readonly<Record<string, unknown>>;
type Container = unknown[] | Record<string, unknown>;

const FLOAT = /^-?\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,3})?$/u;
const INT = /^-?0x[\da-f]+$/u;
const PREFIX_CHARS = 3; // "-0x"
/** The years 1 to 9999: what Python's datetime has, and so what is sent. */
export const DATE_MS_MIN = -62_135_596_800_000;
export const DATE_MS_MAX = 253_402_300_799_999;

/**
 * The value that `encodeValue`, or Python, wrote. `json` must come from the parser of its frame: it is used up, and what is returned is made of it.
 * @throws {@link ProtocolError} when a tag is malformed, or a segment is named by none or by two.
 */
export function decodeValue(json: unknown, tagged: boolean, segments: readonly Buffer[]): unknown {
  if (tagged) {
    const decoding = new Decoding(segments);
    const value = decoding.read(json);
    decoding.assertAllNamed();
    return value;
  }
  if (segments.length > 0) throw new ProtocolError('value with segments that no tag names');
  return json;
}

/**
 * Several values that share the segments of one frame, each of the depth that a value may have.
 * @throws {@link ProtocolError} as `decodeValue` does.
 */
export function decodeEach(
  jsons: readonly unknown[],
  tagged: boolean,
  segments: readonly Buffer[],
): readonly unknown[] {
  if (!tagged) {
    if (segments.length > 0) throw new ProtocolError('values with segments that no tag names');
    return jsons;
  }
  const decoding = new Decoding(segments);
  const values = jsons.map((json) => decoding.read(json));
  decoding.assertAllNamed();
  return values;
}

class Decoding {
  readonly #segments: readonly Buffer[];
  readonly #named = new Set<number>();

  constructor(segments: readonly Buffer[]) {
    this.#segments = segments;
  }

  /** By levels and not by recursion: how deep it is was the sender's choice. */
  read(json: unknown): unknown {
    const root = [json];
    let level: Container[] = [root];
    for (let depth = 0; level.length > 0; depth += 1) {
      // The list around the root is not the sender's.
      if (depth > LIMITS.valueDepthMax) {
        throw malformed(`nested deeper than ${LIMITS.valueDepthMax}`);
      }
      const deeper: Container[] = [];
      for (const container of level) this.#open(container, deeper);
      level = deeper;
    }
    return root[0];
  }

  assertAllNamed(): void {
    if (this.#named.size !== this.#segments.length) {
      throw malformed(`${this.#segments.length} segments, ${this.#named.size} of them named`);
    }
  }

  /** Put what it means in the place of everything in `container`; the containers in it come to `deeper`. */
  #open(container: Container, deeper: Container[]): void {
    if (Array.isArray(container)) {
      for (let index = 0; index < container.length; index += 1) {
        const item = container[index];
        if (typeof item !== 'object' || item === null) continue;
        container[index] = this.#meaning(item, deeper);
      }
      return;
    }
    for (const key of Object.keys(container)) {
      const item = container[key];
      if (typeof item !== 'object' || item === null) continue;
      // An own `__proto__`, which the parser has made, is written to like any own property.
      container[key] = this.#meaning(item, deeper);
    }
  }

  #meaning(item: object, deeper: Container[]): unknown {
    if (!Array.isArray(item) && Object.hasOwn(item, '$')) return this.#tag(item as Tag);
    const container = Array.isArray(item) ? item : unescaped(item as Record<string, unknown>);
    deeper.push(container);
    return container;
  }

  #tag(tag: Tag): unknown {
    switch (tag['$']) {
      case 'nan':
        return this.#only(tag, 1, Number.NaN);
      case 'inf':
        return this.#only(tag, 1, Number.POSITIVE_INFINITY);
      case '-inf':
        return this.#only(tag, 1, Number.NEGATIVE_INFINITY);
      case '-0':
        return this.#only(tag, 1, -0);
      case 'float':
        return this.#only(tag, 2, floatOf(tag['v']));
      case 'int':
        return this.#only(tag, 2, integerOf(tag['v']));
      case 'date':
        return this.#only(tag, 2, dateOf(tag['v']));
      case 'bytes':
        return this.#only(tag, 2, this.#segment(tag['i']));
      case 'nd':
        return this.#only(tag, 4, this.#array(tag));
      default:
        throw malformed('an unknown tag');
    }
  }

  #only<Value>(tag: Tag, keys: number, value: Value): Value {
    if (Object.keys(tag).length !== keys) throw malformed(`a tag with keys that it does not have`);
    return value;
  }

  #segment(index: unknown): Buffer {
    const segment = typeof index === 'number' ? this.#segments[index] : undefined;
    if (segment === undefined) throw malformed('a tag whose segment is not there');
    if (this.#named.has(index as number)) throw malformed('two tags for one segment');
    this.#named.add(index as number);
    return segment;
  }

  #array({ d: dtype, s: shape, i }: Tag): unknown {
    if (!isDtype(dtype)) throw malformed('an array of an unknown dtype');
    if (!Array.isArray(shape)) throw malformed('an array without a shape');
    const bytes = this.#segment(i);
    try {
      const sizeBytes = checkedSize(dtype, shape) * itemBytesOf(dtype);
      if (sizeBytes !== bytes.length) {
        throw malformed(`an array of ${sizeBytes} bytes in a segment of ${bytes.length}`);
      }
      if (dtype === 'bool') checkBooleans(bytes);
    } catch (error) {
      throw error instanceof UnencodableError ? malformed(error.message) : error;
    }
    const data = typedArrayOf(dtype, bytes);
    if (shape.length === 1 && isBareDtype(dtype)) return data;
    return new NdArray(dtype, shape as number[], data);
  }
}

/** Its keys without what the sender put in front of them: itself when there was nothing. */
function unescaped(object: Record<string, unknown>): Record<string, unknown> {
  const keys = Object.keys(object);
  if (!keys.some((key) => key.startsWith('$'))) return object;
  const entries = keys.map((key): [string, unknown] => {
    if (!key.startsWith('$')) return [key, object[key]];
    if (!key.startsWith('$$')) throw malformed('a key that begins with one $');
    return [key.slice(1), object[key]];
  });
  // Defines each key, `__proto__` too, where an assignment would not.
  return Object.fromEntries(entries);
}

function floatOf(text: unknown): number {
  const value = typeof text === 'string' && FLOAT.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw malformed('a float that is none');
  return value;
}

function integerOf(text: unknown): number | bigint {
  // Its length first: a pattern reads all of it.
  if (typeof text !== 'string' || text.length > LIMITS.intHexDigitsMax + PREFIX_CHARS) {
    throw malformed('an integer that is no text, or too long');
  }
  const isNegative = text.startsWith('-');
  const digits = text.length - PREFIX_CHARS + (isNegative ? 0 : 1);
  if (!INT.test(text) || digits > LIMITS.intHexDigitsMax)
    throw malformed('an integer that is none');
  const value = isNegative ? -BigInt(text.slice(1)) : BigInt(text);
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : value;
}

function dateOf(ms: unknown): Date {
  if (typeof ms !== 'number' || !(ms >= DATE_MS_MIN && ms < DATE_MS_MAX + 1)) {
    throw malformed('a date that is none, or outside of the years 1 to 9999');
  }
  // Down, before 1970 too, as Python's `microsecond` goes.
  return new Date(Math.floor(ms));
}

function malformed(found: string): ProtocolError {
  return new ProtocolError(`malformed value: ${found}`);
}
