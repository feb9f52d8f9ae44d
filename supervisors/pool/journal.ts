// Which operations made a scope's state what it is, and which of them does an incarnation still lack? Pure bookkeeping, compacted.
import type { EncodedValue } from '../../actors/port/codec.ts';
import type { AppliedMark } from './applied-mark.ts';
import { creationsOf, isHeld, mustDrop, trim, type Thing } from './creations.ts';
import { ownCopy, type Appended, type JournalEntry, type StateChange } from './journal-entry.ts';
import type { ResolveSecret, StoredScope } from './scope-store.ts';
import { loadedOf, storedOf } from './stored-entry.ts';

export { AppliedMark } from './applied-mark.ts';
export type { Appended, JournalEntry, StateChange } from './journal-entry.ts';

const NOTHING: readonly JournalEntry[] = [];

/**
 * The journal of one scope. Entries are compacted as they come: a second `configure` of the same operation replaces the first, a second `create` of a thing the first and the updates since;
 * `delete` takes them away and leaves a tombstone, since live incarnations that have the thing must drop it, while a new one is never told of either; `restore` takes the place
 * of everything but what is configured. What a snapshot holds and was deleted since is the one deletion that a new incarnation is told of.
 */
export class Journal {
  /** What a new incarnation must be told, by number, in order. */
  readonly #entries = new Map<number, JournalEntry>();
  readonly #configured = new Map<string, number>();
  readonly #things = new Map<string, Thing>();
  /** Deleted things that only live incarnations can have; all of them are among the things too. */
  readonly #tombstones = new Map<string, Thing>();
  #snapshotSeq: number | undefined;
  #latest: Thing | undefined;
  #head = 0;
  #bytes = 0;

  /** What a store knew of the scope. Incarnations of another process know nothing of it. */
  static from(stored: StoredScope, resolve: ResolveSecret): Journal {
    const journal = new Journal();
    for (const one of [...stored.entries].sort((a, b) => a.seq - b.seq)) {
      journal.#head = one.seq;
      journal.#note(loadedOf(one, resolve));
    }
    journal.#head = Math.max(journal.#head, stored.head);
    journal.#latest = undefined;
    return journal;
  }

  /** Entries that a new incarnation must replay. */
  get size(): number {
    return this.#entries.size;
  }

  /** Size of the arguments of all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sequence number of the latest entry. */
  get head(): number {
    return this.#head;
  }

