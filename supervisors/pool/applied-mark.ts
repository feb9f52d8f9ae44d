// How far has one incarnation applied one journal?

/** Kept by number: all up to one of them, and some beyond. */
export class AppliedMark {
  #watermark = 0;
  readonly #beyond = new Set<number>();
  #toldCount = 0;

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

  /** This incarnation is told of an entry that another one has executed. */
  tell(seq: number): void {
    this.#toldCount += 1;
    this.add(seq);
  }

  /** How often that was. */
  get toldCount(): number {
    return this.#toldCount;
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
