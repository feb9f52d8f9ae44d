// How does a program run functions in the background without losing any? Elixir's Task.Supervisor: each is a supervised child that ends with its function.
import type { Clock } from '../actors/ground/clock.ts';
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { lifecycleStart, type LifecycleStart, type Shutdown } from '../actors/lifecycle/child.ts';
import { isActorName, nameText } from '../actors/lifecycle/names.ts';
import type { ActorRef, Incarnation } from '../actors/lifecycle/ref.ts';
import { checkChildSpec, isWholeFrom } from './check-spec.ts';
import type { ChildSpec, FullChildSpec, RestartType } from './child-spec.ts';
import { whereis, type InSystem, type Target } from './messages.ts';
import { startRoot, type StartOptions } from './start-supervisor.ts';
import { BadSupervisorFlagsError, SupervisorError } from './supervision-errors.ts';
import { checkFlags, type FullSupervisorFlags, type SupervisorFlags } from './supervisor-flags.ts';
import { BaseHandle, exitOf } from './supervisor-handle.ts';
import { Supervisor } from './supervisor.ts';
import { defaultSystem } from './system.ts';
import { startTask, TaskCaller } from './task-link.ts';
import { startWork, type TaskFunction, type TaskWork } from './task-logic.ts';
import {
  checkStreamOptions,
  type StreamFunction,
  type StreamResult,
  type TaskStreamOptions,
} from './task-stream-options.ts';
import { streamOf } from './task-stream.ts';
import { Task, type Kept } from './task.ts';

/** The options of a task supervisor. Each has a default; unknown keys are refused. */
export interface TaskSupervisorOptions extends Pick<
  SupervisorFlags,
  'name' | 'maxRestarts' | 'periodMs' | 'backoff'
> {
  /** Tasks at one time; one more is refused with `max_children`. No limit by default. */
  readonly maxChildren?: number;
  /** The shutdown time of tasks that name none. Default 5 000. */
  readonly shutdown?: Shutdown;
}

/** Of a task whose value is awaited. */
export interface AsyncOptions {
  /** Its time to end when it is stopped. Default: the supervisor's. */
  readonly shutdown?: Shutdown;
}

/** Of a task whose value nobody wants. */
export interface StartTaskOptions extends AsyncOptions {
  /** Default `temporary`: it runs once, however it ends. */
  readonly restart?: RestartType;
}

/** What is the same for all tasks of one supervisor. */
interface TaskParts {
  readonly clock: Clock;
  readonly shutdown: Shutdown;
}

/** By the flags, which each supervisor has of its own. */
const PARTS = new WeakMap<FullSupervisorFlags, TaskParts>();

/** A supervisor of tasks. Made by {@link startTaskSupervisor}. */
export class TaskSupervisorHandle extends BaseHandle {
  readonly #parts: TaskParts;

  /** @internal */
  constructor(supervisor: Supervisor, parts: TaskParts, exited: Promise<ExitReason>) {
    super(supervisor, supervisor.flags, exited);
    this.#parts = parts;
  }

  /**
   * Run a function as a task whose value is awaited, linked to the actor whose code asks for it: the task's crash is the actor's crash, and when the actor ends,
   * with anything but `normal`, the task does too. Asked for by no actor there is nobody to link: a crash is then told to who awaits the task, and to nobody else.
   *
   * @throws `max_children`, `noproc`.
   */
  async<Value>(fn: TaskFunction<Value>, options: AsyncOptions = {}): Promise<Task<Value>> {
    return this.#async(fn, options, 'linked');
  }

  /** The same without the link: the task's end is told to who awaits it, and the end of who asked for it changes nothing. @throws `max_children`, `noproc`. */
  asyncNolink<Value>(fn: TaskFunction<Value>, options: AsyncOptions = {}): Promise<Task<Value>> {
    return this.#async(fn, options, 'unlinked');
  }

