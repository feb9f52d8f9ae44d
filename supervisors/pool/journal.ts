// Which operations made a scope's state what it is, and which of them does an incarnation still lack? Pure bookkeeping, compacted.

/** What a state-changing operation does to its scope. */
export type StateChange = 'configure' | 'create' | 'delete';

export interface JournalEntry {
  readonly seq: number;
  readonly change: StateChange;
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
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

interface Row {
  readonly entry: JournalEntry;
  /** Sequence numbers under which the thing was made since it last was not there: an incarnation may have it by any of them. */
  readonly madeBy: readonly number[];
}

const NOTHING: readonly JournalEntry[] = [];

/**
 * The journal of one scope. Entries are compacted as they come: a second `configure` of the same operation replaces the first, `delete` takes its `create` away and
 * leaves a tombstone, since live incarnations that have the thing must drop it; a new incarnation is never told of either.
 */
export class Journal {
  readonly #entries = new Map<string, Row>();
  readonly #tombstones = new Map<string, Row>();
  #head = 0;

  /** Entries that a new incarnation must replay. */
  get size(): number {
    return this.#entries.size;
  }

  /** Sequence number of the latest entry. */
  get head(): number {
    return this.#head;
  }

  has(change: StateChange, key: string): boolean {
    return this.#entries.has(nameOf(change, key));
  }

  append(
    change: StateChange,
    op: string,
    args: Readonly<Record<string, unknown>>,
    key: string,
  ): JournalEntry {
    this.#head += 1;
    const entry: JournalEntry = { seq: this.#head, change, op, args, key };
    const name = nameOf(change, key);
    const earlier = this.#entries.get(name) ?? this.#tombstones.get(name);
    this.#entries.delete(name);
    this.#tombstones.delete(name);
    const madeBy = earlier?.madeBy ?? [];
    if (change !== 'delete') this.#entries.set(name, { entry, madeBy: [...madeBy, entry.seq] });
    else if (madeBy.length > 0) this.#tombstones.set(name, { entry, madeBy });
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

  /** Forget tombstones that every live incarnation has applied or never needed. */
  prune(marks: readonly AppliedMark[]): void {
    for (const [name, row] of this.#tombstones) {
      if (!marks.some((mark) => isNeeded(row, mark))) this.#tombstones.delete(name);
    }
  }
}

/** Things that are created and things that are configured do not share their names. */
function nameOf(change: StateChange, key: string): string {
  return change === 'configure' ? `configured ${key}` : `created ${key}`;
}

/** Whether an incarnation has a thing that was deleted, under whichever of its creations. */
function isNeeded(tombstone: Row, mark: AppliedMark): boolean {
  return !mark.has(tombstone.entry.seq) && tombstone.madeBy.some((seq) => mark.has(seq));
}
