// Which worker gets this call now? A pure choice over what is known of the workers.
import type { Session, Slot } from './call-row.ts';

export type Route =
  | { readonly type: 'worker'; readonly slot: Slot; readonly because: 'bound' | 'least_loaded' }
  | {
      readonly type: 'wait';
      readonly because: 'session_busy' | 'bound_worker_busy' | 'no_idle_worker';
    };

/**
 * A bound session waits for its own worker; everything else goes to the worker that has the fewest calls, and of those to the one that holds the fewest sessions, so that
 * sessions spread over the pool instead of meeting on one worker. An idle worker has fewer calls than any that would hold one ahead (`prefetch`).
 */
export function route(session: Session | undefined, slots: Iterable<Slot>): Route {
  if (session !== undefined && session.phase !== 'idle') {
    return { type: 'wait', because: 'session_busy' };
  }
  if (session?.slot !== undefined) {
    return hasRoom(session.slot)
      ? { type: 'worker', slot: session.slot, because: 'bound' }
      : { type: 'wait', because: 'bound_worker_busy' };
  }
  const best = leastLoaded(slots);
  return best === undefined
    ? { type: 'wait', because: 'no_idle_worker' }
    : { type: 'worker', slot: best, because: 'least_loaded' };
}

/** The worker with the fewest calls, and of those with the fewest sessions, that may be sent one more. */
export function leastLoaded(slots: Iterable<Slot>): Slot | undefined {
  let best: Slot | undefined;
  for (const slot of slots) {
    if (hasRoom(slot) && (best === undefined || isLess(slot, best))) best = slot;
  }
  return best;
}

/**
 * Whether a worker may be sent a call: it holds fewer than it may, is not being brought up to date for one, and has none that is being ended
 * (which may cost the process, and with it whatever waits there).
 */
export function hasRoom(slot: Slot): boolean {
  return slot.phase === 'open' && slot.endingsCount === 0 && slot.rows.size < slot.callsMax;
}

function isLess(left: Slot, right: Slot): boolean {
  if (left.rows.size !== right.rows.size) return left.rows.size < right.rows.size;
  return left.sessions.size < right.sessions.size;
}
