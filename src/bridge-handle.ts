// How is an operation of one bridge called? Joins its adapter (what to say) with its pool (whom to say it to).
import type { Clock } from '../actors/ground/clock.ts';
import { errorFrom } from '../actors/ground/error-from.ts';
import { isCaduceusError, UnknownOperationError } from '../actors/ground/errors.ts';
import type { Ids } from '../actors/ground/ids.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { Trace } from '../actors/ground/worker-facts.ts';
import type { CallRequest } from '../supervisors/pool/call-row.ts';
import type { Pool, PoolStatistics } from '../supervisors/pool/pool.ts';
import {
  BUILT_IN_OPERATIONS,
  type Adapter,
  type AdapterRoles,
  type Args,
} from './adapters/adapter.ts';
import { CallbackRunner, type Callbacks } from './callbacks.ts';
import { currentTrace, nestedSite } from './call-context.ts';
import { CallStream } from './call-stream.ts';

/** Options of every call. */
export interface CallOptions {
  /**
   * One caller's state; its calls run in order, on one worker while that lives. Absent, or `anonymous`: the anonymous scope, shared by all such calls,
   * which are neither ordered nor bound to one worker.
   */
  readonly sessionId?: string | undefined;
  /** The whole call: queue, restart of a worker, replay and run. Default 30 000, or the pool's `callTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** How long it may wait for a worker. Default 5 000, or the pool's. */
  readonly checkoutTimeoutMs?: number | undefined;
  /** Abort it. A call that runs already is ended by stages; `cancellation` of the error says by which. */
  readonly signal?: AbortSignal | undefined;
  /** Functions that Python may call while it works on this; they come before the bridge's own. */
  readonly callbacks?: Callbacks | undefined;
  /** Hears what the handler tells of its progress, `current_call().progress(value)`. What it throws is this process's uncaught exception. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /** W3C Trace Context, for Python. Default: that of `withTrace`. */
  readonly trace?: Trace | undefined;
}

/** The name that the ported design gives to the scope of calls without a session. */
const ANONYMOUS = 'anonymous';

/** Errors after which a worker holds nothing of the session. */
const GONE: ReadonlySet<string> = new Set(['worker_crashed', 'replay_failed']);

/** Which worker holds a session's state. */
export interface WorkerView {
  readonly workerId: string;
  readonly epoch: number;
  readonly pid: number | undefined;
  readonly state: string;
}

const NO_CALLBACKS: Callbacks = {};

/** What a handle needs of the runtime. */
export interface HandlePorts {
  readonly ids: Ids;
  readonly clock: Clock;
}

/** One bridge: its operations by name. From `runtime.pool(name)`. */
export class BridgeHandle {
  readonly name: string;
  readonly adapter: Adapter;
  readonly #pool: Pool;
  readonly #ports: HandlePorts;
  readonly #callbacks: Callbacks;

  /** @internal made by the runtime */
  constructor(
    name: string,
    adapter: Adapter,
    pool: Pool,
    ports: HandlePorts,
    callbacks: Callbacks = NO_CALLBACKS,
  ) {
    this.name = name;
    this.adapter = adapter;
    this.#pool = pool;
    this.#ports = ports;
    this.#callbacks = callbacks;
  }

  /**
   * Run one operation. `args` are the adapter's; the result is what its `transformResponse` makes of Python's answer.
   * @throws a {@link CaduceusError}; branch on its `code`, and on `outcome` before trying again.
   */
  call(op: string, args: Args = {}, options: CallOptions = {}): Promise<unknown> {
    const { transformResponse } = this.adapter;
    let answered: Promise<unknown>;
    try {
      answered = this.#send(this.#request(op, args, options), this.#runnerOf(options));
    } catch (error) {
      return Promise.reject(errorFrom(error));
    }
    // Without `async` and its waits: each is a turn of the microtask queue for every call.
    if (transformResponse === undefined) return answered;
    return answered.then((result) => transformResponse(op, result));
  }

