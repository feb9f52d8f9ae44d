// How does a caller get to hold a worker, and what may its checkout do here?
import { errorFrom } from '../../actors/ground/error-from.ts';
import { CallAbortedError, OverloadedError } from '../../actors/ground/errors.ts';
import { SessionLostError } from '../../actors/ground/pool-errors.ts';
import { encodeValue } from '../../actors/port/codec.ts';
import type { Admission } from './admission.ts';
import type { CallRequest, CallRow, Holder } from './call-row.ts';
import { Checkout, type CheckoutHooks, type CheckoutRequest } from './checkout.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { RouterParts } from './router-parts.ts';
import type { Timeouts } from './timeouts.ts';

/** What errors and events call it. */
const CHECKOUT = 'checkout';
const NO_ARGS: Readonly<Record<string, unknown>> = Object.freeze({});

export class Checkouts {
  readonly #parts: RouterParts;
  readonly #dispatcher: Dispatcher;
  readonly #admission: Admission;
  readonly #timeouts: Timeouts;

  constructor(
    parts: RouterParts,
    dispatcher: Dispatcher,
    admission: Admission,
    timeouts: Timeouts,
  ) {
    this.#parts = parts;
    this.#dispatcher = dispatcher;
    this.#admission = admission;
    this.#timeouts = timeouts;
  }

  /** @param answer once: with the checkout when it holds a worker, or with why it does not. */
  open(
    wanted: CheckoutRequest,
    answer: (error: Error | undefined, checkout?: Checkout) => void,
  ): void {
    // Of its end after that its holder hears otherwise.
    let tell: typeof answer = (error, held) => {
      tell = () => undefined;
      answer(error, held);
    };
    const checkout: Checkout = new Checkout(this.#hooks(wanted), () => {
      tell(undefined, checkout);
    });
    const { sessionId, affinity, signal, timeoutMs } = wanted;
    const request: CallRequest = {
      ...{ op: CHECKOUT, args: NO_ARGS, sessionId, affinity, signal },
      // The whole of it: what is replayed before it is held included.
      ...{ timeoutMs: Math.max(1, timeoutMs), checkoutTimeoutMs: timeoutMs },
    };
    const settlers = { resolve: () => undefined, reject: (error: Error) => tell(error) };
    try {
      this.#admission.accept(request, settlers, { kind: 'checkout', holder: checkout });
    } catch (error) {
      this.#admission.refuse(request, errorFrom(error), settlers);
    }
  }

  #hooks({ sessionId, leaseMs }: CheckoutRequest): CheckoutHooks {
    const { options, ports, deadlines, settling } = this.#parts;
    const { pool, queueLengthMax } = options;
    const { clock, bus } = ports;
    return {
      name: `pool ${pool}`,
      queueLengthMax,
      armLease: (expire) => deadlines.arm(clock.nowMs() + leaseMs, expire),
      accept: (request, holder, settlers) => {
        return this.#acceptHeld({ ...request, sessionId }, holder, settlers);
      },
      refuseTooMany: ({ op }) =>
        new OverloadedError(`call ${op} of a checkout`, 'queueLengthMax', queueLengthMax),
      refused: (request, error, settlers) => this.#admission.refuse(request, error, settlers),
      start: (slot, row) => this.#dispatcher.start(slot, row),
      fail: (row, error) => settling.fail(row, error),
      complete: (row) => settling.succeed(row, undefined),
      free: (slot, row) => this.#dispatcher.free(slot, row),
      again: (slot, row) => this.#dispatcher.again(slot, row),
      abort: (row, because) => void this.#timeouts.abort(row, 'checked_in', because),
      reclaimed: ({ worker, epoch }) =>
        bus.emit('checkout.reclaimed', { pool, worker: worker.workerId, epoch }),
    };
  }

  /** It waits for its turn with its holder, in no queue. */
  #acceptHeld(
    request: CallRequest,
    holder: Holder,
    settlers: Pick<CallRow, 'resolve' | 'reject'>,
  ): CallRow {
    const { op, signal } = request;
    if (signal?.aborted === true) throw new CallAbortedError(op, 'notSent', signal.reason);
    const args = encodeValue(request.args, 'args');
    const { session } = holder.row;
    this.#parts.retrying.assertHarmless(request, args);
    if (session?.stage === 'lost') throw new SessionLostError(op, session.id, session.lostBecause);
    this.#parts.scopes.assertRoom(request, { args, session });
    return this.#admission.newRow(request, args, session, settlers, { kind: 'call', holder });
  }
}