  /** Run a function whose value nobody wants. @returns the reference of its first incarnation. @throws `max_children`, `noproc`, `bad_child_spec`. */
  async startChild(
    fn: TaskFunction<unknown>,
    { restart = 'temporary', shutdown }: StartTaskOptions = {},
  ): Promise<ActorRef> {
    const keep = (): void => undefined;
    const caller = TaskCaller.now();
    const work: TaskWork = { run: caller.given(fn), callers: caller.chain, keep };
    return this.#start(this.#specOf(work, restart, shutdown), (task) => task);
  }

  /** Stop a task within its shutdown time. @throws `not_found`, also for one that has ended; `noproc`. */
  terminateChild(task: ActorRef): Promise<void> {
    return this.ask({ op: 'terminateChild', child: task });
  }

  /** The tasks that run now, newest first. */
  async tasks(): Promise<readonly ActorRef[]> {
    const entries = await this.whichChildren();
    return entries.flatMap(({ child }) => (typeof child === 'object' ? [child] : []));
  }

  /**
   * Run `fn` as a task for each element, only so many at one time, and read how they ended. Nothing runs before the first result is asked for; new tasks are started only
   * while one is waited for. Leaving the loop early ends what still runs, at once and with `shutdown`. The tasks are linked to the actor that reads, as those of `async` are.
   *
   * @throws RangeError for options out of range. While it is read: `max_children` and `noproc`, a timeout as `onTimeout` says, and what the input throws.
   */
  asyncStream<Input, Value>(
    elements: Iterable<Input> | AsyncIterable<Input>,
    fn: StreamFunction<Input, Value>,
    options: TaskStreamOptions = {},
  ): AsyncIterable<StreamResult<Input, Value>> {
    return this.#stream(elements, fn, options, 'linked');
  }

  /** The same without links: a crash is only a result. */
  asyncStreamNolink<Input, Value>(
    elements: Iterable<Input> | AsyncIterable<Input>,
    fn: StreamFunction<Input, Value>,
    options: TaskStreamOptions = {},
  ): AsyncIterable<StreamResult<Input, Value>> {
    return this.#stream(elements, fn, options, 'unlinked');
  }

  async #async<Value>(
    run: TaskFunction<Value>,
    { shutdown }: AsyncOptions,
    links: 'linked' | 'unlinked',
  ): Promise<Task<Value>> {
    const caller = TaskCaller.now();
    const kept: Kept = {};
    const keep = (value: unknown): void => {
      kept.value = { value };
    };
    const work: TaskWork = { run: caller.given(run), callers: caller.chain, keep };
    return this.#start(this.#specOf(work, 'temporary', shutdown), (task) => {
      const unlink = links === 'linked' ? caller.link(task) : (): void => undefined;
      return new Task<Value>(task, kept, unlink);
    });
  }

  #start<Result>(spec: FullChildSpec, take: (task: Incarnation) => Result): Promise<Result> {
    const caller = TaskCaller.now();
    return new Promise((resolve, reject) => {
      startTask(this.supervisor, spec, {
        started: (task) => resolve(take(task)),
        refused: (error) => caller.run(() => reject(error)),
      });
    });
  }

  #stream<Input, Value>(
    elements: Iterable<Input> | AsyncIterable<Input>,
    fn: StreamFunction<Input, Value>,
    options: TaskStreamOptions,
    links: 'linked' | 'unlinked',
  ): AsyncIterable<StreamResult<Input, Value>> {
    const full = checkStreamOptions({ shutdown: this.#streamShutdown(), ...options });
    const { supervisor } = this;
    const { clock } = this.#parts;
    const specOf = (work: TaskWork): FullChildSpec =>
      this.#specOf(work, 'temporary', full.shutdown);
    const parts = { supervisor, clock, links, specOf };
    return { [Symbol.asyncIterator]: () => streamOf(elements, fn, full, parts) };
  }

  #streamShutdown(): Exclude<Shutdown, 'infinity'> {
    const { shutdown } = this.#parts;
    return shutdown === 'infinity' ? LIMITS.shutdownMs : shutdown;
  }

  #specOf(
    input: TaskWork,
    restart: RestartType,
    shutdown: Shutdown = this.#parts.shutdown,
  ): FullChildSpec {
    const spec = { id: TASK, start: startWork, input, restart, shutdown };
    return checkChildSpec(spec, TASK, 'never');
  }
}