  #send(request: CallRequest, runner: CallbackRunner | undefined): Promise<unknown> {
    if (runner === undefined) return this.#pool.call(request);
    const { onCallback } = runner;
    return this.#pool.call({ ...request, onCallback }).finally(() => {
      runner.end();
    });
  }

  /**
   * Run one operation whose handler is a generator, and read what it yields one by one. A handler that is none gives its result as the only item.
   * @returns an async iterable for one reader; errors, those of the arguments too, come from it.
   */
  stream<Item = unknown>(op: string, args: Args = {}, options: CallOptions = {}): CallStream<Item> {
    const { adapter } = this;
    const open = (item: (value: unknown) => void): ReturnType<Pool['open']> => {
      const stream = { credit: LIMITS.streamCredit, item };
      const request = { ...this.#request(op, args, options), stream };
      const runner = this.#runnerOf(options);
      if (runner === undefined) return this.#pool.open(request);
      const call = this.#pool.open({ ...request, onCallback: runner.onCallback });
      const end = (): void => runner.end();
      call.settled.then(end, end);
      return call;
    };
    return new CallStream(
      open,
      (value) => (adapter.transformResponse?.(op, value) ?? value) as Item,
    );
  }

  #request(op: string, args: Args, options: CallOptions): CallRequest {
    const { adapter } = this;
    if (typeof op !== 'string')
      throw new InvalidConfigError('op', `must be a string, found ${typeof op}`);
    const operation = adapter.operations[op];
    if (operation === undefined) this.#assertKnown(op);
    const newId = (): string => this.#ports.ids.next(this.name);
    const sent = adapter.transformRequest?.(op, args, { newId }) ?? args;
    const { timeoutMs, checkoutTimeoutMs, signal, onProgress, trace } = checkOptions(options);
    const sessionId = options.sessionId === ANONYMOUS ? undefined : options.sessionId;
    return {
      op,
      args: sent,
      sessionId,
      signal,
      timeoutMs: timeoutMs ?? this.#pool.callTimeoutMs,
      checkoutTimeoutMs: checkoutTimeoutMs ?? this.#pool.checkoutTimeoutMs,
      change: operation?.change && { change: operation.change, key: operation.key?.(sent) ?? op },
      trace: trace ?? currentTrace(),
      onProgress,
      site: nestedSite(this.#pool, sessionId),
    };
  }

  /** An adapter that names no operation passes all of them through. */
  #assertKnown(op: string): void {
    const known = Object.keys(this.adapter.operations);
    if (known.length === 0 || isBuiltIn(op)) return;
    throw new UnknownOperationError(op, this.name, [...known, ...BUILT_IN_OPERATIONS]);
  }

  #runnerOf({ callbacks }: CallOptions): CallbackRunner | undefined {
    if (callbacks === undefined && this.#callbacks === NO_CALLBACKS) return undefined;
    const own = callbacks === undefined ? this.#callbacks : { ...this.#callbacks, ...callbacks };
    if (Object.keys(own).length === 0) return undefined;
    return new CallbackRunner(own, this.#pool, this.#ports.clock);
  }

  /**
   * End a session: its worker drops what it made, and its journal is forgotten. A session that is never ended is kept (10 000 at most).
   * @throws {@link InvalidConfigError} when the session has further calls waiting.
   */
  async endSession(sessionId: string, options: Omit<CallOptions, 'sessionId'> = {}): Promise<void> {
    const forget = this.adapter.roles?.forget;
    if (forget !== undefined && this.#pool.workerOf(sessionId) !== undefined) {
      try {
        await this.call(forget, {}, { ...options, sessionId });
      } catch (error) {
        // The worker, or what it was to be told first, is gone: then there is nothing left there to drop.
        if (!isCaduceusError(error) || !GONE.has(error.code)) throw error;
      }
    }
    if (this.#pool.endSession(sessionId)) return;
    throw new InvalidConfigError('sessionId', `${sessionId} has calls that are not settled`);
  }

  /**
   * The operation that plays this role.
   * @throws {@link InvalidConfigError} when the adapter gives the role to none.
   */
  role(role: keyof AdapterRoles): string {
    const op = this.adapter.roles?.[role];
    if (op === undefined) {
      throw new InvalidConfigError(
        `adapter ${this.adapter.framework}.roles.${role}`,
        'is not given to any operation',
      );
    }
    return op;
  }

  /** Gauges and counters of the pool. */
  statistics(): PoolStatistics {
    return this.#pool.statistics;
  }

  /** The worker that holds this session's state at the moment, or undefined. */
  workerOf(sessionId: string): WorkerView | undefined {
    const worker = this.#pool.workerOf(sessionId);
    return (
      worker && {
        workerId: worker.workerId,
        epoch: worker.epoch,
        pid: worker.pid,
        state: worker.state,
      }
    );
  }
}

function isBuiltIn(op: string): boolean {
  return (BUILT_IN_OPERATIONS as readonly string[]).includes(op);
}

/** Callers in plain JavaScript make these slips, and a worker that is sent one takes it for a broken wire. */
function checkOptions(options: CallOptions): CallOptions {
  for (const field of ['timeoutMs', 'checkoutTimeoutMs'] as const) {
    const value = options[field];
    if (value !== undefined && !(value > 0)) {
      throw new InvalidConfigError(`options.${field}`, `must be above 0, found ${value}`);
    }
  }
  const { sessionId, signal } = options as {
    readonly sessionId?: unknown;
    readonly signal?: unknown;
  };
  if (sessionId !== undefined && (typeof sessionId !== 'string' || sessionId === '')) {
    throw new InvalidConfigError('options.sessionId', 'must be a string that is not empty');
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidConfigError('options.signal', 'must be an AbortSignal');
  }
  const { onProgress, callbacks, trace } = options as Readonly<Record<string, unknown>>;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new InvalidConfigError('options.onProgress', 'must be a function');
  }
  checkCallbacks(callbacks, 'options.callbacks');
  checkTrace(trace);
  return options;
}

/** @throws {@link InvalidConfigError} naming the first that is no function. */
function checkCallbacks(callbacks: unknown, field: string): void {
  if (callbacks === undefined) return;
  if (typeof callbacks !== 'object' || callbacks === null)
    throw new InvalidConfigError(field, 'must be an object of functions');
  for (const [name, fn] of Object.entries(callbacks)) {
    if (typeof fn !== 'function')
      throw new InvalidConfigError(`${field}.${name}`, 'must be a function');
  }
}

function checkTrace(trace: unknown): void {
  if (trace === undefined) return;
  if (typeof trace !== 'object' || trace === null)
    throw new InvalidConfigError('options.trace', 'must be an object of texts');
  for (const [name, text] of Object.entries(trace)) {
    if (text !== undefined && typeof text !== 'string')
      throw new InvalidConfigError(`options.trace.${name}`, 'must be a text');
  }
}
