// Who gets which call, when, and how does each end exactly once? Synchronous, never awaits a start; all state is rows.
import type { Bus } from '../../actors/ground/bus.ts';
import type { Clock } from '../../actors/ground/clock.ts';
import { Deadlines } from '../../actors/ground/deadlines.ts';
import {
  CallAbortedError,
  CheckoutTimeoutError,
  DeadlineExceededError,
  isCaduceusError,
  OverloadedError,
  PythonError,
  ReplayFailedError,
  WorkerCrashedError,
  type CaduceusError,
  type Outcome,
} from '../../actors/ground/errors.ts';
import { assertEncodable } from '../../actors/port/values.ts';
import type { SentOutcome, Worker, WorkerWatcher } from '../../actors/worker/worker.ts';
import { route } from './affinity.ts';
import type { CallRequest, CallRow, Session, Slot } from './call-row.ts';
import { AppliedMark } from './journal.ts';
import { CallQueue, newLane } from './queue.ts';
import { Scopes, type Replay } from './scopes.ts';

export interface RouterOptions {
  readonly pool: string;
  readonly queueLengthMax: number;
  /** Order a new incarnation in place of this one, in which an abandoned call may still run. */
  readonly replaceWorker: (worker: Worker, epoch: number, because: string) => void;
}

export interface RouterPorts {
  readonly clock: Clock;
  readonly bus: Bus;
}

/** Counters since the start, and gauges of now. */
export interface RouterStatistics {
  readonly ready: number;
  readonly busy: number;
  readonly queueLength: number;
  readonly sessions: number;
  readonly accepted: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly refused: number;
  readonly replayed: number;
}

export class Router implements WorkerWatcher {
  readonly #options: RouterOptions;
  readonly #ports: RouterPorts;
  readonly #deadlines: Deadlines;
  readonly #slots = new Map<Worker, Slot>();
  readonly #queue = new CallQueue();
  readonly #scopes = new Scopes();
  readonly #counters = { accepted: 0, succeeded: 0, failed: 0, refused: 0, replayed: 0 };
  /** Set once the pool takes no more calls: makes the error that each gets. */
  #closedWith: (() => CaduceusError) | undefined;

