// Which state belongs to whom, and what must this incarnation be told before this call? The three scopes and their journals.
import { OverloadedError } from '../../actors/ground/errors.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { encodeValue } from '../../actors/port/codec.ts';
import { bytesOf } from './queue.ts';
import type { CallRequest, CallRow, Slot } from './call-row.ts';
import type { AppliedMark } from './journal.ts';
import { Journal, type Appended, type JournalEntry } from './journal.ts';
import type { PoolOperations, RouterOptions } from './router-types.ts';
import type { LoadedScope, ScopeKey, StoreDone } from './scope-store.ts';
import { markOf, newSession, type Session } from './session.ts';
import { storedOf } from './stored-entry.ts';

/** One entry to replay, with where to note that it was, and for whom it is sent. */
export interface Replay {
  readonly entry: JournalEntry;
  readonly mark: AppliedMark;
  readonly scope: 'bridge' | 'anonymous' | 'session';
  readonly sessionId: string | null;
}

/** What is to be stored of an entry. */
export interface Recorded {
  readonly journal: Journal;
  readonly key: ScopeKey;
  readonly entry: Appended;
}

/** What of a router's options is about state. */
export type ScopesOptions = Pick<RouterOptions, 'pool' | 'sessions' | 'store' | 'resolveSecret'>;

/** What a snapshot is called among the entries of its session. */
const SNAPSHOT_KEY = 'snapshot';

/**
 * Bridge scope: `configure` without a session. Anonymous scope: whatever else is done without a session. Session scope: one caller's own.
 * Every incarnation is brought up to date with the bridge's journal and with the one of the call's scope before the call.
 */
export class Scopes {
  #bridge = new Journal();
  #anonymous = new Journal();
  readonly #sessions = new Map<string, Session>();
  readonly #options: ScopesOptions;
  readonly #limits: { readonly sessions: number; readonly entries: number; readonly bytes: number };
  readonly #ttlMs: number;

