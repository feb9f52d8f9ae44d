// Does JSON carry this value unchanged? `docs/protocol.md` §5: what is not so needs a tag.
import { LIMITS } from '../ground/limits.ts';

/** "$": what a tag's key is, and an escaped one begins with. */
export const DOLLAR = 36;

/** Whether JSON carries it unchanged. Nothing is allocated and no path is built: this is what every call pays. */
export function isOrdinary(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return isJsonNumber(value);
    case 'object':
      if (value === null) return true;
      if (depth >= LIMITS.valueDepthMax) return false;
      return Array.isArray(value)
        ? isOrdinaryArray(value, depth)
        : isOrdinaryObject(value as Record<string, unknown>, depth);
    default:
      return false;
  }
}

function isOrdinaryArray(array: readonly unknown[], depth: number): boolean {
  if (!isPlainArray(array)) return false;
  for (const item of array) {
    if (!isSimple(item) && !isOrdinary(item, depth + 1)) return false;
  }
  return true;
}

function isOrdinaryObject(object: Record<string, unknown>, depth: number): boolean {
  if (!isPlainObject(object)) return false;
  for (const key of Object.keys(object)) {
    if (key.charCodeAt(0) === DOLLAR) return false;
    const item = object[key];
    if (!isSimple(item) && item !== undefined && !isOrdinary(item, depth + 1)) return false;
  }
  return true;
}

/** A leaf that needs no second look. */
export function isSimple(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && isJsonNumber(value))
  );
}

/** Not NaN, an infinity, -0, or a whole number that Python would read as an integer of its own precision. */
export function isJsonNumber(value: number): boolean {
  return (
    value <= Number.MAX_SAFE_INTEGER &&
    value >= Number.MIN_SAFE_INTEGER &&
    (value !== 0 || Object.is(value, 0))
  );
}

/** An array that JSON writes as its elements. */
export function isPlainArray(array: readonly unknown[]): boolean {
  const prototype: unknown = Object.getPrototypeOf(array);
  return (
    (prototype === Array.prototype || isForeignArrayPrototype(prototype)) &&
    typeof (array as { readonly toJSON?: unknown }).toJSON !== 'function'
  );
}

/** Of another realm (`node:vm`), where Array is another one: directly below an Object.prototype, which has nothing above it. */
function isForeignArrayPrototype(prototype: unknown): boolean {
  return (
    Array.isArray(prototype) && Object.getPrototypeOf(Object.getPrototypeOf(prototype)) === null
  );
}

/** An object that JSON writes as its keys. */
export function isPlainObject(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return (
    (prototype === Object.prototype || prototype === null) &&
    typeof (object as { readonly toJSON?: unknown }).toJSON !== 'function'
  );
}
