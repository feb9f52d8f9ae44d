// Who gets which call, when, and how does each end exactly once? Synchronous, never awaits a start; all state is rows.
import { Breaker } from '../../actors/breaker/breaker.ts';
import { Deadlines } from '../../actors/ground/deadlines.ts';
import { errorFrom } from '../../actors/ground/error-from.ts';
import type { CaduceusError } from '../../actors/ground/errors.ts';
import type { Worker, WorkerWatcher } from '../../actors/worker/worker-types.ts';
import { Admission, type Settlers } from './admission.ts';
import type { CallRequest, CallRow } from './call-row.ts';
import type { Checkout, CheckoutRequest } from './checkout.ts';
import { Checkouts } from './checkouts.ts';
import type { RetireOrder } from './departures.ts';
import { Dispatcher } from './dispatcher.ts';
import type { RouterParts } from './router-parts.ts';
import { CallQueue } from './queue.ts';
import { Retrying } from './retrying.ts';
import type {
  Load,
  OpenCall,
  RouterOptions,
  RouterPorts,
  RouterStatistics,
} from './router-types.ts';
import { RunTimes } from './run-times.ts';
import type { StoreDone } from './scope-store.ts';
import { Scopes } from './scopes.ts';
import { SessionLives } from './session-lives.ts';
import { Settling } from './settling.ts';
import { loadOf, statisticsOf, type Watched } from './statistics.ts';
import { Timeouts } from './timeouts.ts';

export class Router implements WorkerWatcher {
  readonly #parts: RouterParts;
  readonly #dispatcher: Dispatcher;
  readonly #lives: SessionLives;
  readonly #timeouts: Timeouts;
  readonly #admission: Admission;
  readonly #checkouts: Checkouts;
  /** Set while the pool takes no calls: makes the error that each gets. */
  #closedWith: (() => CaduceusError) | undefined;

  constructor(options: RouterOptions, ports: RouterPorts) {
    const { breaker, onSessionLoss, pool } = options;
    const parts: RouterParts = {
      ...{ options, ports },
      deadlines: new Deadlines(ports.clock),
      queue: new CallQueue(onSessionLoss),
      scopes: new Scopes(options),
      settling: new Settling(pool),
      retrying: new Retrying(options, ports, () => this.#parts.breaker?.failed()),
      runTimes: new RunTimes(),
      breaker: breaker && new Breaker({ name: pool, ...breaker }, ports),
    };
    this.#parts = parts;
    this.#dispatcher = new Dispatcher(parts);
    this.#lives = new SessionLives(parts, this.#dispatcher);
    this.#timeouts = new Timeouts(this.#dispatcher);
    const [dispatcher, lives, timeouts] = [this.#dispatcher, this.#lives, this.#timeouts];
    this.#admission = new Admission({ shared: parts, dispatcher, lives, timeouts });
    this.#checkouts = new Checkouts(parts, dispatcher, this.#admission, timeouts);
    this.#lives.loadShared();
  }

  /** Accept a call. The promise settles exactly once: with Python's result, or rejected with an error of this package. */
  call(request: CallRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#acceptOrRefuse(request, { resolve, reject });
    });
  }

  /** Accept a call whose caller reads its items. */
  open(request: CallRequest): OpenCall {
    return this.#opened((settlers) => this.#acceptOrRefuse(request, settlers));
  }

