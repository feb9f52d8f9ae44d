// A child has ended without being asked: what now? The pure table of restart type and exit reason, and the bounds that end it.
import { isAbnormal, type ExitReason } from '../actors/ground/exit-reason.ts';
import { endsSupervisor, type FinalExit } from './auto-shutdown.ts';
import type { RestartType } from './child-spec.ts';
import { countRestart, type RestartIntensity } from './restart-intensity.ts';
import type { AutoShutdown } from './auto-shutdown.ts';

/** What holds for the supervisor, whatever child it is. */
export interface PolicyBounds extends RestartIntensity {
  readonly autoShutdown: AutoShutdown;
}

/** What bounds one more start of this child, beyond the window. */
export interface TryFacts {
  /** Starts in a row that never became ready. */
  readonly startFailuresCount: number;
  readonly maxConsecutiveStartFailures: number;
  /** Whether its specification holds the reason for one that a restart can mend. */
  readonly mends: 'perhaps' | 'never';
  readonly nowMs: number;
}

/** What the supervisor knows when a child has ended. */
export interface ExitFacts extends TryFacts, FinalExit {
  readonly restart: RestartType;
  readonly reason: ExitReason;
}

export type GiveUpCause =
  'reached_max_restart_intensity' | 'reached_max_start_failures' | 'not_retryable';

export type TryVerdict =
  | { readonly type: 'restart'; readonly history: readonly number[] }
  | { readonly type: 'give_up'; readonly because: GiveUpCause };

export type ExitVerdict =
  | TryVerdict
  /** A transient child that ended normally: its row stays, down. */
  | { readonly type: 'keep_down' }
  /** A temporary child: its row goes. */
  | { readonly type: 'remove' }
  /** Its end was final, it is significant, and that ends the supervisor. */
  | { readonly type: 'auto_shutdown'; readonly row: 'keep_down' | 'remove' };

/** OTP's `do_restart`: restarted or not, and whether a final end is the supervisor's too. */
export function judgeExit(
  bounds: PolicyBounds,
  history: readonly number[],
  facts: ExitFacts,
): ExitVerdict {
  const row = finalRow(facts.restart, facts.reason);
  if (row === 'restarted') return judgeTry(bounds, history, facts);
  return endsSupervisor(bounds.autoShutdown, facts)
    ? { type: 'auto_shutdown', row }
    : { type: row };
}

function finalRow(restart: RestartType, reason: ExitReason): 'restarted' | 'keep_down' | 'remove' {
  switch (restart) {
    case 'permanent':
      return 'restarted';
    case 'transient':
      return isAbnormal(reason) ? 'restarted' : 'keep_down';
    case 'temporary':
      return 'remove';
    default:
      return restart satisfies never;
  }
}

/** Whether one more start is allowed: also asked for each try after one that failed (OTP's `try_again_restart`). */
export function judgeTry(
  intensity: RestartIntensity,
  history: readonly number[],
  facts: TryFacts,
): TryVerdict {
  if (facts.mends === 'never') return { type: 'give_up', because: 'not_retryable' };
  if (facts.startFailuresCount >= facts.maxConsecutiveStartFailures) {
    return { type: 'give_up', because: 'reached_max_start_failures' };
  }
  const verdict = countRestart(intensity, history, facts.nowMs);
  return verdict.type === 'allowed'
    ? { type: 'restart', history: verdict.history }
    : { type: 'give_up', because: 'reached_max_restart_intensity' };
}
