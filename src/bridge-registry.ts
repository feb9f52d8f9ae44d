// Which bridges are there, are they in order, and how are they added and taken away while the runtime runs? A supervised server over the table of bridges.
import { BridgeRegistryError } from '../actors/ground/bridge-errors.ts';
import { errorFrom } from '../actors/ground/error-from.ts';
import { OverloadedError, RuntimeStoppedError } from '../actors/ground/errors.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { suggestion } from '../actors/ground/nearest.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import { callActor } from '../actors/lifecycle/call.ts';
import type { From } from '../actors/lifecycle/from.ts';
import { reply } from '../actors/lifecycle/from.ts';
import type { ActorRef } from '../actors/lifecycle/ref.ts';
import { self } from '../actors/lifecycle/self.ts';
import {
  bridgeRegistryMachine,
  type Order,
  type RegistryChange,
  type RegistryEvent,
} from '../supervisors/bridge-registry.machine.ts';
import type { ChildSpec } from '../supervisors/child-spec.ts';
import type { PoolState } from '../supervisors/pool/pool.machine.ts';
import type { Pool } from '../supervisors/pool/pool.ts';
import { bindAdapter, type BoundAdapter, type BoundOf } from './adapters/bound-adapter.ts';
import type { BuiltInAdapter, BuiltInName } from './adapters/built-in.ts';
import type { BridgeRow, BridgeTable, PlannedBridge } from './bridges.ts';
import type { BridgeConfig, Bridges, LoadedBridge } from './config.ts';
import { unknownBridge, type BridgeReport } from './registry/bridge-report.ts';

/** What is known of one bridge without asking Python. */
export interface BridgeInfo {
  readonly name: string;
  readonly framework: string;
  /** Of its pool; `unstarted` until its first call, where it starts with that. */
  readonly state: PoolState;
  readonly pythonModule: string | undefined;
  readonly scriptPath: string | undefined;
  /** Whether it is there without being configured. */
  readonly isBuiltIn: boolean;
}

/** The adapter of a bridge, by what is known of its name. */
type AdapterAt<Named extends Bridges, Name extends string> = Name extends keyof Named
  ? Named[Name] extends { readonly adapter: infer Given }
    ? Given extends BuiltInName
      ? BoundOf<BuiltInAdapter<Given>>
      : BoundOf<Given>
    : BoundAdapter
  : Name extends BuiltInName
    ? BoundOf<BuiltInAdapter<Name>>
    : BoundAdapter;

/** What the registry needs of its runtime. */
export interface RegistryPorts {
  readonly table: BridgeTable;
  /** The registry that lives now, if one does. */
  readonly whereis: () => ActorRef | undefined;
  /** Whether the runtime has been told to stop. */
  readonly isOver: () => boolean;
  /** @throws `invalid_config`. */
  readonly plan: (name: string, bridge: BridgeConfig) => PlannedBridge;
  readonly validate: (name: string, bridge: LoadedBridge) => Promise<BridgeReport>;
}

/** A registry of which the types of some adapters are known. */
export interface KnownAdapters<Named extends Bridges> {
  /** As {@link BridgeRegistry.getAdapter}, with the methods of the adapter that this bridge has. */
  getAdapter<Name extends string>(name: Name): AdapterAt<Named, Name>;
}

/** The bridges of a runtime: `runtime.registry`. */
export class BridgeRegistry {
  readonly #ports: RegistryPorts;
  readonly #bound = new WeakMap<BridgeRow, BoundAdapter>();

  /** @internal made by the runtime */
  constructor(ports: RegistryPorts) {
    this.#ports = ports;
  }

  /** Their names, in the order in which they were registered. */
  listBridges(): readonly string[] {
    return this.#ports.table.names;
  }

  /**
   * The adapter of a bridge, bound to it: a method for each operation, and its own.
   * @throws {@link BridgeRegistryError} `not_found`.
   */
  getAdapter(name: string): BoundAdapter {
    const row = this.#row(name);
    const bound = this.#bound.get(row) ?? bindAdapter(row.handle);
    this.#bound.set(row, bound);
    return bound;
  }

  /** @throws {@link BridgeRegistryError} `not_found`. */
  info(name: string): BridgeInfo {
    const { config, origin, pool } = this.#row(name);
    const { adapter, scriptPath } = config;
    return {
      name,
      framework: adapter.framework,
      state: pool.statistics.state,
      pythonModule:
        scriptPath === undefined ? (config.pythonModule ?? adapter.pythonModule) : undefined,
      scriptPath,
      isBuiltIn: origin === 'built_in',
    };
  }

