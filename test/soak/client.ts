// How does one caller make a call? Every call is entered in the book of its pool, and every end struck out there.
import { isCaduceusError, type BridgeHandle, type CallOptions } from '../../src/index.ts';
import { refusedOf } from './accounts.ts';
import type { Book, Entry, FailedHow } from './book.ts';
import type { Dice } from './dice.ts';
import type { Wanted } from './judge.ts';

/** One call. */
export interface Order {
  readonly op: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly sessionId?: string;
  /** Default: an answer. */
  readonly wanted?: Wanted;
  readonly signal?: AbortSignal;
  readonly onProgress?: (value: unknown) => void;
  /** Default: the pool's. */
  readonly maxRetries?: number | undefined;
  readonly affinity?: CallOptions['affinity'];
  /** A worker that is held: it is called there. */
  readonly on?: Held;
}

/** A worker that a client holds alone. */
export type Held = Awaited<ReturnType<BridgeHandle['checkout']>>;

export type Answer =
  | { readonly type: 'answer'; readonly value: unknown }
  | { readonly type: 'error'; readonly code: string };

/** The default of the run: long enough for a queue at full load and some restarts, so that no call is late by chance. */
const TIMEOUT_MS = 60_000;
/** From its deadline to its end: an abandoned call is told at once; on a machine at full load "at once" is a second or two. */
const GRACE_MS = 10_000;

/** What a checkout is called in the book. */
const CHECKOUT = 'checkout';

const WANTS_ANSWER: Wanted = { type: 'answer' };

export class Client {
  readonly name: string;
  readonly bridge: BridgeHandle;
  readonly dice: Dice;
  readonly #book: Book;
  readonly #nowMs: () => number;
  #made = 0;

  constructor(
    name: string,
    given: {
      readonly bridge: BridgeHandle;
      readonly dice: Dice;
      readonly book: Book;
      readonly nowMs: () => number;
    },
  ) {
    this.name = name;
    this.bridge = given.bridge;
    this.dice = given.dice;
    this.#book = given.book;
    this.#nowMs = given.nowMs;
  }

  /** A number that no other call of this client has: two calls with the same arguments would be one to the pool's quarantine. */
  nonce(): number {
    this.#made += 1;
    return this.#made;
  }

  async call(order: Order): Promise<Answer> {
    const entry = this.#enter(order);
    let isRefused = false;
    try {
      const sent = this.#send(order);
      isRefused = sent.isRefused;
      const value = await sent.answer;
      this.#book.completed(entry, this.#nowMs());
      if (order.wanted?.type === 'raise') this.complain(`${order.op} was to raise, and did not`);
      return { type: 'answer', value };
    } catch (error) {
      return this.#failed(entry, error, { held: order.on, isRefused });
    }
  }

  /** Read items until there are no more, or the call has been aborted. */
  async read(order: Order, item: (value: unknown) => void): Promise<Answer> {
    const entry = this.#enter(order);
    try {
      const stream = this.bridge.stream(order.op, this.#argsOf(order), optionsOf(order));
      for await (const value of stream) item(value);
      this.#book.completed(entry, this.#nowMs());
      return { type: 'answer', value: undefined };
    } catch (error) {
      return this.#failed(entry, error);
    }
  }

  /** Hold a worker for as long as `work` takes. The checkout is a call of its own: it ends with its check-in. */
  async hold(sessionId: string | undefined, work: (held: Held) => Promise<void>): Promise<void> {
    const entry = this.#enter({ op: CHECKOUT, ...(sessionId === undefined ? {} : { sessionId }) });
    let held: Held;
    try {
      held = await this.bridge.checkout({ sessionId, timeoutMs: TIMEOUT_MS });
    } catch (error) {
      this.#failed(entry, error);
      return;
    }
    const { workerId, epoch } = held;
    try {
      await work(held);
      await held.checkIn();
      this.#book.completed(entry, this.#nowMs());
    } catch (error) {
      this.#failed(entry, error, { held: { workerId, epoch }, isRefused: false });
    }
  }

  /** A held worker's calls end with the same code whether they were refused or not; but a refusal is counted before `call` returns. */
  #send(order: Order): { readonly answer: Promise<unknown>; readonly isRefused: boolean } {
    const { bridge } = this;
    const [args, options] = [this.#argsOf(order), optionsOf(order)];
    if (order.on === undefined)
      return { answer: bridge.call(order.op, args, options), isRefused: false };
    const { signal, timeoutMs } = options;
    const before = refusedOf(bridge.statistics());
    const answer = order.on.call(order.op, args, { signal, timeoutMs });
    return { answer, isRefused: refusedOf(bridge.statistics()) > before };
  }

  /** A fact that its pool must hold to, and does not. */
  complain(what: string): void {
    this.#book.complain(`${this.name}: ${what}`);
  }

  #enter({ op, sessionId, wanted = WANTS_ANSWER }: Order): Entry {
    const beganMs = this.#nowMs();
    const timeoutMs = wanted.type === 'deadline' ? wanted.timeoutMs : TIMEOUT_MS;
    const entry = {
      client: this.name,
      op,
      sessionId,
      wanted,
      beganMs,
      dueMs: beganMs + timeoutMs + GRACE_MS,
    };
    this.#book.begin(entry);
    return entry;
  }

  #argsOf({ args = {} }: Order): Readonly<Record<string, unknown>> {
    return { ...args, by: `${this.name} ${this.nonce()}` };
  }

  #failed(entry: Entry, error: unknown, how: FailedHow = {}): Answer {
    this.#book.failed(entry, error, this.#nowMs(), how);
    return { type: 'error', code: isCaduceusError(error) ? error.code : 'not_ours' };
  }
}

function optionsOf(order: Order): CallOptions {
  const { sessionId, wanted, signal, onProgress, maxRetries, affinity } = order;
  const timeoutMs = wanted?.type === 'deadline' ? wanted.timeoutMs : TIMEOUT_MS;
  const checkoutTimeoutMs = TIMEOUT_MS;
  return { sessionId, signal, onProgress, timeoutMs, checkoutTimeoutMs, maxRetries, affinity };
}
