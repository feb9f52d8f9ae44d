// What may a user configure, and what is wrong with what was given? One schema; unknown keys are refused.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';

import { suggestion } from '../actors/ground/nearest.ts';
import { InvalidConfigError, ScriptNotFoundError } from '../actors/ground/start-errors.ts';
import type { PoolOptions } from '../supervisors/pool/pool-options.ts';
import { defineAdapter, type AdapterDefinition } from './adapters/adapter.ts';
import { BUILT_IN_ADAPTERS, isBuiltIn, type BuiltInName } from './adapters/built-in.ts';
import { fieldOf, findingOf } from './adapters/explain.ts';
import { checkPoolOptions, joinPoolOptions, poolSchema } from './adapters/pool-schema.ts';
import type { Callback, Callbacks } from './calls/callbacks.ts';
import type { Secrets } from './secrets.ts';
import type { SessionStore } from './stores/session-store.ts';
import { zygoteSchema, type ZygoteOption } from './adapters/zygote-option.ts';

/** One bridge of a runtime. */
export interface BridgeConfig {
  /** What is known of its framework, or the name of a built-in one. Default: nothing; every operation is passed through, and none is journalled. */
  readonly adapter?: AdapterDefinition | BuiltInName | undefined;
  /** Wins over the adapter's own, option by option. */
  readonly pool?: PoolOptions | undefined;
  /**
   * `await` (the default): `createRuntime` waits for its first worker, and rejects when it cannot start. `background`: it does not wait; calls wait in the queue, and when the workers
   * cannot start that is told by `pool.failed` and by each call (`pool_failed`). `lazy`: its first call starts it; until then not even its interpreter is looked for.
   */
  readonly startup?: 'await' | 'background' | 'lazy' | undefined;
  /** A `.py` file with the bridge class, in place of the adapter's own module. Relative to the working directory. */
  readonly scriptPath?: string | undefined;
  /** An importable module with the bridge, in place of the adapter's own, where there is no script. */
  readonly pythonModule?: string | undefined;
  /** The name of the bridge class; needed only when there are several, or when it is no subclass of `BaseBridge`. */
  readonly pythonClass?: string | undefined;
  /** Adds to the adapter's. */
  readonly requiredPackages?: readonly string[] | undefined;
  /** At least the adapter's. */
  readonly minPythonVersion?: string | undefined;
  /** `v1`: the script speaks the ported design's first protocol on its stdin and stdout, and is run as it stands, on any Python from `minPythonVersion` (3.8) on. */
  readonly protocol?: 'v1' | undefined;
  /** The interpreter of this bridge alone. */
  readonly python?: string | undefined;
  /** Functions that Python may call by name, `current_call().invoke(name, args)`, in every call to this bridge. */
  readonly callbacks?: Callbacks | undefined;
  /** The hash that its operations must have (`info.schemaHash` of `child.ready`): a worker with others does not start. */
  readonly schemaHash?: string | undefined;
  /** Whether its workers are forked from a process that has done their imports. Default, on Linux: yes, with what the adapter names. Not for `protocol: 'v1'`. */
  readonly zygote?: ZygoteOption | undefined;
  /** Environment variables for its workers; only an allow-list is inherited. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Bridges by name. */
export type Bridges = Readonly<Record<string, BridgeConfig>>;

export interface RuntimeConfig<Named extends Bridges = Bridges> {
  /** By name. Adds to the built-in ones (`dspy`, `langchain`, `transformers`, `sklearn`), which start when they are first called; a name given again overrides one of them. */
  readonly bridges?: Named | undefined;
  /** The bridge that is meant when a call names none. Default: `dspy` where `bridges` has one, else its first, else `dspy`. */
  readonly default?: string | undefined;
  /** The interpreter of all bridges. Default: `CADUCEUS_PYTHON`, the active virtual environment, `.venv` here, `python3`. */
  readonly python?: string | undefined;
  /** Where the state of sessions outlives this process, e.g. `sqliteStore('sessions.db')`. It stays open when the runtime stops. Default: nowhere. */
  readonly store?: SessionStore | undefined;
  /** The values of secrets by their names, for `secret('NAME')` and for what a store has a name of. A function is asked each time. */
  readonly secrets?: Secrets | undefined;
  /** Where log records go. Default: warnings and worse, as JSON lines on stderr (`CADUCEUS_LOG_LEVEL` changes the level). `false`: nowhere. */
  readonly logger?: Logger | false | undefined;
}

const bridgeSchema = z.strictObject({
  adapter: z
    .custom<AdapterDefinition | BuiltInName>(
      (value) => isBuiltIn(value) || isAdapter(value),
      `is no adapter; make one with dspy() or defineAdapter(), or name one of ${Object.keys(BUILT_IN_ADAPTERS).join(', ')}`,
    )
    .optional(),
  pool: poolSchema.optional(),
  startup: z.enum(['await', 'background', 'lazy']).optional(),
  scriptPath: z.string().min(1).optional(),
  pythonModule: z
    .string()
    .regex(/^[\p{L}_]\w*(\.[\p{L}_]\w*)*$/u, 'is no module such as package.module')
    .optional(),
  pythonClass: z.string().min(1).optional(),
  requiredPackages: z.array(z.string()).optional(),
  minPythonVersion: z
    .string()
    .regex(/^\d+(\.\d+){1,2}$/u, 'is no version such as 3.11')
    .optional(),
  protocol: z.literal('v1').optional(),
  python: z.string().min(1).optional(),
  env: z.record(z.string(), z.string()).optional(),
  callbacks: z
    .record(
      z.string(),
      z.custom<Callback>((value) => typeof value === 'function', 'is no function'),
    )
    .optional(),
  schemaHash: z.string().min(1).optional(),
  zygote: zygoteSchema.optional(),
});

const STORE_METHODS = ['load', 'save', 'touch', 'remove'];

function isStore(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const store = value as Readonly<Record<string, unknown>>;
  return (
    typeof store['name'] === 'string' &&
    STORE_METHODS.every((method) => typeof store[method] === 'function')
  );
}

const bridgeName = z
  .string()
  .regex(/^[A-Za-z][\w-]*$/u, 'is no bridge name (letters, digits, - and _; a letter first)');

/** A runtime's configuration, as users write it. */
export const runtimeSchema = z.strictObject({
  bridges: z.record(bridgeName, bridgeSchema).optional(),
  default: z.string().optional(),
  python: z.string().min(1).optional(),
  store: z
    .custom<SessionStore>(isStore, 'is no store; make one with sqliteStore() or keyvStore()')
    .optional(),
  secrets: z
    .record(
      z.string(),
      z.custom<Secrets[string]>(
        (value) => typeof value === 'string' || typeof value === 'function',
        'must be a text, or a function that gives one',
      ),
    )
    .optional(),
  logger: z
    .union([
      z.literal(false),
      z.custom<Logger>((value) => typeof value === 'object' && value !== null),
    ])
    .optional(),
});

/** @throws {@link InvalidConfigError} naming the first field that is wrong. */
export function checkConfig(config: RuntimeConfig): void {
  const finding = findingOf(runtimeSchema, config);
  if (finding !== undefined) {
    throw new InvalidConfigError(fieldOf('', finding.path) || 'config', finding.problem);
  }
  const { bridges = {} } = config;
  for (const [name, bridge] of Object.entries(bridges)) checkFurther(name, bridge);
  if (config.default === undefined) return;
  const names = [...new Set([...Object.keys(bridges), ...Object.keys(BUILT_IN_ADAPTERS)])];
  if (names.includes(config.default)) return;
  const known = suggestion(config.default, names);
  throw new InvalidConfigError('default', `${config.default} is no bridge; ${known}`);
}

/** One that is added later. @throws {@link InvalidConfigError} naming the field. */
export function checkBridge(name: string, bridge: BridgeConfig): void {
  // By itself: a record's check looks away from `__proto__`.
  const badName = findingOf(bridgeName, name);
  if (badName !== undefined) throw new InvalidConfigError(`bridges.${name}`, badName.problem);
  const finding = findingOf(runtimeSchema, { bridges: { [name]: bridge } });
  if (finding !== undefined) {
    throw new InvalidConfigError(fieldOf('', finding.path), finding.problem);
  }
  checkFurther(name, bridge);
}

/** The child of the root that it would take the place of. */
const REGISTRY = 'registry';

function checkFurther(name: string, bridge: BridgeConfig): void {
  if (name === REGISTRY)
    throw new InvalidConfigError(
      `bridges.${name}`,
      'is what the registry itself is called; give the bridge another name',
    );
  checkLegacy(name, bridge);
  checkPool(name, bridge);
}

/** A bridge whose adapter is there. */
export type LoadedBridge = BridgeConfig & { readonly adapter: AdapterDefinition };

/** With the adapter that it has: its own, a built-in one by name, or one that lets everything through. */
export function loadBridge(name: string, bridge: BridgeConfig): LoadedBridge {
  return { ...bridge, adapter: adapterOf(name, bridge) };
}

/** The adapter that it has. */
export function adapterOf(name: string, { adapter }: BridgeConfig): AdapterDefinition {
  if (adapter === undefined) return defineAdapter({ framework: name, operations: {} });
  return typeof adapter === 'string' ? BUILT_IN_ADAPTERS[adapter]() : adapter;
}

function isAdapter(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && 'framework' in value && 'operations' in value
  );
}

