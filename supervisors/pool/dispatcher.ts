// Which incarnations take calls, and how does a call get to one? Slots, and how they are served; never awaits.
import type { Breaker } from '../../actors/breaker/breaker.ts';
import type { Deadlines } from '../../actors/ground/deadlines.ts';
import { errorFrom } from '../../actors/ground/error-from.ts';
import {
  DeadlineExceededError,
  ReplayFailedError,
  UnsupportedError,
} from '../../actors/ground/errors.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { encodeValue } from '../../actors/port/codec.ts';
import type { Settle } from '../../actors/worker/pending-calls.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import { BatchHold } from './batch-hold.ts';
import { Batcher } from './batcher.ts';
import { hasRoom, isOpenToAll, leastLoaded } from './affinity.ts';
import { handlersOf } from './call-handlers.ts';
import { nameOf, newCallRow, newSlot, type CallRow, type Slot } from './call-row.ts';
import { Departures } from './departures.ts';
import { abandon, type Ender } from './ending.ts';
import { Outcomes } from './outcomes.ts';
import type { Affinity } from './pool-options.ts';
import type { CallQueue } from './queue.ts';
import { bringUpToDate, type Replayer, type ReplayResult } from './replay.ts';
import type { Retrying } from './retrying.ts';
import type { RouterOptions, RouterPorts } from './router-types.ts';
import type { RunTimes } from './run-times.ts';
import type { Scopes } from './scopes.ts';
import { bindingOf, isPinned, markOf, type Session } from './session.ts';
import type { Settling } from './settling.ts';

/** What the dispatcher shares with whoever takes the calls in. */
export interface DispatcherParts {
  readonly options: RouterOptions;
  readonly ports: RouterPorts;
  readonly deadlines: Deadlines;
  readonly queue: CallQueue;
  readonly scopes: Scopes;
  readonly settling: Settling;
  readonly retrying: Retrying;
  readonly runTimes: RunTimes;
  readonly breaker: Breaker | undefined;
}

interface InternalCall {
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly session: Session;
}

export class Dispatcher {
  /** For the ends that callers order. */
  readonly ender: Ender;
  readonly departures: Departures;
  readonly batches: Batcher;
  /** Of calls that wait for others to join them. */
  readonly batchHold: BatchHold;
  readonly #parts: DispatcherParts;
  readonly #slots = new Map<Worker, Slot>();
  readonly #replayer: Replayer;
  readonly #outcomes: Outcomes;
  /** `closed`: what the store knows of the pool's own scopes is not here yet. */
  #gate: 'open' | 'closed' = 'open';
  /** Whether somebody is being given calls right now, and others have asked meanwhile. */
  #turn: 'nobody' | 'somebody' | 'owed' = 'nobody';

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    const { options, ports, scopes, settling } = parts;
    this.#replayer = {
      pool: options.pool,
      bus: ports.bus,
      // One that is to be replaced finishes what it has.
      isRouted: (slot) => slot.phase !== 'gone',
      missing: (slot, row) => scopes.missing(slot, row.session),
      send: (slot, row, message, settle) => {
        settling.accounting.counters.replayed += 1;
        slot.worker.send({ ...message, deadlineMs: this.#remainingMs(row) }, settle);
      },
    };
    this.departures = new Departures(parts, {
      slots: this.#slots,
      serveAll: () => this.serveAll(),
      snapshotOf: (slot, session, done) => this.#snapshotOf(slot, session, done),
    });
    this.#outcomes = new Outcomes(parts, this);
    this.batches = new Batcher(parts, {
      ender: () => this.ender,
      retry: (slot, row, error) => this.#outcomes.retry(slot, row, error),
      isInVain: (row) => this.#isInVain(row),
    });
    const slots = (): Iterable<Slot> => this.#slots.values();
    this.batchHold = new BatchHold(parts, slots, () => this.serveAll());
    this.ender = {
      drop: (row) => this.#drop(row),
      fail: (row, error) => settling.fail(row, error),
      free: (slot, row) => this.free(slot, row),
      retire: (slot, because) => this.departures.retire(slot, because),
      replace: (slot, because) => this.departures.replace(slot, because),
      leaveBatch: (row, because, error) => this.batches.leave(row, because, error),
      goOn: (slot) => this.#goOn(slot),
      resume: (session) => this.resume(session),
    };
    parts.breaker?.onChange(() => this.serveAll());
  }

