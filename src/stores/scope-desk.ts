// How does a pool, which waits for nothing, use a store that promises? In order for each scope, one at a time, and never for longer than the limit.
import type { Clock, TimerId } from '../../actors/ground/clock.ts';
import { errorFrom } from '../../actors/ground/error-from.ts';
import type { Outcome } from '../../actors/ground/errors.ts';
import type { Ids } from '../../actors/ground/ids.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { StoreFailedError } from '../../actors/ground/pool-errors.ts';
import type {
  LoadedScope,
  ScopeChange,
  ScopeKey,
  ScopeStore,
  StoreDone,
  StoredScope,
} from '../../supervisors/pool/scope-store.ts';
import { loadedFrom, mergedOf, savedFrom } from './saved-scope.ts';
import { scopeIdOf } from './scope-id.ts';
import type { SessionStore } from './session-store.ts';

/** Who waits for an order. */
interface Waiter {
  readonly what: string;
  readonly outcome: Outcome;
  readonly tell: (result: LoadedScope) => void;
  timer: TimerId;
}

interface Save {
  readonly type: 'save';
  readonly change: ScopeChange;
  readonly whole: () => StoredScope;
  readonly expiresInMs: number | undefined;
}

type Order =
  | { readonly type: 'load' | 'remove' }
  | { readonly type: 'touch'; readonly expiresInMs: number | undefined }
  | Save;

/** One order, or several in one, and whoever waits for it. */
interface Job {
  order: Order;
  readonly waiters: Waiter[];
}

/** The orders of one scope that are not done. */
interface Lane {
  readonly id: string;
  current: Job | undefined;
  readonly waiting: Job[];
}

const ABSENT: LoadedScope = { type: 'absent' };

/** A store of sessions, as pools use it. What waits for the order before it is put together with the next one of its kind. */
export class ScopeDesk implements ScopeStore {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();
  /** By id, the revision that the store is known to have; none after a failure. */
  readonly #revisions = new Map<string, string>();
  /** Of this desk's revisions, which no other has. */
  readonly #name: string;
  #savesCount = 0;
  readonly #waiters = new Set<Waiter>();
  readonly #idle: (() => void)[] = [];

  constructor(store: SessionStore, clock: Clock, ids: Ids) {
    this.#store = store;
    this.#clock = clock;
    this.#name = ids.nonce();
  }

  /** Told once nothing is under way, or after the time that one order has. */
  whenIdle(done: () => void): void {
    if (this.#lanes.size === 0) {
      done();
      return;
    }
    let tell = (): void => {
      tell = () => undefined;
      this.#clock.clearTimeout(timer);
      done();
    };
    const timer = this.#clock.setTimeout(() => tell(), LIMITS.storeTimeoutMs);
    this.#idle.push(() => tell());
  }

  load(key: ScopeKey, done: (found: LoadedScope) => void): void {
    this.#take(key, { type: 'load' }, 'loading', done);
  }

  save(
    key: ScopeKey,
    change: ScopeChange,
    whole: () => StoredScope,
    expiresInMs: number | undefined,
    done: StoreDone,
  ): void {
    this.#take(key, { type: 'save', change, whole, expiresInMs }, 'saving', told(done));
  }

  touch(key: ScopeKey, expiresInMs: number | undefined, done: StoreDone): void {
    this.#take(key, { type: 'touch', expiresInMs }, 'keeping', told(done));
  }

  remove(key: ScopeKey, done: StoreDone): void {
    this.#take(key, { type: 'remove' }, 'removing', told(done));
  }

