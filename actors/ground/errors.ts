// What can go wrong, for whom, and may it be tried again? The base of all errors, and those of a call.
import { formatExitReason, type ExitReason } from './exit-reason.ts';
import { pythonErrorKind, type PythonErrorKind } from './python-error-kind.ts';
import { isTemporary, type ErrorCategory, type Outcome } from './recovery.ts';
import type { CrashCause, RemoteError } from './worker-facts.ts';

export type { ErrorCategory, Outcome } from './recovery.ts';

/**
 * What it took to end a call of which its caller had enough (`docs/protocol.md` §4.4): it was never sent; it waited at its worker and was taken back;
 * its handler ended by itself after the flag; `CallCancelled` was raised in it; it was interrupted by SIGINT; its process was killed.
 * Of a call that is `notSent` the last four are of what its worker was being told for it.
 */
export type CancelStage = 'not_sent' | 'withdrawn' | 'flag' | 'raise' | 'interrupt' | 'kill';

/** How the end of an abandoned call goes on after its caller has been told. */
export class Cancellation {
  /** Resolves, always, with the stage that was needed, once the call is over in its worker too. */
  readonly settled: Promise<CancelStage>;
  #stage: CancelStage | undefined;
  #resolve: (stage: CancelStage) => void = () => undefined;

  constructor(stage?: CancelStage) {
    this.settled = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (stage !== undefined) this.settle(stage);
  }

  /** The stage that was needed; undefined while it is not over. */
  get stage(): CancelStage | undefined {
    return this.#stage;
  }

  /** @internal told by the router, once. */
  settle(stage: CancelStage): void {
    this.#stage ??= stage;
    this.#resolve(this.#stage);
  }
}

const BRAND = Symbol.for('caduceus.error');

/** Base of every error that this package throws or rejects with. Branch on `code`, never on the text. */
export abstract class CaduceusError extends Error {
  abstract readonly code: string;
  abstract readonly category: ErrorCategory;
  /** Present when the error belongs to a call. */
  readonly outcome?: Outcome;
  /** Present once a call has been routed: which bridge it was for. */
  declare bridge?: string;
  readonly [BRAND] = true;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  /** Whether the same call may succeed later without any change by the caller: the ported design's `temporary`, by the table of `recovery.ts`. */
  get retryable(): boolean {
    return isTemporary(this);
  }
}

