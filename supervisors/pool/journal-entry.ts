// What is one entry of a journal? A call that made its scope's state what it is, in a copy of its own.
import type { EncodedValue } from '../../actors/port/codec.ts';

/**
 * What a state-changing operation does to its scope. `configure`: the last one of its operation counts. `create`, `update`, `delete`: of the thing that its key names.
 * `restore`: makes the whole scope what a snapshot was; what is not in that is gone. Pools journal it themselves, with what an adapter's `snapshot` gave.
 */
export type StateChange = 'configure' | 'create' | 'delete' | 'update' | 'restore';

export interface JournalEntry {
  readonly seq: number;
  readonly change: StateChange;
  readonly op: string;
  /** As they are sent. Nobody else has this memory. */
  readonly args: EncodedValue;
  /** What it is about: the id of the thing; for `configure` and `restore` the operation itself. */
  readonly key: string;
  /** Size of its arguments, in bytes. */
  readonly bytes: number;
  /** Arguments that no store may have, by the names that stand for them. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** The name of a secret that nobody here knows: an argument is not there, and the entry cannot be replayed. */
  readonly missingSecret?: string;
  /** Of `restore`: the keys of the things that are in the snapshot. */
  readonly holds?: readonly string[];
}

/** An entry that has just been noted, and what that did to the others. */
export interface Appended extends JournalEntry {
  /** Entries that a new incarnation is not told of any more. */
  readonly removedSeqs: readonly number[];
  /** Whether a new incarnation is told of this one: not of the deletion of what only live ones can have. */
  readonly isKept: boolean;
}

/** A value that whoever gave it cannot change any more: exactly what Python gets to see now. */
export function ownCopy(value: EncodedValue): {
  readonly args: EncodedValue;
  readonly bytes: number;
} {
  const text = JSON.stringify(value.json);
  const segments = value.segments.map((segment) => Uint8Array.from(segment));
  const args = { json: JSON.parse(text) as unknown, tagged: value.tagged, segments };
  const segmentBytes = segments.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return { args, bytes: Buffer.byteLength(text) + segmentBytes };
}

/** Size of a value that is nobody else's, in bytes. */
export function bytesOf({ json, segments }: EncodedValue): number {
  const segmentBytes = segments.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return Buffer.byteLength(JSON.stringify(json)) + segmentBytes;
}
