// What is a pool of workers of one bridge? A supervisor of workers, a fleet that says who they are, and a router, joined so that none waits for another.
import { PoolFailedError, type CaduceusError } from '../../actors/ground/errors.ts';
import { formatExitReason, SHUTDOWN, type ExitReason } from '../../actors/ground/exit-reason.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { PoolStoppedError } from '../../actors/ground/pool-errors.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import { lifecycleStart, type LifePorts, type StartOrder } from '../../actors/lifecycle/child.ts';
import type { ChildSpec } from '../child-spec.ts';
import type { Supervisor } from '../supervisor.ts';
import type { CallRequest } from './call-row.ts';
import type { Checkout, CheckoutRequest } from './checkout.ts';
import type { Done } from './fleet-requests.ts';
import { Fleet } from './fleet.ts';
import { PoolLife, type WhyClosed } from './pool-life.ts';
import { poolStatistics } from './pool-statistics.ts';
import type { PoolPorts, PoolSetup, PoolStatistics } from './pool-types.ts';
import type { StoreDone } from './scope-store.ts';
import { PoolTree } from './pool-tree.ts';
import type { OpenCall } from './router-types.ts';
import { checkoutTimeMs, reopenTimeMs, routerSettings } from './router-settings.ts';
import { Router } from './router.ts';

export type { PoolPorts, PoolSetup, PoolStatistics } from './pool-types.ts';

/** One pool. Made by the runtime; `childSpec` goes into the root supervisor. */
export class Pool {
  readonly name: string;
  readonly #setup: PoolSetup;
  readonly #ports: PoolPorts;
  readonly #router: Router;
  readonly #tree: PoolTree;
  readonly #fleet: Fleet;
  readonly #life: PoolLife;
  /** The top of its tree, while there is one. */
  #top: Supervisor | undefined;
  /** Calls that were not over when its workers were told to end. */
  #cutCount = 0;

