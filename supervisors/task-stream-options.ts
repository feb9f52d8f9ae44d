// What may be said about a stream of tasks, and what comes out of one? Options, checked, and the types of results.
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import type { Shutdown } from '../actors/lifecycle/child.ts';
import { isWholeFrom } from './check-spec.ts';
import { cores } from './cores.ts';
import { checkTimeout } from './task-link.ts';
import type { TaskContext } from './task-logic.ts';
import type { TaskResult } from './task.ts';

/** How a stream of tasks is run. */
export interface TaskStreamOptions {
  /** Whether results come in the order of the input; those of quick tasks wait for those of slow ones. Default true. */
  readonly ordered?: boolean;
  /** Tasks that run at one time. Default: as many as the machine has cores. */
  readonly maxConcurrency?: number;
  /** How long one task may take, in ms; may be `Infinity`. Default 5 000. */
  readonly timeoutMs?: number;
  /** `exit` (default): the iteration fails with the timeout, and all tasks are ended. `kill_task`: only that task is ended; its result is its timeout. */
  readonly onTimeout?: 'exit' | 'kill_task';
  /** Whether the result of a task without a value has its `input`. Default false. */
  readonly zipInputOnExit?: boolean;
  /** As of a child: for a stop of the supervisor. What the stream itself ends has no such time. `infinity` is refused. */
  readonly shutdown?: Exclude<Shutdown, 'infinity'>;
}

/** The result of one element. */
export type StreamResult<Input, Value> =
  | Extract<TaskResult<Value>, { readonly type: 'ok' }>
  | {
      readonly type: 'exit';
      readonly reason: ExitReason;
      /** With `zipInputOnExit`. */
      readonly input?: Input;
    };

/** What is run for each element. */
export type StreamFunction<Input, Value> = (
  element: Input,
  context: TaskContext,
) => Value | PromiseLike<Value>;

/** @throws RangeError for what is out of range. */
export function checkStreamOptions(options: TaskStreamOptions): Required<TaskStreamOptions> {
  const { ordered = true, maxConcurrency = cores(), zipInputOnExit = false } = options;
  const { timeoutMs = LIMITS.actorCallTimeoutMs, onTimeout = 'exit' } = options;
  const { shutdown = LIMITS.shutdownMs } = options;
  if (!isWholeFrom(maxConcurrency, 1)) {
    const found = String(maxConcurrency);
    throw new RangeError(`maxConcurrency: a whole number from 1 is expected, found ${found}`);
  }
  checkTimeout(timeoutMs);
  if (onTimeout !== 'exit' && onTimeout !== 'kill_task') {
    throw new RangeError(`onTimeout: exit or kill_task is expected, found ${String(onTimeout)}`);
  }
  if (shutdown !== 'brutal_kill' && !isWholeFrom(shutdown, 0)) {
    const found = String(shutdown);
    throw new RangeError(`shutdown: whole ms from 0 or brutal_kill is expected, found ${found}`);
  }
  return { ordered, maxConcurrency, timeoutMs, onTimeout, zipInputOnExit, shutdown };
}
