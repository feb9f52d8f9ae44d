// What can one do with a worker that one holds alone? Call it, and give it back.
import { errorFrom } from '../actors/ground/error-from.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { Checkout } from '../supervisors/pool/checkout.ts';
import type { Pool } from '../supervisors/pool/pool.ts';
import { checkOptions, checkTime, type CallOptions } from './calls/call-options.ts';
import type { CallStream } from './calls/call-stream.ts';
import { sessionOf, type Caller, type CallTarget } from './caller.ts';

/** How a worker is to be held. */
export interface CheckoutOptions extends Pick<CallOptions, 'sessionId' | 'affinity' | 'signal'> {
  /** How long it may wait for the worker; 0: now or not at all. Default 5 000, or the pool's `checkoutTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** After this time without a call the worker is reclaimed. Default 60 000. */
  readonly leaseMs?: number | undefined;
}

/** Options of a call on a held worker: it waits for no other, and is in the session of the checkout. */
export type HeldCallOptions = Omit<
  CallOptions,
  'sessionId' | 'affinity' | 'checkoutTimeoutMs' | 'maxRetries'
>;

/**
 * A worker that is held alone, from `pool.checkout(…)`: nobody else's call goes there until it is checked in. Its calls run one at a time, in order. `await using` checks it in.
 * When the worker dies the checkout ends with it.
 */
export class CheckedOutWorker implements AsyncDisposable {
  /** The worker and its incarnation that are held. */
  readonly workerId: string;
  readonly epoch: number;
  readonly #checkout: Checkout;
  readonly #caller: Caller;
  readonly #target: CallTarget;
  readonly #sessionId: string | undefined;

  /** @internal made by `checkout` of a bridge's handle */
  constructor(
    checkout: Checkout,
    { pool, caller, sessionId }: { pool: Pool; caller: Caller; sessionId: string | undefined },
  ) {
    const { workerId = '', epoch = 0 } = checkout.worker ?? {};
    this.workerId = workerId;
    this.epoch = epoch;
    this.#checkout = checkout;
    this.#caller = caller;
    this.#sessionId = sessionId;
    this.#target = {
      call: (request) => pool.callHeld(checkout, request),
      open: (request) => pool.openHeld(checkout, request),
    };
  }

  /** As `call` of the pool, on this worker. @throws `checkout_ended` when it is not held any more. */
  call(op: string, args?: unknown, options: HeldCallOptions = {}): Promise<unknown> {
    return this.#caller.call(this.#target, op, args, this.#within(options));
  }

  /** As `stream` of the pool, on this worker. */
  stream<Item = unknown>(
    op: string,
    args?: unknown,
    options: HeldCallOptions = {},
  ): CallStream<Item> {
    return this.#caller.stream(this.#target, op, args, this.#within(options));
  }

  /**
   * Give it back; calls of it that still run are ended.
   * @throws `checkout_ended` when it has been given back before, or has ended by itself.
   */
  async checkIn(): Promise<void> {
    this.#checkout.checkIn();
    return Promise.resolve();
  }

  /** As {@link checkIn}, but one that has ended is left alone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#checkout.worker !== undefined) await this.checkIn();
  }

  #within(options: HeldCallOptions): CallOptions {
    return { ...options, sessionId: this.#sessionId, maxRetries: 0 };
  }
}

/** Hold a worker. @throws whatever a call that found no worker is rejected with. */
export function checkOut(
  pool: Pool,
  caller: Caller,
  options: CheckoutOptions,
): Promise<CheckedOutWorker> {
  return new Promise((resolve, reject) => {
    const { timeoutMs = pool.checkoutTimeoutMs, leaseMs = LIMITS.leaseMs } = options;
    const { affinity, signal } = checkOptions({ ...options, timeoutMs: undefined });
    if (!(timeoutMs >= 0)) {
      const problem = `must be 0 or above, found ${timeoutMs}`;
      throw new InvalidConfigError('options.timeoutMs', problem);
    }
    checkTime(leaseMs, 'options.leaseMs');
    const sessionId = sessionOf(options.sessionId);
    pool.checkout({ sessionId, affinity, signal, timeoutMs, leaseMs }, (error, checkout) => {
      if (checkout === undefined) reject(errorFrom(error));
      else resolve(new CheckedOutWorker(checkout, { pool, caller, sessionId }));
    });
  });
}
