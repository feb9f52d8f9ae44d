// What input does a child get when its template, or its supervisor, brings some of it?

/**
 * Put `after` behind `before`, as OTP appends argument lists: arrays are joined, objects are merged (the later wins), anything else is replaced by what comes after.
 */
export function mergeInput(before: unknown, after: unknown): unknown {
  if (after === undefined) return before;
  if (Array.isArray(before) && Array.isArray(after)) {
    return [...(before as readonly unknown[]), ...(after as readonly unknown[])];
  }
  return isPlain(before) && isPlain(after) ? { ...before, ...after } : after;
}

/** What can be merged with what: lists with lists, records with records. */
export function shapeOf(value: unknown): 'list' | 'record' | 'other' {
  if (Array.isArray(value)) return 'list';
  return isPlain(value) ? 'record' : 'other';
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
