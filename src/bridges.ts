// Which bridges does a runtime have? A row for each, with its pool and its handle; added and taken away while it runs.
import type { Bus } from '../actors/ground/bus.ts';
import { BridgeRegistryError } from '../actors/ground/bridge-errors.ts';
import { errorFrom } from '../actors/ground/error-from.ts';
import { checkChildSpec } from '../supervisors/check-spec.ts';
import type { ChildSpec } from '../supervisors/child-spec.ts';
import { Pool, type PoolPorts } from '../supervisors/pool/pool.ts';
import type { Supervisor } from '../supervisors/supervisor.ts';
import { PythonSchemas } from './adapters/python-schemas.ts';
import { BridgeHandle } from './bridge-handle.ts';
import { loadBridge, type BridgeConfig, type LoadedBridge } from './config.ts';
import type { OpenOutside, Outside } from './outside.ts';
import { Launcher, poolParts, type BridgeDefaults } from './pool-setup.ts';
import type { ScopeDesk } from './stores/scope-desk.ts';

/** One bridge of a runtime. */
export interface BridgeRow {
  readonly name: string;
  readonly config: LoadedBridge;
  /** Known without any configuration, and not overridden. */
  readonly origin: 'built_in' | 'configured';
  readonly launcher: Launcher;
  readonly pool: Pool;
  readonly handle: BridgeHandle;
}

/** A bridge that has no pool yet. */
export type PlannedBridge = Pick<BridgeRow, 'name' | 'config' | 'origin' | 'launcher'>;

/** What the pools of a runtime share. */
export interface BridgeWorld {
  readonly ports: PoolPorts;
  readonly bus: Bus;
  readonly outside: OpenOutside;
  readonly desk: ScopeDesk | undefined;
  /** Above all pools. */
  readonly root: () => Supervisor;
}

/** A bridge as it is going to be. */
export function planBridge(
  name: string,
  bridge: BridgeConfig,
  origin: BridgeRow['origin'],
  given: { readonly defaults: BridgeDefaults; readonly outside: Outside },
): PlannedBridge {
  const config = loadBridge(name, bridge);
  return {
    name,
    config,
    origin,
    launcher: new Launcher(name, config, given.defaults, given.outside),
  };
}

/** The bridges of one runtime, in the order in which they were registered. */
export class BridgeTable {
  readonly #world: BridgeWorld;
  readonly #defaults: BridgeDefaults;
  readonly #rows = new Map<string, BridgeRow>();
  /** What the workers of each say of their operations. */
  readonly #schemas = new Map<string, PythonSchemas>();

  constructor(world: BridgeWorld, defaults: BridgeDefaults) {
    this.#world = world;
    this.#defaults = defaults;
    world.bus.on('child.ready', ({ path, info }) => {
      if (info === undefined) return;
      const schemas = this.#schemas.get(path.slice(0, path.indexOf('/')));
      schemas?.learn(info.schemas, info.schemaHash);
    });
  }

  get rows(): readonly BridgeRow[] {
    return [...this.#rows.values()];
  }

  get names(): readonly string[] {
    return [...this.#rows.keys()];
  }

  get(name: string): BridgeRow | undefined {
    return this.#rows.get(name);
  }

  /** Give a bridge its pool, which nobody starts yet. @throws {@link InvalidConfigError}; `already_registered`. */
  add(planned: PlannedBridge): BridgeRow {
    const { name, config, launcher } = planned;
    if (this.#rows.has(name))
      throw new BridgeRegistryError('already_registered', name, 'it is registered already');
    const pool = this.#pool(planned);
    const schemas = new PythonSchemas();
    const { ids, clock } = this.#world.ports;
    const { resolveSecret, options } = poolParts(name, config, this.#defaults);
    const { adapter, callbacks } = config;
    const handle = new BridgeHandle({
      ...{ name, adapter, pool, callbacks, schemas, resolveSecret },
      ports: { ids, clock },
      maxRetries: options.maxRetries,
    });
    const row: BridgeRow = { ...planned, pool, handle, launcher };
    this.#schemas.set(name, schemas);
    this.#rows.set(name, row);
    return row;
  }

  /** Forget a bridge whose pool has stopped. */
  remove(name: string): void {
    this.#rows.delete(name);
    this.#schemas.delete(name);
  }

  /** Have a pool's tree started by the root. */
  startUnderRoot(spec: ChildSpec, fail: (error: Error) => void): void {
    const full = checkChildSpec(spec, spec.id, 'never');
    this.#world.root().serve({ op: 'startChild', spec: full, settle: () => undefined, fail });
  }

  #pool({ name, config, launcher }: PlannedBridge): Pool {
    const { ports, outside, desk } = this.#world;
    const { transport, makeScratch } = outside;
    return new Pool(
      {
        ...poolParts(name, config, this.#defaults),
        makeScratch,
        store: desk,
        start: config.startup === 'lazy' ? 'on_demand' : 'at_once',
        launch: () => launcher.launch(transport),
        // What it needs may have been missing, or not looked for yet.
        startTree: (spec, failed, isWanted) => {
          launcher.prepare().then(
            () => {
              // It may have been stopped since, and another start be under way.
              if (isWanted()) this.startUnderRoot(spec, failed);
            },
            (error: unknown) => failed(errorFrom(error)),
          );
        },
      },
      ports,
    );
  }
}
