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
  /** When it will have reached its age; undefined where that is not limited. */
  readonly agedAtMs: number | undefined;
  /** Undefined while it has something to do, or is not ready. */
  readonly idleSinceMs: number | undefined;
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
  const orders = [...switchOver(fleet), ...(grow(fleet) ?? shrink(fleet) ?? replace(fleet) ?? [])];
  const room = facts.size + facts.overflow - fleet.members.length;
  return { orders, lookAtMs: lookAt(fleet), room: Math.max(0, room) };
}

/** Who counts: not those that go, not one whose replacement is ready, and not a replacement before that. */
function sortOut(facts: FleetFacts): Fleet {
  const counted = facts.workers.filter(({ state }) => state !== 'retiring' && state !== 'stopping');
  const byId = new Map(counted.map((worker) => [worker.id, worker]));
  const pairs = counted.flatMap((next) => {
    const old = next.replaces === undefined ? undefined : byId.get(next.replaces);
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

/** Nothing when there is no reason to. */
function grow(fleet: Fleet): readonly FleetOrder[] | undefined {
  const { size, members, resize, nowMs, notBeforeMs, load, autoscale } = fleet;
  const missing = size - members.length;
  if (resize === 'ordered') return missing > 0 ? starts(missing, 'resize') : undefined;
  if (nowMs < notBeforeMs) return undefined;
  if (missing > 0) return starts(missing, 'size');
  if (autoscale !== undefined && isTooSlow(fleet) && load.oldestWaitMs >= autoscale.queueWaitMs) {
    const grown: FleetOrder = { type: 'size', size: size + 1 };
    return missing === 0 ? [grown, ...starts(1, 'autoscale')] : [grown];
  }
  const wanted = load.idle > 0 ? 0 : load.queued - (members.length - fleet.ready.length);
  const count = Math.min(wanted, size + fleet.overflow - members.length);
  // Before the first is ready every call waits, for those that are on their way.
  return count > 0 && fleet.ready.length > 0 ? starts(count, 'overflow') : undefined;
}

/** Whether calls wait that one more worker could take, and none is on its way. */
function isTooSlow({ load, size, autoscale, members }: Fleet): boolean {
  const { queued, idle } = load;
  const isComing = members.some(({ state }) => state === 'probation');
  return queued > 0 && idle === 0 && !isComing && size < (autoscale?.max ?? size);
}

/** Nothing when there is no reason to. */
function shrink(fleet: Fleet): readonly FleetOrder[] | undefined {
  const { size, members, ready, resize, autoscale } = fleet;
  if (resize === 'ordered') {
    const victims = [...members].sort(byUse).slice(0, Math.max(0, members.length - size));
    return victims.length > 0 ? victims.map((victim) => goes(victim, 'resize')) : undefined;
  }
  const idle = idleOnes(fleet);
  const surplus = idle.slice(0, Math.max(0, ready.length - size));
  if (surplus.length > 0) return surplus.map((one) => goes(one, 'idle'));
  const [first] = idle;
  const isWhole = members.length === size && ready.length === size;
  if (autoscale === undefined || first === undefined || !isWhole || size <= autoscale.min)
    return undefined;
  return [{ type: 'size', size: size - 1 }, goes(first, 'idle')];
}

/** Those that have had nothing to do for long enough, the longest first. */
function idleOnes({ ready, nowMs, idleTimeoutMs }: Fleet): readonly FleetWorker[] {
  return ready
    .filter(({ idleSinceMs = Infinity }) => nowMs - idleSinceMs >= idleTimeoutMs)
    .sort((a, b) => (a.idleSinceMs ?? 0) - (b.idleSinceMs ?? 0));
}

/** Who can be spared first: what is not ready, then what is to be replaced anyway, then what has been idle for longest. */
function byUse(a: FleetWorker, b: FleetWorker): number {
  return rank(a) - rank(b) || (a.idleSinceMs ?? Infinity) - (b.idleSinceMs ?? Infinity) || 0;
}

function rank({ state, build, wear, idleSinceMs }: FleetWorker): number {
  if (state !== 'ready') return 0;
  if (build === 'stale' || wear !== undefined) return 1;
  return idleSinceMs === undefined ? 3 : 2;
}

/** One at a time, and the old one stays until the new one is ready. Nothing when there is no reason to. */
function replace(fleet: Fleet): readonly FleetOrder[] | undefined {
  if (fleet.resize === 'ordered' || isReplacing(fleet)) return undefined;
  const stale = fleet.ready.find(({ build }) => build === 'stale');
  if (stale !== undefined) return [{ type: 'start', because: 'reload', replaces: stale.id }];
  if (fleet.nowMs < fleet.notBeforeMs) return undefined;
  const worn = fleet.ready.find(({ wear }) => wear !== undefined);
  if (worn?.wear === undefined) return undefined;
  return [{ type: 'start', because: worn.wear, replaces: worn.id }];
}

function isReplacing({ workers, pairs }: Fleet): boolean {
  const isGoing = ({ state, because }: FleetWorker): boolean =>
    (state === 'retiring' || state === 'stopping') && REPLACEMENTS.has(because);
  return pairs.length > 0 || workers.some(isGoing);
}

function lookAt(fleet: Fleet): number {
  const { nowMs, notBeforeMs, ready, size, autoscale, load, idleTimeoutMs } = fleet;
  const times = ready.map(({ agedAtMs = Infinity }) => agedAtMs);
  times.push(notBeforeMs);
  if (ready.length > size || size > (autoscale?.min ?? size)) {
    for (const { idleSinceMs = Infinity } of ready) times.push(idleSinceMs + idleTimeoutMs);
  }
  if (autoscale !== undefined && isTooSlow(fleet))
    times.push(nowMs + autoscale.queueWaitMs - load.oldestWaitMs);
  return Math.min(Infinity, ...times.filter((atMs) => atMs > nowMs));
}
