// Which incarnations take calls, and what becomes of the calls that they have? Slots, and how they are served; never awaits.
import { errorFrom } from '../../actors/ground/error-from.ts';
import { PythonError, UnsupportedError, WorkerCrashedError } from '../../actors/ground/errors.ts';
import type { SentOutcome, Settle } from '../../actors/worker/pending-calls.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import { hasRoom, leastLoaded } from './affinity.ts';
import {
  bindingOf,
  handlersOf,
  newSlot,
  refOf,
  type CallRow,
  type Session,
  type Slot,
} from './call-row.ts';
import type { Ender } from './ending.ts';
import { AppliedMark } from './journal.ts';
import type { CallQueue } from './queue.ts';
import { bringUpToDate, type Replayer, type ReplayResult } from './replay.ts';
import type { RouterOptions, RouterPorts } from './router-types.ts';
import type { Scopes } from './scopes.ts';
import type { Settling } from './settling.ts';

/** What the dispatcher shares with whoever takes the calls in. */
export interface DispatcherParts {
  readonly options: RouterOptions;
  readonly ports: RouterPorts;
  readonly queue: CallQueue;
  readonly scopes: Scopes;
  readonly settling: Settling;
}

export class Dispatcher {
  /** For the ends that callers order. */
  readonly ender: Ender;
  readonly #parts: DispatcherParts;
  readonly #slots = new Map<Worker, Slot>();
  readonly #replayer: Replayer;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    const { options, ports, queue, scopes, settling } = parts;
    this.#replayer = {
      pool: options.pool,
      bus: ports.bus,
      // One that is to be replaced finishes what it has.
      isRouted: (slot) => slot.phase !== 'gone',
      missing: (slot, row) => scopes.missing(slot, row.session),
      send: (slot, row, message, settle) => {
        settling.counters.replayed += 1;
        slot.worker.send({ ...message, deadlineMs: this.#remainingMs(row) }, settle);
      },
    };
    this.ender = {
      drop: (row) => queue.drop(row),
      fail: (row, error) => settling.fail(row, error),
      free: (slot, row) => this.#free(slot, row),
      retire: (slot, because) => this.#retire(slot, because),
      replace: (slot, because) => this.#replace(slot, because),
      goOn: (slot) => this.#goOn(slot),
    };
  }

  get slots(): Iterable<Slot> {
    return this.#slots.values();
  }

  add(worker: Worker): void {
    this.#slots.set(worker, newSlot(worker, this.#parts.options.prefetch ?? 0));
    this.#serveAll();
  }

  remove(worker: Worker): void {
    this.#removeSlot(this.#slots.get(worker), 'gone');
  }

