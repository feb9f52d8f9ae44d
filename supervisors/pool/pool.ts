// What is a pool of workers of one bridge? A supervisor of workers and a router, joined so that neither waits for the other.
import { PoolFailedError, RuntimeStoppedError } from '../../actors/ground/errors.ts';
import { formatExitReason, type ExitReason } from '../../actors/ground/exit-reason.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import type { Random } from '../../actors/ground/random.ts';
import type { Worker, WorkerPorts } from '../../actors/worker/worker-types.ts';
import { lifecycleStart, type LifePorts, type StartOrder } from '../../actors/lifecycle/child.ts';
import type { ChildSpec } from '../child-spec.ts';
import type { Supervisor } from '../supervisor.ts';
import type { CallRequest } from './call-row.ts';
import type { Checkout, CheckoutRequest } from './checkout.ts';
import type { StoreDone } from './scope-store.ts';
import { PoolTree, type PoolTreeSetup } from './pool-tree.ts';
import type { OpenCall, RouterStatistics } from './router-types.ts';
import { routerSettings, type RouterSetup } from './router-settings.ts';
import { Router } from './router.ts';

/** What a pool is made of. */
export interface PoolSetup extends PoolTreeSetup, RouterSetup {}

/** What a pool needs of the world. */
export interface PoolPorts extends WorkerPorts {
  readonly random: Random;
}

export interface PoolStatistics extends RouterStatistics {
  readonly size: number;
  readonly state: 'starting' | 'serving' | 'failed' | 'stopped';
}

type Availability =
  | { readonly type: 'starting' }
  | { readonly type: 'serving' }
  | { readonly type: 'failed'; readonly error: PoolFailedError }
  | { readonly type: 'stopped' };

/** One pool. Made by the runtime; `childSpec` goes into the root supervisor. */
export class Pool {
  readonly name: string;
  readonly #setup: PoolSetup;
  readonly #ports: PoolPorts;
  readonly #router: Router;
  readonly #tree: PoolTree;
  readonly #waiters = new Set<() => void>();
  #availability: Availability = { type: 'starting' };

  constructor(setup: PoolSetup, ports: PoolPorts) {
    this.name = setup.name;
    this.#setup = setup;
    this.#ports = ports;
    this.#router = new Router(
      {
        ...routerSettings(setup),
        replaceWorker: (worker, epoch, because) => {
          this.#tree.workers?.replaceChild(worker.id, epoch, because);
        },
      },
      ports,
    );
    this.#tree = new PoolTree(setup, ports, {
      watcher: {
        workerReady: (worker) => {
          if (this.#availability.type === 'starting') this.#become({ type: 'serving' });
          this.#router.workerReady(worker);
        },
        workerUnavailable: (worker) => {
          this.#router.workerUnavailable(worker);
        },
      },
      onGiveUp: (because, last) => {
        this.#onGiveUp(because, last);
      },
    });
  }

  get statistics(): PoolStatistics {
    return {
      size: this.size,
      state: this.#availability.type,
      ...this.#router.statistics(),
    };
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Default times of a call, for those who name none. */
  get callTimeoutMs(): number {
    return this.#setup.options.callTimeoutMs ?? LIMITS.callTimeoutMs;
  }

  get checkoutTimeoutMs(): number {
    return this.#setup.options.checkoutTimeoutMs ?? LIMITS.checkoutTimeoutMs;
  }

  /** Whoever supervises its workers now. */
  get supervisor(): Supervisor | undefined {
    return this.#tree.workers;
  }

  /** Settles once the first worker is ready, or rejects with {@link PoolFailedError}: whoever calls before simply waits in the queue. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const now = this.#availability;
        if (now.type === 'starting') return;
        this.#waiters.delete(look);
        if (now.type === 'failed') reject(now.error);
        else if (now.type === 'stopped') reject(new RuntimeStoppedError(`pool ${this.name}`));
        else resolve();
      };
      this.#waiters.add(look);
      look();
    });
  }

  call(request: CallRequest): Promise<unknown> {
    return this.#router.call(request);
  }

  /** A call whose caller reads its items. */
  open(request: CallRequest): OpenCall {
    return this.#router.open(request);
  }

  /** Hold a worker alone. @param answer once: with the checkout when it holds one, or with why it does not. */
  checkout(
    wanted: CheckoutRequest,
    answer: (error: Error | undefined, checkout?: Checkout) => void,
  ): void {
    this.#router.checkout(wanted, answer);
  }

  /** A call on a worker that is held. */
  callHeld(checkout: Checkout, request: CallRequest): Promise<unknown> {
    return this.#router.callHeld(checkout, request);
  }

  /** A call on a worker that is held, whose items are read. */
  openHeld(checkout: Checkout, request: CallRequest): OpenCall {
    return this.#router.openHeld(checkout, request);
  }

  /** The worker that holds the session's state now, if one does. */
  workerOf(sessionId: string): Worker | undefined {
    return this.#router.boundWorker(sessionId);
  }

  /** Forget a session. @returns false when it still has calls. @param done once the store has forgotten it too. */
  endSession(sessionId: string, done?: StoreDone): boolean {
    return this.#router.endSession(sessionId, done);
  }

  /** The child specification of the pool: temporary, since a pool that gives up stays failed and takes no other with it. */
  childSpec(): ChildSpec {
    return {
      id: this.name,
      type: 'supervisor',
      restart: 'temporary',
      start: lifecycleStart('supervisor', (ports) => (order) => this.#startTree(order, ports)),
    };
  }

  #startTree(order: StartOrder, ports: LifePorts): Supervisor {
    const listener: StartOrder['listener'] = (fact) => {
      if (fact.type === 'child.stopped') this.#onSupervisorStopped(fact.reason);
      order.listener(fact);
    };
    return this.#tree.start({ ...order, listener }, ports);
  }

  /** Take no more calls; those that wait are rejected, those that run may finish while the workers are stopped. */
  close(): void {
    if (this.#availability.type !== 'failed') this.#become({ type: 'stopped' });
    this.#router.close(() => new RuntimeStoppedError(`pool ${this.name}`));
  }

  #onGiveUp(because: string, last: ExitReason): void {
    this.#failWith(`${because.replaceAll('_', ' ')}; last exit: ${formatExitReason(last)}`, last);
  }

  #onSupervisorStopped(reason: ExitReason): void {
    // Neither asked for by `close` nor given up: a machine threw, here or above. Nobody may wait for ever.
    this.#failWith(`its supervisor ended with ${formatExitReason(reason)}`, reason);
    this.#router.dispose();
  }

  #failWith(because: string, last: ExitReason): void {
    if (this.#availability.type === 'failed' || this.#availability.type === 'stopped') return;
    const cause = last.type === 'error' ? last.error : undefined;
    const makeError = (): PoolFailedError => new PoolFailedError(this.name, because, cause);
    const error = makeError();
    this.#become({ type: 'failed', error });
    this.#ports.bus.emit('pool.failed', { pool: this.name, error });
    this.#router.close(makeError);
  }

  #become(availability: Availability): void {
    this.#availability = availability;
    for (const look of [...this.#waiters]) look();
  }
}
