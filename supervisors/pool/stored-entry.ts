// What of a journal's entry may a store see, and how does it become an entry again? Secrets go out by name and come back by it.
import { decodeValue, encodeValue, type EncodedValue } from '../../actors/port/codec.ts';
import { bytesOf, type Appended, type JournalEntry } from './journal-entry.ts';
import type { ResolveSecret, ScopeChange, StoredEntry } from './scope-store.ts';

const NO_SECRETS: Readonly<Record<string, string>> = Object.freeze({});

/** As a store may see it. */
export function storedOf(entry: JournalEntry): StoredEntry {
  const { seq, change, op, key, args, secrets = NO_SECRETS, holds } = entry;
  const stored = { seq, change, op, key, args: without(args, Object.keys(secrets)), secrets };
  return holds === undefined ? stored : { ...stored, holds };
}

/** What a store must change for one more entry. */
export function changeOf(appended: Appended): ScopeChange {
  const { seq: head, isKept, removedSeqs: removeSeqs } = appended;
  return { head, put: isKept ? [storedOf(appended)] : [], removeSeqs };
}

/** As it is replayed. A secret that cannot be resolved is named in it. */
export function loadedOf(stored: StoredEntry, resolve: ResolveSecret): JournalEntry {
  const { seq, change, op, key, secrets, holds } = stored;
  const values = new Map<string, string>();
  let missingSecret: string | undefined;
  for (const [argument, name] of Object.entries(secrets)) {
    const value = resolve(name);
    if (value === undefined) missingSecret ??= name;
    else values.set(argument, value);
  }
  const args = withTexts(stored.args, values);
  return {
    ...{ seq, change, op, key, args, bytes: bytesOf(args) },
    ...(Object.keys(secrets).length > 0 && { secrets }),
    ...(missingSecret !== undefined && { missingSecret }),
    ...(holds !== undefined && { holds }),
  };
}

function without(args: EncodedValue, names: readonly string[]): EncodedValue {
  if (names.length === 0) return args;
  if (args.segments.length > 0) return withoutDecoded(args, names);
  const json = { ...(args.json as Record<string, unknown>) };
  for (const name of names) Reflect.deleteProperty(json, keyOf(name, args.tagged));
  return { ...args, json };
}

/** The slow way, which numbers the segments anew: one of them may be in the secret. */
function withoutDecoded(args: EncodedValue, names: readonly string[]): EncodedValue {
  const segments = args.segments.map((one) =>
    Buffer.from(one.buffer, one.byteOffset, one.byteLength),
  );
  // Decoding uses up what it is given.
  const value = decodeValue(structuredClone(args.json), args.tagged, segments);
  const rest = value as Record<string, unknown>;
  for (const name of names) Reflect.deleteProperty(rest, name);
  return encodeValue(rest, 'args');
}

function withTexts(args: EncodedValue, texts: ReadonlyMap<string, string>): EncodedValue {
  if (texts.size === 0) return args;
  const tagged = args.tagged || [...texts.keys()].some((name) => name.startsWith('$'));
  const added = [...texts].map(([name, text]) => [keyOf(name, tagged), text] as const);
  const all = [...Object.entries(args.json as Record<string, unknown>), ...added];
  // `fromEntries` makes an own property of whatever name.
  return { ...args, json: Object.fromEntries(all), tagged };
}

/** Keys that begin like a tag are escaped where there are tags (`docs/protocol.md` §5). */
function keyOf(name: string, tagged: boolean): string {
  return tagged && name.startsWith('$') ? `$${name}` : name;
}
