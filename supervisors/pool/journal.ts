// Which operations made a scope's state what it is, and which of them does an incarnation still lack? Pure bookkeeping, compacted.
import type { EncodedValue } from '../../actors/port/codec.ts';

/** What a state-changing operation does to its scope. */
export type StateChange = 'configure' | 'create' | 'delete';

export interface JournalEntry {
  readonly seq: number;
  readonly change: StateChange;
  readonly op: string;
  readonly args: EncodedValue;
  /** What it is about: the created or deleted id; for `configure` the operation itself. A later entry about the same thing takes the place of the earlier. */
  readonly key: string;
}

/** How far one incarnation has applied one journal. */
export class AppliedMark {
  #watermark = 0;
  readonly #beyond = new Set<number>();

  /** Every entry up to here has been applied, or was compacted away before it had to be. */
  get watermark(): number {
    return this.#watermark;
  }

  has(seq: number): boolean {
    return seq <= this.#watermark || this.#beyond.has(seq);
  }

  /** One entry has been applied, e.g. because this incarnation executed it itself while others are still missing. */
  add(seq: number): void {
    if (seq > this.#watermark) this.#beyond.add(seq);
  }

  /** It was not applied after all. */
  remove(seq: number): void {
    this.#beyond.delete(seq);
  }

  /** Everything up to `seq` has been applied. */
  raise(seq: number): void {
    this.#watermark = Math.max(this.#watermark, seq);
    for (const one of this.#beyond) if (one <= this.#watermark) this.#beyond.delete(one);
  }
}

/** One creation of a thing, and the earlier deletions that took it away again: an incarnation has it by this one that applied it and none of those. */
interface Creation {
  readonly seq: number;
  readonly deletions: readonly number[];
}

interface Row {
  readonly entry: JournalEntry;
  /** By which a live incarnation may have the thing; none for what is configured, which nothing deletes. */
  creations: readonly Creation[];
}

const NOTHING: readonly JournalEntry[] = [];

/**
 * The journal of one scope. Entries are compacted as they come: a second `configure` of the same operation replaces the first, `delete` takes its `create` away and
 * leaves a tombstone, since live incarnations that have the thing must drop it; a new incarnation is never told of either.
 */
export class Journal {
  readonly #entries = new Map<string, Row>();
  readonly #tombstones = new Map<string, Row>();
  #latest: Row | undefined;
  #head = 0;

  /** Entries that a new incarnation must replay. */
  get size(): number {
    return this.#entries.size;
  }

  /** Sequence number of the latest entry. */
  get head(): number {
    return this.#head;
  }

  /** Creations that are remembered because of what live incarnations may have. */
  get traces(): number {
    const rows = [...this.#entries.values(), ...this.#tombstones.values()];
    return rows.reduce((sum, { creations }) => sum + creations.length, 0);
  }

  has(change: StateChange, key: string): boolean {
    return this.#entries.has(nameOf(change, key));
  }

  append(change: StateChange, op: string, args: EncodedValue, key: string): JournalEntry {
    this.#head += 1;
    const entry: JournalEntry = { seq: this.#head, change, op, args, key };
    const name = nameOf(change, key);
    const earlier = this.#entries.get(name) ?? this.#tombstones.get(name);
    this.#entries.delete(name);
    this.#tombstones.delete(name);
    const creations = creationsWith(earlier, entry);
    const row: Row = { entry, creations };
    if (change !== 'delete') this.#entries.set(name, row);
    else if (creations.length > 0) this.#tombstones.set(name, row);
    this.#latest = row;
    return entry;
  }

  /** What an incarnation with this mark must apply, in order, to be up to date. Costs nothing when it is. */
  missing(mark: AppliedMark): readonly JournalEntry[] {
    if (mark.watermark >= this.#head) return NOTHING;
    const missing: JournalEntry[] = [];
    for (const { entry } of this.#entries.values()) if (!mark.has(entry.seq)) missing.push(entry);
    for (const row of this.#tombstones.values()) if (isNeeded(row, mark)) missing.push(row.entry);
    if (missing.length === 0) mark.raise(this.#head);
    return missing.sort((a, b) => a.seq - b.seq);
  }

  /** Forget what no live incarnation needs: tombstones that each has applied or never needed, and creations of the latest entry's thing that none has it by. */
  prune(marks: readonly AppliedMark[]): void {
    for (const [name, row] of this.#tombstones) {
      if (!marks.some((mark) => isNeeded(row, mark))) this.#tombstones.delete(name);
    }
    if (this.#latest !== undefined) trim(this.#latest, marks);
  }
}

/** What remains to be known of a thing when one more entry is about it. */
function creationsWith(earlier: Row | undefined, { seq, change }: JournalEntry): Creation[] {
  if (change === 'configure') return [];
  const creations = (earlier?.creations ?? []).map((one) =>
    earlier?.entry.change === 'delete'
      ? { ...one, deletions: [...one.deletions, earlier.entry.seq] }
      : one,
  );
  return change === 'create' ? [...creations, { seq, deletions: [] }] : creations;
}

/** Keep one creation for each live incarnation that has the thing, and the newest for those that are still to be told of it. */
function trim(row: Row, marks: readonly AppliedMark[]): void {
  const needed = new Set(
    marks.map((mark) => row.creations.find((creation) => isBehind(creation, mark))),
  );
  row.creations = row.creations
    .filter((creation) => needed.has(creation) || creation.seq === row.entry.seq)
    .map(({ seq, deletions }) => {
      const known = new Set(marks.map((mark) => deletions.find((one) => mark.has(one))));
      return { seq, deletions: deletions.filter((one) => known.has(one)) };
    });
}

/** Things that are created and things that are configured do not share their names. */
function nameOf(change: StateChange, key: string): string {
  return change === 'configure' ? `configured ${key}` : `created ${key}`;
}

/** Whether an incarnation has a thing that was deleted, by whichever of its creations. */
function isNeeded({ entry, creations }: Row, mark: AppliedMark): boolean {
  return !mark.has(entry.seq) && creations.some((creation) => isBehind(creation, mark));
}

/** Whether this incarnation got the thing by this creation, and has it still for all that the later entries know. */
function isBehind({ seq, deletions }: Creation, mark: AppliedMark): boolean {
  return mark.has(seq) && !deletions.some((deletion) => mark.has(deletion));
}
