// Who must come and who must go, now? A pure plan from all that is known of a pool's workers; `fleet.ts` carries it out.
import type { AutoscaleOptions } from './pool-options.ts';
import type { Wear } from './recycle.ts';

/**
 * Where a worker stands in its pool. `probation`: it was started besides the others and has not been ready yet; `restarting`: it belongs to the pool and is on its way,
 * for the first time or again; `retiring`: it takes nothing new; `stopping`: it is told to end. The last two are not counted on any more.
 */
export type FleetState = 'probation' | 'restarting' | 'ready' | 'retiring' | 'stopping';

/** Why a worker comes. */
export type ComingBecause = 'size' | 'resize' | 'overflow' | 'autoscale' | 'reload' | Wear;

/** Why a worker goes. */
export type GoingBecause = 'resize' | 'idle' | 'reload' | 'start_failed' | 'condemned' | Wear;

/** One worker, as the plan sees it. */
export interface FleetWorker {
  readonly id: string;
  readonly state: FleetState;
  /** The worker in whose place it was started, until that one has been told to go. */
  readonly replaces: string | undefined;
  /** Why it came; of one that goes, why it goes. */
  readonly because: ComingBecause | GoingBecause;
  /** `stale`: its incarnation began before a reload that is under way. */
  readonly build: 'fresh' | 'stale';
  readonly wear: Wear | undefined;
  /** When it will have reached its age; infinity where that is not limited. */
  readonly agedAtMs: number;
  /** Infinity while it has something to do, or is not ready. */
  readonly idleSinceMs: number;
}

/** What the router knows. */
export interface FleetLoad {
  readonly queued: number;
  readonly oldestWaitMs: number;
  /** Workers that may be sent a call now. */
  readonly idle: number;
  readonly busy: number;
}

export interface FleetFacts {
  readonly nowMs: number;
  readonly size: number;
  readonly overflow: number;
  readonly idleTimeoutMs: number;
  readonly autoscale: AutoscaleOptions | undefined;
  /** In the order in which they came. */
  readonly workers: readonly FleetWorker[];
  readonly load: FleetLoad;
  /** `ordered`: the pool is to have exactly `size` workers, at once. */
  readonly resize: 'none' | 'ordered';
  /** Before it nothing is started that nobody has ordered: the last such start failed. */
  readonly notBeforeMs: number;
}

export type FleetOrder =
  | {
      readonly type: 'start';
      readonly because: ComingBecause;
      readonly replaces?: string | undefined;
    }
  /** One that is ready: it finishes what it has. */
  | { readonly type: 'retire'; readonly id: string; readonly because: GoingBecause }
  /** One that is not ready: there is nothing to finish. */
  | { readonly type: 'remove'; readonly id: string; readonly because: GoingBecause }
  | { readonly type: 'size'; readonly size: number };

export interface FleetPlan {
  readonly orders: readonly FleetOrder[];
  /** When there may be something to do that no fact tells of; infinity when never. */
  readonly lookAtMs: number;
  /** Workers that may still be added because calls wait. */
  readonly room: number;
}

/** What is derived from the facts once. */
interface Fleet extends FleetFacts {
  readonly members: readonly FleetWorker[];
  readonly ready: readonly FleetWorker[];
  /** Pairs whose replacement is ready, or on its way. */
  readonly pairs: readonly { readonly old: FleetWorker; readonly next: FleetWorker }[];
}

const REPLACEMENTS: ReadonlySet<string> = new Set(['reload', 'calls', 'age', 'rss']);

/** Everything that is to be done now. Carried out, it leads to facts from which nothing more follows. */
export function planFleet(facts: FleetFacts): FleetPlan {
  const fleet = sortOut(facts);
  const change = facts.resize === 'ordered' ? fit(fleet) : adapt(fleet);
  const orders = [...switchOver(fleet), ...change];
  const room = facts.size + facts.overflow - fleet.members.length;
  return { orders, lookAtMs: lookAt(fleet), room: Math.max(0, room) };
}

/** Who counts: not those that go, not one whose replacement is ready, and not a replacement before that. */
function sortOut(facts: FleetFacts): Fleet {
  const counted = facts.workers.filter(({ state }) => state !== 'retiring' && state !== 'stopping');
  const pairs = counted.flatMap((next) => {
    const old = counted.find(({ id }) => id === next.replaces);
    return old === undefined ? [] : [{ old, next }];
  });
  const out = new Set(pairs.map(({ old, next }) => (next.state === 'ready' ? old : next)));
  const members = counted.filter((worker) => !out.has(worker));
  const ready = members.filter(({ state }) => state === 'ready');
  return { ...facts, members, ready, pairs };
}

function switchOver({ pairs }: Fleet): readonly FleetOrder[] {
  return pairs.flatMap(({ old, next }) =>
    next.state === 'ready' ? [goes(old, next.because as GoingBecause)] : [],
  );
}

function goes({ id, state }: FleetWorker, because: GoingBecause): FleetOrder {
  return { type: state === 'ready' ? 'retire' : 'remove', id, because };
}