  constructor(options: ScopesOptions) {
    this.#options = options;
    const { max, journalEntriesMax, journalBytesMax, ttlMs } = options.sessions ?? {};
    this.#limits = {
      sessions: max ?? LIMITS.sessionsMax,
      entries: journalEntriesMax ?? LIMITS.journalEntriesMax,
      bytes: journalBytesMax ?? LIMITS.journalBytesMax,
    };
    this.#ttlMs = ttlMs ?? LIMITS.sessionTtlMs;
  }

  /** Whether journals outlive this process. */
  get isStored(): boolean {
    return this.#options.store !== undefined;
  }

  get ttlMs(): number {
    return this.#ttlMs;
  }

  get sessionsCount(): number {
    return this.#sessions.size;
  }

  find(sessionId: string): Session | undefined {
    return this.#sessions.get(sessionId);
  }

  /** Forget the session and what it was. @returns false when it has calls, which would bring it back. */
  end(session: Session): boolean {
    if (session.phase !== 'idle' || session.waiting.length > 0) return false;
    this.drop(session);
    return true;
  }

  drop(session: Session): void {
    session.stage = 'ended';
    for (const slot of session.marks.keys()) slot.sessions.delete(session);
    session.marks.clear();
    session.slot = undefined;
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
  }

  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  /**
   * The session of this name, made when it is new: then it is `loading` where there is a store.
   * @throws {@link OverloadedError} when there are too many.
   */
  session(id: string, nowMs: number): Session {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    if (this.#sessions.size >= this.#limits.sessions) {
      throw new OverloadedError(`session ${id}`, 'sessionsMax', this.#limits.sessions);
    }
    const session = newSession(id, this.isStored ? 'loading' : 'live', nowMs);
    this.#sessions.set(id, session);
    return session;
  }

  /** Ask the store for the bridge's and the anonymous journal. */
  loadShared(done: StoreDone): void {
    const left = new Set<'bridge' | 'anonymous'>(['bridge', 'anonymous']);
    let failure: Error | undefined;
    for (const scope of [...left]) {
      this.#load(this.#keyOf(scope), (found) => {
        if (found instanceof Error) failure ??= found;
        else if (scope === 'bridge') this.#bridge = found;
        else this.#anonymous = found;
        left.delete(scope);
        if (left.size === 0) done(failure);
      });
    }
  }

  /** Ask the store for a session that is new here. */
  load(session: Session, done: StoreDone): void {
    this.#load(this.#keyOf(session), (found) => {
      if (session.stage !== 'loading') return;
      if (!(found instanceof Error)) {
        session.journal = found;
        session.stage = 'live';
      }
      done(found instanceof Error ? found : undefined);
    });
  }

  /** @throws {@link OverloadedError} when the journal that this call would be noted in is full: refused before it is sent, not forgotten after. */
  assertRoom(request: CallRequest, row: Pick<CallRow, 'args' | 'session'>): void {
    const { change } = request;
    if (change === undefined || change.change === 'delete') return;
    const { op, sessionId } = request;
    const { session, args } = row;
    // A session that is not known yet has an empty journal.
    const isNew = sessionId !== undefined && session === undefined;
    const journal = isNew ? undefined : this.#journalOf(change.change, session);
    // What takes the place of another leaves about as much as there was.
    const isMore = journal !== undefined && !journal.has(change.change, change.key);
    const { entries, bytes } = this.#limits;
    if (isMore && journal.size >= entries)
      throw new OverloadedError(`call ${op}`, 'journalEntriesMax', entries);
    if ((isMore ? journal.bytes : 0) + bytesOf(args) > bytes)
      throw new OverloadedError(`call ${op}`, 'journalBytesMax', bytes);
  }

  /** What the slot lacks for this call; empty when it may be sent. */
  missing(slot: Slot, session: Session | undefined): Replay | undefined {
    const bridge = this.#bridge.missing(slot.bridgeMark)[0];
    if (bridge !== undefined) {
      return { entry: bridge, mark: slot.bridgeMark, scope: 'bridge', sessionId: null };
    }
    if (session !== undefined) {
      const mark = markOf(session, slot);
      const own = session.journal.missing(mark)[0];
      return own && { entry: own, mark, scope: 'session', sessionId: session.id };
    }
    const anonymous = this.#anonymous.missing(slot.anonymousMark)[0];
    return (
      anonymous && {
        entry: anonymous,
        mark: slot.anonymousMark,
        scope: 'anonymous',
        sessionId: null,
      }
    );
  }

  /** The call has been executed on this slot: what it changed is remembered for all that come later. */
  record(slot: Slot, row: CallRow, liveSlots: Iterable<Slot>): Recorded {
    const { session, args, request } = row;
    const { change, key } = request.change ?? { change: 'configure' as const, key: request.op };
    const journal = this.#journalOf(change, session);
    const entry = journal.append(change, request.op, args, key, request.secrets);
    if (session !== undefined) {
      noteApplied(session, slot, entry.seq);
      journal.prune([...session.marks.values()]);
      return { journal, key: this.#keyOf(session), entry };
    }
    if (journal === this.#bridge) {
      // What it was told meanwhile came after this there, and before it here: it is told this one once more.
      if (slot.bridgeMark.toldCount === row.toldBefore) slot.bridgeMark.add(entry.seq);
      return { journal, key: this.#keyOf('bridge'), entry };
    }
    slot.anonymousMark.add(entry.seq);
    journal.prune([...liveSlots].map((live) => live.anonymousMark));
    return { journal, key: this.#keyOf('anonymous'), entry };
  }

  /** Whether this session's state is to be put into a snapshot now. */
  wantsSnapshot(session: Session, operations: PoolOperations | undefined): boolean {
    const every = this.#options.sessions?.snapshotEvery ?? LIMITS.snapshotEvery;
    return this.canSnapshot(operations) && session.updatesSinceSnapshot >= every;
  }

  canSnapshot(operations: PoolOperations | undefined): boolean {
    return operations?.snapshot !== undefined && operations.restore !== undefined;
  }

  /** The state of a session, as its worker has just given it, takes the place of what led to it. */
  recordSnapshot(slot: Slot, session: Session, restoreOp: string, state: unknown): Recorded {
    const args = encodeValue({ state }, 'snapshot');
    const { journal } = session;
    const entry = journal.append('restore', restoreOp, args, SNAPSHOT_KEY);
    noteApplied(session, slot, entry.seq);
    journal.prune([...session.marks.values()]);
    session.callsSinceSnapshot = 0;
    session.updatesSinceSnapshot = 0;
    return { journal, key: this.#keyOf(session), entry };
  }

  /** Hand an entry to the store. What that has missed before it asks for by itself. */
  persist({ journal, key, entry }: Recorded, done: StoreDone): void {
    const { store } = this.#options;
    if (store === undefined) {
      done();
      return;
    }
    const { seq: head, removedSeqs: removeSeqs, isKept } = entry;
    const change = { head, put: isKept ? [storedOf(entry)] : [], removeSeqs };
    const expiresInMs = key.scope === 'session' ? this.#ttlMs : undefined;
    store.save(key, change, () => journal.stored(), expiresInMs, done);
  }

  /** A session is used: it lives on for its whole time from now. */
  use(session: Session, nowMs: number): void {
    session.lastUsedAtMs = nowMs;
    const { store } = this.#options;
    if (store === undefined || session.journal.size === 0) return;
    if (nowMs - session.touchedAtMs < this.#ttlMs / LIMITS.touchesPerTtl) return;
    session.touchedAtMs = nowMs;
    // If it fails the session ends too early in the store, and only there: the next touch or entry tells it again.
    store.touch(this.#keyOf(session), this.#ttlMs, () => undefined);
  }

  /** The store forgets a session that has ended. */
  remove(sessionId: string, done: StoreDone): void {
    const { store, pool } = this.#options;
    if (store === undefined) done();
    else store.remove({ pool, scope: 'session', sessionId }, done);
  }

  #load(key: ScopeKey, done: (found: Journal | Error) => void): void {
    const { store, resolveSecret = () => undefined } = this.#options;
    if (store === undefined) {
      done(new Journal());
      return;
    }
    store.load(key, (found: LoadedScope) => {
      switch (found.type) {
        case 'found':
          done(Journal.from(found.scope, resolveSecret));
          return;
        case 'absent':
          done(new Journal());
          return;
        case 'failed':
          done(found.error);
          return;
        default:
          found satisfies never;
      }
    });
  }

  #keyOf(whose: Session | 'bridge' | 'anonymous'): ScopeKey {
    const { pool } = this.#options;
    return typeof whose === 'string'
      ? { pool, scope: whose }
      : { pool, scope: 'session', sessionId: whose.id };
  }

  #journalOf(
    change: NonNullable<CallRequest['change']>['change'],
    session: Session | undefined,
  ): Journal {
    if (session !== undefined) return session.journal;
    return change === 'configure' ? this.#bridge : this.#anonymous;
  }
}

/** Of one that is gone nothing is remembered, though an answer of it may still have come. */
function noteApplied(session: Session, slot: Slot, seq: number): void {
  if (slot.phase !== 'gone') markOf(session, slot).add(seq);
}
