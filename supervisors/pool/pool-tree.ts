// Who supervises a pool's workers, and their zygote? Without a zygote one supervisor; with one there is a second above it, since the workers go down with their zygote.
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import {
  lifecycleStart,
  type Child,
  type ChildFact,
  type ChildStart,
  type LifePorts,
  type StartOrder,
} from '../../actors/lifecycle/child.ts';
import type { SpawnRequest } from '../../actors/port/launcher.ts';
import type { BridgeSource } from '../../actors/port/message.ts';
import type { Signals } from '../../actors/port/signals.ts';
import type { ZygoteTransport } from '../../actors/port/transport.ts';
import { ZygoteSpawner } from '../../actors/port/zygote-spawner.ts';
import { mayStartAgain } from '../../actors/worker/crash-cause.ts';
import type { Scratch, WorkerPorts, WorkerWatcher } from '../../actors/worker/worker-types.ts';
import { workerStart } from '../../actors/worker/worker.ts';
import { zygoteStart } from '../../actors/worker/zygote.ts';
import { checkChildSpec } from '../check-spec.ts';
import type { ChildSpec, RestartType } from '../child-spec.ts';
import { cores } from '../cores.ts';
import { checkFlags, type FullSupervisorFlags } from '../supervisor-flags.ts';
import { Supervisor } from '../supervisor.ts';
import type { FleetTree } from './fleet-types.ts';
import type { PoolOptions } from './pool-options.ts';

/** A process that imports once and forks the pool's workers. */
export interface ZygoteSetup {
  readonly spawn: SpawnRequest;
  /** `package.module`, or `package.module:attribute`. */
  readonly preload: readonly string[];
  readonly transport: ZygoteTransport;
  readonly signals: Signals;
}

/** How its workers come up. */
export interface Launch {
  readonly spawn: SpawnRequest;
  readonly bridge: BridgeSource;
  /** Undefined: every worker is spawned. */
  readonly zygote?: ZygoteSetup | undefined;
}

export interface PoolTreeSetup {
  readonly name: string;
  readonly options: PoolOptions;
  /** Asked each time that its tree starts: what a pool on demand needs is found out before its first start only. */
  readonly launch: () => Launch;
  readonly makeScratch: (name: string) => Scratch;
  /** The hash that the bridge's operations must have. */
  readonly schemaHash?: string | undefined;
}

/** What the tree asks of whoever decides about its workers, and tells. */
export interface TreeEnds {
  readonly watcher: WorkerWatcher;
  /** Workers that the pool is to have now. */
  readonly size: () => number;
  /** The workers' supervisor begins, for the first time or again. @returns whom it is to start. */
  readonly begin: () => readonly string[];
  readonly onFact: (id: string, fact: ChildFact) => void;
  /** A supervisor of it gives up, before its children are stopped. */
  readonly onGiveUp: (because: string, last: ExitReason) => void;
}

/** The tree of one pool. */
export class PoolTree implements FleetTree {
  readonly #setup: PoolTreeSetup;
  readonly #ports: WorkerPorts;
  readonly #ends: TreeEnds;
  /** Of the workers, whose paths are the same under the supervisor that follows one. */
  readonly #epochs = new Map<string, number>();
  /** Lifecycles that have not ended. */
  readonly #lives = new Map<string, Child>();
  #workers: Supervisor | undefined;
  /** How the present supervisor of workers starts one. */
  #start: ChildStart | undefined;
  /** Whether a worker has been ready since the tree was started. */
  #bridge: 'untried' | 'works' = 'untried';

  constructor(setup: PoolTreeSetup, ports: WorkerPorts, ends: TreeEnds) {
    this.#setup = setup;
    this.#ports = ports;
    this.#ends = ends;
  }

  /** Whoever supervises the workers now. */
  get workers(): Supervisor | undefined {
    return this.#workers;
  }

  get state(): 'up' | 'down' {
    return this.#workers?.state === 'ready' ? 'up' : 'down';
  }