/** Whether `value` is an error of this package, also when two copies of it are loaded. */
export function isCaduceusError(value: unknown): value is CaduceusError {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** A worker, as an error names it. */
export interface WorkerRef {
  readonly workerId: string;
  readonly epoch: number;
}

/** What is known of a dead incarnation. */
export interface CrashReport {
  readonly reason: ExitReason;
  /** The last bytes that the process wrote to stderr. */
  readonly stderrTail: string;
  /** The stacks of all its threads, where it was asked for them before it was killed (Python's `faulthandler`). */
  readonly dump?: string | undefined;
  /** What that comes to, where it has been judged. */
  readonly crashCause?: CrashCause | undefined;
}

/** The worker died while it had this call, or while it was brought up to date for it. */
export class WorkerCrashedError extends CaduceusError {
  readonly code = 'worker_crashed';
  readonly category = 'connection_error';
  override readonly outcome: Outcome;
  readonly workerId: string;
  readonly epoch: number;
  readonly exitReason: ExitReason;
  readonly stderrTail: string;
  /** What its threads did, when it was killed for not answering. */
  readonly dump: string | undefined;
  /** What ended it, in one word. */
  readonly crashCause: CrashCause;

  constructor(op: string, worker: WorkerRef, report: CrashReport, outcome: Outcome) {
    const sent = outcome === 'notSent' ? 'it was not sent' : 'it may have been executed';
    super(
      `call ${op} failed: worker ${worker.workerId} (epoch ${worker.epoch}) ended with ${formatExitReason(report.reason)}; ${sent}`,
      report.reason.type === 'error' ? { cause: report.reason.error } : undefined,
    );
    this.outcome = outcome;
    this.workerId = worker.workerId;
    this.epoch = worker.epoch;
    this.exitReason = report.reason;
    this.stderrTail = report.stderrTail;
    this.dump = report.dump;
    this.crashCause = report.crashCause ?? 'unknown';
  }
}

/** Python raised. `code` is the bridge's own where it gave one (`program_not_found`, `invalid_signature`, …), else `python_error`. */
export class PythonError extends CaduceusError {
  readonly code: string;
  readonly category = 'python_error';
  override readonly outcome: Outcome = 'maybeExecuted';
  /** Name of the Python exception class. */
  readonly pythonType: string;
  /** Whether it can be otherwise next time. */
  readonly python: PythonErrorKind;
  /** Not before this time is another try worth it, in ms: a provider's `Retry-After`, where the bridge has passed it on. */
  readonly retryAfterMs: number | undefined;
  /** Python's own traceback, as text. */
  readonly traceback: string;
  readonly workerId: string;
  readonly epoch: number;

  constructor(remote: RemoteError, worker: WorkerRef) {
    super(
      `${remote.type}: ${remote.message}`,
      remote.cause === undefined ? undefined : { cause: new PythonError(remote.cause, worker) },
    );
    this.code = remote.code;
    this.pythonType = remote.type;
    this.python = pythonErrorKind(remote);
    this.retryAfterMs = remote.retryAfterMs;
    this.traceback = remote.traceback;
    this.workerId = worker.workerId;
    this.epoch = worker.epoch;
  }
}

/** The call's own time was over. When it had been sent it is being cancelled, and its worker takes no other before that is done. */
export class DeadlineExceededError extends CaduceusError {
  readonly code = 'deadline_exceeded';
  readonly category = 'timeout_error';
  override readonly outcome: Outcome;
  readonly timeoutMs: number;
  readonly cancellation: Cancellation;

  constructor(
    op: string,
    timeoutMs: number,
    outcome: Outcome,
    where: string,
    cancellation: Cancellation = new Cancellation('not_sent'),
  ) {
    super(`call ${op} exceeded its deadline of ${timeoutMs} ms ${where}`);
    this.outcome = outcome;
    this.cancellation = cancellation;
    this.timeoutMs = timeoutMs;
  }
}

/** No worker became free in time; nothing was sent. */
export class CheckoutTimeoutError extends CaduceusError {
  readonly code = 'checkout_timeout';
  readonly category = 'resource_error';
  override readonly outcome: Outcome = 'notSent';

  constructor(op: string, checkoutTimeoutMs: number, found: string) {
    super(`call ${op} waited ${checkoutTimeoutMs} ms for a worker and got none: ${found}`);
  }
}

/** A bound was reached; nothing was sent and nothing has changed. */
export class OverloadedError extends CaduceusError {
  readonly code = 'overloaded';
  readonly category = 'resource_error';
  override readonly outcome: Outcome = 'notSent';
  readonly limit: string;

  constructor(what: string, limit: string, max: number) {
    super(`${what}: ${limit} is ${max} and reached`);
    this.limit = limit;
  }
}

/** The caller's AbortSignal fired. `cause` is the signal's reason. */
export class CallAbortedError extends CaduceusError {
  readonly code = 'aborted';
  readonly category = 'timeout_error';
  override readonly outcome: Outcome;
  readonly cancellation: Cancellation;

  constructor(
    op: string,
    outcome: Outcome,
    cause: unknown,
    cancellation: Cancellation = new Cancellation('not_sent'),
  ) {
    super(`call ${op} was aborted by its caller`, { cause });
    this.outcome = outcome;
    this.cancellation = cancellation;
  }
}

/** The session's or bridge's state could not be rebuilt on a new worker; the call itself was not sent. */
export class ReplayFailedError extends CaduceusError {
  readonly code = 'replay_failed';
  readonly category = 'session_error';
  override readonly outcome: Outcome = 'notSent';

  constructor(op: string, scope: string, replayedOp: string, cause: Error) {
    super(
      `call ${op} was not sent: replaying ${replayedOp} of the ${scope} scope failed: ${cause.message}`,
      { cause },
    );
  }
}

/** The pool has given up; `cause` is the last crash of its workers. */
export class PoolFailedError extends CaduceusError {
  readonly code = 'pool_failed';
  readonly category = 'initialization_error';
  override readonly outcome: Outcome = 'notSent';
  readonly pool: string;

  constructor(pool: string, because: string, cause: Error | undefined) {
    super(`pool ${pool} has failed: ${because}`, cause === undefined ? undefined : { cause });
    this.pool = pool;
  }
}

/** The runtime was stopped before or while the call waited. */
export class RuntimeStoppedError extends CaduceusError {
  readonly code = 'runtime_stopped';
  readonly category = 'system_error';
  override readonly outcome: Outcome;

  constructor(what: string, outcome: Outcome = 'notSent') {
    super(`${what}: the runtime has been stopped`);
    this.outcome = outcome;
  }
}

/** The adapter has no such operation; nothing was sent. */
export class UnknownOperationError extends CaduceusError {
  readonly code = 'unknown_operation';
  readonly category = 'configuration_error';
  override readonly outcome: Outcome = 'notSent';

  constructor(op: string, framework: string, known: readonly string[]) {
    super(`bridge ${framework} has no operation ${op}; it has ${known.join(', ')}`);
  }
}

/** The bridge cannot do what was asked for: streams and callbacks of a v1 script. Nothing was sent. */
export class UnsupportedError extends CaduceusError {
  readonly code = 'unsupported';
  readonly category = 'configuration_error';
  override readonly outcome: Outcome = 'notSent';

  constructor(op: string, what: string) {
    super(`call ${op}: ${what}`);
  }
}

/** A value that cannot cross the wire; `path` says which. Nothing was sent. */
export class UnencodableError extends CaduceusError {
  readonly code = 'unencodable';
  readonly category = 'communication_error';
  override readonly outcome: Outcome = 'notSent';
  readonly path: string;

  constructor(path: string, found: string) {
    super(`${path} cannot be sent to Python: ${found}`);
    this.path = path;
  }
}
