// How does a program embed it all? Builds the tree from a configuration, and ends it.
import type { BusEventName, BusListener } from '../actors/ground/bus.ts';
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { suggestion } from '../actors/ground/nearest.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { Child } from '../actors/lifecycle/child.ts';
import { handleOf } from '../supervisors/handles.ts';
import type { SupervisorHandle } from '../supervisors/supervisor-handle.ts';
import type { BridgeHandle } from './bridge-handle.ts';
import type { Bridges, RuntimeConfig } from './config.ts';
import { MlBridge } from './ml-bridge.ts';
import { systemOutside, type Outside } from './outside.ts';
import type { BridgeRegistry, KnownAdapters } from './bridge-registry.ts';
import { startRuntime, stopRuntime, type RuntimeParts } from './runtime-parts.ts';

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
  /** Which bridges there are; looks at them, adds and removes them. */
  readonly registry: BridgeRegistry;
  /** Settles when the tree has ended, with its reason; never rejects. */
  readonly exited: Promise<ExitReason>;
  readonly #parts: RuntimeParts;
  #stopped: Promise<ExitReason> | undefined;

  /** @internal use {@link createRuntime} */
  constructor(parts: RuntimeParts) {
    this.#parts = parts;
    this.registry = parts.registry;
    this.ml = new MlBridge(parts.table, parts.defaultBridge);
    this.exited = parts.exited;
  }

  /** The supervisor at the top of its tree: pools and the registry are its children. */
  get supervisor(): SupervisorHandle {
    return handleOf(this.#parts.root.ref) as SupervisorHandle;
  }

  /**
   * One bridge, to call its operations by name.
   * @throws {@link InvalidConfigError} when there is no such bridge.
   */
  pool(name: string): BridgeHandle {
    const { table } = this.#parts;
    const row = table.get(name);
    if (row !== undefined) return row.handle;
    const known = suggestion(name, table.names);
    throw new InvalidConfigError('bridge', `${name} is not configured; ${known}`);
  }

  /** The supervision tree as it is now. A bridge that starts on demand is in it from its first call on. */
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
    this.#stopped ??= stopRuntime(this.#parts);
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A runtime whose adapters have the types of its configuration. In this order: of two overloads of `getAdapter` the first that fits is taken. */
export type RuntimeOf<Named extends Bridges> = {
  readonly registry: KnownAdapters<Named> & BridgeRegistry;
} & Runtime;

/**
 * Start the workers of the bridges that are configured, and give the runtime once each has one that is ready; those with `startup: 'background'` are not waited for, those with `lazy` and the
 * built-in ones that nobody configured start when they are first called.
 * @throws {@link InvalidConfigError}, {@link ScriptNotFoundError}, {@link PythonNotFoundError}, {@link PythonTooOldError} before anything is started;
 *   {@link PoolFailedError} when the workers of a bridge cannot start: its `cause` holds Python's traceback, and everything is stopped again.
 */
export function createRuntime<const Named extends Bridges = Bridges>(
  config: RuntimeConfig<Named> = {},
): Promise<RuntimeOf<Named>> {
  return createRuntimeOn(systemOutside, config);
}

/** {@link createRuntime} in a world of its caller's. */
export async function createRuntimeOn<const Named extends Bridges = Bridges>(
  outside: Outside,
  config: RuntimeConfig<Named>,
): Promise<RuntimeOf<Named>> {
  return new Runtime(await startRuntime(outside, config)) as RuntimeOf<Named>;
}

function nodeOf(child: Child): TreeNode {
  const { id, kind, state, epoch, pid } = child;
  const { path } = child.ref;
  return { id, path, kind, state, epoch, pid, children: child.children().map(nodeOf) };
}
