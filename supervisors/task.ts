// How does one wait for a task, or end it? Elixir's Task: a supervised function whose value somebody wants.
import { KILLED, SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { CallExitError } from '../actors/lifecycle/call-exit.ts';
import type { Shutdown } from '../actors/lifecycle/child.ts';
import { Timetable } from '../actors/lifecycle/later.ts';
import type { ActorRef, Incarnation } from '../actors/lifecycle/ref.ts';
import { armDeadline, checkTimeout, endTask, TaskCaller } from './task-link.ts';

/** How a task has ended: with a value, or otherwise. */
export type TaskResult<Value> =
  | { readonly type: 'ok'; readonly value: Value }
  | { readonly type: 'exit'; readonly reason: ExitReason };

/** Where a task's value is put. */
export interface Kept {
  value?: { readonly value: unknown };
}

/** What the end of a task means to who wanted its value. */
export function resultOf<Value>(kept: Kept, reason: ExitReason): TaskResult<Value> {
  const { value } = kept;
  if (reason.type !== 'normal' || value === undefined) return { type: 'exit', reason };
  return { type: 'ok', value: value.value as Value };
}

/** A function that runs under a task supervisor. Made by `async` and `asyncNolink`. */
export class Task<Value> {
  /** Its one incarnation: a task whose value is wanted is never restarted. */
  readonly ref: ActorRef;
  readonly #task: Incarnation;
  readonly #unlink: () => void;
  readonly #id: number;
  readonly #waits = new Set<() => void>();
  #result: TaskResult<Value> | undefined;
  #interest: 'wanted' | 'let go of' = 'wanted';

  /** @internal */
  constructor(task: Incarnation, kept: Kept, unlink: () => void) {
    this.ref = task;
    this.#task = task;
    this.#unlink = unlink;
    this.#id = Timetable.of(task.ports.clock).nextId();
    const ended = (reason: ExitReason): void => this.#onEnd(resultOf(kept, reason));
    if (task.exitReason === undefined) task.whenEnded(ended);
    else ended(task.exitReason);
  }

  /**
   * Wait for the value.
   *
   * @param timeoutMs may be `Infinity`. When it is over the value is not wanted any more: the task runs on, and what it gives later is dropped.
   * @throws {@link CallExitError}: `exit` with the `reason` with which the task ended without a value, `timeout`. Inside of an actor, one that is not caught is the actor's crash.
   */
  await(timeoutMs: number = LIMITS.actorCallTimeoutMs): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#wait(timeoutMs, (result) => {
        if (result?.type === 'ok') resolve(result.value);
        else reject(this.#failure(result));
      });
    });
  }

  /** Wait for the end, but not for ever. @returns how it ended; nothing when it still runs after `timeoutMs`, and its value is still wanted. */
  yield(timeoutMs: number = LIMITS.actorCallTimeoutMs): Promise<TaskResult<Value> | undefined> {
    return new Promise((resolve) => this.#wait(timeoutMs, resolve));
  }

  /**
   * End the task, and wait until it has ended. The link to its caller is gone first.
   *
   * @param shutdown how: its signal is aborted and so many ms later it is killed; `brutal_kill` kills it now.
   * @returns how it had ended by itself, or the value that it gave all the same; nothing when it was ended.
   */
  async shutdown(shutdown: Shutdown = LIMITS.shutdownMs): Promise<TaskResult<Value> | undefined> {
    this.#unlink();
    const before = this.#result;
    if (before !== undefined) return before;
    let isKilled = false;
    const kill = (): void => {
      isKilled = true;
      endTask(this.#task, KILLED);
    };
    const boundMs = typeof shutdown === 'number' ? shutdown : Number.POSITIVE_INFINITY;
    const disarm = armDeadline(this.#task.ports.clock, boundMs, kill);
    const ended = new Promise<TaskResult<Value>>((resolve) => {
      this.#whenEnded(resolve);
    });
    if (shutdown === 'brutal_kill') kill();
    else this.#task.quit(SHUTDOWN);
    const result = await ended;
    disarm();
    if (result.type === 'ok') return result;
    const { type } = result.reason;
    return type === 'shutdown' || (type === 'killed' && isKilled) ? undefined : result;
  }

  #failure(result: Exclude<TaskResult<Value>, { readonly type: 'ok' }> | undefined): Error {
    const what = `await of task ${this.ref.path}`;
    if (result !== undefined) {
      return new CallExitError('exit', what, result.reason, 'maybeExecuted');
    }
    this.#interest = 'let go of';
    const reason: ExitReason = { type: 'timeout', what: 'await' };
    return new CallExitError('timeout', what, reason, 'maybeExecuted');
  }

  /** Nothing is told to the dead. `settle` is called with nothing when the time is over. */
  #wait(timeoutMs: number, settle: (result: TaskResult<Value> | undefined) => void): void {
    checkTimeout(timeoutMs);
    if (this.#result !== undefined || this.#interest === 'let go of') {
      settle(this.#result);
      return;
    }
    const caller = TaskCaller.now();
    const undo: (() => void)[] = [];
    const end = (result: TaskResult<Value> | undefined): void => {
      for (const take of undo.splice(0)) take();
      caller.run(() => settle(result));
    };
    undo.push(
      this.#whenEnded(end),
      armDeadline(this.#task.ports.clock, timeoutMs, () => end(undefined)),
      caller.whenEnded(() => {
        for (const take of undo.splice(0)) take();
      }),
    );
  }

  #whenEnded(tell: (result: TaskResult<Value>) => void): () => void {
    const wait = (): void => {
      if (this.#result !== undefined) tell(this.#result);
    };
    this.#waits.add(wait);
    return () => {
      this.#waits.delete(wait);
    };
  }

  #onEnd(result: TaskResult<Value>): void {
    if (this.#interest === 'let go of') {
      const { path, epoch, ports } = this.#task;
      if (result.type === 'ok') ports.bus.emit('reply.dropped', { path, epoch, callId: this.#id });
      return;
    }
    this.#result = result;
    const waits = [...this.#waits];
    this.#waits.clear();
    for (const tell of waits) tell();
  }
}
