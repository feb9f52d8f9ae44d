// What does a store not know yet of a journal? Whatever it has not acknowledged, which goes with the next save.
import type { Appended, Journal } from './journal.ts';
import type { ScopeChange } from './scope-store.ts';
import { storedOf } from './stored-entry.ts';

/** Of one journal that has a store. */
export class Unsaved {
  readonly #put = new Set<number>();
  readonly #removed = new Set<number>();

  /** An entry has been appended. */
  note({ seq, isKept, removedSeqs }: Appended): void {
    for (const one of removedSeqs) {
      this.#put.delete(one);
      // Also one that was never acknowledged: a save with it may be under way, or have failed after it was done.
      this.#removed.add(one);
    }
    if (isKept) this.#put.add(seq);
  }

  /** What the next save must tell. */
  changeOf(journal: Journal): ScopeChange {
    const put = journal.entries(this.#put).map(storedOf);
    return { head: journal.head, put, removeSeqs: [...this.#removed] };
  }

  /** The store has acknowledged this. */
  saved({ put, removeSeqs }: ScopeChange): void {
    for (const { seq } of put) this.#put.delete(seq);
    for (const seq of removeSeqs) this.#removed.delete(seq);
  }
}
