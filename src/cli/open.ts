// Which bridges does a command work on, and how are they started for it?
import { suggestion } from '../../actors/ground/nearest.ts';
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import { builtInAdapters } from '../adapters/built-in.ts';
import { joinPoolOptions } from '../adapters/pool-schema.ts';
import { readConfig } from '../config-file.ts';
import { adapterOf, type BridgeConfig, type RuntimeConfig } from '../config.ts';
import { createRuntime, type Runtime } from '../runtime.ts';
import { withProgress, type Terminal } from './terminal.ts';

/** What every command that needs a configuration can be told. */
export interface ConfigOptions {
  readonly config?: string | undefined;
}

/** What a command works on. */
export interface Workplace {
  readonly config: RuntimeConfig;
  /** Absolute; undefined where there is no file. */
  readonly file: string | undefined;
  /** Those of the configuration, then those that come with the package. */
  readonly bridges: ReadonlyMap<string, BridgeConfig>;
  /** The names of those that the configuration has. */
  readonly own: readonly string[];
}

/** @throws {@link InvalidConfigError}. */
export async function openWorkplace({ config: named }: ConfigOptions): Promise<Workplace> {
  const { config, file } = await readConfig({ file: named });
  const own = Object.entries(config.bridges ?? {});
  const builtIn = builtInAdapters()
    .filter(([name]) => !own.some(([taken]) => taken === name))
    .map(([name, adapter]) => [name, { adapter } satisfies BridgeConfig] as const);
  return {
    config,
    file,
    bridges: new Map<string, BridgeConfig>([...own, ...builtIn]),
    own: own.map(([name]) => name),
  };
}

/** @throws {@link InvalidConfigError} when there is no such bridge. */
export function bridgeNamed({ bridges }: Workplace, name: string): BridgeConfig {
  const bridge = bridges.get(name);
  if (bridge !== undefined) return bridge;
  throw new InvalidConfigError(
    'bridge',
    `${name} is no bridge; ${suggestion(name, [...bridges.keys()])}`,
  );
}

/** The same bridge with a single worker: all that one call needs. */
function withOneWorker(name: string, bridge: BridgeConfig): BridgeConfig {
  const adapter = adapterOf(name, bridge);
  const { autoscale: _, ...pool } = joinPoolOptions(
    bridge.pool,
    adapter.pool,
    `bridges.${name}.pool`,
  );
  const { pool: _pool, ...rest } = adapter;
  const single = { size: 1, overflow: 0, maxConsecutiveStartFailures: 1 };
  return { ...bridge, adapter: rest, pool: { ...pool, ...single } };
}

/** How a bridge is started for one command. */
export interface StartOptions {
  /** Options that win over those of the configuration. */
  readonly change?: Partial<BridgeConfig> | undefined;
  /** Wait no longer: the command is over, and the end of its process ends the workers. */
  readonly signal?: AbortSignal | undefined;
}

/** Start one bridge of the workplace alone, with a single worker. */
export function startOne(
  terminal: Terminal,
  workplace: Workplace,
  name: string,
  { change = {}, signal }: StartOptions = {},
): Promise<Runtime> {
  const bridge = { ...withOneWorker(name, bridgeNamed(workplace, name)), ...change };
  const { default: _, ...config } = quietly(workplace.config);
  const started = { startup: 'await' as const, ...change };
  const starting = (): Promise<Runtime> =>
    createRuntime({ ...config, bridges: { [name]: { ...bridge, ...started } } });
  return withProgress(terminal, `starting ${name}`, () => unlessAborted(starting(), signal));
}

function unlessAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('interrupted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject);
  });
}

/** Without records of the runtime's log between the results, unless somebody has asked for them. */
export function quietly(config: RuntimeConfig): RuntimeConfig {
  const isAsked = config.logger !== undefined || (process.env['CADUCEUS_LOG_LEVEL'] ?? '') !== '';
  return isAsked ? config : { ...config, logger: false };
}

/** Show what Python prints, beside the results. Returns the function that ends it. */
export function showOutput(runtime: Runtime, { errors }: Terminal): () => void {
  return runtime.on('worker.output', ({ line }) => {
    errors.write(`${line}\n`);
  });
}
