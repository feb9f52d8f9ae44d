// Why did it end? One closed union for every child, worker or supervisor, compared by shape (OTP's exit reasons, as values).
import { isReadableError } from './error-from.ts';

export type ExitReason =
  | { readonly type: 'normal' }
  | { readonly type: 'shutdown'; readonly detail?: unknown }
  | { readonly type: 'killed' }
  | { readonly type: 'exit_status'; readonly status: number }
  | { readonly type: 'signal'; readonly signal: string }
  | { readonly type: 'timeout'; readonly what: string }
  | { readonly type: 'error'; readonly error: Error }
  /** There was nobody: what a monitor of the dead is told (Erlang Reference Manual, "Monitors"). */
  | { readonly type: 'noproc' };

const TYPES: Readonly<Record<ExitReason['type'], true>> = {
  ...{ normal: true, shutdown: true, killed: true, exit_status: true, signal: true },
  ...{ timeout: true, error: true, noproc: true },
};

/** Whether it is one. Programs in JavaScript give whatever they like. */
export function isExitReason(given: unknown): given is ExitReason {
  if (typeof given !== 'object' || given === null || isReadableError(given)) return false;
  const { type, error } = given as { readonly type?: unknown; readonly error?: unknown };
  if (typeof type !== 'string' || !Object.hasOwn(TYPES, type)) return false;
  return type !== 'error' || isReadableError(error);
}

export const NORMAL: ExitReason = { type: 'normal' };
export const SHUTDOWN: ExitReason = { type: 'shutdown' };
export const KILLED: ExitReason = { type: 'killed' };

/**
 * Whether a transient child that ended so is restarted: everything but `normal`, `shutdown` and `{shutdown, detail}`
 * (OTP supervisor, "Restart types").
 */
export function isAbnormal(reason: ExitReason): boolean {
  return reason.type !== 'normal' && reason.type !== 'shutdown';
}

/** The reason in one short phrase for people, e.g. `signal SIGKILL`. */
export function formatExitReason(reason: ExitReason): string {
  switch (reason.type) {
    case 'normal':
    case 'killed':
    case 'noproc':
      return reason.type;
    case 'shutdown':
      return reason.detail === undefined ? 'shutdown' : `shutdown (${formatDetail(reason.detail)})`;
    case 'exit_status':
      return `exit status ${reason.status}`;
    case 'signal':
      return `signal ${reason.signal}`;
    case 'timeout':
      return `timeout of ${reason.what}`;
    case 'error':
      return `${reason.error.name}: ${reason.error.message}`;
    default:
      return reason satisfies never;
  }
}

function formatDetail(detail: unknown): string {
  if (typeof detail === 'string') return detail;
  try {
    return JSON.stringify(detail) ?? typeof detail;
  } catch {
    // A detail that holds itself, or a bigint: the text of a reason must not be what fails.
    return typeof detail;
  }
}

/** How a process that nobody asked to end has ended: status 0 is `normal`, as for Erlang's ports. */
export function exitReasonOf(status: number | null, signal: string | null): ExitReason {
  if (signal !== null) return { type: 'signal', signal };
  return status === 0 || status === null ? NORMAL : { type: 'exit_status', status };
}
