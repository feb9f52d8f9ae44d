// How does one caller hold a worker alone, and how does that end? By its check-in, by its lease, or with the worker.
import type { Deadline } from '../../actors/ground/deadlines.ts';
import { errorFrom } from '../../actors/ground/error-from.ts';
import {
  WorkerCrashedError,
  type CrashReport,
  type WorkerRef,
} from '../../actors/ground/errors.ts';
import { CheckoutEndedError } from '../../actors/ground/pool-errors.ts';
import {
  nameOf,
  refOf,
  type CallRequest,
  type CallRow,
  type Holder,
  type Slot,
} from './call-row.ts';
import type { Affinity } from './pool-options.ts';

/** A wish to hold a worker. */
export interface CheckoutRequest {
  /** The session whose worker it is to be. */
  readonly sessionId?: string | undefined;
  readonly affinity?: Affinity | undefined;
  /** Until it is held, in ms; 0: now or not at all. */
  readonly timeoutMs: number;
  /** How long its holder may make no call, in ms. */
  readonly leaseMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a checkout needs of the router. */
export interface CheckoutHooks {
  readonly name: string;
  readonly queueLengthMax: number;
  readonly armLease: (expire: () => void) => Deadline;
  /** Take a call of its holder in: the row, refused by a throw. */
  readonly accept: (
    request: CallRequest,
    holder: Holder,
    settlers: Pick<CallRow, 'resolve' | 'reject'>,
  ) => CallRow;
  readonly refused: (
    request: CallRequest,
    error: Error,
    settlers: Pick<CallRow, 'resolve' | 'reject'>,
  ) => void;
  readonly refuseTooMany: (request: CallRequest) => Error;
  readonly start: (slot: Slot, row: CallRow) => void;
  readonly fail: (row: CallRow, error: Error) => void;
  /** Its holder has done with it. */
  readonly complete: (row: CallRow) => void;
  readonly free: (slot: Slot, row: CallRow) => void;
  /** It waits for another worker, at its place. */
  readonly again: (slot: Slot, row: CallRow) => void;
  /** End a call of it that still runs. */
  readonly abort: (row: CallRow, because: string) => void;
  readonly reclaimed: (slot: Slot) => void;
}

type State =
  | { readonly type: 'waiting' }
  | { readonly type: 'held'; readonly slot: Slot }
  | { readonly type: 'ended'; readonly because: string };

/** One checkout. Its calls run one at a time, in order. */
export class Checkout implements Holder {
  readonly #hooks: CheckoutHooks;
  readonly #onHeld: () => void;
  readonly #calls: CallRow[] = [];
  #row: CallRow | undefined;
  #running: CallRow | undefined;
  #state: State = { type: 'waiting' };
  #lease: Deadline | undefined;

  constructor(hooks: CheckoutHooks, onHeld: () => void) {
    this.#hooks = hooks;
    this.#onHeld = onHeld;
  }

  get row(): CallRow {
    if (this.#row === undefined) throw new Error('a checkout without a row');
    return this.#row;
  }

  set row(row: CallRow) {
    this.#row = row;
  }

  /** The incarnation that it holds; undefined when it holds none any more. */
  get worker(): WorkerRef | undefined {
    return this.#state.type === 'held' ? refOf(this.#state.slot) : undefined;
  }

  granted(slot: Slot): void {
    if (this.#state.type !== 'waiting') return;
    this.#state = { type: 'held', slot };
    this.row.deadline?.disarm();
    this.row.stopListening?.();
    this.#renewLease();
    this.#onHeld();
  }

  /** One call, in the session of the checkout. Settles as any call. @throws {@link CheckoutEndedError} as a rejection. */
  call(request: CallRequest, settlers: Pick<CallRow, 'resolve' | 'reject'>): CallRow | undefined {
    try {
      this.#assertHeld(`call ${request.op}`);
      if (this.#calls.length >= this.#hooks.queueLengthMax)
        throw this.#hooks.refuseTooMany(request);
      const row = this.#hooks.accept(request, this, settlers);
      this.#lease?.disarm();
      this.#calls.push(row);
      this.#next();
      return row;
    } catch (error) {
      this.#hooks.refused(request, errorFrom(error), settlers);
      return undefined;
    }
  }

  callOver(row: CallRow): void {
    if (this.#running === row) this.#running = undefined;
    if (this.#state.type === 'held') this.#next();
  }

  /** A call of it that waits has been settled otherwise. */
  drop(row: CallRow): void {
    const index = this.#calls.indexOf(row);
    if (index >= 0) this.#calls.splice(index, 1);
    if (this.#state.type === 'held' && this.#calls.length === 0 && this.#running === undefined)
      this.#renewLease();
  }

  /** @throws {@link CheckoutEndedError} when it has ended before. */
  checkIn(): void {
    const { slot } = this.#assertHeld('check-in');
    this.#end('it was checked in');
    this.#hooks.complete(this.row);
    this.#hooks.free(slot, this.row);
  }

  /** Its worker is gone, and it with it. */
  lost(slot: Slot): void {
    if (this.#state.type === 'ended') return;
    if (this.#state.type === 'waiting') {
      // It was not held yet: another one will do. What was being replayed for it tells so by itself.
      if (this.row.phase === 'running') this.#hooks.again(slot, this.row);
      return;
    }
    const because = `${nameOf(slot)} has ended`;
    // What runs there, and what waits for it, hears what has become of the worker.
    this.#running = undefined;
    const waiting = this.#calls.splice(0);
    slot.worker.whenEnded((report) => {
      for (const row of waiting) this.#hooks.fail(row, crashedBefore(row, slot, report));
    });
    this.#end(because);
    this.#hooks.fail(this.row, new CheckoutEndedError(`checkout of ${this.#hooks.name}`, because));
    this.#hooks.free(slot, this.row);
  }

  #assertHeld(what: string): Extract<State, { readonly type: 'held' }> {
    if (this.#state.type === 'held') return this.#state;
    const because = this.#state.type === 'ended' ? this.#state.because : 'it is not held yet';
    throw new CheckoutEndedError(`${what} of ${this.#hooks.name}`, because);
  }

  #next(): void {
    if (this.#state.type !== 'held' || this.#running !== undefined) return;
    const row = this.#calls.shift();
    if (row === undefined) {
      this.#renewLease();
      return;
    }
    this.#running = row;
    this.#hooks.start(this.#state.slot, row);
  }

  #renewLease(): void {
    this.#lease?.disarm();
    this.#lease = this.#hooks.armLease(() => this.#expire());
  }

  #expire(): void {
    if (this.#state.type !== 'held') return;
    const { slot } = this.#state;
    const because = 'its holder made no call for too long, and the worker was reclaimed';
    this.#end(because);
    this.#hooks.fail(this.row, new CheckoutEndedError(`checkout of ${this.#hooks.name}`, because));
    this.#hooks.reclaimed(slot);
    this.#hooks.free(slot, this.row);
  }

  #end(because: string): void {
    this.#state = { type: 'ended', because };
    this.#lease?.disarm();
    for (const row of this.#calls.splice(0))
      this.#hooks.fail(row, new CheckoutEndedError(`call ${row.request.op}`, because));
    if (this.#running !== undefined) this.#hooks.abort(this.#running, because);
  }
}

function crashedBefore({ request }: CallRow, slot: Slot, report: CrashReport): Error {
  return new WorkerCrashedError(request.op, refOf(slot), report, 'notSent');
}