  constructor(setup: PoolSetup, ports: PoolPorts) {
    this.name = setup.name;
    this.#setup = setup;
    this.#ports = ports;
    this.#router = new Router(
      {
        ...routerSettings(setup),
        replaceWorker: (worker, epoch, because) => this.#fleet.replace(worker, epoch, because),
        onQueued: () => this.#fleet.onQueued(),
        onIdle: (worker, epoch) => this.#fleet.onIdle(worker, epoch),
        onCallOver: (worker, epoch, count) => this.#fleet.onCallOver(worker, epoch, count),
      },
      ports,
    );
    this.#tree = new PoolTree(setup, ports, {
      watcher: {
        workerReady: (worker) => this.#onReady(worker),
        workerUnavailable: (worker) => {
          this.#fleet.workerUnavailable(worker);
          this.#router.workerUnavailable(worker);
        },
      },
      size: () => this.size,
      begin: () => this.#fleet.begin(),
      onFact: (id, fact) => this.#fleet.onFact(id, fact),
      onGiveUp: (because, last) => {
        const words = because.replaceAll('_', ' ');
        this.#failWith(`${words}; last exit: ${formatExitReason(last)}`, last);
      },
    });
    const ends = { tree: this.#tree, router: this.#router };
    this.#fleet = new Fleet(setup.name, setup.options, ports, ends);
    const reopenMs = setup.startTree === undefined ? undefined : reopenTimeMs(setup.options);
    this.#life = new PoolLife(setup.name, { reopenMs, start: setup.start ?? 'at_once' }, ports, {
      begin: () => this.#begin(),
      drain: () => this.#drain(),
      stop: () => this.#stop(),
      fail: (makeError) => this.#fail(makeError),
      close: (makeError) => this.#close(makeError),
    });
  }

  get statistics(): PoolStatistics {
    const [router, fleet] = [this.#router.statistics(), this.#fleet.statistics()];
    return poolStatistics({ state: this.#life.state, size: this.size }, router, fleet);
  }

  /** Workers that it is to have. */
  get size(): number {
    return this.#fleet.size;
  }

  /** Default times of a call, for those who name none. */
  get callTimeoutMs(): number {
    return this.#setup.options.callTimeoutMs ?? LIMITS.callTimeoutMs;
  }

  /** A pool that has not come up yet is waited for as long as a worker may take to start. */
  get checkoutTimeoutMs(): number {
    return checkoutTimeMs(this.#setup.options, this.#life.place);
  }

  /** Whoever supervises its workers now. */
  get supervisor(): Supervisor | undefined {
    return this.#tree.workers;
  }

  /** Settles once the first worker is ready, or rejects with {@link PoolFailedError}: whoever calls before simply waits in the queue. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#life.whenServing((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** Start again what has failed or was stopped. `done` with the first ready worker, or with why there is none. */
  start(done: Done): void {
    const { place } = this.#life;
    const isDown = place === 'failed' || place === 'restarting' || place === 'stopped';
    if (isDown && this.#setup.startTree === undefined) {
      done(this.#life.errorOf(place));
      return;
    }
    this.#life.tell({ type: 'pool.start' }, 'start');
    this.#life.whenServing(done);
  }

  /** Refuse new calls, let those that were accepted end, then stop. @param done with how many had not ended after `timeoutMs`: they are failed. */
  drain(timeoutMs: number, done: (error: Error | undefined, leftCount: number) => void): void {
    this.#life.tell({ type: 'pool.drain', timeoutMs }, 'drain');
    this.#life.whenStopped((error) => done(error, this.#cutCount));
  }

  /** Fail what waits, give what runs its `shutdownMs`, and stop the workers. */
  stop(done: () => void): void {
    this.#life.tell({ type: 'pool.stop' }, 'stop');
    this.#life.whenStopped(() => done());
  }

  /** Have `size` workers from now on. `done` when it is so; when one does not start the size is again what it was. */
  resize(size: number, done: Done, timeoutMs: number = LIMITS.fleetOrderTimeoutMs): void {
    this.#ordered(done, () => this.#fleet.resize(size, timeoutMs, done));
  }

  /** Replace all workers, one after the other, each when its replacement is ready. `done` when the last of the old ones has ended. */
  reload(done: Done, timeoutMs: number = LIMITS.fleetOrderTimeoutMs): void {
    this.#ordered(done, () => this.#fleet.reload(timeoutMs, done));
  }

  call(request: CallRequest): Promise<unknown> {
    return this.#awake().call(request);
  }

  /** A call whose caller reads its items. */
  open(request: CallRequest): OpenCall {
    return this.#awake().open(request);
  }

  /** Hold a worker alone. @param answer once: with the checkout when it holds one, or with why it does not. */
  checkout(
    wanted: CheckoutRequest,
    answer: (error: Error | undefined, checkout?: Checkout) => void,
  ): void {
    this.#awake().checkout(wanted, answer);
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
      // Neither the import of its zygote nor its failure is any other pool's affair.
      ack: 'spawned',
      start: lifecycleStart('supervisor', (ports) => (order) => this.#startTree(order, ports)),
    };
  }

  /** Take no more calls, for good; those that wait are rejected, those that run may finish while the workers are stopped. Its root stops the tree. */
  close(why: WhyClosed = 'runtime ends'): void {
    this.#life.tell({ type: 'pool.close', why }, `the ${why}`);
  }

  get #leftCount(): number {
    const { queued, running } = this.#router.statistics().gauges;
    return queued + running;
  }

  /** Its first call finds it starting, and waits in its queue. */
  #awake(): Router {
    if (this.#life.place === 'unstarted') this.#life.tell({ type: 'pool.wake' }, 'its first call');
    return this.#router;
  }

  #ordered(done: Done, order: () => void): void {
    this.#awake();
    const error = this.#life.errorOf(this.#life.place);
    if (error === undefined) order();
    else done(error);
  }

  #startTree(order: StartOrder, ports: LifePorts): Supervisor {
    const listener: StartOrder['listener'] = (fact) => {
      order.listener(fact);
      if (fact.type === 'child.stopped') this.#onSupervisorStopped(fact.reason);
    };
    const top = this.#tree.start({ ...order, listener }, ports);
    if (top.state !== 'stopped') this.#top = top;
    // Told to stop before it had begun.
    if (this.#life.isOver) top.stop('infinity', SHUTDOWN);
    return top;
  }

  #onReady(worker: Worker): void {
    this.#life.tell({ type: 'worker.ready' }, `worker ${worker.workerId} is ready`);
    if (this.#fleet.workerReady(worker)) this.#router.workerReady(worker);
  }

  #onSupervisorStopped(reason: ExitReason): void {
    this.#top = undefined;
    // Where it was neither asked for nor given up a machine threw, here or above. Nobody may wait for ever.
    this.#failWith(`its supervisor ended with ${formatExitReason(reason)}`, reason);
    if (this.#life.place === 'closed') this.#router.dispose();
    else this.#router.rest();
    this.#life.tell({ type: 'tree.gone' }, 'its workers are gone');
  }

  #failWith(because: string, last: ExitReason): void {
    const cause = last.type === 'error' ? last.error : undefined;
    const makeError = (): PoolFailedError => new PoolFailedError(this.name, because, cause);
    this.#life.tell({ type: 'tree.failed', makeError }, because);
  }

  #begin(): void {
    this.#router.reopen();
    const isWanted = this.#life.whileHere();
    const failed = (error: Error): void => {
      if (!isWanted()) return;
      this.#failWith(`its root did not start it: ${error.message}`, { type: 'error', error });
      this.#life.tell({ type: 'tree.gone' }, 'it was not started');
    };
    // By way of the event loop: its root has forgotten the one before by then.
    this.#ports.clock.afterPoll(() => {
      if (isWanted()) this.#setup.startTree?.(this.childSpec(), failed, isWanted);
    });
  }

  #drain(): void {
    const makeError = (): PoolStoppedError => new PoolStoppedError(this.name, 'draining');
    this.#fleet.refuse(makeError);
    this.#router.refuseNew(makeError);
    this.#lookDrained();
  }

  /** A call that waits may end without anybody else hearing of it. */
  #lookDrained(): void {
    if (this.#life.place !== 'draining') return;
    const look = (): void => this.#lookDrained();
    if (this.#leftCount > 0) this.#ports.clock.setTimeout(look, LIMITS.drainLookMs);
    else this.#life.tell({ type: 'pool.drained' }, 'no call is left');
  }

  #stop(): void {
    this.#cutCount = this.#leftCount;
    const makeError = (): PoolStoppedError => new PoolStoppedError(this.name, 'stopped');
    this.#fleet.end(makeError);
    this.#router.close(makeError);
    if (this.#top !== undefined) this.#top.stop('infinity', SHUTDOWN);
    else this.#life.tell({ type: 'tree.gone' }, 'it was not started yet');
  }

  #fail(makeError: () => PoolFailedError): void {
    this.#fleet.end(makeError);
    this.#ports.bus.emit('pool.failed', { pool: this.name, error: makeError() });
    this.#router.close(makeError);
  }

  #close(makeError: () => CaduceusError): void {
    this.#fleet.end(makeError);
    this.#router.close(makeError);
    if (this.#top === undefined) this.#router.dispose();
  }
}
