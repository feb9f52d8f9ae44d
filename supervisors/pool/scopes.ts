// Which state belongs to whom, and what must this incarnation be told before this call? The three scopes and their journals.
import { OverloadedError } from '../../actors/ground/errors.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import type { CallRequest, CallRow, Session, Slot } from './call-row.ts';
import { AppliedMark, Journal, type JournalEntry } from './journal.ts';

/** One entry to replay, with where to note that it was, and for whom it is sent. */
export interface Replay {
  readonly entry: JournalEntry;
  readonly mark: AppliedMark;
  readonly scope: 'bridge' | 'anonymous' | 'session';
  readonly sessionId: string | null;
}

/**
 * Bridge scope: `configure` without a session. Anonymous scope: whatever else is done without a session. Session scope: one caller's own.
 * Every incarnation is brought up to date with the bridge's journal and with the one of the call's scope before the call.
 */
export class Scopes {
  readonly #bridge = new Journal();
  readonly #anonymous = new Journal();
  readonly #sessions = new Map<string, Session>();

  get sessionsCount(): number {
    return this.#sessions.size;
  }

  find(sessionId: string): Session | undefined {
    return this.#sessions.get(sessionId);
  }

  /** Forget the session and what it was. @returns false when it has calls, which would bring it back. */
  end(session: Session): boolean {
    if (session.phase !== 'idle') return false;
    session.slot?.sessions.delete(session);
    return this.#sessions.delete(session.id);
  }

  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  /**
   * The session of this name, made when it is new.
   * @throws {@link OverloadedError} when there are too many.
   */
  session(id: string): Session {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    if (this.#sessions.size >= LIMITS.sessionsMax) {
      throw new OverloadedError(`session ${id}`, 'sessionsMax', LIMITS.sessionsMax);
    }
    const session: Session = {
      id,
      journal: new Journal(),
      slot: undefined,
      mark: new AppliedMark(),
      listed: undefined,
      waiting: [],
      phase: 'idle',
    };
    this.#sessions.set(id, session);
    return session;
  }

  /** @throws {@link OverloadedError} when the journal that this call would be noted in is full: refused before it is sent, not forgotten after. */
  assertRoom(request: CallRequest, session: Session | undefined): void {
    if (request.change === undefined || request.change.change === 'delete') return;
    // A session that is not known yet has an empty journal.
    if (request.sessionId !== undefined && session === undefined) return;
    const journal = this.#journalOf(request.change.change, session);
    if (
      journal.size >= LIMITS.journalEntriesMax &&
      !journal.has(request.change.change, request.change.key)
    ) {
      throw new OverloadedError(
        `call ${request.op}`,
        'journalEntriesMax',
        LIMITS.journalEntriesMax,
      );
    }
  }

  /** What the slot lacks for this call; empty when it may be sent. */
  missing(slot: Slot, session: Session | undefined): Replay | undefined {
    const bridge = this.#bridge.missing(slot.bridgeMark)[0];
    if (bridge !== undefined) {
      return { entry: bridge, mark: slot.bridgeMark, scope: 'bridge', sessionId: null };
    }
    if (session !== undefined) {
      const own = session.journal.missing(session.mark)[0];
      return own && { entry: own, mark: session.mark, scope: 'session', sessionId: session.id };
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
  record(slot: Slot, row: CallRow, liveSlots: Iterable<Slot>): void {
    const { change, op } = row.request;
    if (change === undefined) return;
    const { session, args } = row;
    const journal = this.#journalOf(change.change, session);
    const entry = journal.append(change.change, op, args, change.key);
    if (journal === this.#bridge) slot.bridgeMark.add(entry.seq);
    else if (journal === this.#anonymous) slot.anonymousMark.add(entry.seq);
    else session?.mark.add(entry.seq);
    if (journal === this.#anonymous) {
      journal.prune([...liveSlots].map((live) => live.anonymousMark));
    } else if (journal === session?.journal) journal.prune([session.mark]);
  }

  #journalOf(change: 'configure' | 'create' | 'delete', session: Session | undefined): Journal {
    if (session !== undefined) return session.journal;
    return change === 'configure' ? this.#bridge : this.#anonymous;
  }
}