  #take(key: ScopeKey, order: Order, doing: string, tell: Waiter['tell']): void {
    const id = scopeIdOf(key);
    const lane = this.#lanes.get(id) ?? { id, current: undefined, waiting: [] };
    this.#lanes.set(id, lane);
    const waiter: Waiter = {
      what: `${doing} ${nameOf(key)}`,
      // Nothing is sent before its session is loaded, and nothing is saved before it has run.
      outcome: order.type === 'load' ? 'notSent' : 'maybeExecuted',
      tell,
      timer: undefined,
    };
    add(lane.waiting, { order, waiters: [waiter] });
    this.#wait(waiter);
    this.#next(lane);
  }

  #wait(waiter: Waiter): void {
    if (this.#waiters.size >= LIMITS.storeWaitingMax) {
      // The order stands: what is to be saved must be saved with the next one at the latest.
      const found = new Error(`storeWaitingMax is ${LIMITS.storeWaitingMax} and reached`);
      waiter.tell(this.#failure(waiter, found));
      return;
    }
    this.#waiters.add(waiter);
    const { storeTimeoutMs } = LIMITS;
    waiter.timer = this.#clock.setTimeout(() => {
      // An answer that arrived while the event loop stood still wins.
      this.#clock.afterPoll(() => {
        const found = new Error(`no answer within ${storeTimeoutMs} ms`);
        this.#tell(waiter, this.#failure(waiter, found));
      });
    }, storeTimeoutMs);
  }

  #tell(waiter: Waiter, result: LoadedScope): void {
    if (!this.#waiters.delete(waiter)) return;
    this.#clock.clearTimeout(waiter.timer);
    waiter.tell(result);
  }

  #failure({ what, outcome }: Waiter, cause: Error): LoadedScope {
    const error = new StoreFailedError(`${this.#store.name}: ${what}`, outcome, cause);
    return { type: 'failed', error };
  }

  #next(lane: Lane): void {
    if (lane.current !== undefined) return;
    const job = lane.waiting.shift();
    if (job === undefined) {
      this.#lanes.delete(lane.id);
      if (this.#lanes.size === 0) for (const tell of this.#idle.splice(0)) tell();
      return;
    }
    lane.current = job;
    void this.#carryOut(lane.id, job.order).then((result) => {
      try {
        for (const waiter of job.waiters) {
          const isFailed = result.type === 'failed';
          this.#tell(waiter, isFailed ? this.#failure(waiter, result.error) : result);
        }
      } finally {
        lane.current = undefined;
        this.#next(lane);
      }
    });
  }

  /** Never rejects. */
  async #carryOut(id: string, order: Order): Promise<LoadedScope> {
    const baseRevision = this.#revisions.get(id);
    // Unknown until it is over.
    if (order.type !== 'touch') this.#revisions.delete(id);
    try {
      switch (order.type) {
        case 'load': {
          const saved = await this.#store.load(id);
          const found = loadedFrom(saved);
          if (saved !== undefined && 'revision' in saved) this.#revisions.set(id, saved.revision);
          return found;
        }
        case 'save': {
          const { change, whole, expiresInMs } = order;
          this.#savesCount += 1;
          const revision = `${this.#name}.${this.#savesCount}`;
          const revisions = { revision, baseRevision };
          await this.#store.save(id, savedFrom(change, whole, revisions, expiresInMs));
          this.#revisions.set(id, revision);
          return ABSENT;
        }
        case 'touch':
          await this.#store.touch(id, order.expiresInMs);
          return ABSENT;
        case 'remove':
          await this.#store.remove(id);
          return ABSENT;
      }
    } catch (error) {
      return { type: 'failed', error: errorFrom(error) };
    }
  }
}

function told(done: StoreDone): Waiter['tell'] {
  return (result) => done(result.type === 'failed' ? result.error : undefined);
}

/** Behind what waits already, or in one with it. */
function add(waiting: Job[], job: Job): void {
  const { order } = job;
  if (order.type === 'remove') {
    // What was to be saved is not wanted any more, and whoever waits for it waits for this.
    const before = waiting.filter((one) => one.order.type !== 'load');
    for (const one of before) {
      waiting.splice(waiting.indexOf(one), 1);
      job.waiters.unshift(...one.waiters);
    }
  }
  const last = waiting.at(-1);
  const both = last === undefined ? undefined : together(last.order, order);
  if (last === undefined || both === undefined) {
    waiting.push(job);
    return;
  }
  last.order = both;
  last.waiters.push(...job.waiters);
}

/** Two orders, one behind the other, as one; undefined when they are two. */
function together(earlier: Order, later: Order): Order | undefined {
  if (earlier.type === 'load' && later.type === 'load') return later;
  if (earlier.type === 'touch' && later.type === 'touch') return later;
  if (earlier.type !== 'save') return undefined;
  if (later.type === 'touch') return { ...earlier, expiresInMs: later.expiresInMs };
  if (later.type !== 'save') return undefined;
  return { ...later, change: mergedOf(earlier.change, later.change) };
}

function nameOf(key: ScopeKey): string {
  return key.scope === 'session'
    ? `session ${key.sessionId} of pool ${key.pool}`
    : `the ${key.scope} scope of pool ${key.pool}`;
}
