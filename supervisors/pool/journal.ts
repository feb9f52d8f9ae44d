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

  /** Everything up to `seq` has been applied. */
  raise(seq: number): void {
    this.#watermark = Math.max(this.#watermark, seq);
    for (const one of this.#beyond) if (one <= this.#watermark) this.#beyond.delete(one);
  }
}

const NOTHING: readonly JournalEntry[] = [];

/**
 * The journal of one scope. Entries are compacted as they come: a second `configure` of the same operation replaces the first, `delete` takes its `create` away and
 * leaves a tombstone, since live incarnations that have the thing must drop it; a new incarnation is never told of either.
 */
export class Journal {
  readonly #entries = new Map<string, JournalEntry>();
  readonly #tombstones = new Map<
    string,
    { readonly entry: JournalEntry; readonly createSeq: number }
  >();
  #head = 0;

  /** Entries that a new incarnation must replay. */
  get size(): number {
    return this.#entries.size;
  }

  /** Sequence number of the latest entry. */
  get head(): number {
    return this.#head;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  append(
    change: StateChange,
    op: string,
    args: Readonly<Record<string, unknown>>,
    key: string,
  ): JournalEntry {
    this.#head += 1;
    const entry: JournalEntry = { seq: this.#head, change, op, args, key };
    const earlier = this.#entries.get(key);
    this.#entries.delete(key);
    if (change !== 'delete') {
      this.#tombstones.delete(key);
      this.#entries.set(key, entry);
    } else if (earlier !== undefined) {
      this.#tombstones.set(key, { entry, createSeq: earlier.seq });
    }
    return entry;
  }

  /** What an incarnation with this mark must apply, in order, to be up to date. Costs nothing when it is. */
  missing(mark: AppliedMark): readonly JournalEntry[] {
    if (mark.watermark >= this.#head) return NOTHING;
    const missing = [...this.#entries.values()].filter((entry) => !mark.has(entry.seq));
    for (const { entry, createSeq } of this.#tombstones.values()) {
      if (mark.has(createSeq) && !mark.has(entry.seq)) missing.push(entry);
    }
    if (missing.length === 0) mark.raise(this.#head);
    return missing.sort((a, b) => a.seq - b.seq);
  }

  /** Forget tombstones that every live incarnation has applied or never needed. */
  prune(marks: readonly AppliedMark[]): void {
    for (const [key, { entry, createSeq }] of this.#tombstones) {
      if (marks.every((mark) => mark.has(entry.seq) || !mark.has(createSeq))) {
        this.#tombstones.delete(key);
      }
    }
  }
}
