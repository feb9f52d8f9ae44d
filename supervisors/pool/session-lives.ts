// How does a session begin and end, apart from its calls? Asked of the store, kept while it is used, ended by its age or by order.
import { LIMITS } from '../../actors/ground/limits.ts';
import { StoreFailedError } from '../../actors/ground/pool-errors.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { RouterParts } from './router-parts.ts';
import type { StoreDone } from './scope-store.ts';
import type { Session } from './session.ts';

/** Why a session could not be ended: it has calls. */
export type EndVerdict = 'ended' | 'has_calls';

export class SessionLives {
  readonly #parts: RouterParts;
  readonly #dispatcher: Dispatcher;

  constructor(parts: RouterParts, dispatcher: Dispatcher) {
    this.#parts = parts;
    this.#dispatcher = dispatcher;
  }

  /** What the store knows of the bridge and of the anonymous scope: calls wait for that. A store that fails fails those that wait, and is asked again. */
  loadShared(): void {
    const { scopes, queue, settling, ports, options, deadlines } = this.#parts;
    if (!scopes.isStored) return;
    this.#dispatcher.setGate('closed');
    scopes.loadShared((error) => {
      if (error === undefined) {
        this.#dispatcher.setGate('open');
        return;
      }
      ports.bus.emit('store.failed', { pool: options.pool, error });
      for (const row of queue.drain(scopes.sessions()))
        settling.fail(row, new StoreFailedError(`call ${row.request.op}`, 'notSent', error));
      deadlines.arm(ports.clock.nowMs() + LIMITS.storeRetryMs, () => this.loadShared());
    });
  }

  /** The pool begins again: nobody looks at the ages of its sessions since it ended. */
  watchAgain(): void {
    for (const session of this.#parts.scopes.sessions()) this.#watch(session);
  }

  /** It is new here: its calls wait until the store has said what it was. */
  begin(session: Session): void {
    this.#watch(session);
    if (session.stage !== 'loading') return;
    const { scopes, queue, settling } = this.#parts;
    scopes.load(session, (error) => {
      if (error === undefined) {
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
      this.#drop(session);
    }
    scopes.remove(sessionId, done);
    return 'ended';
  }

  /** It ends when it was not used for its whole time. One deadline at a time, whatever number of calls it has. */
  #watch(session: Session): void {
    const { deadlines, scopes } = this.#parts;
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
    const { forget } = options.operations ?? {};
    if (forget !== undefined) {
      for (const slot of session.marks.keys()) {
        // If it fails the worker keeps what nobody will ask for until it is recycled.
        this.#dispatcher.own.make(slot, { op: forget, args: {}, session }, () => undefined);
      }
    }
    this.#drop(session);
    scopes.remove(session.id, () => undefined);
    ports.bus.emit('session.expired', { pool: options.pool, session: session.id });
  }

  #drop(session: Session): void {
    const { slot } = session;
    session.expiry?.disarm();
    this.#parts.scopes.drop(session);
    // It may have been the last that a worker waited for which is to go.
    if (slot !== undefined) this.#dispatcher.departures.look(slot);
  }
}
