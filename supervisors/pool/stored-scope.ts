// How does a stored journal become bytes, and bytes a journal again? Frames as on the wire: JSON, and raw segments behind it.
import type { EncodedValue } from '../../actors/port/codec.ts';
import { encodeCodedFrame, encodeFrame, FrameDecoder } from '../../actors/port/frame.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import type { StateChange } from './journal-entry.ts';
import type { StoredEntry, StoredScope } from './scope-store.ts';

/** Of whoever wrote it. What a later version writes, this one does not guess at. */
const FORMAT = 1;

const CHANGES: ReadonlySet<unknown> = new Set<StateChange>([
  'configure',
  'create',
  'delete',
  'update',
  'restore',
]);
const ENTRY_KEYS: ReadonlySet<string> = new Set(
  'format seq change op key args tagged segments secrets holds'.split(' '),
);
const SCOPE_KEYS: ReadonlySet<string> = new Set(['format', 'head', 'entries']);

type Header = Readonly<Record<string, unknown>>;

interface Frame {
  readonly header: Header;
  readonly segments: readonly Buffer[];
}

/** One entry, for stores that keep a row for each. */
export function encodeStoredEntry(entry: StoredEntry): Buffer {
  const { seq, change, op, key, args, secrets, holds } = entry;
  const header = {
    ...{ format: FORMAT, seq, change, op, key },
    ...(Object.keys(secrets).length > 0 && { secrets }),
    ...(holds !== undefined && { holds }),
  };
  return Buffer.concat(encodeCodedFrame(header, 'args', args));
}

/** A whole scope, for stores that keep one value. */
export function encodeStoredScope({ head, entries }: StoredScope): Buffer {
  const first = encodeFrame({ format: FORMAT, head, entries: entries.length });
  return Buffer.concat([first, ...entries.map(encodeStoredEntry)]);
}

/** @throws Error that says what of the bytes is not understood. */
export function decodeStoredEntry(bytes: Uint8Array): StoredEntry {
  const [frame, ...others] = framesOf(bytes);
  if (frame === undefined || others.length > 0) {
    throw unreadable(`an entry of ${others.length + (frame === undefined ? 0 : 1)} frames`);
  }
  return entryOf(frame);
}

/** @throws Error that says what of the bytes is not understood. */
export function decodeStoredScope(bytes: Uint8Array): StoredScope {
  const [first, ...frames] = framesOf(bytes);
  if (first === undefined) throw unreadable('no bytes');
  const { header } = first;
  checkFormat(header, SCOPE_KEYS);
  if (header['entries'] !== frames.length) {
    throw unreadable(`${frames.length} entries where ${shown(header['entries'])} are told`);
  }
  return storedScopeOf(numberOf(header, 'head'), frames.map(entryOf));
}

/**
 * A scope of these entries, in their order.
 * @throws Error when there cannot be such a scope.
 */
export function storedScopeOf(head: number, entries: readonly StoredEntry[]): StoredScope {
  const sorted = [...entries].sort((a, b) => a.seq - b.seq);
  let before = 0;
  for (const { seq } of sorted) {
    if (seq <= before || seq > head) {
      throw unreadable(`entry ${seq} behind entry ${before}, of a journal that ends at ${head}`);
    }
    before = seq;
  }
  return { head, entries: sorted };
}

function framesOf(bytes: Uint8Array): readonly Frame[] {
  const frames: Frame[] = [];
  const decoder = new FrameDecoder(LIMITS.frameBytesMax);
  try {
    // In memory of its own: where a store's buffer lies, and who writes to it next, is not known.
    decoder.feed(Buffer.from(bytes), (header, segments) => {
      frames.push({ header, segments });
      return 'more';
    });
  } catch (cause) {
    throw unreadable(cause instanceof Error ? cause.message : 'no frames', cause);
  }
  const rest = decoder.rest().byteLength;
  if (rest > 0) throw unreadable(`${rest} bytes of a frame that has no end`);
  return frames;
}

function entryOf({ header, segments }: Frame): StoredEntry {
  checkFormat(header, ENTRY_KEYS);
  const { change, args, tagged, holds } = header;
  if (!CHANGES.has(change)) throw unreadable(`change ${shown(change)}`);
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    throw unreadable(`args ${shown(args)}`);
  }
  if (tagged !== undefined && tagged !== true) throw unreadable(`tagged ${shown(tagged)}`);
  const encoded: EncodedValue = { json: args, tagged: tagged === true, segments };
  return {
    seq: numberOf(header, 'seq'),
    change: change as StateChange,
    op: textOf(header, 'op'),
    key: textOf(header, 'key'),
    args: encoded,
    secrets: namesOf(header['secrets']),
    ...(holds !== undefined && { holds: keysOf(holds) }),
  };
}

function checkFormat(header: Header, known: ReadonlySet<string>): void {
  const { format } = header;
  if (format !== FORMAT) {
    throw unreadable(`format ${shown(format)}, this version knows ${FORMAT}`);
  }
  const strange = Object.keys(header).find((key) => !known.has(key));
  if (strange !== undefined) throw unreadable(`field ${shown(strange)}`);
}

function numberOf(header: Header, field: string): number {
  const value = header[field];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw unreadable(`${field} ${shown(value)}`);
}

function textOf(header: Header, field: string): string {
  const value = header[field];
  if (typeof value === 'string') return value;
  throw unreadable(`${field} ${shown(value)}`);
}

function namesOf(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isRecord && Object.values(value).every((name) => typeof name === 'string')) {
    return value as Readonly<Record<string, string>>;
  }
  throw unreadable(`secrets ${shown(value)}`);
}

function keysOf(value: unknown): readonly string[] {
  const isList = Array.isArray(value) && value.every((key) => typeof key === 'string');
  if (isList) return value;
  throw unreadable(`holds ${shown(value)}`);
}

/** What was found, no longer than it takes to recognise it. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  const { quotedCharsMax } = LIMITS;
  return text.length > quotedCharsMax ? `${text.slice(0, quotedCharsMax)}…` : text;
}

function unreadable(found: string, cause?: unknown): Error {
  const message = `what is stored of this state cannot be read: ${found}`;
  return cause === undefined ? new Error(message) : new Error(message, { cause });
}