  get slots(): Iterable<Slot> {
    return this.#slots.values();
  }

  get isGateOpen(): boolean {
    return this.#gate === 'open';
  }

  setGate(to: 'open' | 'closed'): void {
    this.#gate = to;
    this.serveAll();
  }

  slotOf(worker: Worker): Slot | undefined {
    return this.#slots.get(worker);
  }

  add(worker: Worker): void {
    const slot = newSlot(worker, this.#parts.options.prefetch ?? 0);
    this.#slots.set(worker, slot);
    this.serveAll();
    if (slot.rows.size === 0) this.#parts.options.onIdle?.(worker, slot.epoch);
  }

  remove(worker: Worker): void {
    this.departures.remove(this.#slots.get(worker), 'gone');
  }

  /** Give the call to this slot, unless the breaker lets none through. @returns whether it did. */
  tryStart(slot: Slot, row: CallRow): boolean {
    if (!this.isGateOpen) return false;
    const { breaker } = this.#parts;
    if (breaker !== undefined) {
      const permission = breaker.acquire();
      if (permission.type === 'refused') return false;
      row.permit = permission.permit;
    }
    this.start(slot, row);
    return true;
  }

  /** Bring the slot up to date for this call, and run it there. */
  start(slot: Slot, given: CallRow): void {
    const row = this.batches.gather(slot, given);
    const { settling, ports } = this.#parts;
    const { accounting } = settling;
    slot.rows.add(row);
    row.slot = slot;
    accounting.move(row, 'replaying');
    if (row.calls !== undefined) this.batches.started(slot, row);
    row.checkout?.disarm();
    if (row.failures === 0 && row.kind === 'call')
      accounting.waited(ports.clock.nowMs() - row.acceptedAtMs);
    if (row.session !== undefined) this.#bind(row.session, slot, row.affinity);
    if (row.kind === 'checkout') slot.holder = row.holder;
    slot.phase = 'updating';
    let when: 'at once' | 'later' = 'at once';
    bringUpToDate(slot, row, this.#replayer, (result) => {
      this.#onUpToDate(slot, row, result);
      // Whoever gives it calls at once goes on giving; later nobody else would.
      if (when === 'later') this.serve(slot);
    });
    when = 'later';
  }

  /** Write the call. A nested one takes nobody's place: its thread waits for it. */
  run(slot: Slot, row: CallRow): void {
    const { settling, ports } = this.#parts;
    settling.accounting.move(row, 'running');
    row.slot = slot;
    row.sentAtMs = ports.clock.nowMs();
    const { op, site, stream, trace } = row.request;
    const nested = site && { parent: site.callId, callback: site.callback };
    const session = row.session?.id ?? null;
    const credit = stream && { credit: stream.credit };
    try {
      if (stream !== undefined && !slot.worker.abilities.has('streams'))
        throw new UnsupportedError(op, 'the bridge cannot stream');
      const deadlineMs = Math.max(1, Math.ceil(row.deadlineAtMs - row.sentAtMs));
      const args = row.calls === undefined ? row.args : this.batches.argsOf(row);
      const batch = row.calls?.length;
      const message = { op, args, session, deadlineMs, stream: credit, nested, trace, batch };
      const handlers = handlersOf(row, slot, (site?.depth ?? 0) + 1);
      const settle: Settle = (outcome) => this.#outcomes.take(slot, row, outcome);
      row.sentId = slot.worker.send(message, settle, handlers);
      if (batch !== undefined) settling.accounting.batch(batch);
    } catch (error) {
      // Too large for a frame: this call's fault, not the worker's.
      settling.fail(row, errorFrom(error));
      this.free(slot, row);
    }
  }

  /** The call is over for this slot: the slot may go on, and so may the session of the call. */
  free(slot: Slot, row: CallRow): void {
    if (!slot.rows.has(row)) return;
    this.leave(slot, row);
    const { session, holder } = row;
    // What a checkout holds it holds until its own end.
    if (session === undefined || row.kind === 'internal') return;
    if (holder === undefined || holder.row === row) this.resume(session);
  }

  /** The slot has the call no more; the session of the call does not go on by that. */
  leave(slot: Slot, row: CallRow): void {
    if (!slot.rows.delete(row)) return;
    const { options } = this.#parts;
    if (row.kind === 'call' || row.kind === 'carrier') {
      slot.callsCount += row.calls?.length ?? 1;
      options.onCallOver?.(slot.worker, slot.epoch, slot.callsCount);
    }
    if (slot.holder?.row === row) slot.holder = undefined;
    else row.holder?.callOver(row);
    if (slot.phase === 'retiring' && slot.rows.size === 0) this.departures.replace(slot, 'retired');
    this.#grant(slot);
    this.serve(slot);
    this.departures.look(slot);
    if (slot.rows.size === 0 && slot.phase === 'open') options.onIdle?.(slot.worker, slot.epoch);
  }

  /** None of its calls is on its way any more: the next may go. */
  resume(session: Session): void {
    if (session.phase !== 'running') return;
    session.phase = 'idle';
    this.#parts.queue.relist(session);
    const { slot } = session;
    // Before its next call goes there: it may have to move.
    if (slot?.leaving !== undefined) this.departures.look(slot);
    if (session.waiting.length === 0) return;
    // Before anybody else may take it: its own worker, where that has room.
    if (session.slot !== undefined) this.serve(session.slot);
    if (session.waiting.length > 0) this.serveAll();
  }

  /** Evenly: no worker is sent a call ahead while there is one that has none. */
  serveAll(): void {
    this.#serving(() => this.#giveToAll());
  }

  /** Give the slot its next calls, as many as it has room for. */
  serve(slot: Slot): void {
    this.#serving(() => this.#fill(slot));
  }

  /** What is asked for from inside, by a call that fails at once, is done after it: thousands that fail so would not fit on the stack. */
  #serving(give: () => void): void {
    if (this.#turn !== 'nobody') {
      this.#turn = 'owed';
      return;
    }
    this.#turn = 'somebody';
    try {
      give();
      while (this.#isOwed()) this.#giveToAll();
    } finally {
      this.#turn = 'nobody';
    }
  }

  #isOwed(): boolean {
    const isOwed = this.#turn === 'owed';
    this.#turn = 'somebody';
    return isOwed;
  }

