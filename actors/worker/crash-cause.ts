// What ended a worker, and what follows from that? Pure: from its exit, its error, the end of its stderr, and what the kernel has counted.
import { constants } from 'node:os';

import type { CrashReport } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import {
  pythonErrorKind,
  tellsOfBrokenDevice,
  type PythonErrorKind,
} from '../ground/python-error-kind.ts';
import { BridgeStartError } from '../ground/start-errors.ts';
import type { CrashCause, RemoteError } from '../ground/worker-facts.ts';
import { exceptionIn } from '../port/traceback.ts';

/** What else is known. */
export interface CrashFacts {
  /** What the kernel had counted when the worker was last known to live, and when it was dead; undefined where it does not tell. */
  readonly oomKillsBefore?: number | undefined;
  readonly oomKillsAfter?: number | undefined;
  /** Whether its bridge had been built. Default: it had. */
  readonly phase?: 'starting' | 'ready' | undefined;
}

/** What native code ends by that did what it may not; `SIGABRT` is C++'s and glibc's own verdict. */
const FAULTS: ReadonlySet<string> = new Set([
  ...['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP', 'SIGSYS'],
]);

/** A shell, and some launchers, tell of a signal by a status above this. */
const SIGNAL_STATUS = 128;

function signalOf(status: number): string | undefined {
  const found = Object.entries(constants.signals).find(
    ([, number]) => number === status - SIGNAL_STATUS,
  );
  return found?.[0];
}

/** The cause of an end that nobody had ordered. */
export function causeOf(report: CrashReport, facts: CrashFacts): CrashCause {
  const { reason, stderrTail } = report;
  switch (reason.type) {
    case 'normal':
      return 'clean_exit';
    case 'timeout':
      return 'hang';
    case 'signal':
      return signalCause(reason.signal, stderrTail, facts);
    case 'exit_status':
      return statusCause(reason.status, stderrTail, facts);
    case 'error':
      return errorCause(reason.error);
    case 'killed':
      return 'killed';
    case 'shutdown':
    case 'noproc':
      return 'unknown';
    default:
      return reason satisfies never;
  }
}

function signalCause(signal: string, stderrTail: string, facts: CrashFacts): CrashCause {
  if (FAULTS.has(signal)) return tellsOfBrokenDevice(stderrTail) ? 'cuda_error' : 'segfault';
  // Where it does not tell, none was. The kernel counts before the process is gone.
  const { oomKillsBefore = Number.POSITIVE_INFINITY, oomKillsAfter = 0 } = facts;
  return signal === 'SIGKILL' && oomKillsAfter > oomKillsBefore ? 'oom_kill' : 'killed';
}

function statusCause(status: number, stderrTail: string, facts: CrashFacts): CrashCause {
  const signal = signalOf(status);
  if (signal !== undefined) return signalCause(signal, stderrTail, facts);
  if (tellsOfBrokenDevice(stderrTail)) return 'cuda_error';
  if (exceptionIn(stderrTail) === undefined) return 'unknown';
  return facts.phase === 'starting' ? 'import_error' : 'python_error';
}

/** The bridge said why it did not start; all other errors are of the wire. A model that could not be fetched just now is no import that does not go. */
function errorCause(error: Error): CrashCause {
  if (!(error instanceof BridgeStartError)) return 'unknown';
  const { code, message, pythonType: type, traceback } = error;
  return START_CAUSES[pythonErrorKind({ type, message, traceback, code })];
}

const START_CAUSES: Readonly<Record<PythonErrorKind, CrashCause>> = {
  device: 'cuda_error',
  passing: 'python_error',
  lasting: 'import_error',
};

/** What follows from a cause. */
export interface CrashVerdict {
  /** Whether another start of the same can end otherwise, before any worker of the pool was ready. */
  readonly start: 'again' | 'never';
  /** Whether a call that was in flight may be what did it. */
  readonly inFlight: 'suspect' | 'innocent';
}

const VERDICTS: Readonly<Record<CrashCause, CrashVerdict>> = {
  // Nothing runs before the bridge is there. What is missing does not come by itself.
  import_error: { start: 'never', inFlight: 'innocent' },
  oom_kill: { start: 'again', inFlight: 'suspect' },
  cuda_error: { start: 'again', inFlight: 'suspect' },
  segfault: { start: 'again', inFlight: 'suspect' },
  hang: { start: 'again', inFlight: 'suspect' },
  // A handler that calls `os._exit(0)`.
  clean_exit: { start: 'again', inFlight: 'suspect' },
  // By somebody outside, or by the handler itself, or by a kernel that does not tell: nobody can say.
  killed: { start: 'again', inFlight: 'suspect' },
  python_error: { start: 'again', inFlight: 'suspect' },
  unknown: { start: 'again', inFlight: 'suspect' },
};

/** The verdict on a crash of this cause. */
export function verdictOn(cause: CrashCause): CrashVerdict {
  return VERDICTS[cause];
}

/** Whether a start that failed for this reason may be tried again before any worker of the pool was ready: `isRetryable` of its specification. */
export function mayStartAgain(reason: ExitReason): boolean {
  return verdictOn(causeOf({ reason, stderrTail: '' }, {})).start === 'again';
}

/** Whether the worker is to be replaced that has raised this: its GPU context is broken for every call that follows. */
export function shouldReplaceAfter(error: RemoteError): boolean {
  return pythonErrorKind(error) === 'device';
}
