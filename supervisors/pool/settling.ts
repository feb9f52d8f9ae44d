// How does a call get its one outcome? Whoever is first gives it; counted, and told to its caller.
import { CallAbortedError, isCaduceusError } from '../../actors/ground/errors.ts';
import { Accounting, type End } from './accounting.ts';
import type { CallRow } from './call-row.ts';

export class Settling {
  readonly accounting = new Accounting();
  readonly #pool: string;

  constructor(pool: string) {
    this.#pool = pool;
  }

  fail(row: CallRow, error: Error): void {
    // Of an abort, and of a stream that nobody reads on, the caller has had enough; all else has failed it.
    const end: End = error instanceof CallAbortedError ? 'cancelled' : 'failed';
    if (!this.#close(row, end)) return;
    row.reject(outcomeOfAll(row, this.named(error)));
  }

  succeed(row: CallRow, result: unknown): void {
    if (!this.#close(row, 'completed')) return;
    row.resolve(result);
  }

  /** The error, with the name of the pool if it is one of ours. */
  named(error: Error): Error {
    if (isCaduceusError(error)) error.bridge ??= this.#pool;
    return error;
  }

  /** @returns false when it has its outcome already: the first one counts. */
  #close(row: CallRow, end: End): boolean {
    if (row.phase === 'settled') return false;
    this.accounting.end(row, end);
    row.deadline?.disarm();
    row.checkout?.disarm();
    row.retry?.disarm();
    row.permit?.release();
    row.permit = undefined;
    row.stopListening?.();
    return true;
  }
}

/** The error is of the last try, and says of all of them whether one can have run. */
function outcomeOfAll({ triedSoFar }: CallRow, error: Error): Error {
  if (triedSoFar === 'maybeExecuted' && isCaduceusError(error))
    Object.assign(error, { outcome: triedSoFar });
  return error;
}