function starts(count: number, because: ComingBecause): readonly FleetOrder[] {
  return Array.from({ length: count }, () => ({ type: 'start', because }));
}

/** Exactly the size, at once. */
function fit({ size, members }: Fleet): readonly FleetOrder[] {
  const missing = size - members.length;
  const victims = [...members].sort(byUse).slice(0, Math.max(0, -missing));
  return [...starts(missing, 'resize'), ...victims.map((victim) => goes(victim, 'resize'))];
}

/** Who can be spared first: what is not ready, then what is to be replaced anyway, then what has been idle for longest. */
function byUse(a: FleetWorker, b: FleetWorker): number {
  return rank(a) - rank(b) || a.idleSinceMs - b.idleSinceMs;
}

function rank({ state, build, wear }: FleetWorker): number {
  if (state !== 'ready') return 0;
  return build === 'stale' || wear !== undefined ? 1 : 2;
}

/** What the load and the state of the workers ask for: the first thing that there is to do. */
function adapt(fleet: Fleet): readonly FleetOrder[] {
  const grown = fleet.nowMs < fleet.notBeforeMs ? [] : grow(fleet);
  if (grown.length > 0) return grown;
  const shrunk = shrink(fleet);
  return shrunk.length > 0 ? shrunk : replace(fleet);
}

function grow(fleet: Fleet): readonly FleetOrder[] {
  const { size, members, ready, load, overflow } = fleet;
  const missing = size - members.length;
  if (missing > 0) return starts(missing, 'size');
  if (fleet.autoscale !== undefined && slowInMs(fleet, fleet.autoscale) <= 0) {
    const grown: FleetOrder = { type: 'size', size: size + 1 };
    return missing === 0 ? [grown, ...starts(1, 'autoscale')] : [grown];
  }
  // Before the first is ready every call waits, for those that are on their way.
  if (load.idle > 0 || ready.length === 0) return [];
  const wanted = load.queued - (members.length - ready.length);
  return starts(Math.min(wanted, size + overflow - members.length), 'overflow');
}

/** Until the oldest call has waited for too long that one more worker could take; infinity where there is none, or one is on its way. */
function slowInMs({ load, size, members }: Fleet, { max, queueWaitMs }: AutoscaleOptions): number {
  const { queued, idle } = load;
  const isComing = members.some(({ state }) => state === 'probation');
  if (queued === 0 || idle > 0 || isComing || size >= max) return Infinity;
  return queueWaitMs - load.oldestWaitMs;
}

function shrink(fleet: Fleet): readonly FleetOrder[] {
  const { size, members, ready, autoscale } = fleet;
  const idle = idleOnes(fleet);
  const surplus = idle.slice(0, Math.max(0, ready.length - size));
  if (surplus.length > 0) return surplus.map((one) => goes(one, 'idle'));
  const [first] = idle;
  // Not while others are on their way: then it is needed.
  if (first === undefined || ready.length < Math.max(size, members.length)) return [];
  const leastSize = autoscale?.min ?? size;
  return size > leastSize ? [{ type: 'size', size: size - 1 }, goes(first, 'idle')] : [];
}

/** Those that have had nothing to do for long enough, the longest first. */
function idleOnes({ ready, nowMs, idleTimeoutMs }: Fleet): readonly FleetWorker[] {
  return ready
    .filter(({ idleSinceMs }) => nowMs - idleSinceMs >= idleTimeoutMs)
    .sort((a, b) => a.idleSinceMs - b.idleSinceMs);
}

/** One at a time, and the old one stays until the new one is ready. */
function replace(fleet: Fleet): readonly FleetOrder[] {
  if (isReplacing(fleet)) return [];
  const stale = fleet.ready.find(({ build }) => build === 'stale');
  if (stale !== undefined) return [{ type: 'start', because: 'reload', replaces: stale.id }];
  if (fleet.nowMs < fleet.notBeforeMs) return [];
  for (const { id, wear } of fleet.ready) {
    if (wear !== undefined) return [{ type: 'start', because: wear, replaces: id }];
  }
  return [];
}

function isReplacing({ workers, pairs }: Fleet): boolean {
  const isGoing = ({ state, because }: FleetWorker): boolean =>
    (state === 'retiring' || state === 'stopping') && REPLACEMENTS.has(because);
  return pairs.length > 0 || workers.some(isGoing);
}

function lookAt(fleet: Fleet): number {
  const { nowMs, notBeforeMs, ready, size, autoscale, idleTimeoutMs } = fleet;
  const times = [notBeforeMs, ...ready.map(({ agedAtMs }) => agedAtMs)];
  if (ready.length > size || size > (autoscale?.min ?? size)) {
    times.push(...ready.map(({ idleSinceMs }) => idleSinceMs + idleTimeoutMs));
  }
  if (autoscale !== undefined) times.push(nowMs + slowInMs(fleet, autoscale));
  return Math.min(Infinity, ...times.filter((atMs) => atMs > nowMs));
}