  constructor(options: RouterOptions, ports: RouterPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#deadlines = new Deadlines(ports.clock);
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
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  statistics(): RouterStatistics {
    let busy = 0;
    for (const slot of this.#slots.values()) if (slot.row !== undefined) busy += 1;
    return {
      ready: this.#slots.size - busy,
      busy,
      queueLength: this.#queue.length,
      sessions: this.#scopes.sessionsCount,
      ...this.#counters,
    };
  }

  /** The worker that holds this session's state now. */
  boundWorker(sessionId: string): Worker | undefined {
    return this.#scopes.find(sessionId)?.slot?.worker;
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
    const slot: Slot = {
      worker,
      epoch: worker.epoch,
      row: undefined,
      lane: newLane(),
      sessions: new Set(),
      bridgeMark: new AppliedMark(),
      anonymousMark: new AppliedMark(),
    };
    this.#slots.set(worker, slot);
    this.#serve(slot);
  }

  workerUnavailable(worker: Worker): void {
    const slot = this.#slots.get(worker);
    if (slot !== undefined) this.#removeSlot(slot);
  }

  #accept(request: CallRequest, resolve: (result: unknown) => void, reject: (error: Error) => void): void {
    if (this.#closedWith !== undefined) throw this.#closedWith();
    const { op, timeoutMs, signal } = request;
    if (signal?.aborted === true) throw new CallAbortedError(op, 'notSent', signal.reason);
    assertEncodable(request.args, 'args');
    const session =
      request.sessionId === undefined ? undefined : this.#scopes.session(request.sessionId);
    this.#scopes.assertRoom(request, session);
    const choice = route(session, this.#slots.values());
    if (choice.type === 'wait' && this.#queue.length >= this.#options.queueLengthMax) {
      const { pool, queueLengthMax } = this.#options;
      throw new OverloadedError(`pool ${pool}, call ${op}`, 'queueLengthMax', queueLengthMax);
    }
    this.#counters.accepted += 1;
    const nowMs = this.#ports.clock.nowMs();
    const row: CallRow = {
      seq: this.#counters.accepted,
      // What is journalled must be what was sent, whatever the caller does with its object meanwhile.
      request: request.change === undefined ? request : { ...request, args: structuredClone(request.args) },
      session,
      deadlineAtMs: nowMs + timeoutMs,
      phase: 'queued',
      deadline: undefined,
      checkout: undefined,
      slot: undefined,
      resolve,
      reject,
      stopListening: undefined,
    };
    row.deadline = this.#deadlines.arm(row.deadlineAtMs, () => {
      this.#onDeadline(row);
    });
    if (signal !== undefined) this.#listenTo(signal, row);
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

  #listenTo(signal: AbortSignal, row: CallRow): void {
    const onAbort = (): void => {
      this.#abandon(row, 'aborted', (outcome) => {
        return new CallAbortedError(row.request.op, outcome, signal.reason);
      });
    };
    signal.addEventListener('abort', onAbort, { once: true });
    row.stopListening = () => {
      signal.removeEventListener('abort', onAbort);
    };
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
    this.#proceed(slot, row, []);
  }

  #bind(session: Session, slot: Slot): void {
    if (session.slot === slot) return;
    session.slot = slot;
    session.mark = new AppliedMark();
    slot.sessions.add(session);
    this.#ports.bus.emit('session.bound', this.#binding(session, slot));
  }

  /** Bring the slot up to date, one entry at a time, then send the call itself. */
  #proceed(slot: Slot, row: CallRow, replayed: readonly string[]): void {
    const replay = this.#scopes.missing(slot, row.session);
    if (replay === undefined) {
      if (replayed.length > 0) this.#tellReplayed(slot, row, replayed);
      row.phase = 'running';
      this.#send(slot, row, row.request.op, row.request.args, row.session?.id ?? null, (outcome) => {
        this.#onOutcome(slot, row, outcome);
      });
      return;
    }
    const { entry, sessionId } = replay;
    this.#send(slot, row, entry.op, entry.args, sessionId, (outcome) => {
      this.#onReplayed(slot, row, replay, replayed, outcome);
    });
  }

  #send(
    slot: Slot,
    row: CallRow,
    op: string,
    args: CallRequest['args'],
    session: string | null,
    settle: (outcome: SentOutcome) => void,
  ): void {
    const remainingMs = row.deadlineAtMs - this.#ports.clock.nowMs();
    const deadlineMs = Math.max(1, Math.ceil(remainingMs));
    try {
      slot.worker.send({ op, args, session, deadlineMs }, settle);
    } catch (error) {
      // Too large for a frame: this call's fault, not the worker's.
      this.#fail(row, error instanceof Error ? error : new Error(String(error)));
      this.#free(slot, row);
    }
  }

  #onReplayed(
    slot: Slot,
    row: CallRow,
    replay: Replay,
    replayed: readonly string[],
    outcome: SentOutcome,
  ): void {
    if (outcome.type === 'crashed') {
      this.#fail(row, new WorkerCrashedError(row.request.op, ref(slot), outcome.report, 'notSent'));
      this.#free(slot, row);
      return;
    }
    const { reply } = outcome;
    if (!reply.ok) {
      const cause = new PythonError(reply.error, ref(slot));
      this.#fail(row, new ReplayFailedError(row.request.op, replay.scope, replay.entry.op, cause));
      this.#free(slot, row);
      return;
    }
    replay.mark.add(replay.entry.seq);
    this.#counters.replayed += 1;
    // Settled meanwhile by its deadline or its caller: the slot is being replaced.
    if (row.phase === 'settled') this.#free(slot, row);
    else this.#proceed(slot, row, [...replayed, replay.entry.op]);
  }

  #onOutcome(slot: Slot, row: CallRow, outcome: SentOutcome): void {
    if (outcome.type === 'crashed') {
      const { op } = row.request;
      this.#fail(row, new WorkerCrashedError(op, ref(slot), outcome.report, 'maybeExecuted'));
    } else if (!outcome.reply.ok) {
      this.#fail(row, new PythonError(outcome.reply.error, ref(slot)));
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
    const where = row.phase === 'queued' ? 'while it waited for a worker' : `on ${nameOf(row.slot)}`;
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

  #removeSlot(slot: Slot): void {
    if (this.#slots.get(slot.worker) !== slot) return;
    this.#slots.delete(slot.worker);
    for (const session of slot.sessions) {
      session.slot = undefined;
      this.#ports.bus.emit('session.unbound', this.#binding(session, slot));
    }
    slot.sessions.clear();
    this.#queue.release(slot);
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

  #tellReplayed(slot: Slot, row: CallRow, operations: readonly string[]): void {
    this.#ports.bus.emit('scope.replayed', {
      pool: this.#options.pool,
      scope: row.session === undefined ? 'anonymous' : `session ${row.session.id}`,
      worker: slot.worker.workerId,
      epoch: slot.epoch,
      operations,
    });
  }

  #binding(session: Session, slot: Slot) {
    const { workerId } = slot.worker;
    return { pool: this.#options.pool, session: session.id, worker: workerId, epoch: slot.epoch };
  }
}

function ref(slot: Slot): { readonly workerId: string; readonly epoch: number } {
  return { workerId: slot.worker.workerId, epoch: slot.epoch };
}

function nameOf(slot: Slot | undefined): string {
  return slot === undefined ? 'no worker' : `worker ${slot.worker.workerId} (epoch ${slot.epoch})`;
}