  /** Bring the slot up to date for this call, and run it there. */
  start(slot: Slot, row: CallRow): void {
    slot.rows.add(row);
    row.slot = slot;
    row.phase = 'replaying';
    row.checkout?.disarm();
    if (row.session !== undefined) this.#bind(row.session, slot);
    slot.phase = 'updating';
    let when: 'at once' | 'later' = 'at once';
    bringUpToDate(slot, row, this.#replayer, (result) => {
      this.#onUpToDate(slot, row, result);
      // Whoever gives it calls at once goes on giving; later nobody else would.
      if (when === 'later') this.#serve(slot);
    });
    when = 'later';
  }

  /** Write the call. A nested one takes nobody's place: its thread waits for it. */
  run(slot: Slot, row: CallRow): void {
    row.phase = 'running';
    row.slot = slot;
    const { op, site, stream, trace } = row.request;
    const nested = site && { parent: site.callId, callback: site.callback };
    const session = row.session?.id ?? null;
    const credit = stream && { credit: stream.credit };
    try {
      if (stream !== undefined && !slot.worker.abilities.has('streams'))
        throw new UnsupportedError(op, 'the bridge cannot stream');
      const deadlineMs = this.#remainingMs(row);
      const message = { op, args: row.args, session, deadlineMs, stream: credit, nested, trace };
      const handlers = handlersOf(row, slot, (site?.depth ?? 0) + 1);
      const settle: Settle = (outcome) => this.#onOutcome(slot, row, outcome);
      row.sentId = slot.worker.send(message, settle, handlers);
    } catch (error) {
      // Too large for a frame: this call's fault, not the worker's.
      this.#parts.settling.fail(row, errorFrom(error));
      this.#free(slot, row);
    }
  }

  #onUpToDate(slot: Slot, row: CallRow, result: ReplayResult): void {
    if (slot.phase === 'updating') slot.phase = 'open';
    if (result.type === 'current') {
      this.run(slot, row);
      return;
    }
    if (result.type === 'failed') this.#parts.settling.fail(row, result.error);
    this.#free(slot, row);
  }

  #bind(session: Session, slot: Slot): void {
    if (session.slot === slot) return;
    session.slot = slot;
    session.mark = new AppliedMark();
    slot.sessions.add(session);
    const { ports, options } = this.#parts;
    ports.bus.emit('session.bound', bindingOf(options.pool, session, slot));
  }

  #remainingMs(row: CallRow): number {
    return Math.max(1, Math.ceil(row.deadlineAtMs - this.#parts.ports.clock.nowMs()));
  }

  #onOutcome(slot: Slot, row: CallRow, outcome: SentOutcome): void {
    const { settling, scopes } = this.#parts;
    if (outcome.type === 'crashed') {
      const { report, outcome: sent } = outcome;
      settling.fail(row, new WorkerCrashedError(row.request.op, refOf(slot), report, sent));
    } else if (!outcome.reply.ok) {
      settling.fail(row, new PythonError(outcome.reply.error, refOf(slot)));
    } else {
      settling.succeed(row, outcome.reply.result, () => scopes.record(slot, row, this.slots));
    }
    this.#free(slot, row);
  }

  /** The call is over for this slot: its session may go on, and so may the slot. */
  #free(slot: Slot, row: CallRow): void {
    if (!slot.rows.delete(row)) return;
    const { session } = row;
    if (session?.phase === 'running') {
      session.phase = 'idle';
      this.#parts.queue.relist(session);
      // Its worker is gone: then any idle one may take it.
      if (session.slot === undefined) this.#serveAll();
    }
    if (slot.phase === 'retiring' && slot.rows.size === 0) this.#replace(slot, 'retired');
    this.#serve(slot);
  }

  /** Evenly: no worker is sent a call ahead while there is one that has none. */
  #serveAll(): void {
    const open = new Set(this.#slots.values());
    for (let slot = leastLoaded(open); slot !== undefined; slot = leastLoaded(open)) {
      const row = this.#parts.queue.take(slot);
      if (row === undefined) open.delete(slot);
      else this.start(slot, row);
    }
  }

  /** A call that was being ended is over there. */
  #goOn(slot: Slot): void {
    if (slot.endingsCount === 0) {
      const { held } = slot;
      slot.held = undefined;
      held?.();
    }
    this.#serve(slot);
  }

  /** Give the slot its next calls, as many as it has room for. */
  #serve(slot: Slot): void {
    while (hasRoom(slot)) {
      const row = this.#parts.queue.take(slot);
      if (row === undefined) return;
      this.start(slot, row);
    }
  }

  /** It takes nothing more, finishes what it has, and is replaced then: what a call has left behind in it is not known. */
  #retire(slot: Slot, because: string): void {
    this.#removeSlot(slot, 'retiring');
    if (slot.phase === 'retiring' && slot.rows.size === 0) this.#replace(slot, because);
  }

  /** It is replaced now, whatever it has. */
  #replace(slot: Slot, because: string): void {
    this.#removeSlot(slot, 'gone');
    slot.phase = 'gone';
    this.#parts.options.replaceWorker(slot.worker, slot.epoch, because);
  }

  #removeSlot(slot: Slot | undefined, phase: 'retiring' | 'gone'): void {
    if (slot === undefined || this.#slots.get(slot.worker) !== slot) return;
    this.#slots.delete(slot.worker);
    slot.phase = phase;
    const unbound = [...slot.sessions];
    slot.sessions.clear();
    for (const session of unbound) session.slot = undefined;
    const { queue, ports, options } = this.#parts;
    queue.release(slot);
    // Told when nothing leads to this worker any more: whoever listens may call at once.
    for (const session of unbound) {
      ports.bus.emit('session.unbound', bindingOf(options.pool, session, slot));
    }
    this.#serveAll();
  }
}