  #giveToAll(): void {
    if (this.#parts.queue.length === 0) return;
    // Those that are on their way out have sessions that nobody else serves.
    for (const slot of this.#slots.values()) if (slot.leaving !== undefined) this.#fill(slot);
    const open = new Set(this.#slots.values());
    for (let slot = leastLoaded(open); slot !== undefined; slot = leastLoaded(open)) {
      if (!this.#give(slot)) open.delete(slot);
    }
  }

  #fill(slot: Slot): void {
    while (hasRoom(slot) && this.#give(slot));
  }

  /** @returns false when there is nothing for it. */
  #give(slot: Slot): boolean {
    const { queue, breaker } = this.#parts;
    if (queue.length === 0 || !this.isGateOpen) return false;
    const permission = breaker?.acquire();
    if (permission?.type === 'refused') return false;
    let row = queue.take(slot);
    for (; row?.kind === 'call' && this.#isInVain(row); row = queue.take(slot))
      if (row.session !== undefined) this.resume(row.session);
    if (row === undefined) {
      permission?.permit.release();
      return false;
    }
    row.permit = permission?.permit;
    this.start(slot, row);
    return true;
  }

  /** Its turn has come, and no worker is spent on it: it can make it no more, or workers have died of the same while it waited. */
  #isInVain(row: CallRow): boolean {
    const { settling, retrying, runTimes } = this.#parts;
    const { op, timeoutMs } = row.request;
    const { counters } = settling.accounting;
    const poison = retrying.poisonOf(row.request, row.args);
    if (poison !== undefined) {
      counters.quarantined += 1;
      settling.fail(row, poison);
      return true;
    }
    if (!runTimes.isHopeless(op, this.#leftMs(row))) return false;
    counters.shed += 1;
    const where = 'before it was sent: none of the last runs took as little time as it has left';
    settling.fail(row, new DeadlineExceededError(op, timeoutMs, 'notSent', where));
    return true;
  }

  #onUpToDate(slot: Slot, row: CallRow, result: ReplayResult): void {
    if (slot.phase === 'updating') slot.phase = 'open';
    const { session } = row;
    if (result.type === 'current') {
      if (session !== undefined) session.replayFailuresCount = 0;
      if (row.kind === 'checkout') this.#hold(slot, row);
      else this.run(slot, row);
      return;
    }
    if (result.type === 'failed') {
      if (session !== undefined && result.error instanceof ReplayFailedError)
        this.departures.replayFailed(session, result.error);
      if (this.#outcomes.retry(slot, row, result.error)) return;
      this.#parts.settling.fail(row, result.error);
    }
    this.free(slot, row);
  }

  /** It is held by this checkout; granted once those are over that are there. */
  #hold(slot: Slot, row: CallRow): void {
    // Holding a worker shows nothing of it, however long.
    row.permit?.release();
    row.permit = undefined;
    this.#parts.settling.accounting.move(row, 'running');
    this.#grant(slot);
  }

  #grant(slot: Slot): void {
    const { holder } = slot;
    if (holder === undefined || holder.row.phase !== 'running') return;
    if (slot.rows.size === 1 && slot.rows.has(holder.row)) holder.granted(slot);
  }

  #bind(session: Session, slot: Slot, affinity: Affinity): void {
    const { onSessionLoss = 'rebuild' } = this.#parts.options;
    markOf(session, slot);
    if (session.slot === slot) return;
    // What it has where it is bound is not here: a call that needs none of it is a guest.
    if (affinity === 'none' && isPinned(session, onSessionLoss)) return;
    session.slot = slot;
    session.ranCount = 0;
    const { ports, options } = this.#parts;
    ports.bus.emit('session.bound', bindingOf(options.pool, session, slot));
  }

  /** Its caller waits no longer, and it had not begun. */
  #drop(row: CallRow): void {
    if (row.holder !== undefined && row.holder.row !== row) {
      row.holder.drop(row);
      return;
    }
    if (row.phase === 'waiting') {
      row.retry?.disarm();
      this.#parts.retrying.waiting.delete(row);
      if (row.session !== undefined) this.resume(row.session);
      return;
    }
    this.#parts.queue.drop(row);
  }

