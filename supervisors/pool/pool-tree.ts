// Who supervises a pool's workers, and their zygote? Without a zygote one supervisor; with one there is a second above it, since the workers go down with their zygote.
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { lifecycleStart, type LifePorts, type StartOrder } from '../../actors/lifecycle/child.ts';
import type { SpawnRequest } from '../../actors/port/launcher.ts';
import type { BridgeSource } from '../../actors/port/message.ts';
import type { Signals } from '../../actors/port/signals.ts';
import type { ZygoteTransport } from '../../actors/port/transport.ts';
import { ZygoteSpawner } from '../../actors/port/zygote-spawner.ts';
import type { Scratch, WorkerPorts, WorkerWatcher } from '../../actors/worker/worker-types.ts';
import { workerStart } from '../../actors/worker/worker.ts';
import { zygoteStart } from '../../actors/worker/zygote.ts';
import type { ChildSpec } from '../child-spec.ts';
import { checkFlags } from '../supervisor-flags.ts';
import { Supervisor } from '../supervisor.ts';
import type { PoolOptions } from './pool-options.ts';

/** A process that imports once and forks the pool's workers. */
export interface ZygoteSetup {
  readonly spawn: SpawnRequest;
  /** `package.module`, or `package.module:attribute`. */
  readonly preload: readonly string[];
  readonly transport: ZygoteTransport;
  readonly signals: Signals;
}

export interface PoolTreeSetup {
  readonly name: string;
  readonly options: PoolOptions;
  readonly spawn: SpawnRequest;
  readonly bridge: BridgeSource;
  readonly makeScratch: (name: string) => Scratch;
  /** The hash that the bridge's operations must have. */
  readonly schemaHash?: string | undefined;
  /** Undefined: every worker is spawned. */
  readonly zygote?: ZygoteSetup | undefined;
}

interface Ends {
  readonly watcher: WorkerWatcher;
  /** A supervisor of it gives up, before its children are stopped. */
  readonly onGiveUp: (because: string, last: ExitReason) => void;
}

/** The tree of one pool. */
export class PoolTree {
  readonly #setup: PoolTreeSetup;
  readonly #ports: WorkerPorts;
  readonly #ends: Ends;
  /** Of the workers, whose paths are the same under the supervisor that follows one. */
  readonly #epochs = new Map<string, number>();
  #workers: Supervisor | undefined;

  constructor(setup: PoolTreeSetup, ports: WorkerPorts, ends: Ends) {
    this.#setup = setup;
    this.#ports = ports;
    this.#ends = ends;
  }

  get size(): number {
    return this.#setup.options.size ?? LIMITS.poolSize;
  }

  /** Whoever supervises the workers now. */
  get workers(): Supervisor | undefined {
    return this.#workers;
  }

  /** Start it. @returns the supervisor at its top. */
  start(order: StartOrder, ports: LifePorts): Supervisor {
    const { zygote } = this.#setup;
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
    const { maxRestarts = LIMITS.maxRestarts * this.size } = this.#setup.options;
    const flags = checkFlags(
      { children: this.#workerSpecs(ports), maxRestarts, ...this.#period() },
      {
        onGiveUp: this.#ends.onGiveUp,
        // With a zygote or without, a worker is called the same, and no epoch is given twice.
        childPath: this.#setup.name,
        epochs: this.#epochs,
      },
    );
    this.#workers = new Supervisor(order, flags, life);
    return this.#workers;
  }

  #period(): { readonly periodMs?: number } {
    const { periodMs } = this.#setup.options;
    return periodMs === undefined ? {} : { periodMs };
  }

  #zygoteSpec(zygote: ZygoteSetup, spawner: ZygoteSpawner): ChildSpec {
    const { spawn, preload, transport } = zygote;
    const { requiredPackages: packages } = this.#setup.bridge;
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

  #workerSpecs(ports: WorkerPorts): readonly ChildSpec[] {
    const { options, spawn, bridge, makeScratch, schemaHash } = this.#setup;
    const { concurrency, heartbeatMs, gilHoldMsMax, limits, usageLimits } = options;
    const start = workerStart(
      {
        spawn,
        bridge,
        makeScratch,
        ...{ schemaHash, concurrency, heartbeatMs, gilHoldMsMax, limits, usageLimits },
        startTimeoutMs: options.startTimeoutMs ?? LIMITS.startTimeoutMs,
        watcher: this.#ends.watcher,
      },
      ports,
    );
    return Array.from({ length: this.size }, (_, index) => ({
      id: String(index),
      start: lifecycleStart('worker', () => start),
      restart: 'permanent',
      shutdown: options.shutdownMs ?? LIMITS.shutdownMs,
      ack: 'spawned',
      maxConsecutiveStartFailures:
        options.maxConsecutiveStartFailures ?? LIMITS.maxConsecutiveStartFailures,
    }));
  }
}
