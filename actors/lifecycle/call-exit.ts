// Why did a call between actors fail? OTP's exit of the caller, as an error with a code.
import { CaduceusError, type Outcome } from '../ground/errors.ts';
import { formatExitReason, type ExitReason } from '../ground/exit-reason.ts';

/** `exit`: who was called ended before it replied. */
export type CallExitCode = 'noproc' | 'timeout' | 'calling_self' | 'exit' | 'aborted';

const TEXTS: Readonly<Record<CallExitCode, string>> = {
  noproc: 'there is nobody who takes it',
  timeout: 'no answer came in time',
  calling_self: 'an actor cannot wait for itself',
  exit: 'it ended before it answered',
  aborted: 'the caller has given up',
};

/** A call failed. Nobody caught it inside an actor: then that actor crashes with it, as a caller does in OTP. */
export class CallExitError extends CaduceusError {
  readonly code: CallExitCode;
  readonly category = 'communication_error';
  override readonly outcome: Outcome;
  /** With `exit`: why the one who was called ended. */
  readonly reason: ExitReason;

  constructor(code: CallExitCode, what: string, reason: ExitReason, outcome: Outcome) {
    const why = code === 'exit' ? ` (${formatExitReason(reason)})` : '';
    super(
      `${what}: ${TEXTS[code]}${why}`,
      reason.type === 'error' ? { cause: reason.error } : undefined,
    );
    this.code = code;
    this.reason = reason;
    this.outcome = outcome;
  }
}
