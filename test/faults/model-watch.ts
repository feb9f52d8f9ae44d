// What is told of a pool while a plan is played? Of incarnations, sessions and the pool's life, kept for the checks.
import { CHANGES, POOL, type Execution, type Target } from './model-target.ts';
import type { PlanOptions } from './model-plan.ts';
import { siteOf, type Made, type Told } from './model-run.ts';

/** Verdicts by which a call that was given up costs its worker. */
const GIVEN_UP: ReadonlySet<string> = new Set([
  ...['deadline', 'aborted', 'stopped', 'checked_in', 'checkout_timeout', 'retired'],
]);

/** What callers are told of such a call. */
const GIVEN_UP_CODES: ReadonlySet<string> = new Set(['aborted', 'deadline_exceeded']);

/** How many workers must take calls while all that come and go do so by plan. */
interface Floor {
  /** Undefined before the first time that it had them all. */
  size: number | undefined;
}

export function watch(target: Target): Told {
  const told: Told = {
    ...{ injected: new Map(), condemned: new Set(), retiringAtMs: new Map(), leftAt: new Map() },
    ...{
      endedAt: new Map(),
      pids: new Map(),
      lives: [],
      losses: [],
      reclaims: [],
      seen: new Set(),
      shortages: [],
    },
    ...{ failedStarts: 0, crashes: 0 },
  };
  watchIncarnations(target, told);
  const { on, nowMs, stamp } = target;
  on('pool.changed', ({ to }) => {
    told.lives.push({ state: to, atMs: nowMs() });
    told.seen.add(`pool ${to}`);
  });
  on('session.lost', ({ session }) => told.losses.push({ session, at: stamp() }));
  on('session.unbound', () => told.seen.add('session moved'));
  on('scope.replayed', () => told.seen.add('replayed'));
  on('call.retried', () => told.seen.add('retried'));
  on('pool.resized', ({ because }) => told.seen.add(`resized by ${because}`));
  on('breaker.changed', ({ to }) => told.seen.add(`breaker ${to}`));
  on('checkout.reclaimed', ({ worker, epoch }) => {
    told.reclaims.push({ site: siteOf(worker, epoch), at: stamp() });
    told.seen.add('reclaimed');
  });
  on('worker.starting', ({ because }) => told.seen.add(`worker for ${because}`));
  on('bus.subscriber_detached', ({ error }) =>
    told.shortages.push(`a listener threw ${String(error)}`),
  );
  return told;
}

function watchIncarnations({ on, nowMs, stamp, workers }: Target, told: Told): void {
  for (const { path, epoch, pid } of workers()) told.pids.set(pid, siteOf(path, epoch));
  const left = (path: string, epoch: number): void => {
    const site = siteOf(path, epoch);
    if (!told.leftAt.has(site)) told.leftAt.set(site, stamp());
  };
  on('child.launched', ({ path, epoch, pid }) => told.pids.set(pid, siteOf(path, epoch)));
  const ended = (path: string, epoch: number): void => {
    left(path, epoch);
    told.endedAt.set(siteOf(path, epoch), stamp());
  };
  on('child.crashed', ({ path, epoch }) => {
    ended(path, epoch);
    told.crashes += 1;
  });
  on('child.stopped', ({ path, epoch }) => ended(path, epoch));
  on('worker.start_failed', () => (told.failedStarts += 1));
  on('worker.retiring', ({ worker, epoch }) => {
    left(worker, epoch);
    told.retiringAtMs.set(siteOf(worker, epoch), nowMs());
  });
  on('worker.unresponsive', () => told.seen.add('frozen found'));
  on('call.cancelling', ({ path, epoch, step }) => {
    told.condemned.add(siteOf(path, epoch));
    told.seen.add(`cancelled by ${step}`);
    if (step === 'drain' || step === 'kill') left(path, epoch);
  });
  on('supervisor.decided', ({ child, epoch, verdict, because }) => {
    told.seen.add(verdict);
    if (verdict !== 'replace' || !GIVEN_UP.has(because)) return;
    told.condemned.add(siteOf(`${POOL}/${child}`, epoch));
    left(`${POOL}/${child}`, epoch);
  });
}

/**
 * With every fact: as many workers take calls as the pool is to have; while it goes from one size to another, the smaller one of the two.
 * @param isResizing asked whether a resize is under way.
 * @returns what ends the watch.
 */
export function watchCapacity(
  { on, bridge }: Target,
  { autoscale }: PlanOptions,
  told: Told,
  isResizing: () => boolean,
): () => void {
  const floor: Floor = { size: undefined };
  return on('*', (_event, name) => {
    const { size, gauges } = bridge.statistics();
    const found = gauges.idle + gauges.busy + gauges.held;
    if (floor.size !== undefined) floor.size = Math.min(floor.size, size);
    if (found < (floor.size ?? 0))
      told.shortages.push(`at ${name} ${found} workers take calls, ${floor.size} should`);
    // What grows by itself may not be there yet when it counts already.
    const mayRise = floor.size === undefined || autoscale === 'off';
    // One that comes in place of another is not one of those that have not been there yet.
    const isWhole = found >= size && gauges.starting === 0;
    if (mayRise && !isResizing() && isWhole) floor.size = size;
  });
}

/** What is known afterwards: where Python was told to end itself, and where calls ran that were given up. */
export function noteExecutions(
  executions: readonly Execution[],
  calls: readonly Made[],
  told: Told,
): void {
  for (const { kind, op, pid, number } of executions) {
    const site = told.pids.get(pid);
    if (site === undefined || kind !== 'start') continue;
    if (op === 'exit') told.injected.set(site, 'exit');
    const fate = calls[number]?.fate;
    const isGivenUp = fate?.type === 'failed' && GIVEN_UP_CODES.has(String(fate.error.code));
    if (isGivenUp || fate?.type === 'left') told.condemned.add(site);
  }
}

/** Executions that no replay has made: of what changes state the first of each. */
export function originals(executions: readonly Execution[]): readonly Execution[] {
  const begun = new Set<number>();
  return executions.filter(({ kind, number, op }) => {
    if (kind !== 'start' || number < 0) return false;
    if (!CHANGES.has(op)) return true;
    if (begun.has(number)) return false;
    begun.add(number);
    return true;
  });
}
