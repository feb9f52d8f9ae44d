// How is an operation of one bridge called? Joins its adapter (what to say) with its pool (whom to say it to).
import { isCaduceusError, UnknownOperationError } from '../actors/ground/errors.ts';
import type { Ids } from '../actors/ground/ids.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { Pool, PoolStatistics } from '../supervisors/pool/pool.ts';
import {
  BUILT_IN_OPERATIONS,
  type Adapter,
  type AdapterRoles,
  type Args,
} from './adapters/adapter.ts';

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
  /** Abort it. A call that runs already takes its worker with it, which is replaced. */
  readonly signal?: AbortSignal | undefined;
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

/** One bridge: its operations by name. From `runtime.pool(name)`. */
export class BridgeHandle {
  readonly name: string;
  readonly adapter: Adapter;
  readonly #pool: Pool;
  readonly #ids: Ids;

  /** @internal made by the runtime */
  constructor(name: string, adapter: Adapter, pool: Pool, ids: Ids) {
    this.name = name;
    this.adapter = adapter;
    this.#pool = pool;
    this.#ids = ids;
  }

  /**
   * Run one operation. `args` are the adapter's; the result is what its `transformResponse` makes of Python's answer.
   * @throws a {@link CaduceusError}; branch on its `code`, and on `outcome` before trying again.
   */
  async call(op: string, args: Args = {}, options: CallOptions = {}): Promise<unknown> {
    const { adapter } = this;
    if (typeof op !== 'string')
      throw new InvalidConfigError('op', `must be a string, found ${typeof op}`);
    const operation = adapter.operations[op];
    const known = Object.keys(adapter.operations);
    if (operation === undefined && known.length > 0 && !isBuiltIn(op)) {
      throw new UnknownOperationError(op, this.name, [...known, ...BUILT_IN_OPERATIONS]);
    }
    const sent =
      adapter.transformRequest?.(op, args, { newId: () => this.#ids.next(this.name) }) ?? args;
    const { timeoutMs, checkoutTimeoutMs, sessionId, signal } = checkOptions(options);
    const result = await this.#pool.call({
      op,
      args: sent,
      sessionId: sessionId === ANONYMOUS ? undefined : sessionId,
      signal,
      timeoutMs: timeoutMs ?? this.#pool.callTimeoutMs,
      checkoutTimeoutMs: checkoutTimeoutMs ?? this.#pool.checkoutTimeoutMs,
      change: operation?.change && { change: operation.change, key: operation.key?.(sent) ?? op },
    });
    return adapter.transformResponse === undefined ? result : adapter.transformResponse(op, result);
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
  return options;
}
