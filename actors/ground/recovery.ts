// A call has failed: what now? The pure table of categories, severities and strategies, and the one decision that is made of it.
import type { PythonErrorKind } from './python-error-kind.ts';
import {
  backoffDelayMs,
  failoverDelayMs,
  immediateDelayMs,
  type Backoff,
  type DelayFacts,
} from './retry-delay.ts';

/** Whether the call can have had an effect: `notSent` means that no byte of it left this process. */
export type Outcome = 'notSent' | 'maybeExecuted';

/** Categories of the ported design's error handler. */
export type ErrorCategory =
  | 'initialization_error'
  | 'resource_error'
  | 'system_error'
  | 'connection_error'
  | 'communication_error'
  | 'timeout_error'
  | 'python_error'
  | 'session_error'
  | 'configuration_error';

export type Severity = 'minor' | 'major' | 'critical';

export type Strategy =
  'immediate_retry' | 'backoff_retry' | 'failover' | 'circuit_break' | 'abandon';

/** What moves a severity away from that of its category. */
export interface SeverityFacts {
  /** Who knows better says so. */
  readonly severity?: Severity | undefined;
  /** How often the call has failed: 1 after the first failure. */
  readonly attempt: number;
  readonly affectsAllWorkers?: boolean | undefined;
  readonly isUserFacing?: boolean | undefined;
}

interface CategoryRow {
  readonly severity: Severity;
  readonly critical: Strategy;
  readonly other: Strategy;
}

const both = (strategy: Strategy): Pick<CategoryRow, 'critical' | 'other'> => ({
  critical: strategy,
  other: strategy,
});

/**
 * The original's rows. Its `health_check_error` is none here: a worker that does not answer is killed, and what its calls see is a connection's error.
 * `configuration_error` is ours: what was wrong in writing stays so.
 */
const CATEGORIES: Readonly<Record<ErrorCategory, CategoryRow>> = {
  initialization_error: { severity: 'critical', ...both('circuit_break') },
  resource_error: { severity: 'critical', critical: 'circuit_break', other: 'failover' },
  system_error: { severity: 'critical', ...both('abandon') },
  connection_error: { severity: 'major', critical: 'circuit_break', other: 'backoff_retry' },
  communication_error: { severity: 'major', ...both('immediate_retry') },
  timeout_error: { severity: 'major', ...both('backoff_retry') },
  python_error: { severity: 'major', ...both('failover') },
  session_error: { severity: 'minor', ...both('immediate_retry') },
  configuration_error: { severity: 'critical', ...both('abandon') },
};

const WORSE: Readonly<Record<Severity, Severity>> = {
  minor: 'major',
  major: 'critical',
  critical: 'critical',
};

/** Beyond so many failures of one call they are worse than each of them. */
const SEVERE_ATTEMPT = 3;
/** What is critical is given up beyond so many. */
const CRITICAL_ATTEMPT = 2;

/** How bad it is. The first adjustment that applies counts, in the original's order. */
export function severityOf(category: ErrorCategory, facts: SeverityFacts): Severity {
  const base = CATEGORIES[category].severity;
  if (facts.severity !== undefined) return facts.severity;
  if (facts.attempt > SEVERE_ATTEMPT) return WORSE[base];
  if (facts.affectsAllWorkers === true) return 'critical';
  return facts.isUserFacing === true && base === 'minor' ? 'major' : base;
}

/** What the original does about it. */
export function strategyOf(category: ErrorCategory, severity: Severity, attempt: number): Strategy {
  if (severity !== 'critical') return CATEGORIES[category].other;
  return attempt > CRITICAL_ATTEMPT ? 'abandon' : CATEGORIES[category].critical;
}

/** Verdicts of the pool, which does not try again by itself: the caller may, later. */
const LEFT_TO_CALLERS: ReadonlySet<string> = new Set([
  ...['overloaded', 'circuit_open', 'checkout_timeout', 'store_failed'],
]);
/** The same, if the call was not sent. */
const LEFT_IF_NOT_SENT: ReadonlySet<string> = new Set(['deadline_exceeded']);
/**
 * What nobody's retry mends, where the category does not say so already. Codes of bridges are none of these three: `python_error` is judged by its kind.
 */
const HOPELESS: ReadonlySet<string> = new Set([
  ...['aborted', 'session_lost', 'replay_failed', 'checkout_ended', 'pool_failed'],
  ...['reload_failed', 'unencodable', 'protocol_error'],
  // Of a call between actors, whose work is not called off.
  ...['timeout', 'exit', 'calling_self'],
]);

const RETRIES: ReadonlySet<Strategy> = new Set(['immediate_retry', 'backoff_retry']);

/** What is to be known of an error. */
export interface ErrorFacts {
  readonly category: ErrorCategory;
  readonly code: string;
  /** None is the worse one. */
  readonly outcome?: Outcome | undefined;
  /** Of an exception of Python's: its kind. None is the worst one. */
  readonly python?: PythonErrorKind | undefined;
  /** Not before this time is another try worth it, in ms. */
  readonly retryAfterMs?: number | undefined;
}

