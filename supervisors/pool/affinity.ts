// Which worker gets this call now? A pure choice over what is known of the workers.
import type { Slot } from './call-row.ts';
import type { Affinity } from './pool-options.ts';
import type { Session } from './session.ts';

export type Route =
  | {
      readonly type: 'worker';
      readonly slot: Slot;
      readonly because: 'bound' | 'least_loaded' | 'moved';
    }
  | {
      readonly type: 'wait';
      readonly because:
        | 'scopes_loading'
        | 'breaker'
        | 'session_loading'
        | 'session_busy'
        | 'bound_worker_busy'
        | 'no_idle_worker';
    };

/** What a call asks for. */
export interface Wanted {
  readonly session: Session | undefined;
  /** As it holds for this call: a session that cannot be rebuilt elsewhere requires its worker, whatever it asks for. */
  readonly affinity: Affinity;
}

/**
 * A session that requires its worker waits for it; one that prefers it takes any other that has room now. Everything else goes to the worker that has the fewest calls, and of those to the one that
 * holds the fewest sessions, so that sessions spread over the pool instead of meeting on one worker. An idle worker has fewer calls than any that would hold one ahead (`prefetch`).
 */
export function route({ session, affinity }: Wanted, slots: Iterable<Slot>): Route {
  if (session !== undefined) {
    if (session.stage === 'loading') return { type: 'wait', because: 'session_loading' };
    if (session.phase !== 'idle') return { type: 'wait', because: 'session_busy' };
  }
  const own = session?.slot;
  if (own !== undefined && affinity !== 'none') {
    if (hasRoom(own)) return { type: 'worker', slot: own, because: 'bound' };
    if (affinity === 'required') return { type: 'wait', because: 'bound_worker_busy' };
  }
  const best = leastLoaded(slots);
  if (best === undefined) return { type: 'wait', because: 'no_idle_worker' };
  return {
    type: 'worker',
    slot: best,
    because: own === undefined || own === best ? 'least_loaded' : 'moved',
  };
}

/** The worker with the fewest calls, and of those with the fewest sessions, that may be sent one more of anybody. */
export function leastLoaded(slots: Iterable<Slot>): Slot | undefined {
  let best: Slot | undefined;
  for (const slot of slots) {
    if (isOpenToAll(slot) && (best === undefined || isLess(slot, best))) best = slot;
  }
  return best;
}

/** Whether anybody's call may go there: it is not on its way out. */
export function isOpenToAll(slot: Slot): boolean {
  return slot.leaving === undefined && hasRoom(slot);
}

/**
 * Whether a worker may be sent a call: it holds fewer than it may, is nobody's alone, is not being brought up to date for one, and has none that is being ended
 * (which may cost the process, and with it whatever waits there).
 */
export function hasRoom(slot: Slot): boolean {
  return (
    slot.phase === 'open' &&
    slot.holder === undefined &&
    slot.endingsCount === 0 &&
    slot.rows.size < slot.callsMax
  );
}

function isLess(left: Slot, right: Slot): boolean {
  if (left.rows.size !== right.rows.size) return left.rows.size < right.rows.size;
  return left.sessions.size < right.sessions.size;
}
