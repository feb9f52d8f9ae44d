// Who gets which call, when, and how does each end exactly once? Synchronous, never awaits a start; all state is rows.
import { Deadlines } from '../../actors/ground/deadlines.ts';
import {
  CallAbortedError,
  CheckoutTimeoutError,
  DeadlineExceededError,
  isCaduceusError,
  OverloadedError,
  PythonError,
  WorkerCrashedError,
  type CaduceusError,
  type Outcome,
} from '../../actors/ground/errors.ts';
import { assertEncodable } from '../../actors/port/values.ts';
import type { SentOutcome, Settle } from '../../actors/worker/pending-calls.ts';
import type { SentCall, Worker, WorkerWatcher } from '../../actors/worker/worker-types.ts';
import { errorFrom } from '../../actors/ground/error-from.ts';
import { route } from './affinity.ts';
import {
  bindingOf,
  nameOf,
  newCallRow,
  newSlot,
  onAbort,
  refOf,
  type CallRequest,
  type CallRow,
  type Session,
  type Slot,
} from './call-row.ts';
import { AppliedMark } from './journal.ts';
import { CallQueue } from './queue.ts';
import { bringUpToDate, type Replayer } from './replay.ts';
import type { RouterOptions, RouterPorts, RouterStatistics } from './router-types.ts';
import { Scopes } from './scopes.ts';

export class Router implements WorkerWatcher {
  readonly #options: RouterOptions;
  readonly #ports: RouterPorts;
  readonly #deadlines: Deadlines;
  readonly #slots = new Map<Worker, Slot>();
  readonly #queue = new CallQueue();
  readonly #scopes = new Scopes();
  readonly #replayer: Replayer;
  readonly #counters = { accepted: 0, succeeded: 0, failed: 0, refused: 0, replayed: 0 };
  /** Set once the pool takes no more calls: makes the error that each gets. */
  #closedWith: (() => CaduceusError) | undefined;

