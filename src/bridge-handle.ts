// What can one do with one bridge? Its operations by name, its sessions, and its pool.
import { isCaduceusError } from '../actors/ground/errors.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { Pool, PoolStatistics } from '../supervisors/pool/pool.ts';
import type { Adapter, AdapterRoles, Args } from './adapters/adapter.ts';
import type { CallOptions } from './call-options.ts';
import type { CallStream } from './call-stream.ts';
import { Caller, type CallerSetup } from './caller.ts';

/** Errors after which a worker holds nothing of the session. */
const GONE: ReadonlySet<string> = new Set(['worker_crashed', 'replay_failed']);

/** Which worker holds a session's state. */
export interface WorkerView {
  readonly workerId: string;
  readonly epoch: number;
  readonly pid: number | undefined;
  readonly state: string;
}

/** What a handle is made of. */
export type HandleSetup = Omit<CallerSetup, 'maxRetries'> & {
  readonly maxRetries?: number | undefined;
};

/** One bridge: its operations by name. From `runtime.pool(name)`. */
export class BridgeHandle {
  readonly name: string;
  readonly adapter: Adapter;
  readonly #pool: Pool;
  readonly #caller: Caller;

  /** @internal made by the runtime */
  constructor({ maxRetries = LIMITS.maxRetries, ...setup }: HandleSetup) {
    this.name = setup.name;
    this.adapter = setup.adapter;
    this.#pool = setup.pool;
    this.#caller = new Caller({ ...setup, maxRetries });
  }

  /**
   * Run one operation. `args` are the adapter's; the result is what its `transformResponse` makes of Python's answer.
   * @throws a {@link CaduceusError}; branch on its `code`, and on `outcome` before trying again.
   */
  call(op: string, args: Args = {}, options: CallOptions = {}): Promise<unknown> {
    return this.#caller.call(this.#pool, op, args, options);
  }

  /**
   * Run one operation whose handler is a generator, and read what it yields one by one. A handler that is none gives its result as the only item.
   * @returns an async iterable for one reader; errors, those of the arguments too, come from it.
   */
  stream<Item = unknown>(op: string, args: Args = {}, options: CallOptions = {}): CallStream<Item> {
    return this.#caller.stream(this.#pool, op, args, options);
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