  #leftMs(row: CallRow): number {
    return row.deadlineAtMs - this.#parts.ports.clock.nowMs();
  }

  #remainingMs(row: CallRow): number {
    return Math.max(1, Math.ceil(this.#leftMs(row)));
  }

  /** A call that was being ended is over there. */
  #goOn(slot: Slot): void {
    if (slot.endingsCount === 0) {
      const { held } = slot;
      slot.held = undefined;
      held?.();
    }
    this.serve(slot);
    this.departures.look(slot);
  }

  /** A call of the pool's own, beside whatever the worker has. @param done once, with an error or the answer. */
  internal(
    slot: Slot,
    { op, args, session }: InternalCall,
    done: (error: Error | undefined, result?: unknown) => void,
  ): void {
    const { settling, deadlines, ports } = this.#parts;
    settling.accounting.counters.internal += 1;
    const timeoutMs = LIMITS.internalCallMs;
    const nowMs = ports.clock.nowMs();
    const row = newCallRow({
      ...{ kind: 'internal', seq: 0, session, affinity: 'required' },
      request: { op, args, sessionId: session.id, timeoutMs, checkoutTimeoutMs: timeoutMs },
      args: encodeValue(args, op),
      ...{ acceptedAtMs: nowMs, deadlineAtMs: nowMs + timeoutMs },
      resolve: (result) => done(undefined, result),
      reject: (error) => done(error),
    });
    row.deadline = deadlines.arm(row.deadlineAtMs, () => {
      abandon(
        row,
        'deadline',
        (outcome, cancellation) =>
          new DeadlineExceededError(op, timeoutMs, outcome, `on ${nameOf(slot)}`, cancellation),
        this.ender,
      );
    });
    slot.rows.add(row);
    this.run(slot, row);
  }

  /** A session that moves takes with it what only its worker knows. */
  #snapshotOf(slot: Slot, session: Session, done: () => void): void {
    this.#outcomes.snapshot(slot, session, (recorded) => {
      const { scopes } = this.#parts;
      const goOn = (): void => {
        done();
        this.resume(session);
      };
      if (recorded === undefined || !scopes.isStored) goOn();
      else scopes.persist(recorded, goOn);
    });
  }

  /** How many are idle and busy, for who decides about workers. */
  load(): { readonly idle: number; readonly busy: number } {
    let [idle, busy] = [0, 0];
    for (const slot of this.#slots.values()) {
      if (slot.rows.size === 0 && isOpenToAll(slot)) idle += 1;
      else busy += 1;
    }
    return { idle, busy };
  }
}
