// Can this value cross the wire unchanged? `docs/protocol.md` §5 is the table.
import { UnencodableError } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';

/**
 * Refuse what JSON would silently change: NaN, Infinity, bigint, dates, typed arrays, class instances, cycles.
 * @param path names the value in the error, e.g. `args`.
 * @throws {@link UnencodableError} with the path of the first such value.
 */
export function assertEncodable(value: unknown, path: string): void {
  check(value, path, 0);
}

// Paths are built only on the way out of a failure: the happy path allocates nothing.
function check(value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw new UnencodableError(path, String(value));
      return;
    case 'object':
      if (value === null) return;
      if (depth >= LIMITS.valueDepthMax) {
        throw new UnencodableError(path, `nested deeper than ${LIMITS.valueDepthMax}, or a cycle`);
      }
      if (Array.isArray(value)) {
        checkArray(value, path, depth);
        return;
      }
      checkObject(value, path, depth);
      return;
    default:
      throw new UnencodableError(path, value === undefined ? 'undefined' : `a ${typeof value}`);
  }
}

function checkArray(array: readonly unknown[], path: string, depth: number): void {
  for (let index = 0; index < array.length; index += 1) {
    const item = array[index];
    if (isSimple(item)) continue;
    check(item, `${path}[${index}]`, depth + 1);
  }
}

function checkObject(object: object, path: string, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    const name = (object.constructor as { readonly name?: string } | undefined)?.name;
    throw new UnencodableError(path, `an instance of ${name ?? 'a class without a name'}`);
  }
  if ('toJSON' in object && typeof object.toJSON === 'function') {
    throw new UnencodableError(path, 'an object with its own toJSON');
  }
  for (const key of Object.keys(object)) {
    const item = (object as Record<string, unknown>)[key];
    if (item === undefined || isSimple(item)) continue;
    check(item, `${path}.${key}`, depth + 1);
  }
}

function isSimple(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}
