// Which worker gets this call now? A pure choice over what is known of the workers.
import type { Session, Slot } from './call-row.ts';

export type Route =
  | { readonly type: 'worker'; readonly slot: Slot; readonly because: 'bound' | 'least_loaded' }
  | {
      readonly type: 'wait';
      readonly because: 'session_busy' | 'bound_worker_busy' | 'no_idle_worker';
    };

/**
 * A bound session waits for its own worker; everything else goes to the idle worker that holds the fewest sessions, so that
 * sessions spread over the pool instead of meeting on one worker.
 */
export function route(session: Session | undefined, slots: Iterable<Slot>): Route {
  if (session !== undefined && session.phase !== 'idle') {
    return { type: 'wait', because: 'session_busy' };
  }
  if (session?.slot !== undefined) {
    return session.slot.row === undefined
      ? { type: 'worker', slot: session.slot, because: 'bound' }
      : { type: 'wait', because: 'bound_worker_busy' };
  }
  let best: Slot | undefined;
  for (const slot of slots) {
    if (slot.row !== undefined) continue;
    if (best === undefined || slot.sessions.size < best.sessions.size) best = slot;
  }
  return best === undefined
    ? { type: 'wait', because: 'no_idle_worker' }
    : { type: 'worker', slot: best, because: 'least_loaded' };
}
