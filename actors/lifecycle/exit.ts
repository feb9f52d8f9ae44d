// How does an actor say why it ends? Its final output, made with `exit`.
import { errorFrom } from '../ground/error-from.ts';
import { isExitReason, NORMAL, SHUTDOWN, type ExitReason } from '../ground/exit-reason.ts';

/** Two copies of this package in one process must know each other's. */
const EXIT = Symbol.for('caduceus.exit');

/** An output that is an exit reason. Made by {@link exit}. */
export interface Exit {
  readonly [EXIT]: ExitReason;
}

/**
 * End with this reason: give it as the `output` of a machine's final state (or resolve a promise logic with it). Any other output means `normal`.
 *
 * @param reason an {@link ExitReason}; `'normal'` and `'shutdown'` for short; an `Error` for a crash.
 * @example `output: () => exit({ type: 'shutdown', detail: 'nothing left to do' })`
 */
export function exit(reason: ExitReason | 'normal' | 'shutdown' | Error): Exit {
  if (reason === 'normal') return { [EXIT]: NORMAL };
  if (reason === 'shutdown') return { [EXIT]: SHUTDOWN };
  if (!isExitReason(reason)) return { [EXIT]: { type: 'error', error: errorFrom(reason) } };
  return { [EXIT]: reason };
}

/** What an actor's output means to its supervisor. */
export function exitReasonOfOutput(output: unknown): ExitReason {
  return isExit(output) ? output[EXIT] : NORMAL;
}

/** Whether this output says how its actor ends. */
export function isExit(output: unknown): output is Exit {
  return typeof output === 'object' && output !== null && EXIT in output;
}
