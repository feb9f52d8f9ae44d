// What becomes of a call whose time is over, or whose caller has had enough? Deadlines, checkouts, signals, and those that can make it no more.
import {
  CallAbortedError,
  CheckoutTimeoutError,
  DeadlineExceededError,
  type Cancellation,
} from '../../actors/ground/errors.ts';
import type { Route } from './affinity.ts';
import { nameOf, type CallRow } from './call-row.ts';
import type { Dispatcher } from './dispatcher.ts';
import { abandon, type MakeError } from './ending.ts';

/** Why a call waits. */
export type WaitCause = Extract<Route, { readonly type: 'wait' }>['because'];

export class Timeouts {
  readonly #dispatcher: Dispatcher;

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  #abandon(row: CallRow, because: string, error: MakeError): Cancellation {
    return abandon(row, because, error, this.#dispatcher.ender);
  }

  /** Its caller has had enough. @returns how its end goes on. */
  abort(row: CallRow, because: string, reason: unknown): Cancellation {
    return this.#abandon(row, because, (outcome, cancellation) => {
      return new CallAbortedError(row.request.op, outcome, reason, cancellation);
    });
  }

  onDeadline(row: CallRow): void {
    const { op, timeoutMs } = row.request;
    if (row.kind === 'checkout') {
      this.onCheckoutTimeout(row, 'no_idle_worker');
      return;
    }
    const isWaiting = row.phase === 'queued' || row.phase === 'waiting';
    const where = isWaiting ? 'while it waited for a worker' : `on ${nameOf(row.slot)}`;
    this.#abandon(row, 'deadline', (outcome, cancellation) => {
      return new DeadlineExceededError(op, timeoutMs, outcome, where, cancellation);
    });
  }

  onCheckoutTimeout(row: CallRow, because: WaitCause): void {
    const { op, checkoutTimeoutMs } = row.request;
    const error = new CheckoutTimeoutError(op, checkoutTimeoutMs, this.found(because));
    if (row.phase === 'queued' || row.kind === 'checkout')
      this.#abandon(row, 'checkout_timeout', () => error);
  }

  /** What a caller who got no worker is told of the pool. */
  found(because: WaitCause): string {
    const { idle, busy } = this.#dispatcher.load();
    return `${because.replaceAll('_', ' ')}; ${idle} workers idle, ${busy} busy`;
  }
}
