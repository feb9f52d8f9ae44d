// Who gets which call, when, and how does each end exactly once? Synchronous, never awaits a start; all state is rows.
import { Deadlines } from '../../actors/ground/deadlines.ts';
import { errorFrom } from '../../actors/ground/error-from.ts';
import {
  CallAbortedError,
  CheckoutTimeoutError,
  DeadlineExceededError,
  OverloadedError,
  type CaduceusError,
} from '../../actors/ground/errors.ts';
import { encodeValue, type EncodedValue } from '../../actors/port/codec.ts';
import type { Worker, WorkerWatcher } from '../../actors/worker/worker-types.ts';
import { route } from './affinity.ts';
import {
  nameOf,
  newCallRow,
  onAbort,
  type CallRequest,
  type CallRow,
  type Session,
} from './call-row.ts';
import { Dispatcher } from './dispatcher.ts';
import { abandon, type MakeError } from './ending.ts';
import { assertNestable } from './nesting.ts';
import { CallQueue } from './queue.ts';
import type { OpenCall, RouterOptions, RouterPorts, RouterStatistics } from './router-types.ts';
import { Scopes } from './scopes.ts';
import { Settling } from './settling.ts';

type Settlers = Pick<CallRow, 'resolve' | 'reject'>;

export class Router implements WorkerWatcher {
  readonly #options: RouterOptions;
  readonly #ports: RouterPorts;
  readonly #deadlines: Deadlines;
  readonly #queue = new CallQueue();
  readonly #scopes = new Scopes();
  readonly #settling: Settling;
  readonly #dispatcher: Dispatcher;
  /** Set once the pool takes no more calls: makes the error that each gets. */
  #closedWith: (() => CaduceusError) | undefined;

