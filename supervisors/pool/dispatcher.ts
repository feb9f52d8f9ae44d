// Which incarnations take calls, and how does a call get to one? Slots, and how they are served; never awaits.
import type { Worker } from '../../actors/worker/worker-types.ts';
import { BatchHold } from './batch-hold.ts';
import { Batcher } from './batcher.ts';
import { hasRoom, isOpenToAll, leastLoaded } from './affinity.ts';
import { newSlot, type CallRow, type Slot } from './call-row.ts';
import { Departures } from './departures.ts';
import type { Ender } from './ending.ts';
import { isInVain } from './in-vain.ts';
import { Outcomes } from './outcomes.ts';
import { OwnCalls } from './own-calls.ts';
import type { RouterParts } from './router-parts.ts';
import { Sender } from './sender.ts';
import { Serving } from './serving.ts';
import type { Session } from './session.ts';

export class Dispatcher {
  /** For the ends that callers order. */
  readonly ender: Ender;
  readonly departures: Departures;
  readonly batches: Batcher;
  /** Of calls that wait for others to join them. */
  readonly batchHold: BatchHold;
  readonly #parts: RouterParts;
  readonly #slots = new Map<Worker, Slot>();
  readonly #sender: Sender;
  readonly #outcomes: Outcomes;
  /** The pool's own calls. */
  readonly own: OwnCalls;
  /** `closed`: what the store knows of the pool's own scopes is not here yet. */
  #gate: 'open' | 'closed' = 'open';
  readonly #serving = new Serving(() => this.#giveToAll());

  constructor(parts: RouterParts) {
    this.#parts = parts;
    const { settling } = parts;
    this.departures = new Departures(parts, {
      slots: this.#slots,
      serveAll: () => this.serveAll(),
      snapshotOf: (slot, session, done) => this.#snapshotOf(slot, session, done),
    });
    this.#outcomes = new Outcomes(parts, {
      ...{ slots: () => this.slots, departures: this.departures },
      ...{ batches: () => this.batches, own: () => this.own },
      free: (slot, row) => this.free(slot, row),
      leave: (slot, row) => this.leave(slot, row),
      resume: (session) => this.resume(session),
      serveAll: () => this.serveAll(),
    });
    this.#sender = new Sender(parts, {
      ...{ departures: this.departures, outcomes: this.#outcomes, batches: () => this.batches },
      free: (slot, row) => this.free(slot, row),
      serve: (slot) => this.serve(slot),
      hold: (slot, row) => this.#hold(slot, row),
    });
    this.batches = new Batcher(parts, {
      ender: () => this.ender,
      retry: (slot, row, error) => this.#outcomes.retry(slot, row, error),
      isInVain: (row) => isInVain(row, this.#parts),
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
    this.own = new OwnCalls(parts, { ender: this.ender, run: (slot, row) => this.run(slot, row) });
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
    const slot = this.#slots.get(worker);
    if (slot === undefined) return;
    // It may have no call, or one that it is brought up to date for, which hears of it otherwise.
    worker.whenEnded((report) => this.#outcomes.ended(slot, report));
    this.departures.remove(slot, 'gone');
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
  start(slot: Slot, row: CallRow): void {
    this.#sender.start(slot, row);
  }

  /** Write the call, as it is. A nested one takes nobody's place: its thread waits for it. */
  run(slot: Slot, row: CallRow): void {
    this.#sender.run(slot, row);
  }

  /** The call is over for this slot: the slot may go on, and so may the session of the call. */
  free(slot: Slot, row: CallRow): void {
    if (!slot.rows.has(row)) return;
    this.leave(slot, row);
    const { session, holder } = row;
    if (session === undefined || row.kind === 'internal') return;
    // What a checkout holds it holds until its own end, and until what still ran then is over.
    const isHeld = holder !== undefined && [...slot.rows].some((one) => one.holder === holder);
    if (!isHeld) this.resume(session);
  }

  /** The slot is gone that it had, where nothing was done for it: it waits for another. */
  again(slot: Slot, row: CallRow): void {
    this.#outcomes.again(slot, row, 0);
  }

  /** The slot has the call no more; the session of the call does not go on by that. */
  leave(slot: Slot, row: CallRow): void {
    if (!slot.rows.delete(row)) return;
    const { options } = this.#parts;
    if (row.kind === 'call' || row.kind === 'carrier') {
      slot.callsCount += row.calls?.length ?? 1;
      options.onCallOver?.(slot.worker, slot.epoch, slot.callsCount);
    }
    if (row.kind === 'internal' && row.session === slot.moving) slot.moving = undefined;
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
    const { queue, scopes, ports } = this.#parts;
    // A long call is use up to its end.
    scopes.use(session, ports.clock.nowMs());
    queue.relist(session);
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
    this.#serving.run(() => this.#giveToAll());
  }

  /** Give the slot its next calls, as many as it has room for. */
  serve(slot: Slot): void {
    this.#serving.run(() => this.#fill(slot));
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
    for (; row?.kind === 'call' && isInVain(row, this.#parts); row = queue.take(slot))
      if (row.session !== undefined) this.resume(row.session);
    if (row === undefined) {
      permission?.permit.release();
      return false;
    }
    row.permit = permission?.permit;
    this.start(slot, row);
    return true;
  }

  /** It is held by this checkout; granted once those are over that are there. */
  #hold(slot: Slot, row: CallRow): void {
    // Holding a worker shows nothing of it, however long.
    row.permit?.release();
    row.permit = undefined;
    const { settling, options } = this.#parts;
    settling.accounting.move(row, 'running');
    // It is not idle, though its holder may make no call yet.
    options.onCallOver?.(slot.worker, slot.epoch, slot.callsCount);
    this.#grant(slot);
  }

  #grant(slot: Slot): void {
    const { holder } = slot;
    if (holder?.row.phase !== 'running') return;
    if (slot.rows.size === 1 && slot.rows.has(holder.row)) holder.granted(slot);
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
