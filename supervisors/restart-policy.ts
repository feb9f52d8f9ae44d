// A child has ended without being asked: what now? The pure table of restart type and exit reason, and the bounds that end it.
import { isAbnormal, type ExitReason } from '../actors/ground/exit-reason.ts';
import type { RestartType } from './child-spec.ts';
import { countRestart, type RestartIntensity } from './restart-intensity.ts';

/** What the supervisor knows when a child has crashed. */
export interface CrashFacts {
  readonly restart: RestartType;
  readonly reason: ExitReason;
  /** Starts in a row that never became ready, this one included. */
  readonly startFailuresCount: number;
  readonly maxConsecutiveStartFailures: number;
  readonly nowMs: number;
}

export type CrashVerdict =
  | { readonly type: 'restart'; readonly history: readonly number[] }
  /** A transient child that ended normally: its row stays, down. */
  | { readonly type: 'keep_down' }
  /** A temporary child: its row goes. */
  | { readonly type: 'remove' }
  | {
      readonly type: 'give_up';
      readonly because: 'reached_max_restart_intensity' | 'reached_max_start_failures';
    };

export function judgeCrash(
  intensity: RestartIntensity,
  history: readonly number[],
  facts: CrashFacts,
): CrashVerdict {
  switch (facts.restart) {
    case 'temporary':
      return { type: 'remove' };
    case 'transient':
      if (!isAbnormal(facts.reason)) return { type: 'keep_down' };
      break;
    case 'permanent':
      break;
    default:
      return facts.restart satisfies never;
  }
  if (facts.startFailuresCount >= facts.maxConsecutiveStartFailures) {
    return { type: 'give_up', because: 'reached_max_start_failures' };
  }
  const verdict = countRestart(intensity, history, facts.nowMs);
  return verdict.type === 'allowed'
    ? { type: 'restart', history: verdict.history }
    : { type: 'give_up', because: 'reached_max_restart_intensity' };
}