/** Where its Python is, must be said once. @throws {@link InvalidConfigError}. */
export function checkSource(name: string, bridge: BridgeConfig): void {
  const { scriptPath, pythonModule } = bridge;
  const refuse = (field: string, problem: string): never => {
    throw new InvalidConfigError(`bridges.${name}.${field}`, problem);
  };
  if (scriptPath !== undefined && pythonModule !== undefined)
    refuse('pythonModule', 'is not for a bridge with a scriptPath');
  const own = scriptPath ?? pythonModule ?? adapterOf(name, bridge).pythonModule;
  if (own === undefined) refuse('scriptPath', 'is needed, or pythonModule: the adapter names none');
}

/**
 * The options of a bridge's pool that hold, its adapter's among them.
 * @throws {@link InvalidConfigError} naming the field.
 */
export function poolOptionsOf(name: string, bridge: BridgeConfig): PoolOptions {
  return joinPoolOptions(bridge.pool, adapterOf(name, bridge).pool, `bridges.${name}.pool`);
}

function checkPool(name: string, bridge: BridgeConfig): void {
  const { pool } = adapterOf(name, bridge);
  // An adapter that was not made by `defineAdapter`.
  if (pool !== undefined) checkPoolOptions(pool, `bridges.${name}.adapter.pool`);
  poolOptionsOf(name, bridge);
}

/** A v1 script is the whole program: it builds its bridge itself. */
function checkLegacy(name: string, { protocol, scriptPath, pythonClass }: BridgeConfig): void {
  if (protocol === undefined) return;
  const refuse = (field: string, problem: string): never => {
    throw new InvalidConfigError(`bridges.${name}.${field}`, problem);
  };
  if (scriptPath === undefined) refuse('scriptPath', 'is needed: protocol v1 is that of a script');
  if (pythonClass !== undefined) refuse('pythonClass', 'is not for v1: the script builds its own');
}

/**
 * The absolute path of a bridge's script.
 * @throws {@link ScriptNotFoundError} when there is no such file.
 */
export function checkScript(scriptPath: string): string {
  const path = resolve(scriptPath);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new ScriptNotFoundError(path, 'there is no such file');
  if (!found.isFile()) throw new ScriptNotFoundError(path, 'it is not a file');
  return path;
}