  /**
   * Hold a worker alone.
   * @param answer once: with the checkout when it holds one, or with why it does not.
   */
  checkout(
    wanted: CheckoutRequest,
    answer: (error: Error | undefined, checkout?: Checkout) => void,
  ): void {
    if (this.#closedWith === undefined) {
      this.#checkouts.open(wanted, answer);
      return;
    }
    const error = this.#closedWith();
    this.#parts.settling.accounting.refuse(error.code);
    answer(this.#parts.settling.named(error));
  }

  /** A call on a worker that is held. */
  callHeld(checkout: Checkout, request: CallRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      checkout.call(request, { resolve, reject });
    });
  }

  /** A call on a worker that is held, whose items are read. */
  openHeld(checkout: Checkout, request: CallRequest): OpenCall {
    return this.#opened((settlers) => checkout.call(request, settlers));
  }

  statistics(): RouterStatistics {
    return statisticsOf(this.#watched());
  }

  /** How busy it is; costs little until `oldestWaitMs` is asked for. */
  load(): Load {
    return loadOf(this.#watched());
  }

  boundWorker(sessionId: string): Worker | undefined {
    return this.#parts.scopes.find(sessionId)?.slot?.worker;
  }

  /** Forget a session, its journal included. @returns false when it still has calls. @param done once the store has forgotten it too. */
  endSession(sessionId: string, done: StoreDone = () => undefined): boolean {
    return this.#lives.end(sessionId, done) === 'ended';
  }

  /** Let a worker go by plan; `done` when it may be stopped. */
  retire(worker: Worker, order: RetireOrder, done: () => void): void {
    this.#dispatcher.departures.leave(this.#dispatcher.slotOf(worker), order, done);
  }

  /** Whether nothing keeps this worker: no call, no holder, no session that can be nowhere else. */
  isSpare(worker: Worker): boolean {
    const slot = this.#dispatcher.slotOf(worker);
    return slot !== undefined && this.#dispatcher.departures.isSpare(slot);
  }

  /** A worker could not be started: that counts as a crash does. */
  startFailed(): void {
    this.#parts.breaker?.failed();
  }

  /** Take calls again. */
  reopen(): void {
    this.#closedWith = undefined;
    this.#parts.retrying.open();
    this.#parts.breaker?.reset();
    this.#lives.watchAgain();
  }

  /** Take no more calls; those that wait go on waiting. */
  refuseNew(because: () => CaduceusError): void {
    this.#closedWith ??= because;
  }

  /** Take no more calls and fail those that wait. Calls with a worker end with their worker. */
  close(because: () => CaduceusError): void {
    this.#closedWith = because;
    const { queue, scopes, settling, retrying } = this.#parts;
    for (const row of queue.drain(scopes.sessions())) settling.fail(row, because());
    for (const row of retrying.close(because)) {
      settling.fail(row, because());
      // Else it would wait for that call for ever, once the pool begins again.
      if (row.session !== undefined) this.#dispatcher.resume(row.session);
    }
  }

  /** All workers are gone, and may come back by `reopen`: no deadline is left to keep until then. */
  rest(): void {
    this.#lives.rest();
    this.#parts.deadlines.clear();
    this.#parts.breaker?.reset();
  }

  /** All workers are gone for good. */
  dispose(): void {
    this.#lives.rest();
    this.#parts.deadlines.clear();
    this.#parts.breaker?.stop();
  }

  workerReady(worker: Worker): void {
    this.#dispatcher.add(worker);
  }

  workerUnavailable(worker: Worker): void {
    this.#dispatcher.remove(worker);
  }

  #watched(): Watched {
    const { queue, scopes, settling, breaker, ports } = this.#parts;
    const { slots } = this.#dispatcher;
    const { accounting } = settling;
    return { slots, queue, scopes, accounting, breaker, nowMs: ports.clock.nowMs() };
  }

  #opened(accept: (settlers: Settlers) => CallRow | undefined): OpenCall {
    let row: CallRow | undefined;
    const settled = new Promise<unknown>((resolve, reject) => {
      row = accept({ resolve, reject });
    });
    return {
      settled,
      credit: (n) => {
        if (row?.phase !== 'running' || row.sentId === undefined) return;
        row.slot?.worker.credit(row.sentId, n);
      },
      stop: () => {
        if (row === undefined || row.phase === 'settled') return undefined;
        return this.#timeouts.abort(row, 'stopped', 'it was not read to its end');
      },
    };
  }

  #acceptOrRefuse(request: CallRequest, settlers: Settlers): CallRow | undefined {
    try {
      if (this.#closedWith !== undefined) throw this.#closedWith();
      return this.#admission.accept(request, settlers);
    } catch (error) {
      this.#admission.refuse(request, errorFrom(error), settlers);
      return undefined;
    }
  }
}
