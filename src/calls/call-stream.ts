// How does a caller read what a generator yields? An async iterable whose reader is asked for, not flooded.
import { errorFrom } from '../../actors/ground/error-from.ts';
import type { CancelStage } from '../../actors/ground/errors.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { ProtocolError } from '../../actors/ground/start-errors.ts';
import type { OpenCall } from '../../supervisors/pool/router-types.ts';

/** What becomes of the stream. */
type State =
  | { readonly type: 'open' }
  /** All items are here; then comes the error, if there is one. */
  | { readonly type: 'ended'; readonly error?: Error }
  | { readonly type: 'over' };

interface Waiter {
  readonly resolve: (result: IteratorResult<unknown>) => void;
  readonly reject: (error: Error) => void;
}

const DONE: IteratorResult<never> = { value: undefined, done: true };

/**
 * The items of one call, for one reader: `for await (const item of stream)`. Python is asked for no more than {@link LIMITS.streamCredit} items ahead of the reader, so that a slow
 * reader stops a fast generator. Leaving the loop early closes the generator, so that its `finally` runs, and waits for that; an error comes after the items before it.
 * The call's deadline covers the whole of it.
 */
export class CallStream<Item = unknown> implements AsyncIterableIterator<Item>, AsyncDisposable {
  readonly #transform: (item: unknown) => Item;
  readonly #items: unknown[] = [];
  readonly #waiters: Waiter[] = [];
  #state: State = { type: 'open' };
  #call: OpenCall | undefined;
  /** Read since credit was given. */
  #readCount = 0;

  /** @internal made by `stream` of a bridge's handle */
  constructor(
    open: (item: (value: unknown) => void) => OpenCall,
    transform: (item: unknown) => Item,
  ) {
    this.#transform = transform;
    try {
      this.#call = open((value) => this.#onItem(value));
      this.#call.settled.then(
        () => this.#end(undefined),
        (error: unknown) => this.#end(errorFrom(error)),
      );
    } catch (error) {
      this.#end(errorFrom(error));
    }
  }

  /** One that has nothing but this error. @internal */
  static failed<Item>(error: Error): CallStream<Item> {
    return new CallStream<Item>(
      () => {
        throw error;
      },
      (item) => item as Item,
    );
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next item, when there is one. @throws a `CaduceusError`, behind the items before it. */
  async next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#items.length > 0) return this.#deliver(this.#items.shift());
    switch (this.#state.type) {
      case 'open': {
        const result = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
          this.#waiters.push({ resolve, reject });
        });
        return result.done === true ? DONE : this.#deliver(result.value);
      }
      case 'ended': {
        const { error } = this.#state;
        this.#state = { type: 'over' };
        if (error !== undefined) throw error;
        return DONE;
      }
      case 'over':
        return DONE;
      default:
        return this.#state satisfies never;
    }
  }

  /** Read no further: the generator is closed. Resolves once it is. */
  async return(): Promise<IteratorResult<Item, undefined>> {
    await this.stop();
    return DONE;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Read no further.
   * @returns what it took to end the generator; undefined when it had ended.
   */
  async stop(): Promise<CancelStage | undefined> {
    if (this.#state.type === 'open') {
      const cancellation = this.#call?.stop();
      this.#close();
      return cancellation?.settled;
    }
    this.#close();
    return undefined;
  }

  #close(): void {
    this.#state = { type: 'over' };
    this.#items.length = 0;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(DONE);
  }

  #deliver(value: unknown): IteratorResult<Item, undefined> {
    this.#readCount += 1;
    // Not for each: half of the window is on its way while the other half is read.
    if (this.#readCount >= LIMITS.streamCredit / 2) {
      this.#call?.credit(this.#readCount);
      this.#readCount = 0;
    }
    try {
      return { value: this.#transform(value), done: false };
    } catch (error) {
      // A loop closes nothing whose `next` has thrown.
      void this.stop();
      throw error;
    }
  }

  #onItem(value: unknown): void {
    if (this.#state.type !== 'open') return;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ value, done: false });
      return;
    }
    if (this.#items.length >= LIMITS.streamCredit) {
      const error = new ProtocolError(`more than ${LIMITS.streamCredit} items without credit`);
      void this.#call?.stop();
      this.#end(error);
      return;
    }
    this.#items.push(value);
  }

  #end(error: Error | undefined): void {
    if (this.#state.type !== 'open') return;
    const waiters = this.#waiters.splice(0);
    const [first, ...others] = waiters;
    if (first === undefined) {
      this.#state = error === undefined ? { type: 'ended' } : { type: 'ended', error };
      return;
    }
    this.#state = { type: 'over' };
    if (error === undefined) first.resolve(DONE);
    else first.reject(error);
    for (const waiter of others) waiter.resolve(DONE);
  }
}
