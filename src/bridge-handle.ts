// What can one do with one bridge? Its operations by name, its sessions, and its pool.
import { LIMITS } from '../actors/ground/limits.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { Pool, PoolStatistics } from '../supervisors/pool/pool.ts';
import type { AdapterDefinition, AdapterRoles } from './adapters/adapter.ts';
import { checkTime, type CallOptions } from './calls/call-options.ts';
import type { CallStream } from './calls/call-stream.ts';
import { checkOut, type CheckedOutWorker, type CheckoutOptions } from './checked-out-worker.ts';
import { Caller, type CallerSetup } from './caller.ts';

/** Which worker holds a session's state. */
export interface WorkerView {
  readonly workerId: string;
  readonly epoch: number;
  readonly pid: number | undefined;
  readonly state: string;
}

/** Options of an order to a pool. */
export interface OrderOptions {
  /** How long it may take. */
  readonly timeoutMs?: number | undefined;
}

/** What a handle is made of. */
export type HandleSetup = Omit<CallerSetup, 'maxRetries'> & {
  readonly maxRetries?: number | undefined;
};

/** One bridge: its operations by name. From `runtime.pool(name)`. */
export class BridgeHandle {
  readonly name: string;
  readonly adapter: AdapterDefinition;
  readonly #pool: Pool;
  readonly #caller: Caller;

  /** @internal made by the runtime */
  constructor({ maxRetries = LIMITS.maxRetries, ...setup }: HandleSetup) {
    this.name = setup.name;
    this.adapter = setup.adapter;
    this.#pool = setup.pool;
    const ofAdapter = setup.adapter.callbacks?.((op, args, options) =>
      this.call(op, args, options),
    );
    const callbacks =
      ofAdapter === undefined ? setup.callbacks : { ...ofAdapter, ...setup.callbacks };
    this.#caller = new Caller({ ...setup, callbacks, maxRetries });
  }

  /**
   * Run one operation. `args` are the adapter's, or one value for the handler's first parameter; the result is what its `transformResponse` makes of Python's answer.
   * @throws a {@link CaduceusError}; branch on its `code`, and on `outcome` before trying again.
   */
  call(op: string, args?: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#caller.call(this.#pool, op, args, options);
  }

  /**
   * Run one operation whose handler is a generator, and read what it yields one by one. A handler that is none gives its result as the only item.
   * @returns an async iterable for one reader; errors, those of the arguments too, come from it.
   */
  stream<Item = unknown>(op: string, args?: unknown, options: CallOptions = {}): CallStream<Item> {
    return this.#caller.stream(this.#pool, op, args, options);
  }

  /**
   * Hold one worker alone until it is checked in: nobody else's call goes there. With `sessionId` it is that session's worker, and its calls are in that session.
   * @throws whatever a call that finds no worker is rejected with; `checkout_timeout` after `timeoutMs`.
   */
  checkout(options: CheckoutOptions = {}): Promise<CheckedOutWorker> {
    return checkOut(this.#pool, this.#caller, options);
  }

  /**
   * End a session: its worker drops what it made, and its journal is forgotten, in the store too. A session that is lost is usable again after that, and empty.
   * @throws {@link InvalidConfigError} when the session has further calls waiting; `store_failed` when the store did not forget it.
   */
  async endSession(sessionId: string): Promise<void> {
    await ordered((done) => {
      if (this.#pool.endSession(sessionId, done)) return;
      done(new InvalidConfigError('sessionId', `${sessionId} has calls that are not settled`));
    });
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

  /** Gauges of now, counters and distributions since the start. `accepted = completed + failed + cancelled + queued + running`, at every moment. */
  statistics(): PoolStatistics {
    return this.#pool.statistics;
  }

  /**
   * Have `size` workers from now on; the new ones are ready, or the superfluous ones gone, when it resolves. No call fails because of it.
   * @throws {@link InvalidConfigError}; `reload_failed` when a worker does not start: then the size is what it was before.
   */
  resize(size: number): Promise<void> {
    return ordered((done) => this.#pool.resize(size, done));
  }

  /**
   * Replace all workers, one after the other, each once its replacement is ready. No call fails because of it.
   * @throws `reload_failed` when a replacement does not start in time: the worker that it was for stays.
   */
  reload({ timeoutMs }: OrderOptions = {}): Promise<void> {
    return ordered((done) => this.#pool.reload(done, checkedTime(timeoutMs)));
  }

  /**
   * Take no more calls (`pool_stopped`), let those that were accepted end, then stop.
   * @returns how many calls had not ended after `timeoutMs` (60 000) and were failed.
   */
  async drain({ timeoutMs }: OrderOptions = {}): Promise<number> {
    let left = 0;
    await ordered((done) => {
      this.#pool.drain(checkedTime(timeoutMs) ?? LIMITS.drainMs, (error, leftCount) => {
        left = leftCount;
        done(error);
      });
    });
    return left;
  }

  /** Stop the workers: calls that wait are rejected with `pool_stopped`, those that run may finish within the pool's `shutdownMs`. Sessions that can be rebuilt are kept. */
  stop(): Promise<void> {
    return ordered((done) => this.#pool.stop(done));
  }

  /** Start again what was stopped or has failed; resolves with its first worker. @throws `pool_failed`. */
  start(): Promise<void> {
    return ordered((done) => this.#pool.start(done));
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

/** What the pool tells by a callback, as a promise. */
function ordered(give: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    give((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}

function checkedTime(timeoutMs: number | undefined): number | undefined {
  if (timeoutMs !== undefined) checkTime(timeoutMs, 'options.timeoutMs');
  return timeoutMs;
}
