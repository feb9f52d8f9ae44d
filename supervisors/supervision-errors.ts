// Why did a supervisor refuse, or a start fail? OTP's error terms, as errors with a code.
import { CaduceusError } from '../actors/ground/errors.ts';
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import type { ActorRef } from '../actors/lifecycle/ref.ts';
import { formatReason } from './report-format.ts';

/** The refusals of OTP's supervisor API (supervisor, "start_child/2" and following; Elixir's DynamicSupervisor for `max_children`). */
export type RefusalCode =
  | 'already_started'
  | 'already_present'
  | 'running'
  | 'restarting'
  | 'not_found'
  | 'max_children'
  | 'simple_one_for_one'
  | 'noproc';

/** A supervisor would not do what it was asked; nothing has changed. */
export class SupervisorError extends CaduceusError {
  readonly code: RefusalCode;
  readonly category = 'system_error';
  readonly supervisor: string;
  /** Which child, where one was named. */
  readonly child: string | undefined;
  /** With `already_started`: who has the id or the name. */
  readonly ref: ActorRef | undefined;

  constructor(
    code: RefusalCode,
    supervisor: string,
    about: {
      readonly op: string;
      readonly child?: string | undefined;
      readonly ref?: ActorRef | undefined;
    },
  ) {
    const { op, child, ref } = about;
    super(
      `${op}${child === undefined ? '' : ` of ${child}`} on supervisor ${supervisor || '/'}: ${REFUSALS[code]}`,
    );
    this.code = code;
    this.supervisor = supervisor;
    this.child = child;
    this.ref = ref;
  }
}

const REFUSALS: Readonly<Record<RefusalCode, string>> = {
  already_started: 'already started: who has that name or id lives',
  already_present:
    'already present: its specification is there, the child is not running (restartChild starts it, deleteChild forgets it)',
  running: 'the child is running; terminate it first',
  restarting: 'the child is being restarted; terminateChild ends that',
  not_found: 'there is no such child',
  max_children: 'maxChildren is reached',
  simple_one_for_one: 'not possible with strategy simple_one_for_one, whose children have no ids',
  noproc: 'the supervisor is not running',
};

/** What OTP finds wrong in a child specification; `invalid_start` is its `invalid_mfa`, `unknown_key` is ours. */
export type SpecProblem =
  | 'invalid_child_spec'
  | 'missing_id'
  | 'invalid_id'
  | 'missing_start'
  | 'invalid_start'
  | 'invalid_restart_type'
  | 'invalid_significant'
  | 'invalid_child_type'
  | 'invalid_shutdown'
  | 'invalid_ack'
  | 'invalid_name'
  | 'invalid_start_timeout'
  | 'invalid_max_start_failures'
  | 'invalid_is_retryable'
  | 'invalid_backoff'
  | 'unknown_key'
  | 'bad_combination'
  | 'duplicate_child_name'
  | 'bad_start_spec'
  // Of `childSpec(startable)`: nothing was given, or what knows no specification of its own.
  | 'missing_startable'
  | 'missing_child_spec';

/** A child specification is wrong. Nothing was started. */
export class BadChildSpecError extends CaduceusError {
  readonly code = 'bad_child_spec';
  readonly category = 'configuration_error';
  readonly problem: SpecProblem;
  /** Which field, e.g. `children[2].shutdown`. */
  readonly field: string;
  readonly value: unknown;

  constructor(problem: SpecProblem, field: string, value: unknown, expected: string) {
    super(`${field}: ${problem.replaceAll('_', ' ')}: ${expected}, found ${quote(value)}`);
    this.problem = problem;
    this.field = field;
    this.value = value;
  }
}

/** What OTP finds wrong in the flags of a supervisor, and what Elixir finds wrong in those of its other kinds; `unknown_key`, and what is about flags beyond OTP, is ours. */
export type FlagProblem =
  | 'invalid_type'
  | 'invalid_strategy'
  | 'invalid_intensity'
  | 'invalid_period'
  | 'invalid_auto_shutdown'
  | 'invalid_name'
  | 'invalid_children'
  | 'invalid_max_children'
  | 'invalid_extra_arguments'
  | 'invalid_partitions'
  | 'invalid_with_arguments'
  | 'invalid_max_concurrent_starts'
  | 'invalid_backoff'
  | 'unknown_key';

/** The flags of a supervisor are wrong: OTP's `{supervisor_data, …}`. Nothing was started. */
export class BadSupervisorFlagsError extends CaduceusError {
  readonly code = 'supervisor_data';
  readonly category = 'configuration_error';
  readonly problem: FlagProblem;
  /** Which flag. */
  readonly field: string;
  readonly value: unknown;

  constructor(problem: FlagProblem, field: string, value: unknown, expected: string) {
    super(`${field}: ${problem.replaceAll('_', ' ')}: ${expected}, found ${quote(value)}`);
    this.problem = problem;
    this.field = field;
    this.value = value;
  }
}

/** An init function gave something that is neither flags nor `'ignore'`: OTP's `bad_return`. */
export class BadReturnError extends CaduceusError {
  readonly code = 'bad_return';
  readonly category = 'configuration_error';
  readonly value: unknown;

  constructor(value: unknown) {
    super(`init: gave ${quote(value)} where supervisor flags or 'ignore' are expected`);
    this.value = value;
  }
}

/** A child could not be started: OTP's `{error, {shutdown, {failed_to_start_child, Id, Reason}}}` of a start, `{error, {Reason, Child}}` of startChild. */
export class StartChildError extends CaduceusError {
  readonly code = 'failed_to_start_child';
  readonly category = 'initialization_error';
  readonly supervisor: string;
  readonly child: string | undefined;
  /** Why the child did not start. */
  readonly reason: ExitReason;

  constructor(supervisor: string, child: string | undefined, reason: ExitReason) {
    super(
      `supervisor ${supervisor || '/'}: failed to start child${child === undefined ? '' : ` ${child}`}: ${formatReason(reason)}`,
      causeOf(reason),
    );
    this.supervisor = supervisor;
    this.child = child;
    this.reason = reason;
  }
}

/** The error at the bottom: nested supervisors nest their reasons. */
function causeOf(reason: ExitReason): ErrorOptions | undefined {
  if (reason.type === 'error') return { cause: reason.error };
  const below = reason.type === 'shutdown' ? reason.detail : undefined;
  const inner = (below as { readonly reason?: ExitReason } | undefined)?.reason;
  return inner?.type === undefined ? undefined : causeOf(inner);
}

/** A value in an error's text: short whatever it is. */
function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, LIMITS.quotedCharsMax);
  } catch {
    return `a ${typeof value}`;
  }
}
