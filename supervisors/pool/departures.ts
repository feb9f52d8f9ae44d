// How does a worker leave the routing, and what becomes of the sessions that it holds? They move, are made again elsewhere, or are lost.
import { LIMITS } from '../../actors/ground/limits.ts';
import { SessionLostError } from '../../actors/ground/pool-errors.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import { nameOf, type Slot } from './call-row.ts';
import type { RouterParts } from './router-parts.ts';
import { bindingOf, isPinned, type Session } from './session.ts';

/** What it needs of the dispatcher. */
export interface DepartureHooks {
  readonly slots: Map<Worker, Slot>;
  readonly serveAll: () => void;
  /** Take a snapshot of an idle session there, then say so. */
  readonly snapshotOf: (slot: Slot, session: Session, done: () => void) => void;
}

/** An order to let a worker go by plan. */
export interface RetireOrder {
  readonly because: string;
  readonly drainMs: number;
}

export class Departures {
  readonly #parts: RouterParts;
  readonly #hooks: DepartureHooks;

  constructor(parts: RouterParts, hooks: DepartureHooks) {
    this.#parts = parts;
    this.#hooks = hooks;
  }

  get #onLoss(): 'rebuild' | 'fail' {
    return this.#parts.options.onSessionLoss ?? 'rebuild';
  }

  /** Route nothing new there; `done` once nothing holds it any more, at the latest after `drainMs`, or when it has ended by itself. */
  leave(slot: Slot | undefined, { because, drainMs }: RetireOrder, done: () => void): void {
    if (slot === undefined || slot.phase === 'gone' || slot.phase === 'retiring') {
      done();
      return;
    }
    if (slot.leaving !== undefined) {
      const { leaving } = slot;
      slot.leaving = {
        ...leaving,
        done: () => {
          leaving.done();
          done();
        },
      };
      return;
    }
    const { deadlines, ports } = this.#parts;
    const deadline = deadlines.arm(ports.clock.nowMs() + drainMs, () => {
      this.#finishLeaving(slot, `${because}, and its ${drainMs} ms to drain are over`);
    });
    slot.leaving = { because, deadline, done };
    // What waits there and may go elsewhere does so at once.
    for (const session of [...slot.sessions]) this.#tryToMove(slot, session);
    this.#hooks.serveAll();
    this.look(slot);
  }

  /** Something of it is over: sessions that may move do so, and it goes once nothing holds it. */
  look(slot: Slot): void {
    if (slot.leaving === undefined) return;
    for (const session of [...slot.sessions]) this.#tryToMove(slot, session);
    if (slot.rows.size > 0 || slot.endingsCount > 0 || slot.phase === 'updating') return;
    for (const session of slot.sessions) if (session.slot === slot) return;
    this.#finishLeaving(slot, slot.leaving.because);
  }

  /** Whether it could go without anybody noticing. */
  isSpare(slot: Slot): boolean {
    if (slot.rows.size > 0 || slot.holder !== undefined) return false;
    if (this.#onLoss === 'rebuild') return true;
    for (const session of slot.sessions)
      if (session.slot === slot && isPinned(session, this.#onLoss)) return false;
    return true;
  }

  /** It takes nothing more, finishes what it has, and is replaced then: what a call has left behind in it is not known. */
  retire(slot: Slot, because: string): void {
    slot.ordered ??= because;
    this.remove(slot, 'retiring');
    if (slot.phase === 'retiring' && slot.rows.size === 0) this.replace(slot, because);
  }

  /** It is replaced now, whatever it has. */
  replace(slot: Slot, because: string): void {
    slot.ordered ??= because;
    this.remove(slot, 'gone');
    slot.phase = 'gone';
    forgetMarks(slot);
    this.#parts.options.replaceWorker(slot.worker, slot.epoch, because);
  }

  remove(slot: Slot | undefined, phase: 'retiring' | 'gone'): void {
    const { slots } = this.#hooks;
    if (slot === undefined || slots.get(slot.worker) !== slot) return;
    slots.delete(slot.worker);
    slot.phase = phase;
    const { leaving } = slot;
    leaving?.deadline.disarm();
    slot.leaving = undefined;
    const { ports, options } = this.#parts;
    const unbound: Session[] = [];
    for (const session of [...slot.sessions]) {
      if (session.slot !== slot) continue;
      unbound.push(session);
      this.#unbind(session, slot);
    }
    // One that finishes what it has goes on being told what that needs.
    if (phase === 'gone') forgetMarks(slot);
    // Told when nothing leads to this worker any more: whoever listens may call at once.
    for (const session of unbound)
      ports.bus.emit('session.unbound', bindingOf(options.pool, session, slot));
    slot.holder?.lost(slot);
    leaving?.done();
    this.#hooks.serveAll();
  }

  /** Its replay has failed once more. */
  replayFailed(session: Session, error: Error): void {
    session.replayFailuresCount += 1;
    if (session.replayFailuresCount < LIMITS.replayFailuresMax) return;
    this.lose(
      session,
      `replaying it failed ${session.replayFailuresCount} times: ${error.message}`,
    );
  }

  /** What it was is gone: its waiting calls hear so now, every later one at its acceptance. */
  lose(session: Session, because: string): void {
    const { queue, settling, retrying, ports, options } = this.#parts;
    if (session.stage !== 'live') return;
    session.stage = 'lost';
    session.lostBecause = because;
    settling.accounting.counters.lost += 1;
    const rows = [...queue.takeAllOf(session)];
    const retried = retrying.takeOf(session);
    if (retried !== undefined) {
      session.phase = 'idle';
      rows.unshift(retried);
    }
    for (const row of rows)
      settling.fail(row, new SessionLostError(row.request.op, session.id, because));
    ports.bus.emit('session.lost', { pool: options.pool, session: session.id, because });
  }

  #unbind(session: Session, slot: Slot): void {
    const { queue, settling } = this.#parts;
    const pinned = isPinned(session, this.#onLoss);
    session.slot = undefined;
    session.ranCount = 0;
    if (pinned) {
      this.lose(session, `${nameOf(slot)} that held its state has ended`);
      return;
    }
    if (session.journal.size > 0) settling.accounting.counters.rebuilt += 1;
    queue.move(session);
  }

  /** It goes elsewhere with its next call, if nothing keeps it: after a snapshot, where its bridge can make one and it has changed. */
  #tryToMove(slot: Slot, session: Session): void {
    if (session.slot !== slot) return;
    if (session.phase === 'running' || isPinned(session, this.#onLoss)) return;
    const { options, queue, scopes, ports } = this.#parts;
    if (session.callsSinceSnapshot > 0 && scopes.canSnapshot(options.operations)) {
      // One after the other: until then a session goes on here, and its calls wait for no snapshots of others.
      if (slot.moving !== undefined) return;
      slot.moving = session;
      // It waits for its turn behind its snapshot.
      queue.unlist(session);
      session.phase = 'running';
      this.#hooks.snapshotOf(slot, session, () => {
        session.callsSinceSnapshot = 0;
      });
      return;
    }
    session.slot = undefined;
    session.ranCount = 0;
    ports.bus.emit('session.unbound', bindingOf(options.pool, session, slot));
    queue.move(session);
  }

  #finishLeaving(slot: Slot, because: string): void {
    slot.ordered ??= because;
    this.remove(slot, 'gone');
  }
}

/** It is told nothing more. */
function forgetMarks(slot: Slot): void {
  for (const session of slot.sessions) session.marks.delete(slot);
  slot.sessions.clear();
}
