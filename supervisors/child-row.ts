// What does a supervisor remember of one child, across its lifecycles? Rows; they alone give out epochs.
import type { TimerId } from '../actors/ground/clock.ts';
import { SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import type { Child, ChildStart } from '../actors/lifecycle/child.ts';
import type { ActorRef } from '../actors/lifecycle/ref.ts';
import type { Place } from './child-calls.ts';
import type { FullChildSpec } from './child-spec.ts';
import { replacementDelayMs } from './restart-intensity.ts';

/** Where a child stands: what OTP keeps in its `pid` field. */
export type Standing =
  | { readonly type: 'down' }
  /** Waiting for its turn: `maxConcurrentStarts` are on their way. */
  | { readonly type: 'queued'; readonly life: Child | undefined }
  /** Its start is not acknowledged yet. */
  | { readonly type: 'starting'; readonly life: Child }
  | { readonly type: 'up'; readonly life: Child }
  /** A start failed, or waits for its back-off; the next try is on its way. */
  | {
      readonly type: 'restarting';
      readonly life: Child | undefined;
      readonly ref: ActorRef | undefined;
    };

export const DOWN: Standing = { type: 'down' };

/** A row outlives lifecycles. Epochs go from 1 up, and none is given twice. */
export interface Row {
  readonly key: string;
  /** Nothing for the children of simple_one_for_one and dynamic supervisors. */
  readonly id: string | undefined;
  spec: FullChildSpec;
  start: ChildStart;
  standing: Standing;
  nextEpoch: number;
  /** Starts in a row that never became ready. */
  startFailuresCount: number;
  /** Restarts of this child since it was made. */
  restartsCount: number;
  /** Restarts without a stable time between: what a back-off grows with. */
  restartsInRow: number;
  upSinceMs: number;
  /** What its last start gave besides: OTP's `{ok, Pid, Info}`. */
  info: unknown;
  /** The last incarnation that was up: by it the children of a simple_one_for_one are found while they are being restarted. */
  lastRef: ActorRef | undefined;
  lastReason: ExitReason;
  /** What follows when the present lifecycle has ended. */
  order: 'none' | 'replace' | 'remove';
  /** Times of ordered replacements, newest first. */
  replacements: readonly number[];
  timer: TimerId;
}

export function newRow(
  key: string,
  id: string | undefined,
  spec: FullChildSpec,
  start: ChildStart,
): Row {
  return {
    // Field by field: of a supervisor's tens of thousands a spread would take a twentieth of the whole start.
    key,
    id,
    spec,
    start,
    standing: DOWN,
    nextEpoch: 1,
    startFailuresCount: 0,
    restartsCount: 0,
    restartsInRow: 0,
    upSinceMs: 0,
    info: undefined,
    lastRef: undefined,
    lastReason: SHUTDOWN,
    order: 'none',
    replacements: [],
    timer: undefined,
  };
}

/** The lifecycle that the row holds now. */
export function lifeOf({ standing }: Row): Child | undefined {
  return 'life' in standing ? standing.life : undefined;
}

/** The reference that others have of this child: of what runs, or ran last while it is being restarted. */
export function refOf({ standing }: Row): ActorRef | undefined {
  if (standing.type === 'restarting') return standing.ref;
  return 'life' in standing ? standing.life?.ref : undefined;
}

export function placeOf(row: Row | undefined): Place {
  return row === undefined ? 'absent' : row.standing.type;
}

/** Whether there is something of it to be stopped. */
export function isRunning({ standing }: Row): boolean {
  return standing.type === 'up' || standing.type === 'starting';
}

/** Whether it is up, and has not ended while its end waits to be judged. */
export function isAlive(row: Row): boolean {
  const { standing } = row;
  if (standing.type !== 'up' && standing.type !== 'starting') return false;
  return standing.life.ref.exitReason === undefined;
}

/** The row's next epoch, given out. */
export function takeEpoch(row: Row): number {
  const epoch = row.nextEpoch;
  row.nextEpoch += 1;
  return epoch;
}

/** The epoch of the row's present incarnation. */
export function epochOf(row: Row): number {
  return row.nextEpoch - 1;
}

const REPLACEMENT_LIMIT = {
  maxRestarts: LIMITS.replacementsMax,
  periodMs: LIMITS.replacementPeriodMs,
};

/** Note one more ordered replacement. @returns how long it must wait, in ms. */
export function takeReplacement(row: Row, nowMs: number): number {
  const delayMs = replacementDelayMs(REPLACEMENT_LIMIT, row.replacements, nowMs);
  row.replacements = [nowMs + delayMs, ...row.replacements].slice(0, LIMITS.replacementsMax);
  return delayMs;
}
