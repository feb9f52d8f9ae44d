// How does a session begin and end, apart from its calls? Asked of the store, kept while it is used, ended by its age or by order.
import type { Deadline } from '../../actors/ground/deadlines.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { StoreFailedError } from '../../actors/ground/pool-errors.ts';
import type { Slot } from './call-row.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { RouterParts } from './router-parts.ts';
import type { StoreDone } from './scope-store.ts';
import type { Session } from './session.ts';

/** Why a session could not be ended: it has calls. */
export type EndVerdict = 'ended' | 'has_calls';

export class SessionLives {
  readonly #parts: RouterParts;
  readonly #dispatcher: Dispatcher;
  /** What the store knows of the bridge and of the anonymous scope. */
  #shared: 'unknown' | 'asked' | 'known' = 'unknown';
  /** When it is asked again that could not say it. */
  #retry: Deadline | undefined;
  #pool: 'goes on' | 'ended' = 'goes on';

  constructor(parts: RouterParts, dispatcher: Dispatcher) {
    this.#parts = parts;
    this.#dispatcher = dispatcher;
  }

  /** What the store knows of the bridge and of the anonymous scope: calls wait for that. A store that fails fails those that wait, and is asked again. */
  loadShared(): void {
    const { scopes, queue, settling, ports, options, deadlines } = this.#parts;
    if (!scopes.isStored) return;
    this.#retry?.disarm();
    this.#shared = 'asked';
    this.#dispatcher.setGate('closed');
    scopes.loadShared((error) => {
      if (error === undefined) {
        this.#shared = 'known';
        this.#dispatcher.setGate('open');
        return;
      }
      ports.bus.emit('store.failed', { pool: options.pool, error });
      for (const row of queue.drain(scopes.sessions()))
        settling.fail(row, new StoreFailedError(`call ${row.request.op}`, 'notSent', error));
      this.#shared = 'unknown';
      if (this.#pool === 'ended') return;
      this.#retry = deadlines.arm(ports.clock.nowMs() + LIMITS.storeRetryMs, () => {
        this.loadShared();
      });
    });
  }

  /** The pool has ended: nothing is asked again, and no age is looked at, before it begins again. */
  rest(): void {
    this.#pool = 'ended';
  }

  /** The pool begins again: since it ended nobody looked at the ages of its sessions, or asked the store. */
  watchAgain(): void {
    this.#pool = 'goes on';
    for (const session of this.#parts.scopes.sessions()) this.#watch(session);
    if (this.#shared === 'unknown') this.loadShared();
  }

  /** It is new here: its calls wait until the store has said what it was. */
  begin(session: Session): void {
    this.#watch(session);
    if (session.stage !== 'loading') return;
    const { scopes, queue, settling, ports } = this.#parts;
    scopes.load(session, (error) => {
      if (error === undefined) {
        // It lives on for its whole time from this call: what the store was told of its time is of the process before.
        session.touchedAtMs = -Infinity;
        scopes.use(session, ports.clock.nowMs());
        queue.relist(session);
        this.#dispatcher.serveAll();
        return;
      }
      // Forgotten, so that the next call asks again.
      const rows = queue.takeAllOf(session);
      this.#drop(session);
      for (const row of rows) {
        const what = `call ${row.request.op}: loading session ${session.id}`;
        settling.fail(row, new StoreFailedError(what, 'notSent', error));
      }
    });
  }

  /** Forget it, its journal included, here and in the store. @param done once the store has. */
  end(sessionId: string, done: StoreDone): EndVerdict {
    const { scopes } = this.#parts;
    const session = scopes.find(sessionId);
    if (session !== undefined) {
      if (session.phase !== 'idle' || session.waiting.length > 0) return 'has_calls';
      // Whoever ends it has had the worker that it is bound to drop what it made, if that was asked.
      const isBoundTold = session.stage !== 'lost';
      for (const slot of [...session.marks.keys()])
        if (slot !== session.slot || !isBoundTold) this.#forget(slot, session);
      this.#drop(session);
    }
    scopes.remove(sessionId, done);
    return 'ended';
  }

  /** It ends when it was not used for its whole time. One deadline at a time, whatever number of calls it has. */
  #watch(session: Session): void {
    const { deadlines, scopes } = this.#parts;
    session.expiry?.disarm();
    session.expiry = deadlines.arm(session.lastUsedAtMs + scopes.ttlMs, () => {
      this.#look(session);
    });
  }

  #look(session: Session): void {
    const { scopes, ports, options, settling } = this.#parts;
    if (session.stage === 'ended') return;
    const nowMs = ports.clock.nowMs();
    const isBusy = session.phase !== 'idle' || session.waiting.length > 0;
    if (isBusy) session.lastUsedAtMs = nowMs;
    if (isBusy || nowMs - session.lastUsedAtMs < scopes.ttlMs) {
      this.#watch(session);
      return;
    }
    settling.accounting.counters.expired += 1;
    for (const slot of [...session.marks.keys()]) this.#forget(slot, session);
    this.#drop(session);
    scopes.remove(session.id, () => undefined);
    ports.bus.emit('session.expired', { pool: options.pool, session: session.id });
  }

  /** If it fails the worker keeps what nobody will ask for until it is recycled. */
  #forget(slot: Slot, session: Session): void {
    const { forget } = this.#parts.options.operations ?? {};
    if (forget === undefined || slot.phase === 'gone') return;
    this.#dispatcher.own.make(slot, { op: forget, args: {}, session }, () => undefined);
  }

  #drop(session: Session): void {
    const { slot } = session;
    session.expiry?.disarm();
    this.#parts.scopes.drop(session);
    // It may have been the last that a worker waited for which is to go.
    if (slot !== undefined) this.#dispatcher.departures.look(slot);
  }
}
