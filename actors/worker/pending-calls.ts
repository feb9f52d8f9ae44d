// Which calls has this incarnation been sent and not answered? Rows; each is settled exactly once.
import type { CrashReport, Outcome } from '../ground/errors.ts';
import type { CallbackMessage, DataMessage, ReplyMessage } from '../port/message.ts';

/** How a call that was sent to a worker has ended, as far as the worker can tell. */
export type SentOutcome =
  | { readonly type: 'replied'; readonly reply: ReplyMessage }
  /** `notSent`: it had been written, and waited behind the calls that ran (`docs/protocol.md` §4.1). */
  | { readonly type: 'crashed'; readonly report: CrashReport; readonly outcome: Outcome };

export type Settle = (outcome: SentOutcome) => void;

/** What a call may hear before its end. */
export interface CallHandlers {
  readonly item?: ((value: unknown) => void) | undefined;
  readonly progress?: ((value: unknown) => void) | undefined;
  readonly callback?: ((request: CallbackMessage) => void) | undefined;
}

interface Row {
  readonly id: number;
  readonly settle: Settle;
  readonly handlers: CallHandlers | undefined;
  /** Run by the thread that waits for a callback, whatever else waits. */
  readonly place: 'in_order' | 'nested';
  /** `withdrawn`: settled, and its reply is still to come. */
  phase: 'sent' | 'withdrawn';
  itemsCount: number;
}

/** Calls in flight, by their id on the wire. Ids are never used twice, so that a late reply finds nothing. */
export class PendingCalls {
  readonly #rows = new Map<number, Row>();
  /** Told of the crash, but no calls: nothing that a worker replies can take them away. */
  #ends: ((report: CrashReport) => void)[] = [];
  #nextId = 1;
  #withdrawnCount = 0;

  /** Calls that are not settled. */
  get size(): number {
    return this.#rows.size - this.#withdrawnCount;
  }

  /** The call that runs: the newest nested one, else the oldest that is not answered. */
  get currentId(): number | undefined {
    let found: number | undefined;
    for (const row of this.#rows.values()) {
      if (row.phase === 'withdrawn') continue;
      if (row.place === 'nested') found = row.id;
      else found ??= row.id;
    }
    return found;
  }

  /** Write a call under a new id and remember it. When `write` throws nothing is remembered. */
  add(
    write: (id: number) => void,
    settle: Settle,
    handlers?: CallHandlers,
    place: Row['place'] = 'in_order',
  ): number {
    const id = this.#nextId;
    this.#nextId += 1;
    write(id);
    this.#rows.set(id, { id, settle, handlers, place, phase: 'sent', itemsCount: 0 });
    return id;
  }

  has(id: number): boolean {
    return this.#rows.get(id)?.phase === 'sent';
  }

  /** Whether it can have started, when a worker runs `concurrency` calls at a time and starts them in order. */
  mayRun(id: number, concurrency: number): boolean {
    let before = 0;
    for (const row of this.#rows.values()) {
      if (row.id === id) return row.place === 'nested' || before < concurrency;
      if (row.place === 'in_order') before += 1;
    }
    return false;
  }

  /** Tell `listener`, behind the calls, how the incarnation ended. */
  whenCrashed(listener: (report: CrashReport) => void): void {
    this.#ends.push(listener);
  }

  /** @returns false when it belongs to no call that is in flight. */
  take(message: DataMessage): boolean {
    const row = this.#rows.get(message.id);
    if (row === undefined) return false;
    switch (message.type) {
      case 'reply':
        this.#rows.delete(row.id);
        if (row.phase === 'withdrawn') this.#withdrawnCount -= 1;
        else row.settle({ type: 'replied', reply: message });
        return true;
      case 'item':
        if (row.handlers?.item === undefined || message.seq !== row.itemsCount) return false;
        row.itemsCount += 1;
        row.handlers.item(message.value);
        return true;
      case 'progress':
        // Nobody need listen to it.
        row.handlers?.progress?.(message.value);
        return true;
      case 'callback':
        if (row.handlers?.callback === undefined || row.phase === 'withdrawn') return false;
        row.handlers.callback(message);
        return true;
      default:
        return message satisfies never;
    }
  }

  /** It will never run: it is over now, and its reply only says so. @returns false when it is not in flight. */
  withdraw(id: number): boolean {
    const row = this.#rows.get(id);
    if (row?.phase !== 'sent') return false;
    row.phase = 'withdrawn';
    this.#withdrawnCount += 1;
    return true;
  }

  /**
   * The incarnation is over, and with it every call that it had. The first `concurrency` of them can have run.
   * @param behind told when each has been, before those are that wait for the end: it may be the reason to wait for it.
   */
  crash(report: CrashReport, concurrency: number, behind?: () => void): void {
    const rows = [...this.#rows.values()];
    const outcomes = rows.map(({ id }) => this.mayRun(id, concurrency));
    this.#rows.clear();
    this.#withdrawnCount = 0;
    for (const [index, row] of rows.entries()) {
      if (row.phase === 'withdrawn') continue;
      const outcome = outcomes[index] === true ? 'maybeExecuted' : 'notSent';
      row.settle({ type: 'crashed', report, outcome });
    }
    behind?.();
    const ends = this.#ends;
    this.#ends = [];
    for (const listener of ends) listener(report);
  }
}
