// What can one see of a router? Gauges of now, and the books.
import type { Breaker } from '../../actors/breaker/breaker.ts';
import type { Accounting } from './accounting.ts';
import type { Slot } from './call-row.ts';
import type { CallQueue } from './queue.ts';
import type { Load, RouterGauges, RouterStatistics } from './router-types.ts';
import { isOpenToAll } from './affinity.ts';
import type { Scopes } from './scopes.ts';

/** What there is to be looked at. */
export interface Watched {
  readonly slots: Iterable<Slot>;
  readonly queue: CallQueue;
  readonly scopes: Scopes;
  readonly accounting: Accounting;
  readonly breaker: Breaker | undefined;
  readonly nowMs: number;
}

export function statisticsOf(watched: Watched): RouterStatistics {
  const { accounting } = watched;
  const { counters, refused, waitMs, runMs } = accounting;
  return {
    gauges: gaugesOf(watched),
    counters: { ...counters, refused: { ...refused } },
    waitMs,
    runMs,
  };
}

/** The oldest wait looks at everything that waits: only for who asks for it. */
export function loadOf({ slots, queue, nowMs }: Watched): Load {
  let [idle, busy] = [0, 0];
  for (const slot of slots) {
    if (slot.rows.size === 0 && isOpenToAll(slot)) idle += 1;
    else busy += 1;
  }
  return {
    queued: queue.open,
    idle,
    busy,
    get oldestWaitMs() {
      const oldest = queue.oldestOpenAtMs();
      return oldest === undefined ? 0 : nowMs - oldest;
    },
  };
}

function gaugesOf({ slots, queue, scopes, accounting, breaker, nowMs }: Watched): RouterGauges {
  let [idle, busy, held, leaving] = [0, 0, 0, 0];
  for (const slot of slots) {
    if (slot.leaving !== undefined) leaving += 1;
    else if (slot.holder !== undefined) held += 1;
    else if (slot.rows.size > 0) busy += 1;
    else idle += 1;
  }
  const oldest = queue.oldestAtMs(scopes.sessions());
  return {
    ...{ idle, busy, held, leaving },
    queued: accounting.queued,
    queuedBytes: queue.bytes,
    running: accounting.running,
    sessions: scopes.sessionsCount,
    oldestWaitMs: oldest === undefined ? 0 : nowMs - oldest,
    breaker: breaker?.state ?? 'none',
  };
}
