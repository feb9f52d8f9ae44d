// How does a program embed it all? Builds the tree from a configuration, and ends it.

import { systemRandom } from '../actors/ground/random.ts';
import { Names } from '../actors/lifecycle/names.ts';
import { checkFlags } from '../supervisors/supervisor-flags.ts';
import { Bus, type BusEventName, type BusListener } from '../actors/ground/bus.ts';
import { systemClock } from '../actors/ground/clock.ts';
import { SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import { systemIds } from '../actors/ground/ids.ts';
import { suggestion } from '../actors/ground/nearest.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { Child } from '../actors/lifecycle/child.ts';
import { checkChildSpec } from '../supervisors/check-spec.ts';
import type { ChildSpec } from '../supervisors/child-spec.ts';
import { Pool, type PoolSetup } from '../supervisors/pool/pool.ts';
import { Supervisor } from '../supervisors/supervisor.ts';
import { BridgeHandle } from './bridge-handle.ts';
import { checkConfig, type BridgeConfig, type RuntimeConfig } from './config.ts';
import { MlBridge } from './ml-bridge.ts';
import { systemOutside, type OpenOutside, type Outside } from './outside.ts';
import { poolSetup, type Setup } from './pool-setup.ts';
import { ScopeDesk } from './stores/scope-desk.ts';
import { defaultLogger, logEvents } from './telemetry/log.ts';
import { zygoteSetup } from './zygote-setup.ts';

/** One node of the supervision tree, as people want to see it. */
export interface TreeNode {
  readonly id: string;
  /** What events and errors call it. */
  readonly path: string;
  readonly kind: 'supervisor' | 'worker';
  readonly state: string;
  readonly epoch: number;
  readonly pid: number | undefined;
  readonly children: readonly TreeNode[];
}

/** A running tree. Made by {@link createRuntime}; `await using` stops it. */
export class Runtime implements AsyncDisposable {
  /** The unified interface to all bridges. */
  readonly ml: MlBridge;
  /** Settles when the tree has ended, with its reason; never rejects. */
  readonly exited: Promise<ExitReason>;
  readonly #bridges: ReadonlyMap<string, BridgeHandle>;
  readonly #parts: Parts;
  #stopped: Promise<ExitReason> | undefined;

  /** @internal use {@link createRuntime} */
  constructor(parts: Parts, bridges: ReadonlyMap<string, BridgeHandle>, defaultBridge: string) {
    this.#parts = parts;
    this.#bridges = bridges;
    this.ml = new MlBridge(bridges, defaultBridge);
    this.exited = parts.exited;
  }

  /**
   * One bridge, to call its operations by name.
   * @throws {@link InvalidConfigError} when there is no such bridge.
   */
  pool(name: string): BridgeHandle {
    const bridge = this.#bridges.get(name);
    if (bridge !== undefined) return bridge;
    const known = suggestion(name, [...this.#bridges.keys()]);
    throw new InvalidConfigError('bridge', `${name} is not configured; ${known}`);
  }

  /** The supervision tree as it is now. */
  tree(): TreeNode {
    return nodeOf(this.#parts.root);
  }

  /** Watch what happens (`'*'` for everything). A listener that throws is detached. Returns the function that ends it. */
  on<Name extends BusEventName>(name: Name | '*', listener: BusListener<Name>): () => void {
    return this.#parts.bus.on(name, listener);
  }

  /**
   * Stop everything: waiting calls are rejected with `runtime_stopped`, running ones may finish within their pool's `shutdownMs`, then the
   * workers are ended. Bounded; a second call gets the same promise.
   */
  stop(): Promise<ExitReason> {
    this.#stopped ??= stopParts(this.#parts);
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

interface Parts {
  readonly bus: Bus;
  readonly root: Supervisor;
  readonly pools: readonly Pool[];
  readonly outside: OpenOutside;
  readonly exited: Promise<ExitReason>;
  readonly endLog: () => void;
  readonly desk: ScopeDesk | undefined;
}

/**
 * Start the workers of all bridges, and give the runtime once each bridge has one that is ready; those with `startup: 'background'` are not waited for.
 * @throws {@link InvalidConfigError}, {@link ScriptNotFoundError}, {@link PythonNotFoundError}, {@link PythonTooOldError} before anything is started;
 *   {@link PoolFailedError} when the workers of a bridge cannot start: its `cause` holds Python's traceback, and everything is stopped again.
 */
export function createRuntime(config: RuntimeConfig): Promise<Runtime> {
  return createRuntimeOn(systemOutside, config);
}

/** {@link createRuntime} in a world of its caller's. */
export async function createRuntimeOn(outside: Outside, config: RuntimeConfig): Promise<Runtime> {
  checkConfig(config);
  const setups = await Promise.all(
    Object.entries(config.bridges).map(([name, bridge]) =>
      poolSetup(name, bridge, config, outside),
    ),
  );
  const parts = await startParts(setups, config, outside);
  try {
    const awaited = parts.pools.filter(({ name }) => isAwaited(config.bridges[name]));
    await Promise.all(awaited.map((pool) => pool.ready()));
  } catch (error) {
    await stopParts(parts);
    throw error;
  }
  const ports = { ids: systemIds, clock: systemClock };
  const bridges = new Map<string, BridgeHandle>();
  for (const [index, { name, options, resolveSecret }] of setups.entries()) {
    const [pool, bridge] = [parts.pools[index], config.bridges[name]];
    if (pool === undefined || bridge === undefined) continue;
    const { adapter, callbacks } = bridge;
    const more = { maxRetries: options.maxRetries, resolveSecret };
    bridges.set(name, new BridgeHandle({ name, adapter, pool, ports, callbacks, ...more }));
  }
  const names = Object.keys(config.bridges);
  const fallback = names.includes('dspy') ? 'dspy' : (names[0] ?? '');
  return new Runtime(parts, bridges, config.default ?? fallback);
}

function isAwaited(bridge: BridgeConfig | undefined): boolean {
  return bridge?.startup !== 'background';
}

async function startParts(
  setups: readonly Setup[],
  config: RuntimeConfig,
  world: Outside,
): Promise<Parts> {
  const bus = new Bus();
  const { logger = defaultLogger(process.env) } = config;
  const endLog = logger === false ? () => undefined : logEvents(bus, logger);
  const life = { clock: systemClock, bus, random: systemRandom, names: new Names() };
  const outside = await world.open(guardianCommand(setups), life);
  const { spawner, host, transport, guard, makeScratch } = outside;
  const ports = { ...life, ids: systemIds, spawner, host, transport, guard };
  const desk = config.store && new ScopeDesk(config.store, systemClock, systemIds);
  const pools = setups.map(({ preload, ...setup }) => {
    const zygote =
      preload === 'no zygote' ? undefined : zygoteSetup(preload, setup.spawn, transport);
    const startTree: PoolSetup['startTree'] = (spec, failed) => startUnder(root, spec, failed);
    return new Pool({ ...setup, makeScratch, zygote, store: desk, startTree }, ports);
  });
  let settle: (reason: ExitReason) => void = () => undefined;
  const exited = new Promise<ExitReason>((resolve) => {
    settle = resolve;
  });
  const root: Supervisor = new Supervisor(
    {
      id: 'root',
      path: '',
      epoch: 1,
      listener: (fact) => {
        if (fact.type === 'child.stopped') settle(fact.reason);
      },
    },
    // A pool that is started again has the next epoch, not its first one once more.
    checkFlags({ children: pools.map((pool) => pool.childSpec()) }, { epochs: new Map() }),
    life,
  );
  return { bus, root, pools, outside, exited, endLog, desk };
}

/** Start a pool again, whose row has gone with its end. */
function startUnder(root: Supervisor, spec: ChildSpec, fail: (error: Error) => void): void {
  const full = checkChildSpec(spec, spec.id, 'never');
  root.serve({ op: 'startChild', spec: full, settle: () => undefined, fail });
}

/** The newest protocol's interpreter first: a v1 script may run on a Python that is too old for the guardian. */
function guardianCommand(setups: readonly Setup[]): string {
  const modern = setups.find(({ spawn }) => spawn.stdio !== 'wire') ?? setups[0];
  return modern?.spawn.command ?? 'python3';
}

async function stopParts(parts: Parts): Promise<ExitReason> {
  for (const pool of parts.pools) pool.close();
  parts.root.stop('infinity', SHUTDOWN);
  const reason = await parts.exited;
  await parts.outside.close();
  // What was saved last is on its way to the store; bounded by the store's own limit.
  await new Promise<void>((resolve) => {
    if (parts.desk === undefined) resolve();
    else parts.desk.whenIdle(resolve);
  });
  parts.endLog();
  return reason;
}

function nodeOf(child: Child): TreeNode {
  const { id, kind, state, epoch, pid } = child;
  const { path } = child.ref;
  return { id, path, kind, state, epoch, pid, children: child.children().map(nodeOf) };
}
