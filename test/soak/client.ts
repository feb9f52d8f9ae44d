// How does one caller make a call? Every call is entered in the book of its pool, and every end struck out there.
import { isCaduceusError, type BridgeHandle, type CallOptions } from '../../src/index.ts';
import type { Book, Entry } from './book.ts';
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
}

export type Answer =
  | { readonly type: 'answer'; readonly value: unknown }
  | { readonly type: 'error'; readonly code: string };

/** The default of the run: long enough for a queue at full load and some restarts, so that no call is late by chance. */
const TIMEOUT_MS = 60_000;
/** From its deadline to its end: an abandoned call is told at once; on a machine at full load "at once" is a second or two. */
const GRACE_MS = 10_000;

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
    try {
      const value = await this.bridge.call(order.op, this.#argsOf(order), optionsOf(order));
      this.#book.completed(entry, this.#nowMs());
      if (order.wanted?.type === 'raise') this.complain(`${order.op} was to raise, and did not`);
      return { type: 'answer', value };
    } catch (error) {
      return this.#failed(entry, error);
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

  #failed(entry: Entry, error: unknown): Answer {
    this.#book.failed(entry, error, this.#nowMs());
    return { type: 'error', code: isCaduceusError(error) ? error.code : 'not_ours' };
  }
}

function optionsOf(order: Order): CallOptions {
  const { sessionId, wanted, signal, onProgress, maxRetries } = order;
  const timeoutMs = wanted?.type === 'deadline' ? wanted.timeoutMs : TIMEOUT_MS;
  const checkoutTimeoutMs = TIMEOUT_MS;
  const options = { sessionId, signal, onProgress, timeoutMs, checkoutTimeoutMs, maxRetries };
  return options;
}
