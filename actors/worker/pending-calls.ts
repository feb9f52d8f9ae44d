// Which calls has this incarnation been sent and not answered? Rows; each is settled exactly once.
import type { CrashReport } from '../ground/errors.ts';
import type { ReplyMessage } from '../port/message.ts';

/** How a call that was sent to a worker has ended, as far as the worker can tell. */
export type SentOutcome =
  | { readonly type: 'replied'; readonly reply: ReplyMessage }
  | { readonly type: 'crashed'; readonly report: CrashReport };

export type Settle = (outcome: SentOutcome) => void;

/** Calls in flight, by their id on the wire. Ids are never used twice, so that a late reply finds nothing. */
export class PendingCalls {
  readonly #rows = new Map<number, Settle>();
  /** Told of the crash, but no calls: nothing that a worker replies can take them away. */
  #ends: ((report: CrashReport) => void)[] = [];
  #nextId = 1;

  get size(): number {
    return this.#rows.size;
  }

  /** The call that runs: the oldest that is not answered. */
  get currentId(): number | undefined {
    return this.#rows.keys().next().value;
  }

  /** Write a call under a new id and remember it. When `write` throws nothing is remembered. */
  add(write: (id: number) => void, settle: Settle): void {
    const id = this.#nextId;
    this.#nextId += 1;
    write(id);
    this.#rows.set(id, settle);
  }

  /** Tell `listener`, behind the calls, how the incarnation ended. */
  whenCrashed(listener: (report: CrashReport) => void): void {
    this.#ends.push(listener);
  }

  /** @returns false when no such call is in flight. */
  reply(reply: ReplyMessage): boolean {
    const settle = this.#rows.get(reply.id);
    if (settle === undefined) return false;
    this.#rows.delete(reply.id);
    settle({ type: 'replied', reply });
    return true;
  }

  /** The incarnation is over, and with it every call that it had. */
  crash(report: CrashReport): void {
    const calls = [...this.#rows.values()];
    const ends = this.#ends;
    this.#rows.clear();
    this.#ends = [];
    for (const settle of calls) settle({ type: 'crashed', report });
    for (const listener of ends) listener(report);
  }
}