  startWorker(id: string, done: (error?: Error) => void): void {
    const spec = checkChildSpec(this.#workerSpec(id, 'temporary'), 'worker', 'never');
    this.#workers?.serve({ op: 'startChild', spec, settle: () => done(), fail: done });
  }

  adopt(id: string): void {
    this.#workers?.orderChild(id, { type: 'adopt', restart: 'permanent' });
  }

  removeWorker(id: string, how: 'in_time' | 'at_once', because: string): 'stopping' | 'gone' {
    const { shutdownMs = LIMITS.shutdownMs } = this.#setup.options;
    const shutdown = how === 'at_once' ? 'brutal_kill' : shutdownMs;
    this.#workers?.orderChild(id, { type: 'remove', shutdown, because });
    return this.#lives.has(id) ? 'stopping' : 'gone';
  }

  replaceWorker(id: string, epoch: number, because: string): void {
    this.#workers?.replaceChild(id, epoch, because);
  }

  /** Start it. @returns the supervisor at its top. */
  start(order: StartOrder, ports: LifePorts): Supervisor {
    const { zygote } = this.#setup.launch();
    this.#bridge = 'untried';
    if (zygote === undefined) return this.#startWorkers(order, this.#ports, ports);
    const { clock, spawner: system, host } = this.#ports;
    const spawner = new ZygoteSpawner({ clock, system, host, signals: zygote.signals });
    const flags = checkFlags(
      {
        strategy: 'rest_for_one',
        // When the workers' supervisor gives up, so does the pool: they get no second budget from here.
        autoShutdown: 'any_significant',
        ...this.#period(),
        children: [
          this.#zygoteSpec(zygote, spawner),
          {
            id: 'workers',
            type: 'supervisor',
            restart: 'transient',
            significant: true,
            start: lifecycleStart(
              'supervisor',
              (life) => (inner) => this.#startWorkers(inner, { ...this.#ports, spawner }, life),
            ),
          },
        ],
      },
      { onGiveUp: this.#ends.onGiveUp },
    );
    return new Supervisor(order, flags, ports);
  }

  #startWorkers(order: StartOrder, ports: WorkerPorts, life: LifePorts): Supervisor {
    const { maxRestarts, maxConcurrentStarts = Math.max(2, cores()) } = this.#setup.options;
    const { size } = this.#ends;
    this.#start = this.#workerStart(ports);
    // Not of the supervisor before: those may be others.
    const ids = this.#ends.begin();
    for (const id of this.#epochs.keys()) if (!ids.includes(id)) this.#epochs.delete(id);
    const children = ids.map((id) => this.#workerSpec(id, 'permanent'));
    const flags = checkFlags(
      { children, maxConcurrentStarts, ...this.#period() },
      {
        onGiveUp: this.#ends.onGiveUp,
        // With a zygote or without, a worker is called the same, and no epoch is given twice.
        childPath: this.#setup.name,
        epochs: this.#epochs,
      },
    );
    const growing: FullSupervisorFlags = {
      ...flags,
      get maxRestarts(): number {
        return maxRestarts ?? LIMITS.maxRestarts * size();
      },
    };
    this.#workers = new Supervisor(order, growing, life);
    return this.#workers;
  }

  #period(): { readonly periodMs?: number } {
    const { periodMs } = this.#setup.options;
    return periodMs === undefined ? {} : { periodMs };
  }

  #zygoteSpec(zygote: ZygoteSetup, spawner: ZygoteSpawner): ChildSpec {
    const { spawn, preload, transport } = zygote;
    const { requiredPackages: packages } = this.#setup.launch().bridge;
    const { startTimeoutMs = LIMITS.startTimeoutMs, heartbeatMs } = this.#setup.options;
    const start = zygoteStart(
      { spawn, preload, packages, startTimeoutMs, spawner, heartbeatMs },
      { ...this.#ports, transport },
    );
    return {
      id: 'zygote',
      start: lifecycleStart('worker', () => start),
      restart: 'permanent',
      shutdown: LIMITS.zygoteShutdownMs,
    };
  }

  #workerStart(ports: WorkerPorts): ChildStart {
    const { options, makeScratch, schemaHash } = this.#setup;
    const { spawn, bridge } = this.#setup.launch();
    const { concurrency, heartbeatMs, gilHoldMsMax, limits, usageLimits } = options;
    const { watcher } = this.#ends;
    const workerReady: WorkerWatcher['workerReady'] = (worker, info) => {
      this.#bridge = 'works';
      watcher.workerReady(worker, info);
    };
    const start = workerStart(
      {
        spawn,
        bridge,
        makeScratch,
        ...{ schemaHash, concurrency, heartbeatMs, gilHoldMsMax, limits, usageLimits },
        startTimeoutMs: options.startTimeoutMs ?? LIMITS.startTimeoutMs,
        watcher: { ...watcher, workerReady },
      },
      ports,
    );
    return (order) => {
      const listener = (fact: ChildFact): void => {
        if (fact.type === 'child.stopped') this.#lives.delete(order.id);
        order.listener(fact);
        this.#ends.onFact(order.id, fact);
      };
      const life = start({ ...order, listener });
      if (life.state !== 'stopped') this.#lives.set(order.id, life);
      return life;
    };
  }

  #workerSpec(id: string, restart: RestartType): ChildSpec {
    const { options } = this.#setup;
    const { maxConsecutiveStartFailures = LIMITS.maxConsecutiveStartFailures } = options;
    return {
      id,
      start: lifecycleStart('worker', () => (order) => {
        if (this.#start === undefined) throw new Error(`worker ${order.path} has no supervisor`);
        return this.#start(order);
      }),
      restart,
      shutdown: options.shutdownMs ?? LIMITS.shutdownMs,
      ack: 'spawned',
      maxConsecutiveStartFailures,
      // What has worked may work again; what never has does not mend itself.
      isRetryable: (reason) => this.#bridge === 'works' || mayStartAgain(reason),
    };
  }
}