  constructor(options: RouterOptions, ports: RouterPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#deadlines = new Deadlines(ports.clock);
    this.#replayer = {
      pool: options.pool,
      bus: ports.bus,
      isRouted: (slot) => this.#slots.get(slot.worker) === slot,
      missing: (slot, row) => this.#scopes.missing(slot, row.session),
      send: (slot, row, message, settle) => {
        this.#counters.replayed += 1;
        this.#send(slot, row, message, settle);
      },
    };
  }

  /**
   * Accept a call. The promise settles exactly once: with Python's result, or rejected with an error of this package.
   */
  call(request: CallRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      try {
        this.#accept(request, resolve, reject);
      } catch (error) {
        this.#counters.refused += 1;
        if (isCaduceusError(error)) error.bridge ??= this.#options.pool;
        reject(errorFrom(error));
      }
    });
  }

  statistics(): RouterStatistics {
    const busy = [...this.#slots.values()].filter((slot) => slot.row !== undefined).length;
    return {
      ready: this.#slots.size - busy,
      busy,
      queueLength: this.#queue.length,
      sessions: this.#scopes.sessionsCount,
      ...this.#counters,
    };
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
    for (const row of this.#queue.drain(this.#scopes.sessions())) this.#fail(row, because());
  }

  /** All workers are gone: no deadline is left to keep. */
  dispose(): void {
    this.#deadlines.clear();
  }

  workerReady(worker: Worker): void {
    this.#slots.set(worker, newSlot(worker));
    this.#serveAll();
  }

  workerUnavailable(worker: Worker): void {
    this.#removeSlot(this.#slots.get(worker));
  }

  #accept(
    request: CallRequest,
    resolve: (result: unknown) => void,
    reject: (error: Error) => void,
  ): void {
    if (this.#closedWith !== undefined) throw this.#closedWith();
    const { op, sessionId, timeoutMs, signal } = request;
    if (signal?.aborted === true) throw new CallAbortedError(op, 'notSent', signal.reason);
    assertEncodable(request.args, 'args');
    const known = sessionId === undefined ? undefined : this.#scopes.find(sessionId);
    this.#scopes.assertRoom(request, known);
    const choice = route(known, this.#slots.values());
    if (choice.type === 'wait' && this.#queue.length >= this.#options.queueLengthMax) {
      const { pool, queueLengthMax } = this.#options;
      throw new OverloadedError(`pool ${pool}, call ${op}`, 'queueLengthMax', queueLengthMax);
    }
    const session = sessionId === undefined ? undefined : this.#scopes.session(sessionId);
    this.#counters.accepted += 1;
    const nowMs = this.#ports.clock.nowMs();
    const [seq, deadlineAtMs] = [this.#counters.accepted, nowMs + timeoutMs];
    const row = newCallRow({ seq, request, session, deadlineAtMs, resolve, reject });
    row.deadline = this.#deadlines.arm(row.deadlineAtMs, () => {
      this.#onDeadline(row);
    });
    onAbort(row, (reason) => {
      this.#abandon(row, 'aborted', (outcome) => new CallAbortedError(op, outcome, reason));
    });
    if (choice.type === 'worker') {
      if (session !== undefined) session.phase = 'running';
      this.#start(choice.slot, row);
      return;
    }
    this.#queue.add(row);
    if (request.checkoutTimeoutMs < timeoutMs) {
      row.checkout = this.#deadlines.arm(nowMs + request.checkoutTimeoutMs, () => {
        this.#onCheckoutTimeout(row, choice.because);
      });
    }
  }

  /** Give the slot its next call, if one waits. */
  #serve(slot: Slot): void {
    if (slot.row !== undefined || this.#slots.get(slot.worker) !== slot) return;
    const row = this.#queue.take(slot);
    if (row !== undefined) this.#start(slot, row);
  }

  #start(slot: Slot, row: CallRow): void {
    slot.row = row;
    row.slot = slot;
    row.phase = 'replaying';
    row.checkout?.disarm();
    if (row.session !== undefined) this.#bind(row.session, slot);
    bringUpToDate(slot, row, this.#replayer, (result) => {
      if (result.type === 'current') {
        this.#run(slot, row);
        return;
      }
      if (result.type === 'failed') this.#fail(row, result.error);
      this.#free(slot, row);
    });
  }

  #bind(session: Session, slot: Slot): void {
    if (session.slot === slot) return;
    session.slot = slot;
    session.mark = new AppliedMark();
    slot.sessions.add(session);
    this.#ports.bus.emit('session.bound', bindingOf(this.#options.pool, session, slot));
  }

  #run(slot: Slot, row: CallRow): void {
    row.phase = 'running';
    const { op, args } = row.request;
    try {
      this.#send(slot, row, { op, args, session: row.session?.id ?? null }, (outcome) => {
        this.#onOutcome(slot, row, outcome);
      });
    } catch (error) {
      // Too large for a frame: this call's fault, not the worker's.
      this.#fail(row, errorFrom(error));
      this.#free(slot, row);
    }
  }

  #send(slot: Slot, row: CallRow, message: Omit<SentCall, 'deadlineMs'>, settle: Settle): void {
    const deadlineMs = Math.max(1, Math.ceil(row.deadlineAtMs - this.#ports.clock.nowMs()));
    slot.worker.send({ ...message, deadlineMs }, settle);
  }

  #onOutcome(slot: Slot, row: CallRow, outcome: SentOutcome): void {
    if (outcome.type === 'crashed') {
      const { op } = row.request;
      this.#fail(row, new WorkerCrashedError(op, refOf(slot), outcome.report, 'maybeExecuted'));
    } else if (!outcome.reply.ok) {
      this.#fail(row, new PythonError(outcome.reply.error, refOf(slot)));
    } else if (this.#settle(row)) {
      this.#scopes.record(slot, row, this.#slots.values());
      this.#counters.succeeded += 1;
      row.resolve(outcome.reply.result);
    }
    this.#free(slot, row);
  }

  /** The call is over for this slot: its session may go on, and so may the slot. */
  #free(slot: Slot, row: CallRow): void {
    slot.row = undefined;
    const { session } = row;
    if (session?.phase === 'running') {
      session.phase = 'idle';
      this.#queue.relist(session);
      // Its worker is gone: then any idle one may take it.
      if (session.slot === undefined) this.#serveAll();
    }
    this.#serve(slot);
  }

  #serveAll(): void {
    for (const slot of this.#slots.values()) this.#serve(slot);
  }

  #onDeadline(row: CallRow): void {
    const { op, timeoutMs } = row.request;
    const where =
      row.phase === 'queued' ? 'while it waited for a worker' : `on ${nameOf(row.slot)}`;
    this.#abandon(row, 'deadline', (outcome) => {
      return new DeadlineExceededError(op, timeoutMs, outcome, where);
    });
  }

  #onCheckoutTimeout(row: CallRow, because: string): void {
    if (row.phase !== 'queued') return;
    const { ready, busy } = this.statistics();
    const found = `${because.replaceAll('_', ' ')}; ${ready} workers idle, ${busy} busy`;
    this.#queue.drop(row);
    this.#fail(row, new CheckoutTimeoutError(row.request.op, row.request.checkoutTimeoutMs, found));
  }

  /** The caller waits no longer. A worker that may still run the call is never handed out again: it is replaced. */
  #abandon(row: CallRow, because: string, error: (outcome: Outcome) => CaduceusError): void {
    const { phase, slot } = row;
    if (phase === 'settled') return;
    if (phase === 'queued') this.#queue.drop(row);
    this.#fail(row, error(phase === 'running' ? 'maybeExecuted' : 'notSent'));
    if (slot === undefined || phase === 'queued') return;
    this.#removeSlot(slot);
    this.#options.replaceWorker(slot.worker, slot.epoch, because);
  }

  #removeSlot(slot: Slot | undefined): void {
    if (slot === undefined || this.#slots.get(slot.worker) !== slot) return;
    this.#slots.delete(slot.worker);
    const unbound = [...slot.sessions];
    slot.sessions.clear();
    for (const session of unbound) session.slot = undefined;
    this.#queue.release(slot);
    // Told when nothing leads to this worker any more: whoever listens may call at once.
    for (const session of unbound) {
      this.#ports.bus.emit('session.unbound', bindingOf(this.#options.pool, session, slot));
    }
    this.#serveAll();
  }

  #fail(row: CallRow, error: Error): void {
    if (!this.#settle(row)) return;
    this.#counters.failed += 1;
    if (isCaduceusError(error)) error.bridge ??= this.#options.pool;
    row.reject(error);
  }

  /** @returns false when the row has its outcome already: the first one counts. */
  #settle(row: CallRow): boolean {
    if (row.phase === 'settled') return false;
    row.phase = 'settled';
    row.deadline?.disarm();
    row.checkout?.disarm();
    row.stopListening?.();
    return true;
  }
}
