// How does a function run as an actor? As logic of its own kind: it ends when the function does, and asked to end it aborts the function's signal.
import type { ActorLogic, Snapshot } from 'xstate';

import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { isThenable } from '../actors/ground/thenable.ts';
import { currentOwner, runInside, type CrashOwner } from '../actors/lifecycle/crash-trap.ts';
import { exit, isExit, type Exit } from '../actors/lifecycle/exit.ts';
import { SHUTDOWN_EVENT } from '../actors/lifecycle/logic-actor.ts';
import type { ActorRef } from '../actors/lifecycle/ref.ts';
import type { StartFunction } from '../actors/lifecycle/start-function.ts';
import { errorFrom } from '../actors/ground/error-from.ts';

/** What a task's function is given. */
export interface TaskContext {
  /**
   * Aborted when the task is to end. Who takes it is asked to end and given its shutdown time, as an OTP process that traps exits;
   * a function that never looks at it cannot be told anything, and its task ends at once: what it still does is of no effect.
   */
  readonly signal: AbortSignal;
  /** Whose code started the task, then whose code started that, and so on: Elixir's `$callers`. Empty when no actor did. */
  readonly callers: readonly ActorRef[];
  /** The task itself. */
  readonly self: ActorRef;
}

/** What a task runs. What it returns, or resolves with, is the task's value; `exit(reason)` ends it with that reason and no value; what it throws is its crash. It finds the stores that `AsyncLocalStorage`s had for whoever asked for it. */
export type TaskFunction<Value> = (
  context: TaskContext,
) => Value | Exit | PromiseLike<Value | Exit>;

/** One task as its supervisor starts it: the `input` of its specification. */
export interface TaskWork {
  readonly run: TaskFunction<unknown>;
  readonly callers: readonly ActorRef[];
  /** Told the value, just before the task ends with `normal`. */
  readonly keep: (value: unknown) => void;
}

/** End now, with this reason, whatever the function does: a link's signal, or a kill. */
export interface TaskExit {
  readonly type: 'task.exit';
  readonly reason: ExitReason;
}

type TaskEvent =
  | { readonly type: 'task.returned'; readonly value: unknown }
  | { readonly type: 'task.threw'; readonly cause: unknown }
  | { readonly type: typeof SHUTDOWN_EVENT }
  | { readonly type: 'xstate.stop' }
  | TaskExit;

type TaskSnapshot = Snapshot<unknown> & {
  readonly run: TaskRun;
  /** Whether it takes a request to end. */
  readonly can: () => boolean;
};

const CALLERS = new WeakMap<ActorRef, readonly ActorRef[]>();

/** The chain of callers of what this actor's code starts; of nobody's code it is empty. */
export function callersFrom(caller: ActorRef | undefined): readonly ActorRef[] {
  if (caller === undefined) return [];
  return [caller, ...(CALLERS.get(caller) ?? [])].slice(0, LIMITS.taskCallersMax);
}

/** The `start` of every task's specification. */
export const startWork: StartFunction = (work: TaskWork, { self }) => {
  CALLERS.set(self, work.callers);
  return { logic: taskLogic, input: new TaskRun(work, self) };
};

/** One run of the function. */
class TaskRun {
  readonly #work: TaskWork;
  readonly #self: ActorRef;
  #abort: AbortController | undefined;
  #owner: CrashOwner | undefined;
  #phase: 'running' | 'asked' | 'over' = 'running';

  constructor(work: TaskWork, self: ActorRef) {
    this.#work = work;
    this.#self = self;
  }

  get takesSignal(): boolean {
    return this.#abort !== undefined;
  }

  begin(tell: (event: TaskEvent) => void): void {
    this.#owner = currentOwner();
    const tellOnce = (event: TaskEvent): void => {
      // Detached, or ended by itself: late values and late errors are nobody's.
      if (this.#phase !== 'over') tell(event);
    };
    const threw = (cause: unknown): void => tellOnce({ type: 'task.threw', cause });
    try {
      const given = this.#work.run(this.#context());
      if (isThenable(given)) {
        Promise.resolve(given).then((value) => tellOnce({ type: 'task.returned', value }), threw);
      } else tellOnce({ type: 'task.returned', value: given });
    } catch (cause) {
      threw(cause);
    }
  }

  returned(value: unknown): unknown {
    this.#phase = 'over';
    if (!isExit(value)) this.#work.keep(value);
    return value;
  }

  /** @returns whether it threw because it was asked to end, and said so in the usual way. */
  threw(cause: unknown): 'as asked' | 'crash' {
    const wasAsked = this.#phase === 'asked';
    this.#phase = 'over';
    const isAbort =
      cause === this.#abort?.signal.reason ||
      (cause instanceof Error && cause.name === 'AbortError');
    return wasAsked && isAbort ? 'as asked' : 'crash';
  }

  ask(): void {
    this.#phase = 'asked';
    this.#signal();
  }

  end(): void {
    this.#phase = 'over';
    this.#signal();
  }

  #signal(): void {
    // As the function's own code: what its listeners throw is not the supervisor's.
    runInside(this.#owner, () => this.#abort?.abort());
  }

  #context(): TaskContext {
    const take = (): AbortSignal => {
      this.#abort ??= new AbortController();
      if (this.#phase !== 'running') this.#abort.abort();
      return this.#abort.signal;
    };
    return {
      callers: this.#work.callers,
      self: this.#self,
      get signal() {
        return take();
      },
    };
  }
}

type Logic = ActorLogic<TaskSnapshot, TaskEvent, TaskRun> & {
  /** What it understands, as machines say it. */
  readonly events: readonly string[];
};

const taskLogic: Logic = {
  events: [SHUTDOWN_EVENT],
  getInitialSnapshot: (_scope, run) => ({
    ...{ status: 'active', output: undefined, error: undefined, run },
    can: () => run.takesSignal,
  }),
  getPersistedSnapshot: (snapshot) => snapshot,
  start: ({ run }, { self }) => run.begin((event) => self.send(event)),
  transition: (snapshot, event) => {
    const { run } = snapshot;
    switch (event.type) {
      case 'task.returned':
        return done(snapshot, run.returned(event.value));
      case 'task.threw': {
        const { cause } = event;
        if (run.threw(cause) === 'as asked') return done(snapshot, exit('shutdown'));
        return { ...snapshot, status: 'error', output: undefined, error: errorFrom(cause) };
      }
      case SHUTDOWN_EVENT:
        run.ask();
        return run.takesSignal ? snapshot : done(snapshot, exit('shutdown'));
      case 'task.exit':
        run.end();
        return done(snapshot, exit(event.reason));
      case 'xstate.stop':
        run.end();
        return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
      default:
        // Anybody may send it anything; OTP's tasks leave that in their mailbox.
        event satisfies never;
        return snapshot;
    }
  },
};

function done(snapshot: TaskSnapshot, output: unknown): TaskSnapshot {
  return { ...snapshot, status: 'done', output, error: undefined };
}