const TASK = 'task';

/**
 * Start a task supervisor.
 *
 * @returns its handle.
 * @throws {@link BadSupervisorFlagsError} and `BadChildSpecError` (`shutdown`); a {@link SupervisorError} with `already_started` when the name is taken.
 */
export async function startTaskSupervisor(
  options: TaskSupervisorOptions = {},
  { system = defaultSystem() }: StartOptions = {},
): Promise<TaskSupervisorHandle> {
  const { flags, shutdown } = checkTaskOptions(options);
  const parts = { clock: system.clock, shutdown };
  PARTS.set(flags, parts);
  const { supervisor, exited } = await startRoot(flags, system);
  return new TaskSupervisorHandle(supervisor, parts, exited);
}

/**
 * A task supervisor as a child: the `start` of a child specification. Its handle is {@link taskSupervisorOf} of its reference.
 *
 * @param options as for {@link startTaskSupervisor}; checked at once.
 * @throws {@link BadSupervisorFlagsError}, `BadChildSpecError`.
 */
export function taskSupervisor(options: TaskSupervisorOptions = {}): LifecycleStart {
  const { flags, shutdown } = checkTaskOptions(options);
  const make: LifecycleStart['make'] = (ports) => (order) => {
    const own = { ...flags };
    PARTS.set(own, { clock: ports.clock, shutdown });
    return new Supervisor(order, own, ports);
  };
  return lifecycleStart('supervisor', make, flags);
}

/** Its child specification: the name is the id, so that several can stand beside each other. */
taskSupervisor.childSpec = (options: TaskSupervisorOptions = {}): ChildSpec => {
  const start = taskSupervisor(options);
  return { id: nameText(options.name ?? 'taskSupervisor'), start, type: 'supervisor' };
};

/**
 * The handle of a living task supervisor, wherever it stands in a tree. It is of this incarnation.
 *
 * @param found its name, or its reference.
 * @throws {@link SupervisorError} `noproc` for what is no living task supervisor.
 */
export function taskSupervisorOf(found: Target, options: InSystem = {}): TaskSupervisorHandle {
  const ref = whereis(found, options);
  const supervisor =
    ref === undefined || ref.exitReason !== undefined ? undefined : Supervisor.of(ref);
  const parts = supervisor === undefined ? undefined : PARTS.get(supervisor.flags);
  if (ref === undefined || supervisor === undefined || parts === undefined) {
    const label = isActorName(found) ? nameText(found) : found.path;
    throw new SupervisorError('noproc', label, { op: 'taskSupervisorOf' });
  }
  return new TaskSupervisorHandle(supervisor, parts, exitOf(ref));
}

function checkTaskOptions(options: TaskSupervisorOptions): {
  readonly flags: FullSupervisorFlags;
  readonly shutdown: Shutdown;
} {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new BadSupervisorFlagsError('invalid_type', 'flags', options, 'an object is expected');
  }
  const { maxChildren = Number.POSITIVE_INFINITY, shutdown = LIMITS.shutdownMs, ...rest } = options;
  if (maxChildren !== Number.POSITIVE_INFINITY && !isWholeFrom(maxChildren, 0)) {
    const expected = 'a whole number from 0 is expected';
    throw new BadSupervisorFlagsError('invalid_max_children', 'maxChildren', maxChildren, expected);
  }
  for (const key of ['strategy', 'autoShutdown', 'children', 'maxConcurrentStarts'] as const) {
    if (!(key in rest)) continue;
    const expected = 'a task supervisor has no such option';
    throw new BadSupervisorFlagsError('unknown_key', key, rest[key as never], expected);
  }
  checkChildSpec({ id: TASK, start: startWork, shutdown }, 'options', 'never');
  return { flags: checkFlags(rest, { flavour: 'dynamic', maxChildren }), shutdown };
}