/** Whether the same call may succeed later without any change by its caller: `retryable` of every error. */
export function isTemporary(error: ErrorFacts): boolean {
  const { category, code, outcome } = error;
  if (category === 'python_error') return mayPass(error);
  if (LEFT_TO_CALLERS.has(code)) return true;
  if (LEFT_IF_NOT_SENT.has(code)) return outcome === 'notSent';
  if (HOPELESS.has(code)) return false;
  return RETRIES.has(strategyOf(category, CATEGORIES[category].severity, 1));
}

function mayPass({ python = 'lasting' }: ErrorFacts): boolean {
  return python !== 'lasting';
}

/** What a decision depends on. */
export interface RecoveryFacts extends SeverityFacts {
  /** Errors of this package are such facts themselves. */
  readonly error: ErrorFacts;
  /** How often it may be tried again. */
  readonly retriesMax: number;
  readonly isIdempotent: boolean;
  /** Whether the pool's retry budget has a token. */
  readonly hasBudget: boolean;
  /** Until the call's deadline. */
  readonly remainingMs: number;
  /** From 0 (included) to 1 (excluded). */
  readonly random: number;
  /** Where the state is that the call needs: still there, in the journal, or nowhere. Default `kept`. */
  readonly state?: 'kept' | 'rebuildable' | 'gone' | undefined;
  /** How waits grow. Default `exponential`. */
  readonly backoff?: Backoff | undefined;
  /** The wait before the last try. Default 0. */
  readonly lastDelayMs?: number | undefined;
}

/**
 * `final`: no retry mends it, or it is a verdict already. `may_have_run`: it may have had its effect, and is not declared idempotent.
 * `state_gone`: what its session was is lost. `critical`: bad enough to be given up before its retries are spent.
 */
type AbandonCause =
  | 'final'
  | 'may_have_run'
  | 'state_gone'
  | 'critical'
  | 'attempts_spent'
  | 'budget_spent'
  | 'no_time';

type RetryKind = 'immediate' | 'backoff' | 'failover';

export type RecoveryDecision =
  | { readonly type: 'retry'; readonly kind: RetryKind; readonly delayMs: number }
  /** As a retry, after the state of its session has been rebuilt, on whichever worker. */
  | { readonly type: 'rebuild'; readonly delayMs: number }
  /** The call fails, and speaks against the pool: the breaker is told. */
  | { readonly type: 'break' }
  | { readonly type: 'abandon'; readonly because: AbandonCause };

interface RetryRow {
  readonly kind: RetryKind;
  /** How often at most, whatever the call allows. */
  readonly attemptsMax: number;
  readonly delayMs: (facts: DelayFacts, backoff: Backoff) => number;
}

/** The strategies that try again. */
const ROWS: Readonly<Record<Strategy, RetryRow | undefined>> = {
  immediate_retry: { kind: 'immediate', attemptsMax: 3, delayMs: immediateDelayMs },
  backoff_retry: {
    kind: 'backoff',
    attemptsMax: 5,
    delayMs: (facts, backoff) => backoffDelayMs(backoff, facts),
  },
  failover: { kind: 'failover', attemptsMax: 1, delayMs: failoverDelayMs },
  circuit_break: undefined,
  abandon: undefined,
};

/** The one decision. It never leads to another bridge or to a mock (B24). */
export function decideRecovery(facts: RecoveryFacts): RecoveryDecision {
  const { error, attempt } = facts;
  const severity = severityOf(error.category, facts);
  if (isFinal(error)) return { type: 'abandon', because: 'final' };
  const strategy = strategyFor(facts, severity);
  if (strategy === 'circuit_break') return { type: 'break' };
  const row = ROWS[strategy];
  if (row === undefined) return { type: 'abandon', because: 'critical' };
  const attemptsMax = Math.min(facts.retriesMax, row.attemptsMax);
  const { random, lastDelayMs = 0, backoff = 'exponential' } = facts;
  // Who asks for a longer wait than ours knows why; sooner would be answered alike.
  const askedMs = error.retryAfterMs ?? 0;
  const delayMs = Math.max(row.delayMs({ attempt, random, lastDelayMs }, backoff), askedMs);
  const because = hindrance(facts, attempt > attemptsMax, delayMs);
  if (because !== undefined) return { type: 'abandon', because };
  return facts.state === 'rebuildable'
    ? { type: 'rebuild', delayMs }
    : { type: 'retry', kind: row.kind, delayMs };
}

function isFinal(error: ErrorFacts): boolean {
  if (error.category === 'python_error') return !mayPass(error);
  return (
    LEFT_TO_CALLERS.has(error.code) ||
    LEFT_IF_NOT_SENT.has(error.code) ||
    HOPELESS.has(error.code) ||
    CATEGORIES[error.category].other === 'abandon'
  );
}

/** The original's, but for providers: another worker would ask the same one, which needs time. */
function strategyFor({ error, attempt }: RecoveryFacts, severity: Severity): Strategy {
  const strategy = strategyOf(error.category, severity, attempt);
  return strategy === 'failover' && error.python === 'passing' ? 'backoff_retry' : strategy;
}

function hindrance(
  facts: RecoveryFacts,
  isSpent: boolean,
  delayMs: number,
): AbandonCause | undefined {
  if (facts.error.outcome !== 'notSent' && !facts.isIdempotent) return 'may_have_run';
  if (facts.state === 'gone') return 'state_gone';
  if (isSpent) return 'attempts_spent';
  if (!facts.hasBudget) return 'budget_spent';
  return delayMs < facts.remainingMs ? undefined : 'no_time';
}
