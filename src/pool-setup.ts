// What is a bridge's pool made of? Its configuration and its adapter, joined; and, found out only when it starts, its interpreter and its script.
import { workerEnv } from '../actors/port/env.ts';
import type { ZygoteTransport } from '../actors/port/transport.ts';
import type { Launch } from '../supervisors/pool/pool-tree.ts';
import type { PoolSetup } from '../supervisors/pool/pool.ts';
import { preloadOf } from './adapters/zygote-option.ts';
import {
  checkScript,
  checkSource,
  loadBridge,
  poolOptionsOf,
  type LoadedBridge,
} from './config.ts';
import type { Outside } from './outside.ts';
import { legacyCommand, WORKER_COMMAND } from './python-command.ts';
import { resolverOf, type Secrets } from './secrets.ts';
import { zygoteSetup } from './zygote-setup.ts';

/** What holds for all bridges of a runtime. */
export interface BridgeDefaults {
  readonly python?: string | undefined;
  readonly secrets?: Secrets | undefined;
}

/** What a pool is made of before anything is looked for. */
export type PoolParts = Pick<
  PoolSetup,
  'name' | 'options' | 'operations' | 'resolveSecret' | 'isJournalled' | 'schemaHash'
>;

/** @throws {@link InvalidConfigError}. */
export function poolParts(name: string, bridge: LoadedBridge, defaults: BridgeDefaults): PoolParts {
  const { adapter } = bridge;
  return {
    name,
    options: poolOptionsOf(name, bridge),
    operations: adapter.roles,
    resolveSecret: resolverOf(defaults.secrets ?? {}),
    isJournalled: Object.values(adapter.operations).some(({ change }) => change !== undefined),
    schemaHash: bridge.schemaHash,
  };
}

/** The distributions that a bridge needs: its adapter's and its own. */
function packagesOf({ adapter, requiredPackages }: LoadedBridge): readonly string[] {
  return [...(adapter.requiredPackages ?? []), ...(requiredPackages ?? [])];
}

/** Finds out once how a bridge's workers come up, and tells it from then on. */
export class Launcher {
  readonly #name: string;
  readonly #bridge: LoadedBridge;
  readonly #defaults: BridgeDefaults;
  readonly #outside: Pick<Outside, 'prepare' | 'findInterpreter'>;
  /** Undefined until {@link prepare} has resolved. */
  #found: Omit<Launch, 'zygote'> | undefined;

  constructor(
    name: string,
    bridge: LoadedBridge,
    defaults: BridgeDefaults,
    outside: Pick<Outside, 'prepare' | 'findInterpreter'>,
  ) {
    this.#name = name;
    this.#bridge = loadBridge(name, outside.prepare(name, bridge));
    checkSource(name, this.#bridge);
    this.#defaults = defaults;
    this.#outside = outside;
  }

  /** How its workers are spawned, once it is known. */
  get spawn(): Launch['spawn'] | undefined {
    return this.#found?.spawn;
  }

  /** @throws {@link ScriptNotFoundError}, {@link PythonNotFoundError}, {@link PythonTooOldError}, {@link BridgeStartError}. */
  async prepare(): Promise<void> {
    if (this.#found === undefined) this.#found = await this.#find();
  }

  /** What the tree of its pool starts. {@link prepare} comes first. */
  launch(transport: ZygoteTransport): Launch {
    const found = this.#found;
    if (found === undefined) throw new Error(`bridge ${this.#name} was not prepared`);
    const preload = this.#preload();
    if (preload === 'no zygote') return found;
    return { ...found, zygote: zygoteSetup(preload, found.spawn, transport) };
  }

  #preload(): ReturnType<typeof preloadOf> {
    const { protocol, zygote } = this.#bridge;
    if (protocol === 'v1') return 'no zygote';
    const { platform } = process;
    return preloadOf({ bridge: zygote, adapter: this.#bridge.adapter.zygote, platform });
  }

  async #find(): Promise<Omit<Launch, 'zygote'>> {
    const [name, bridge] = [this.#name, this.#bridge];
    const { adapter, scriptPath, protocol } = bridge;
    const script = scriptPath === undefined ? undefined : checkScript(scriptPath);
    const requiredPackages = packagesOf(bridge);
    const interpreter = await this.#outside.findInterpreter({
      explicit: bridge.python ?? this.#defaults.python,
      env: process.env,
      cwd: process.cwd(),
      minVersion: bridge.minPythonVersion ?? adapter.minPythonVersion,
      legacy: protocol === 'v1' ? { framework: name, requiredPackages } : undefined,
    });
    const module = bridge.pythonModule ?? adapter.pythonModule;
    const pythonClass = bridge.pythonClass ?? classOf(bridge);
    return {
      bridge: {
        framework: name,
        ...(script === undefined ? { module } : { script }),
        ...(pythonClass === undefined ? {} : { class: pythonClass }),
        requiredPackages,
      },
      spawn: {
        command: interpreter.executable,
        ...(protocol === 'v1' && script !== undefined ? legacyCommand(script) : WORKER_COMMAND),
        env: workerEnv(process.env, { ...adapter.env, ...bridge.env }),
      },
    };
  }
}

/** An adapter's class is that of its own module, and of no other. */
function classOf({ adapter, scriptPath, pythonModule }: LoadedBridge): string | undefined {
  return scriptPath === undefined && pythonModule === undefined ? adapter.pythonClass : undefined;
}
