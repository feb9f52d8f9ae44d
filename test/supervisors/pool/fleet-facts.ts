// How does a test ask for the plan of a fleet? Facts that differ from a calm fleet of two, and orders in a few words.
import {
  planFleet,
  type FleetFacts,
  type FleetOrder,
  type FleetWorker,
} from '../../../supervisors/pool/fleet-plan.ts';

export const NOW_MS = 100_000;
export const IDLE_MS = 30_000;

export const worker = (id: string, more: Partial<FleetWorker> = {}): FleetWorker => ({
  id,
  state: 'ready',
  replaces: undefined,
  because: 'size',
  build: 'fresh',
  wear: undefined,
  agedAtMs: Infinity,
  idleSinceMs: Infinity,
  ...more,
});
export const workers = (...ids: readonly string[]): FleetWorker[] => ids.map((id) => worker(id));
export const idleFor = (ms: number): Partial<FleetWorker> => ({ idleSinceMs: NOW_MS - ms });

const CALM = { queued: 0, oldestWaitMs: 0, idle: 1, busy: 1 };
export const BUSY = { queued: 3, oldestWaitMs: 10, idle: 0, busy: 2 };

export const facts = (more: Partial<FleetFacts>): FleetFacts => ({
  nowMs: NOW_MS,
  size: 2,
  overflow: 0,
  idleTimeoutMs: IDLE_MS,
  autoscale: undefined,
  workers: workers('a', 'b'),
  load: CALM,
  resize: 'none',
  notBeforeMs: 0,
  ...more,
});

/** Each order in a few words. */
export const planned = (more: Partial<FleetFacts>): readonly string[] =>
  planFleet(facts(more)).orders.map(inWords);
function inWords(order: FleetOrder): string {
  switch (order.type) {
    case 'start':
      return [`start ${order.because}`, order.replaces && `for ${order.replaces}`]
        .filter(Boolean)
        .join(' ');
    case 'size':
      return `size ${order.size}`;
    case 'retire':
    case 'remove':
      return `${order.type} ${order.id} ${order.because}`;
    default:
      return order satisfies never;
  }
}
