// How does a call get its one outcome? Whoever is first gives it; counted, and told to its caller.
import { isCaduceusError } from '../../actors/ground/errors.ts';
import type { CallRow } from './call-row.ts';

export class Settling {
  readonly counters = { accepted: 0, succeeded: 0, failed: 0, refused: 0, replayed: 0 };
  readonly #pool: string;

  constructor(pool: string) {
    this.#pool = pool;
  }

  fail(row: CallRow, error: Error): void {
    if (!close(row)) return;
    this.counters.failed += 1;
    row.reject(this.named(error));
  }

  /** @returns false when the row has its outcome already. */
  succeed(row: CallRow, result: unknown, before: () => void): boolean {
    if (!close(row)) return false;
    before();
    this.counters.succeeded += 1;
    row.resolve(result);
    return true;
  }

  /** The error, with the name of the pool if it is one of ours. */
  named(error: Error): Error {
    if (isCaduceusError(error)) error.bridge ??= this.#pool;
    return error;
  }
}

/** @returns false when it has its outcome already: the first one counts. */
function close(row: CallRow): boolean {
  if (row.phase === 'settled') return false;
  row.phase = 'settled';
  row.deadline?.disarm();
  row.checkout?.disarm();
  row.stopListening?.();
  return true;
}
