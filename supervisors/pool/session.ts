// What is one caller's state to the router? A row: where it is, what made it, and which of its calls wait.
import type { Session, Slot } from './call-row.ts';

export type { Session } from './call-row.ts';
import { AppliedMark, Journal } from './journal.ts';

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
