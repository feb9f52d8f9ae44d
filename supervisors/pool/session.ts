// What is one caller's state to the router? A row: where it is, what made it, and which of its calls wait.
import type { Deadline } from '../../actors/ground/deadlines.ts';
import type { CallRow, Slot, Source } from './call-row.ts';
import { AppliedMark, Journal } from './journal.ts';

/** One caller's state. Its calls run one at a time, in order. */
export interface Session {
  readonly id: string;
  journal: Journal;
  /** `loading`: the store is asked what it was; `lost`: its state is gone and could not be made again; `ended`: a row that nobody leads to any more. */
  stage: 'loading' | 'live' | 'lost' | 'ended';
  /** Why it is lost, in words. */
  lostBecause: string;
  /** The incarnation that it is bound to. */
  slot: Slot | undefined;
  /** How far each incarnation that has state of it has applied the journal. */
  readonly marks: Map<Slot, AppliedMark>;
  /** Calls that its incarnation has had of it, without which nothing can be lost there. */
  ranCount: number;
  /** Calls, and among them updates, since its state was last put into a snapshot. */
  callsSinceSnapshot: number;
  updatesSinceSnapshot: number;
  /** Replays in a row that have failed. */
  replayFailuresCount: number;
  lastUsedAtMs: number;
  /** When that is looked at next. */
  expiry: Deadline | undefined;
  /** When the store was last told that it is used. */
  touchedAtMs: number;
  readonly waiting: CallRow[];
  /** Its place in turn. */
  turn: number;
  /** What stands for it in a lane while it is listed; another one that is still there is stale. */
  listed: Source | undefined;
  /** `listed`: it stands in a lane of the queue; `running`: one of its calls is with a worker, waits for its next try, or is being stored. */
  phase: 'idle' | 'listed' | 'running';
}

export function newSession(id: string, stage: 'loading' | 'live', nowMs: number): Session {
  return {
    id,
    journal: new Journal(),
    stage,
    lostBecause: '',
    slot: undefined,
    marks: new Map(),
    ranCount: 0,
    callsSinceSnapshot: 0,
    updatesSinceSnapshot: 0,
    replayFailuresCount: 0,
    lastUsedAtMs: nowMs,
    expiry: undefined,
    touchedAtMs: nowMs,
    waiting: [],
    turn: 0,
    listed: undefined,
    phase: 'idle',
  };
}

/** How far this incarnation has applied the session's journal. */
export function markOf(session: Session, slot: Slot): AppliedMark {
  const known = session.marks.get(slot);
  if (known !== undefined) return known;
  const mark = new AppliedMark();
  session.marks.set(slot, mark);
  slot.sessions.add(session);
  return mark;
}

/** Whether what it did on its incarnation can be had nowhere else: then it neither moves nor outlives it. */
export function isPinned(session: Session, onLoss: 'rebuild' | 'fail'): boolean {
  return onLoss === 'fail' && session.slot !== undefined && session.ranCount > 0;
}

/** Which session is bound to which incarnation, as the bus tells it. */
export function bindingOf(
  pool: string,
  session: Session,
  slot: Slot,
): {
  readonly pool: string;
  readonly session: string;
  readonly worker: string;
  readonly epoch: number;
} {
  return { pool, session: session.id, worker: slot.worker.workerId, epoch: slot.epoch };
}