  /**
   * Look whether a bridge could start: its script, its interpreter, its packages at their versions, which are really imported, and its adapter. Nothing is started.
   * @returns a report; what is wrong is in its `problems`, also that there is no such bridge.
   */
  async validateBridge(name: string): Promise<BridgeReport> {
    const question: Extract<RegistryEvent, { type: 'validate' }> = {
      type: 'validate',
      bridge: name,
    };
    return (await this.#ask(question)) as BridgeReport;
  }

  /**
   * Add a bridge. Its workers start as its `startup` says: awaited by default, and then it is not registered when they cannot start.
   * @throws `invalid_config`; {@link BridgeRegistryError} `already_registered`; what a start throws.
   */
  async register(name: string, bridge: BridgeConfig): Promise<void> {
    await this.#change({ op: 'register', bridge: name, given: bridge });
  }

  /**
   * Take a bridge away: it takes no more calls, those that it has may end within `drainMs` (60 000), then its workers are stopped.
   * @throws {@link BridgeRegistryError} `not_found`.
   */
  async unregister(name: string, options: { readonly drainMs?: number } = {}): Promise<void> {
    const { drainMs = LIMITS.drainMs } = options;
    checkDrain(drainMs);
    await this.#change({ op: 'unregister', bridge: name, drainMs }, drainMs);
  }

  /** The registry's server, for its supervisor. */
  childSpec(): ChildSpec {
    const machine = bridgeRegistryMachine.provide({
      actions: {
        look: (_, { bridge, from }) => {
          answer(from, this.#validate(bridge));
        },
        make: (_, order) => this.#make(order),
        refuse: (_, { from }) => {
          const limit = LIMITS.registryChangesMax;
          settle(from, new OverloadedError('the registry', 'registryChangesMax', limit));
        },
      },
    });
    return { id: 'registry', start: machine, restart: 'permanent' };
  }

  #row(name: string): BridgeRow {
    const row = this.#ports.table.get(name);
    if (row !== undefined) return row;
    throw this.#notFound(name);
  }

  #notFound(name: string): BridgeRegistryError {
    const known = suggestion(name, this.#ports.table.names);
    return new BridgeRegistryError('not_found', name, `it is not registered; ${known}`);
  }

  /** @param moreMs what it may take of itself. */
  #ask(event: RegistryEvent, moreMs = 0): Promise<unknown> {
    if (this.#ports.isOver()) return Promise.reject(new RuntimeStoppedError('the registry'));
    const callee = { ref: this.#ports.whereis(), label: 'registry' };
    return callActor(callee, event, { timeoutMs: LIMITS.registryCallTimeoutMs + moreMs });
  }

  #change(change: RegistryChange, moreMs = 0): Promise<unknown> {
    const order: Extract<RegistryEvent, { type: 'change' }> = { type: 'change', change };
    return this.#ask(order, moreMs);
  }

  async #validate(name: string): Promise<BridgeReport> {
    const row = this.#ports.table.get(name);
    if (row !== undefined) return this.#ports.validate(name, row.config);
    return unknownBridge(name, this.#ports.table.names);
  }

  #make({ change, from }: Order): void {
    const server = self();
    const make =
      change.op === 'register' ? () => this.#register(change) : () => this.#unregister(change);
    // Not while the machine acts: what is made has machines of its own, and XState takes what they do for the action of this one.
    const made = Promise.resolve().then(make);
    answer(from, made);
    const over = (): void => server?.send({ type: 'changed' });
    made.then(over, over);
  }

  async #register(change: Extract<RegistryChange, { op: 'register' }>): Promise<void> {
    const { table, plan } = this.#ports;
    const name = change.bridge;
    const bridge = change.given as BridgeConfig;
    if (table.get(name) !== undefined)
      throw new BridgeRegistryError('already_registered', name, 'it is registered already');
    const planned = plan(name, bridge);
    const { startup = 'await' } = planned.config;
    if (startup !== 'lazy') await planned.launcher.prepare();
    const { pool } = table.add(planned);
    if (startup === 'lazy') return;
    await new Promise<void>((resolve, reject) => {
      table.startUnderRoot(pool.childSpec(), reject);
      if (startup === 'background') resolve();
      else pool.ready().then(resolve, reject);
    }).catch(async (error: unknown) => {
      await this.#end(name, pool);
      throw error;
    });
  }

  async #unregister(change: Extract<RegistryChange, { op: 'unregister' }>): Promise<void> {
    const { pool, name } = this.#row(change.bridge);
    const { drainMs = LIMITS.drainMs } = change;
    await new Promise<void>((resolve) => {
      // What it has come to, stopped or failed, is its end in any case.
      pool.drain(drainMs, () => resolve());
    });
    await this.#end(name, pool);
  }

  /** Whoever still has its handle can start it no more. */
  async #end(name: string, pool: Pool): Promise<void> {
    await new Promise<void>((resolve) => {
      pool.stop(resolve);
    });
    pool.close('bridge was unregistered');
    this.#ports.table.remove(name);
  }
}

function checkDrain(drainMs: number): void {
  if (!(drainMs >= 0))
    throw new InvalidConfigError('options.drainMs', `must be 0 or above, found ${drainMs}`);
}

/** Answer a call with what a promise comes to. */
function answer(from: From | undefined, promise: Promise<unknown>): void {
  promise.then(
    (value) => reply(from, value),
    (error: unknown) => settle(from, errorFrom(error)),
  );
}

function settle(from: From | undefined, error: Error): void {
  from?.settle({ type: 'error', error });
}
