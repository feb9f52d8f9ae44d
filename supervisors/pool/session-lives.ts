// How does a session begin and end, apart from its calls? Asked of the store, kept while it is used, ended by its age or by order.
import type { Deadline } from '../../actors/ground/deadlines.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { WorkerCrashedError } from '../../actors/ground/errors.ts';
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
  /** Names of sessions that are on their way out, with what waits for that. */
  readonly #endings = new Map<string, (() => void)[]>();
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

  /** Whether a session of this name is on its way out: the next one of it waits for that. */
  isEnding(sessionId: string): boolean {
    return this.#endings.has(sessionId);
  }

  /** It is new here: its calls wait until what was of its name before is gone, and until the store has said what it was. */
  begin(session: Session): void {
    this.#watch(session);
    const ending = this.#endings.get(session.id);
    if (ending !== undefined) {
      session.stage = 'loading';
      ending.push(() => this.#load(session));
      return;
    }
    if (session.stage === 'loading') this.#load(session);
  }

  #load(session: Session): void {
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

  /** Forget it, its journal included: here at once, then in every worker that has something of it and in the store. @param done once all of them have. */
  end(sessionId: string, done: StoreDone): EndVerdict {
    const session = this.#parts.scopes.find(sessionId);
    if (session !== undefined && (session.phase !== 'idle' || session.waiting.length > 0))
      return 'has_calls';
    this.#end(sessionId, session, done);
    return 'ended';
  }

  #end(sessionId: string, session: Session | undefined, done: StoreDone): void {
    const { scopes, options } = this.#parts;
    const { forget } = options.operations ?? {};
    const holders = forget === undefined ? [] : [...(session?.marks.keys() ?? [])];
    if (session !== undefined) this.#drop(session);
    const waiting = this.#endings.get(sessionId) ?? [];
    this.#endings.set(sessionId, waiting);
    let [left, failure]: [number, Error | undefined] = [holders.length + 1, undefined];
    const over = (error?: Error): void => {
      failure ??= error;
      left -= 1;
      if (left > 0) return;
      if (this.#endings.get(sessionId) === waiting) this.#endings.delete(sessionId);
      for (const goOn of waiting.splice(0)) goOn();
      done(failure);
    };
    for (const slot of holders) this.#forget(slot, session, over);
    scopes.remove(sessionId, over);
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
    this.#end(session.id, session, () => undefined);
    ports.bus.emit('session.expired', { pool: options.pool, session: session.id });
  }

  /** A worker that ends meanwhile has forgotten it too; one whose bridge fails at it keeps what nobody will ask for, until it is recycled. */
  #forget(slot: Slot, session: Session | undefined, over: StoreDone): void {
    const { forget } = this.#parts.options.operations ?? {};
    if (forget === undefined || session === undefined || slot.phase === 'gone') {
      over();
      return;
    }
    this.#dispatcher.own.make(slot, { op: forget, args: {}, session }, (error) => {
      over(error instanceof WorkerCrashedError ? undefined : error);
    });
  }

  #drop(session: Session): void {
    const { slot } = session;
    session.expiry?.disarm();
    this.#parts.scopes.drop(session);
    // It may have been the last that a worker waited for which is to go.
    if (slot !== undefined) this.#dispatcher.departures.look(slot);
  }
}
