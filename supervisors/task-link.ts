// Who starts a task, and what do the two do to each other? The actor whose code runs, and Erlang's link between it and the task.
import { AsyncResource } from 'node:async_hooks';

import type { Clock } from '../actors/ground/clock.ts';
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { currentOwner, runInside, type CrashOwner } from '../actors/lifecycle/crash-trap.ts';
import { incarnationOf, type ActorRef, type Incarnation } from '../actors/lifecycle/ref.ts';
import { ownIncarnation } from '../actors/lifecycle/self.ts';
import type { FullChildSpec } from './child-spec.ts';
import { SupervisorError } from './supervision-errors.ts';
import type { StartedChild } from './supervisor-handle.ts';
import type { Supervisor } from './supervisor.ts';
import { callersFrom, type TaskExit } from './task-logic.ts';

const NOPROC: ExitReason = { type: 'noproc' };

/** End a task now. */
export function endTask(task: Incarnation, reason: ExitReason): void {
  const event: TaskExit = { type: 'task.exit', reason };
  if (task.exitReason === undefined) task.send(event);
}

/** The actor whose code asks for a task, if one does. */
export class TaskCaller {
  readonly #ref: Incarnation | undefined;
  readonly #owner: CrashOwner | undefined;
  readonly #context = new AsyncResource('caduceus.task');

  private constructor() {
    this.#ref = ownIncarnation();
    this.#owner = currentOwner();
  }

  /** Whose code runs now. */
  static now(): TaskCaller {
    return new TaskCaller();
  }

  /** The chain that what it starts is given. */
  get chain(): readonly ActorRef[] {
    return callersFrom(this.#ref);
  }

  /** Run as the caller's code: a rejection with which it does not deal is its crash. */
  run(fn: () => void): void {
    this.#context.runInAsyncScope(fn);
  }

  /** What it has a task run: the task's code, which finds what the caller keeps in asynchronous storages of its own. */
  given<Given, Value>(run: (given: Given) => Value): (given: Given) => Value {
    return (given) => {
      const task = currentOwner();
      return this.#context.runInAsyncScope(() => runInside(task, () => run(given)));
    };
  }

  /** Call `tell` when the caller has ended; never for one that is no actor. @returns what takes this back. */
  whenEnded(tell: () => void): () => void {
    return this.#ref?.whenEnded(tell) ?? noop;
  }

  /**
   * Bind caller and task: the end of one ends the other, unless it was `normal` (Erlang Reference Manual, "Receiving Exit Signals").
   * A caller that is no actor cannot be ended; it learns of a crash by what it awaits.
   *
   * @returns what takes the link away.
   */
  link(task: Incarnation): () => void {
    const caller = this.#ref;
    if (caller === undefined) return noop;
    if (caller.exitReason !== undefined) {
      endTask(task, signalOf(caller.exitReason) ?? NOPROC);
      return noop;
    }
    if (task.exitReason !== undefined) {
      this.#receive(caller, task.exitReason);
      return noop;
    }
    const forgetCaller = caller.whenEnded((reason) => {
      forgetTask();
      const signal = signalOf(reason);
      if (signal !== undefined) endTask(task, signal);
    });
    const forgetTask = task.whenEnded((reason) => {
      forgetCaller();
      this.#receive(caller, reason);
    });
    return () => {
      forgetCaller();
      forgetTask();
    };
  }

  #receive(caller: Incarnation, reason: ExitReason): void {
    if (reason.type === 'normal') return;
    if (reason.type === 'error') this.#owner?.crashed(reason.error);
    else caller.quit(reason);
  }
}

/** What a link brings of this end. */
function signalOf(reason: ExitReason): ExitReason | undefined {
  return reason.type === 'normal' ? undefined : reason;
}

/** How the start of a task is told. Called in the supervisor's turn: neither may throw. */
export interface TaskStart {
  readonly started: (task: Incarnation) => void;
  readonly refused: (error: Error) => void;
}

/** Have the supervisor start one task. */
export function startTask(supervisor: Supervisor, spec: FullChildSpec, ends: TaskStart): void {
  const settle = (answer: unknown): void => {
    const { child } = answer as StartedChild;
    if (child !== undefined) ends.started(incarnationOf(child));
    else ends.refused(new SupervisorError('noproc', supervisor.ref.path, { op: 'startChild' }));
  };
  runInside(undefined, () => {
    supervisor.serve({ op: 'startChild', spec, settle, fail: ends.refused });
  });
}

/** Call `expire` after `timeoutMs` (`Infinity`: never), judged after a poll, so that a stalled event loop does not fail what had come in time. @returns what disarms it. */
export function armDeadline(clock: Clock, timeoutMs: number, expire: () => void): () => void {
  if (timeoutMs === Number.POSITIVE_INFINITY) return noop;
  let isArmed = true;
  const fire = (): void => {
    clock.afterPoll(() => {
      if (isArmed) expire();
    });
  };
  // As nobody's code: the end of whoever waits is not its own timer's doing.
  const timer = runInside(undefined, () => clock.setTimeout(fire, timeoutMs));
  return () => {
    isArmed = false;
    clock.clearTimeout(timer);
  };
}

/** @throws RangeError for what is no time to wait. */
export function checkTimeout(timeoutMs: number): void {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return;
  throw new RangeError(`timeoutMs: ms from 0 are expected, found ${String(timeoutMs)}`);
}

function noop(): void {
  // Nothing is armed.
}
