// What does a supervisor tell the world of what it does? OTP's reports (supervisor, "SUPERVISOR REPORT"), and the decision behind each.
import type { ExitReason } from './exit-reason.ts';

/** The child that a report is about, as OTP's `offender` names it. */
export interface Offender {
  /**
   * Its incarnation, `path#epoch`. As in OTP: of a start that failed, the one that was up before, and none where none was or the whole group had been stopped; none where
   * the report sums up several.
   */
  readonly pid: string | undefined;
  /** Of the children of a simple_one_for_one that of its template; none for those of a dynamic supervisor. */
  readonly id: string | undefined;
  /** Where it stands in the tree: the ids from the root down, joined by `/`. Nothing where the report sums up several. */
  readonly path: string | undefined;
  /** How many children the report sums up: those of a simple_one_for_one that ended alike. */
  readonly nbChildren?: number;
  readonly restart: 'permanent' | 'transient' | 'temporary';
  readonly significant: boolean;
  readonly shutdown: number | 'brutal_kill' | 'infinity';
  readonly type: 'worker' | 'supervisor';
}

/** What OTP calls the occasion of a report. */
export type ErrorContext = 'start_error' | 'child_terminated' | 'shutdown_error' | 'shutdown';

/** OTP's supervisor report. */
export interface SupervisorReport {
  readonly supervisor: string;
  readonly errorContext: ErrorContext;
  readonly reason:
    ExitReason | 'reached_max_restart_intensity' | 'reached_max_start_failures' | 'not_retryable';
  readonly offender: Offender;
}

/** OTP's progress report: a child has started. */
export interface SupervisorProgress {
  readonly supervisor: string;
  /** OTP's levels: `debug` for a start that a caller asked for and has the answer of, `info` for those that the supervisor makes of itself. */
  readonly level: 'info' | 'debug';
  readonly started: Offender;
}

/** What a supervisor finds about a child. `start_failed`: the first start of the whole supervisor; `start_aborted`: `terminateChild` called off a start that was part of a restart. */
export type Verdict =
  | 'restart'
  | 'keep_down'
  | 'remove'
  | 'auto_shutdown'
  | 'give_up'
  | 'replace'
  | 'start_failed'
  | 'start_aborted';

/** What happens after those listed in `stops` have stopped. `end`: the supervisor itself ends. */
export type NextStep = 'start' | 'start_after_delay' | 'stay_down' | 'forget' | 'end';

/** One decision of a supervisor: what it was made from, and what follows. */
export interface SupervisorDecision {
  readonly supervisor: string;
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'simple_one_for_one';
  readonly child: string;
  readonly epoch: number;
  /** OTP's report that goes with it; nothing where OTP makes none, because nothing went wrong. */
  readonly errorContext: ErrorContext | undefined;
  readonly offender: Offender;
  /** Why the child ended, or did not start. */
  readonly reason: ExitReason;
  readonly verdict: Verdict;
  readonly because: string;
  /** Restarts that count in the window, this one included where it is one. */
  readonly restartsInWindow: number;
  readonly maxRestarts: number;
  readonly periodMs: number;
  /** Who is stopped, in this order. */
  readonly stops: readonly string[];
  /** Who is started then, in this order. */
  readonly starts: readonly string[];
  /** Back-off before the start, in ms. */
  readonly delayMs: number;
  readonly next: NextStep;
}

/** Something in a tree that a reader of OTP would ask about. */
export interface LintFinding {
  readonly rule:
    | 'restart_product'
    | 'shutdown_sum'
    | 'shutdown_unbounded'
    | 'transient_supervisor'
    | 'auto_shutdown_restarted'
    | 'auto_shutdown_idle'
    | 'finite_shutdown'
    | 'swallowed_errors';
  /** The supervisor or child that it is about: the ids from the root down, joined by `/`. */
  readonly path: string;
  /** What will happen, and what to do. */
  readonly message: string;
  readonly severity: 'warning';
}
