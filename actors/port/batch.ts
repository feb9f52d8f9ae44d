// How do several calls travel as one, and how does each get its own answer? `docs/protocol.md` §4.6; pure.
import { z } from 'zod';

import { UnencodableError } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';
import { ProtocolError } from '../ground/start-errors.ts';
import type { RemoteError } from '../ground/worker-facts.ts';
import type { EncodedValue } from './codec.ts';
import { decodeEach } from './decode-value.ts';
import { remoteError } from './remote-error.ts';

/** How one call of a batch has ended. */
export type BatchOutcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: RemoteError };

/** Which batches a worker has not answered yet, and of how many calls each is. */
export class OpenBatches {
  readonly #sizes = new Map<number, number>();

  sent(id: number, size: number): void {
    this.#sizes.set(id, size);
  }

  /** A reply to this call has come. @returns its calls; undefined when it is no batch. */
  answered(id: number): number | undefined {
    // Most workers never have one.
    if (this.#sizes.size === 0) return undefined;
    const size = this.#sizes.get(id);
    this.#sizes.delete(id);
    return size;
  }
}

/**
 * The arguments of several calls as those of one. Segments are numbered through and stay where they are; what is ordinary stays as it is.
 * @throws {@link UnencodableError} when one of them has changed since it was encoded, so that it cannot be looked through.
 */
export function combineCalls(values: readonly EncodedValue[]): EncodedValue {
  const segments: Uint8Array[] = [];
  const calls: unknown[] = [];
  let tagged = false;
  for (const value of values) {
    const offset = segments.length;
    const isMoved = offset > 0 && value.segments.length > 0;
    calls.push(isMoved ? moved(value.json, offset) : value.json);
    for (const segment of value.segments) segments.push(segment);
    tagged ||= value.tagged;
  }
  return { json: { calls }, tagged, segments };
}

/**
 * What the reply to a batch of `size` calls says of each.
 * @param result from the parser of its frame: it is used up.
 * @throws {@link ProtocolError} when it is anything else than one outcome for each.
 */
export function splitBatch(
  result: unknown,
  tagged: boolean,
  segments: readonly Buffer[],
  size: number,
): readonly BatchOutcome[] {
  if (!Array.isArray(result) || result.length !== size) {
    const found = Array.isArray(result) ? `${result.length} outcomes` : 'no list of outcomes';
    throw new ProtocolError(`replies lane: ${found} to a batch of ${size} calls`);
  }
  const outcomes = result.map((found: unknown, index) => outcomeOf(found, index));
  const results = outcomes.map((outcome) => (outcome.ok ? outcome.result : null));
  // Each for itself: a result may be as deep as that of a single call.
  const values = decodeEach(results, tagged, segments);
  return outcomes.map((outcome, index) =>
    outcome.ok ? { ok: true, result: values[index] } : outcome,
  );
}

function outcomeOf(found: unknown, index: number): BatchOutcome {
  const { ok, result, error } = (found ?? {}) as Readonly<Record<string, unknown>>;
  if (ok === true && result !== undefined) return { ok, result };
  const parsed = ok === false ? remoteError.safeParse(error) : undefined;
  if (parsed?.success === true) return { ok: false, error: parsed.data };
  const finding = parsed === undefined ? 'is none' : z.prettifyError(parsed.error);
  throw new ProtocolError(`replies lane: outcome ${index} of a batch: ${finding}`);
}

/** The same with its segments `offset` further on: copied where a tag names one, as the value of its caller must stay. */
function moved(json: unknown, offset: number): unknown {
  try {
    return movedAt(json, offset, 0);
  } catch (error) {
    if (error instanceof UnencodableError) throw error;
    // A getter or a proxy of the caller's.
    const found = error instanceof Error ? error.message : 'something that is no error';
    throw new UnencodableError('args', `looking at it threw: ${found}`);
  }
}

function movedAt(json: unknown, offset: number, depth: number): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return movedArray(json, offset, nextDepth(depth));
  const object = json as Readonly<Record<string, unknown>>;
  // A key of the caller's own that begins so has got one more.
  if (!Object.hasOwn(object, '$')) return movedRecord(object, offset, nextDepth(depth));
  const { i } = object;
  return typeof i === 'number' ? { ...object, i: i + offset } : object;
}

function nextDepth(depth: number): number {
  // It was shallower when it was encoded.
  if (depth >= LIMITS.valueDepthMax) {
    throw new UnencodableError('args', `nested deeper than ${LIMITS.valueDepthMax}, or a cycle`);
  }
  return depth + 1;
}

function movedArray(array: readonly unknown[], offset: number, depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (const [index, item] of array.entries()) {
    const json = movedAt(item, offset, depth);
    if (copy === undefined && json !== item) copy = array.slice(0, index);
    copy?.push(json);
  }
  return copy ?? array;
}

function movedRecord(
  object: Readonly<Record<string, unknown>>,
  offset: number,
  depth: number,
): object {
  let isChanged = false;
  const entries = Object.keys(object).map((key): [string, unknown] => {
    const item = object[key];
    const json = movedAt(item, offset, depth);
    isChanged ||= json !== item;
    return [key, json];
  });
  // Defines each key, `__proto__` too, where an assignment would not.
  return isChanged ? Object.fromEntries(entries) : object;
}