  constructor(options: RouterOptions, ports: RouterPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#deadlines = new Deadlines(ports.clock);
    this.#settling = new Settling(options.pool);
    this.#dispatcher = new Dispatcher({
      ...{ options, ports },
      ...{ queue: this.#queue, scopes: this.#scopes, settling: this.#settling },
    });
  }

  /** Accept a call. The promise settles exactly once: with Python's result, or rejected with an error of this package. */
  call(request: CallRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#acceptOrRefuse(request, { resolve, reject });
    });
  }

  /** Accept a call whose caller reads its items. */
  open(request: CallRequest): OpenCall {
    let row: CallRow | undefined;
    const settled = new Promise<unknown>((resolve, reject) => {
      row = this.#acceptOrRefuse(request, { resolve, reject });
    });
    return {
      settled,
      credit: (n) => {
        if (row?.phase !== 'running' || row.sentId === undefined) return;
        row.slot?.worker.credit(row.sentId, n);
      },
      stop: () => {
        if (row === undefined || row.phase === 'settled') return undefined;
        const why = 'it was not read to its end';
        return this.#abandon(row, 'stopped', (outcome, cancellation) => {
          return new CallAbortedError(request.op, outcome, why, cancellation);
        });
      },
    };
  }

  statistics(): RouterStatistics {
    let [ready, busy] = [0, 0];
    for (const slot of this.#dispatcher.slots) {
      if (slot.rows.size > 0) busy += 1;
      else ready += 1;
    }
    const { length } = this.#queue;
    const sessions = this.#scopes.sessionsCount;
    return { ready, busy, queueLength: length, sessions, ...this.#settling.counters };
  }

  boundWorker(sessionId: string): Worker | undefined {
    return this.#scopes.find(sessionId)?.slot?.worker;
  }

  /** Forget a session, its journal included. @returns false when it still has calls. */
  endSession(sessionId: string): boolean {
    const session = this.#scopes.find(sessionId);
    return session === undefined || this.#scopes.end(session);
  }

  /** Take no more calls and fail those that wait. Calls with a worker end with their worker. */
  close(because: () => CaduceusError): void {
    this.#closedWith ??= because;
    for (const row of this.#queue.drain(this.#scopes.sessions())) {
      this.#settling.fail(row, because());
    }
  }

  /** All workers are gone: no deadline is left to keep. */
  dispose(): void {
    this.#deadlines.clear();
  }

  workerReady(worker: Worker): void {
    this.#dispatcher.add(worker);
  }

  workerUnavailable(worker: Worker): void {
    this.#dispatcher.remove(worker);
  }

  #acceptOrRefuse(request: CallRequest, settlers: Settlers): CallRow | undefined {
    try {
      return this.#accept(request, settlers);
    } catch (error) {
      this.#settling.counters.refused += 1;
      settlers.reject(this.#settling.named(errorFrom(error)));
      return undefined;
    }
  }

  #accept(request: CallRequest, settlers: Settlers): CallRow {
    if (this.#closedWith !== undefined) throw this.#closedWith();
    const { op, sessionId, signal, site } = request;
    if (signal?.aborted === true) throw new CallAbortedError(op, 'notSent', signal.reason);
    const args = encodeValue(request.args, 'args');
    const known = sessionId === undefined ? undefined : this.#scopes.find(sessionId);
    this.#scopes.assertRoom(request, known);
    if (site !== undefined) {
      assertNestable(request, site);
      const row = this.#newRow(request, args, known, settlers);
      this.#dispatcher.run(site.slot, row);
      return row;
    }
    const choice = route(known, this.#dispatcher.slots);
    if (choice.type === 'wait' && this.#queue.length >= this.#options.queueLengthMax) {
      const { pool, queueLengthMax } = this.#options;
      throw new OverloadedError(`pool ${pool}, call ${op}`, 'queueLengthMax', queueLengthMax);
    }
    const session = sessionId === undefined ? undefined : this.#scopes.session(sessionId);
    const row = this.#newRow(request, args, session, settlers);
    if (choice.type === 'worker') {
      if (session !== undefined) session.phase = 'running';
      this.#dispatcher.start(choice.slot, row);
    } else {
      this.#enqueue(row, choice.because);
    }
    return row;
  }

  #newRow(
    request: CallRequest,
    args: EncodedValue,
    session: Session | undefined,
    { resolve, reject }: Settlers,
  ): CallRow {
    const { counters } = this.#settling;
    counters.accepted += 1;
    const [seq, nowMs] = [counters.accepted, this.#ports.clock.nowMs()];
    const deadlineAtMs = nowMs + request.timeoutMs;
    const row = newCallRow({ seq, request, args, session, deadlineAtMs, resolve, reject });
    row.deadline = this.#deadlines.arm(row.deadlineAtMs, () => {
      this.#onDeadline(row);
    });
    if (request.signal !== undefined) this.#listen(row);
    return row;
  }

  #listen(row: CallRow): void {
    onAbort(row, (reason) => {
      this.#abandon(row, 'aborted', (outcome, cancellation) => {
        return new CallAbortedError(row.request.op, outcome, reason, cancellation);
      });
    });
  }

  #enqueue(row: CallRow, because: string): void {
    this.#queue.add(row);
    const { checkoutTimeoutMs, timeoutMs } = row.request;
    if (checkoutTimeoutMs >= timeoutMs) return;
    row.checkout = this.#deadlines.arm(this.#ports.clock.nowMs() + checkoutTimeoutMs, () => {
      this.#onCheckoutTimeout(row, because);
    });
  }

  #abandon(row: CallRow, because: string, error: MakeError): ReturnType<typeof abandon> {
    return abandon(row, because, error, this.#dispatcher.ender);
  }

  #onDeadline(row: CallRow): void {
    const { op, timeoutMs } = row.request;
    const where =
      row.phase === 'queued' ? 'while it waited for a worker' : `on ${nameOf(row.slot)}`;
    this.#abandon(row, 'deadline', (outcome, cancellation) => {
      return new DeadlineExceededError(op, timeoutMs, outcome, where, cancellation);
    });
  }

  #onCheckoutTimeout(row: CallRow, because: string): void {
    if (row.phase !== 'queued') return;
    const { ready, busy } = this.statistics();
    const found = `${because.replaceAll('_', ' ')}; ${ready} workers idle, ${busy} busy`;
    this.#queue.drop(row);
    const { op, checkoutTimeoutMs } = row.request;
    this.#settling.fail(row, new CheckoutTimeoutError(op, checkoutTimeoutMs, found));
  }
}
