// What does a pool remember of one worker, across its incarnations? Rows, and how the plan sees them.
import type { Random } from '../../actors/ground/random.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import type { ComingBecause, FleetState, FleetWorker, GoingBecause } from './fleet-plan.ts';
import type { PoolOptions } from './pool-options.ts';
import { drawLimits, NO_LIMITS, wearOf, type WearLimits } from './recycle.ts';

export interface FleetRow {
  readonly id: string;
  state: FleetState;
  /** Known from its first readiness on. */
  worker: Worker | undefined;
  because: ComingBecause | GoingBecause;
  replaces: string | undefined;
  /** Reloads that were ordered before its present incarnation began: what it has loaded is at least as new as the last of them. */
  build: number;
  /** Of its present incarnation; undefined until it is. */
  readySinceMs: number | undefined;
  /** Infinity while it has a call. */
  idleSinceMs: number;
  /** Of its present incarnation. */
  calls: number;
  limits: WearLimits;
}

type Given = Pick<FleetRow, 'id' | 'state' | 'because' | 'replaces' | 'build'>;

export function newFleetRow(given: Given): FleetRow {
  return {
    ...given,
    worker: undefined,
    readySinceMs: undefined,
    idleSinceMs: Infinity,
    calls: 0,
    limits: NO_LIMITS,
  };
}

/** A new incarnation is ready: what its predecessor had done does not count against it. */
export function beginIncarnation(
  row: FleetRow,
  worker: Worker,
  options: PoolOptions,
  ports: { readonly nowMs: number; readonly random: Random },
): void {
  row.worker = worker;
  row.state = 'ready';
  row.readySinceMs = ports.nowMs;
  row.idleSinceMs = ports.nowMs;
  row.calls = 0;
  row.limits = drawLimits(options, ports.random);
}

/** @param newestBuild what must be loaded; older is stale. */
export function workerOf(row: FleetRow, nowMs: number, newestBuild: number): FleetWorker {
  const { id, state, because, replaces, calls, limits, readySinceMs, worker } = row;
  const ageMs = nowMs - (readySinceMs ?? nowMs);
  const wear =
    state === 'ready'
      ? wearOf({ calls, ageMs, rssBytes: worker?.usage?.rssBytes ?? 0 }, limits)
      : undefined;
  return {
    ...{ id, state, because, replaces, wear },
    build: row.build < newestBuild ? 'stale' : 'fresh',
    agedAtMs: (readySinceMs ?? nowMs) + limits.ageMs,
    // Told at the end of its calls only: whether it has one by now, it says itself.
    idleSinceMs: state === 'ready' && worker?.state === 'ready' ? row.idleSinceMs : Infinity,
  };
}
