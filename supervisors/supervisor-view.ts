// What does a supervisor show of itself and its children? Answers of the API, and the synchronous view for people.
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import type { LifecycleState } from '../actors/lifecycle/child.ts';
import { nameText } from '../actors/lifecycle/names.ts';
import type { ActorRef } from '../actors/lifecycle/ref.ts';
import { epochOf, isAlive, lifeOf, refOf, type Row } from './child-row.ts';
import type { ChildRows } from './child-rows.ts';
import type { ChildType, FullChildSpec, RestartType } from './child-spec.ts';
import type { ChildName } from './supervisor-call.ts';
import type { FullSupervisorFlags, Strategy } from './supervisor-flags.ts';

/** One child, as `whichChildren` lists it. */
export interface ChildEntry {
  /** Nothing for children without ids. */
  readonly id: string | undefined;
  /** Its present incarnation; `restarting` while a failed restart is tried again; nothing when it is down. */
  readonly child: ActorRef | 'restarting' | undefined;
  readonly type: ChildType;
}

/** How many, as OTP's `count_children` counts. */
export interface ChildCounts {
  /** Specifications, of the living and the dead; 1 for simple_one_for_one. */
  readonly specs: number;
  /** Children that are alive now. */
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

/** One child, as `statistics` shows it. */
export interface ChildView {
  /** Its id; of a child without one a number, in the order of the starts. */
  readonly key: string;
  /** `down`: its specification is there and nothing runs; `queued`: its start waits for those of others (`maxConcurrentStarts`). */
  readonly state: LifecycleState | 'down' | 'queued';
  readonly type: ChildType;
  readonly restart: RestartType;
  readonly significant: boolean;
  /** Its present or last incarnation, from 1; 0 before the first. */
  readonly epoch: number;
  /** How many restarts were begun because of its own ends and failed starts. */
  readonly restartsCount: number;
  /** How its last incarnation ended; nothing when none has. */
  readonly lastReason: ExitReason | undefined;
}

/** A supervisor at one moment. */
export interface SupervisorView {
  readonly path: string;
  readonly name: string | undefined;
  readonly strategy: Strategy;
  readonly state: LifecycleState;
  /** Restarts that still count, and how many may. */
  readonly restartsInWindow: number;
  readonly maxRestarts: number;
  readonly periodMs: number;
  readonly children: readonly ChildView[];
}

export function entryOf(row: Row): ChildEntry {
  const { id, spec, standing } = row;
  const isUp = standing.type === 'up' || standing.type === 'starting';
  const child = standing.type === 'restarting' ? 'restarting' : isUp ? refOf(row) : undefined;
  return { id, child, type: spec.type };
}

export function countOf(flags: FullSupervisorFlags, rows: ChildRows): ChildCounts {
  const counts = { specs: 0, active: 0, supervisors: 0, workers: 0 };
  for (const row of rows.values()) {
    counts.specs += 1;
    // OTP asks each child with an id whether it lives; without ids it subtracts those that are being restarted.
    if (flags.strategy === 'simple_one_for_one' ? row.standing.type !== 'restarting' : isAlive(row))
      counts.active += 1;
    if (row.spec.type === 'supervisor') counts.supervisors += 1;
    else counts.workers += 1;
  }
  return flags.strategy === 'simple_one_for_one' ? { ...counts, specs: 1 } : counts;
}

/** The specification as `getChildSpec` gives it. */
export function specOf({ spec }: Row): FullChildSpec {
  return spec;
}

/** OTP's `get_childspec` of a simple_one_for_one gives the template for its own id, and for the dead, who may have been its children. */
export function templateFor(
  { strategy, children }: FullSupervisorFlags,
  child: ChildName,
): FullChildSpec | undefined {
  if (strategy !== 'simple_one_for_one') return undefined;
  const [template] = children;
  const isMeant =
    typeof child === 'string' ? child === template?.id : child.exitReason !== undefined;
  return isMeant ? template : undefined;
}

export function viewOf(
  path: string,
  flags: FullSupervisorFlags,
  state: LifecycleState,
  history: readonly number[],
  rows: ChildRows,
): SupervisorView {
  const { strategy, maxRestarts, periodMs } = flags;
  const name = flags.name === undefined ? undefined : nameText(flags.name);
  const children = [...rows.values()].map(childView);
  const restartsInWindow = history.length;
  return { path, name, strategy, state, restartsInWindow, maxRestarts, periodMs, children };
}

function childView(row: Row): ChildView {
  const { key, spec, standing, restartsCount } = row;
  const { type, restart, significant } = spec;
  const state =
    standing.type === 'down' || standing.type === 'queued' ? standing.type : stateOf(row);
  const epoch = epochOf(row);
  const lastReason =
    epoch > 1 || state === 'down' || state === 'crashed' ? row.lastReason : undefined;
  return { key, state, type, restart, significant, epoch, restartsCount, lastReason };
}

function stateOf(row: Row): LifecycleState {
  return row.standing.type === 'restarting' ? 'restarting' : (lifeOf(row)?.state ?? 'stopped');
}
