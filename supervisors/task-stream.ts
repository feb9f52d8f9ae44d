// How are many tasks run, only so many at one time, and their results read one by one? Elixir's async_stream, as an async iterable.
import type { Clock } from '../actors/ground/clock.ts';
import { KILLED, SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import { Fifo } from '../actors/ground/fifo.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { CallExitError } from '../actors/lifecycle/call-exit.ts';
import type { Incarnation } from '../actors/lifecycle/ref.ts';
import type { FullChildSpec } from './child-spec.ts';
import { errorFrom } from '../actors/ground/error-from.ts';
import type { Supervisor } from './supervisor.ts';
import { armDeadline, endTask, startTask, TaskCaller } from './task-link.ts';
import type { TaskWork } from './task-logic.ts';
import type { StreamFunction, StreamResult, TaskStreamOptions } from './task-stream-options.ts';
import { resultOf, type Kept, type TaskResult } from './task.ts';

/** What a stream needs of its supervisor. */
export interface StreamParts {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly links: 'linked' | 'unlinked';
  readonly specOf: (work: TaskWork) => FullChildSpec;
}

/** Run `fn` for each element while somebody reads. Each reading runs them anew; whoever reads is their caller. */
export async function* streamOf<Input, Value>(
  elements: Iterable<Input> | AsyncIterable<Input>,
  fn: StreamFunction<Input, Value>,
  options: Required<TaskStreamOptions>,
  parts: StreamParts,
): AsyncGenerator<StreamResult<Input, Value>, void, undefined> {
  const run = new StreamRun<Input, Value>(elements, fn, options, parts);
  try {
    for (;;) {
      run.fill();
      if (run.failure !== undefined) throw run.failure;
      const result = run.take();
      if (result !== undefined) yield result;
      else if (run.isOver) return;
      else await run.changed();
    }
  } finally {
    await run.close();
  }
}

interface Slot<Input, Value> {
  readonly input: Input;
  readonly kept: Kept;
  task: Incarnation | undefined;
  result: StreamResult<Input, Value> | undefined;
  unlink: () => void;
  disarm: () => void;
}

type Pulled<Input> = IteratorResult<Input, unknown>;

/** One reading of a stream. */
class StreamRun<Input, Value> {
  readonly #iterator: Iterator<Input, unknown> | AsyncIterator<Input, unknown>;
  readonly #fn: StreamFunction<Input, Value>;
  readonly #options: Required<TaskStreamOptions>;
  readonly #parts: StreamParts;
  readonly #caller = TaskCaller.now();
  readonly #running = new Set<Slot<Input, Value>>();
  /** In the order of the input, those that wait for one before them included. */
  readonly #line = new Fifo<Slot<Input, Value>>();
  #head: Slot<Input, Value> | undefined;
  readonly #ready = new Fifo<StreamResult<Input, Value>>();
  #input: 'more' | 'pulling' | 'exhausted' = 'more';
  #failure: Error | undefined;
  #isClosed = false;
  #wake: (() => void) | undefined;
  readonly #forgetCaller: () => void;

  constructor(
    elements: Iterable<Input> | AsyncIterable<Input>,
    fn: StreamFunction<Input, Value>,
    options: Required<TaskStreamOptions>,
    parts: StreamParts,
  ) {
    this.#iterator =
      Symbol.asyncIterator in elements
        ? elements[Symbol.asyncIterator]()
        : elements[Symbol.iterator]();
    this.#fn = fn;
    this.#options = options;
    this.#parts = parts;
    // The dead read nothing: without this their loop would go on, and start more.
    this.#forgetCaller = this.#caller.whenEnded(() => {
      this.#wake = undefined;
      this.close().catch(() => undefined);
    });
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  get isOver(): boolean {
    return this.#input === 'exhausted' && this.#running.size === 0;
  }

  /** Start as many as there may be. */
  fill(): void {
    while (this.#input === 'more' && this.#failure === undefined && this.#hasRoom()) {
      try {
        const pulled = this.#iterator.next();
        if ('then' in pulled) this.#await(Promise.resolve(pulled));
        else this.#onPulled(pulled);
      } catch (cause) {
        this.#onInputFailed(cause);
      }
    }
  }

  take(): StreamResult<Input, Value> | undefined {
    return this.#ready.shift();
  }

  /** Settles when there is something new to look at. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Nobody reads any more: what still runs is ended at once, as something in order and not as a crash, and the input is told. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#forgetCaller();
    for (const slot of this.#running) this.#discard(slot, SHUTDOWN);
    this.#running.clear();
    const input = this.#input;
    this.#input = 'exhausted';
    if (input === 'exhausted') return;
    const returned = this.#returnInput();
    // What failed first is what is told. And its present element may never come: a generator ends only after that.
    if (input === 'pulling' || this.#failure !== undefined) returned.catch(() => undefined);
    else await returned;
  }

  async #returnInput(): Promise<void> {
    await this.#iterator.return?.();
  }

  #hasRoom(): boolean {
    const { maxConcurrency, ordered } = this.#options;
    if (this.#running.size + this.#ready.size >= maxConcurrency) return false;
    const undelivered = this.#line.size + (this.#head === undefined ? 0 : 1);
    return !ordered || undelivered < maxConcurrency + LIMITS.streamBufferMax;
  }

  #await(pulled: Promise<Pulled<Input>>): void {
    this.#input = 'pulling';
    pulled.then(
      (result) => {
        if (this.#isClosed) return;
        this.#input = 'more';
        this.#onPulled(result);
        this.#tell();
      },
      (cause: unknown) => {
        this.#onInputFailed(cause);
        this.#tell();
      },
    );
  }

  #onInputFailed(cause: unknown): void {
    this.#input = 'exhausted';
    this.#failure ??= errorFrom(cause);
  }

  #onPulled(pulled: Pulled<Input>): void {
    if (pulled.done === true) this.#input = 'exhausted';
    else this.#start(pulled.value);
  }

  #start(input: Input): void {
    const kept: Kept = {};
    const none = (): void => undefined;
    const slot: Slot<Input, Value> = {
      ...{ input, kept, task: undefined, result: undefined },
      ...{ unlink: none, disarm: none },
    };
    const fn = this.#fn;
    const spec = this.#parts.specOf({
      run: this.#caller.given((context) => fn(input, context)),
      callers: this.#caller.chain,
      keep: (value) => {
        kept.value = { value };
      },
    });
    this.#running.add(slot);
    if (this.#options.ordered) this.#line.push(slot);
    startTask(this.#parts.supervisor, spec, {
      started: (task) => this.#onStarted(slot, task),
      refused: (error) => {
        this.#running.delete(slot);
        this.#failure ??= error;
        this.#tell();
      },
    });
  }

  #onStarted(slot: Slot<Input, Value>, task: Incarnation): void {
    slot.task = task;
    if (this.#isClosed) {
      endTask(task, SHUTDOWN);
      return;
    }
    if (this.#parts.links === 'linked') slot.unlink = this.#caller.link(task);
    const ended = (reason: ExitReason): void => this.#onEnd(slot, resultOf(slot.kept, reason));
    if (task.exitReason !== undefined) {
      ended(task.exitReason);
      return;
    }
    task.whenEnded(ended);
    slot.disarm = armDeadline(this.#parts.clock, this.#options.timeoutMs, () => {
      this.#onTimeout(slot, task);
    });
  }

  #onTimeout(slot: Slot<Input, Value>, task: Incarnation): void {
    const reason: ExitReason = { type: 'timeout', what: 'task' };
    if (this.#options.onTimeout === 'exit') {
      const what = `stream of tasks: ${task.path}`;
      this.#failure ??= new CallExitError('timeout', what, reason, 'maybeExecuted');
      this.#tell();
      return;
    }
    this.#onEnd(slot, { type: 'exit', reason });
    this.#discard(slot, KILLED);
  }

  #onEnd(slot: Slot<Input, Value>, result: TaskResult<Value>): void {
    if (!this.#running.delete(slot)) return;
    slot.disarm();
    const { ordered, zipInputOnExit } = this.#options;
    const { input } = slot;
    slot.result = result.type === 'exit' && zipInputOnExit ? { ...result, input } : result;
    if (!ordered) this.#ready.push(slot.result);
    else this.#release();
    this.#tell();
  }

  /** Whatever waits for nobody before it any more is ready. */
  #release(): void {
    for (;;) {
      this.#head ??= this.#line.shift();
      if (this.#head?.result === undefined) return;
      this.#ready.push(this.#head.result);
      this.#head = undefined;
    }
  }

  #discard(slot: Slot<Input, Value>, reason: ExitReason): void {
    slot.disarm();
    slot.unlink();
    if (slot.task !== undefined) endTask(slot.task, reason);
  }

  #tell(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