  /** Creations that are remembered because of what live incarnations may have. */
  get traces(): number {
    let sum = 0;
    for (const { creations } of this.#things.values()) sum += creations.length;
    return sum;
  }

  /** Whether such an entry would take the place of another. */
  has(change: StateChange, key: string): boolean {
    switch (change) {
      case 'configure':
        return this.#configured.has(key);
      case 'restore':
        return this.#entries.size > this.#configured.size;
      case 'update':
        return false;
      case 'create':
      case 'delete': {
        const thing = this.#things.get(key);
        return thing !== undefined && (thing.entries.length > 0 || this.#isTold(thing));
      }
    }
  }

  /** Note what has been executed. The arguments are copied. */
  append(
    change: StateChange,
    op: string,
    args: EncodedValue,
    key: string,
    secrets?: Readonly<Record<string, string>>,
  ): Appended {
    this.#head += 1;
    const entry: JournalEntry = {
      ...{ seq: this.#head, change, op, key, ...ownCopy(args) },
      ...(secrets !== undefined && Object.keys(secrets).length > 0 && { secrets }),
      ...(change === 'restore' && { holds: this.#living() }),
    };
    const removedSeqs = this.#note(entry);
    return { ...entry, removedSeqs, isKept: this.#entries.has(entry.seq) };
  }

  /** What an incarnation with this mark must apply, in order, to be up to date. Costs nothing when it is. */
  missing(mark: AppliedMark): readonly JournalEntry[] {
    if (mark.watermark >= this.#head) return NOTHING;
    const missing: JournalEntry[] = [];
    for (const entry of this.#entries.values()) {
      if (mark.has(entry.seq)) continue;
      if (entry.change !== 'delete') missing.push(entry);
      else if (this.#mustDrop(this.#things.get(entry.key), mark)) missing.push(entry);
    }
    const before = missing.length;
    for (const thing of this.#tombstones.values()) {
      if (thing.deletion !== undefined && this.#mustDrop(thing, mark)) missing.push(thing.deletion);
    }
    if (missing.length === 0) mark.raise(this.#head);
    return missing.length === before ? missing : missing.sort((a, b) => a.seq - b.seq);
  }

  /** Forget what no live incarnation needs: tombstones that each has applied or never needed, and creations of the latest entry's thing that none has it by. */
  prune(marks: readonly AppliedMark[]): void {
    for (const [key, thing] of this.#tombstones) {
      if (marks.some((mark) => this.#mustDrop(thing, mark))) continue;
      this.#tombstones.delete(key);
      this.#things.delete(key);
    }
    if (this.#latest !== undefined) trim(this.#latest, marks, this.#snapshotSeq);
  }

  /** All that another process needs, as a store may see it. */
  stored(): StoredScope {
    return { head: this.#head, entries: [...this.#entries.values()].map(storedOf) };
  }

  /** @returns the numbers of the entries whose place it has taken. */
  #note(entry: JournalEntry): readonly number[] {
    switch (entry.change) {
      case 'configure': {
        const earlier = this.#configured.get(entry.key);
        this.#configured.set(entry.key, entry.seq);
        this.#latest = undefined;
        return this.#replace(earlier === undefined ? [] : [earlier], entry);
      }
      case 'restore':
        return this.#restore(entry);
      case 'create':
        return this.#create(entry);
      case 'update':
        return this.#update(entry);
      case 'delete':
        return this.#delete(entry);
    }
  }

  #create(entry: JournalEntry): readonly number[] {
    const earlier = this.#things.get(entry.key);
    const creations = [...creationsOf(earlier), { seq: entry.seq, deletions: [] }];
    this.#put(entry.key, { entries: [entry], deletion: undefined, creations });
    return this.#replace(told(earlier), entry);
  }

  #update(entry: JournalEntry): readonly number[] {
    const thing = this.#things.get(entry.key);
    if (thing === undefined) return this.#create(entry);
    // Its deletion on another incarnation was noted first: there is nothing to update.
    if (thing.deletion !== undefined) return [];
    thing.entries.push(entry);
    this.#latest = thing;
    return this.#replace([], entry);
  }

  #delete(entry: JournalEntry): readonly number[] {
    const earlier = this.#things.get(entry.key);
    const thing: Thing = { entries: [], deletion: entry, creations: creationsOf(earlier) };
    if (thing.creations.length === 0) {
      this.#latest = undefined;
      return [];
    }
    this.#put(entry.key, thing);
    return this.#replace(told(earlier), this.#isTold(thing) ? entry : undefined);
  }

  #restore(entry: JournalEntry): readonly number[] {
    const configured = new Set(this.#configured.values());
    const removed = [...this.#entries.keys()].filter((seq) => !configured.has(seq));
    this.#snapshotSeq = entry.seq;
    for (const [key, thing] of this.#things) {
      // The snapshot does not have it, but an incarnation that is behind may.
      if (thing.deletion !== undefined) this.#tombstones.set(key, thing);
      else this.#things.delete(key);
    }
    for (const key of entry.holds ?? []) {
      const creations = [{ seq: entry.seq, deletions: [] }];
      this.#things.set(key, { entries: [], deletion: undefined, creations });
    }
    this.#latest = undefined;
    return this.#replace(removed, entry);
  }

  #put(key: string, thing: Thing): void {
    this.#things.set(key, thing);
    if (thing.deletion !== undefined && !this.#isTold(thing)) this.#tombstones.set(key, thing);
    else this.#tombstones.delete(key);
    this.#latest = thing;
  }

  #replace(seqs: readonly number[], entry: JournalEntry | undefined): readonly number[] {
    const removed = seqs.filter((seq) => {
      this.#bytes -= this.#entries.get(seq)?.bytes ?? 0;
      return this.#entries.delete(seq);
    });
    if (entry !== undefined) {
      this.#entries.set(entry.seq, entry);
      this.#bytes += entry.bytes;
    }
    return removed;
  }

  #living(): readonly string[] {
    return [...this.#things]
      .filter(([, { deletion }]) => deletion === undefined)
      .map(([key]) => key);
  }

  /** Whether a new incarnation is told of the thing's deletion. */
  #isTold(thing: Thing): boolean {
    return thing.deletion !== undefined && isHeld(thing, this.#snapshotSeq);
  }

  #mustDrop(thing: Thing | undefined, mark: AppliedMark): boolean {
    return thing !== undefined && mustDrop(thing, mark, this.#snapshotSeq);
  }
}

/** The entries about a thing that may be among those to tell. */
function told(thing: Thing | undefined): readonly number[] {
  if (thing === undefined) return [];
  const seqs = thing.entries.map(({ seq }) => seq);
  return thing.deletion === undefined ? seqs : [...seqs, thing.deletion.seq];
}
