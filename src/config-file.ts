// How is a configuration read that stands in a file? `caduceus.config.ts`, `.js`, `.mjs` or `.json`, with the variables of the environment on top.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';

import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { AdapterDefinition } from './adapters/adapter.ts';
import { BUILT_IN_ADAPTERS } from './adapters/built-in.ts';
import { fieldOf, findingOf } from './adapters/explain.ts';
import { resolveAdapters } from './config-adapters.ts';
import { configFromEnv, type Env } from './config-env.ts';
import { isPlain, mergeConfigs } from './config-merge.ts';
import { checkConfig, runtimeSchema, type BridgeConfig, type RuntimeConfig } from './config.ts';
import { importFile } from './module-file.ts';

/** What a configuration file may be called. */
export const CONFIG_FILES = [
  'caduceus.config.ts',
  'caduceus.config.js',
  'caduceus.config.mjs',
  'caduceus.config.json',
] as const;

/** A bridge in a configuration file. */
export interface BridgeInput extends Omit<BridgeConfig, 'adapter'> {
  /** An adapter, the name of a built-in one, or `./` and the path of a module that exports one. Without it every operation is passed through. */
  readonly adapter?: AdapterDefinition | string | undefined;
}

/** A runtime's configuration, as a file has it. */
export interface ConfigInput extends Omit<RuntimeConfig, 'bridges'> {
  /** By name. */
  readonly bridges?: Readonly<Record<string, BridgeInput>> | undefined;
}

/** Where {@link loadConfig} looks. */
export interface LoadOptions {
  /** The folder of the file. Default: the working directory. */
  readonly cwd?: string | undefined;
  /** The file itself. Default: `CADUCEUS_CONFIG`, else the one `caduceus.config.*` of `cwd`, if there is one. */
  readonly file?: string | undefined;
  /** Default: `process.env`. */
  readonly env?: Env | undefined;
  /** Options that win over the variables, which win over the file. */
  readonly config?: ConfigInput | undefined;
}

/** A configuration, and where it is from. */
export interface LoadedConfig {
  readonly config: RuntimeConfig;
  /** Absolute; undefined where there is no file. */
  readonly file: string | undefined;
}

/** The same configuration: it is there for its type. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/**
 * The configuration of a file, with what the variables `CADUCEUS__…` and `options.config` say on top, for `createRuntime`.
 * Paths in the file are relative to its folder.
 * @throws {@link InvalidConfigError} naming the file or the variable, and the field.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<RuntimeConfig> {
  return (await readConfig(options)).config;
}

/**
 * As {@link loadConfig}, with the file.
 * @internal
 */
export async function readConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const { cwd = process.cwd(), env = process.env, config: code = {} } = options;
  const file = configFileOf(resolve(cwd), options.file ?? nonEmpty(env['CADUCEUS_CONFIG']));
  const fromFile = file === undefined ? {} : await contentOf(file);
  const given = code as Readonly<Record<string, unknown>>;
  const bridges = [fromFile, given].flatMap(bridgeNames);
  const fromEnv = configFromEnv(env, [...new Set([...bridges, ...Object.keys(BUILT_IN_ADAPTERS)])]);
  const merged = mergeConfigs(mergeConfigs(fromFile, fromEnv), given);
  const config = (await resolveAdapters(
    { bridges: {}, ...merged },
    cwd,
  )) as unknown as RuntimeConfig;
  const variables = Object.keys(fromEnv).length === 0 ? [] : ['the variables CADUCEUS__'];
  const sources = [...(file === undefined ? [] : [basename(file)]), ...variables].join(' with ');
  naming(sources, () => checkConfig(config));
  return { config, file };
}

/** @throws {@link InvalidConfigError} when the file that is named is not there, or when there are two to choose from. */
function configFileOf(cwd: string, named: string | undefined): string | undefined {
  if (named !== undefined) {
    const file = resolve(cwd, named);
    if (!existsSync(file)) throw new InvalidConfigError('config', `there is no file ${file}`);
    return file;
  }
  const [first, second] = CONFIG_FILES.filter((name) => existsSync(join(cwd, name)));
  if (first !== undefined && second !== undefined) {
    const problem = `${first} and ${second} are both in ${cwd}: say which one is meant`;
    throw new InvalidConfigError('config', problem);
  }
  return first === undefined ? undefined : join(cwd, first);
}

/** What the file says, checked by itself, its paths absolute. */
async function contentOf(file: string): Promise<Record<string, unknown>> {
  const said = file.endsWith('.json') ? jsonOf(file) : defaultOf(file, await importFile(file));
  if (!isPlain(said)) throw new InvalidConfigError(file, 'must be an object of options');
  const { $schema: _, ...options } = said;
  const content = await namingAsync(basename(file), () =>
    resolveAdapters(withAbsolutePaths(options, dirname(file)), dirname(file)),
  );
  const finding = findingOf(runtimeSchema.partial(), content);
  if (finding !== undefined) {
    const field = fieldOf('', finding.path) || 'config';
    naming(basename(file), () => {
      throw new InvalidConfigError(field, finding.problem);
    });
  }
  return content;
}

function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    throw new InvalidConfigError(file, `is no JSON: ${(error as Error).message}`);
  }
}

function defaultOf(file: string, module: Readonly<Record<string, unknown>>): unknown {
  if (module['default'] !== undefined) return module['default'];
  throw new InvalidConfigError(file, 'has no default export: export default defineConfig({ … })');
}

/** A runtime may be started from any folder. An interpreter without a slash is a command of the PATH. */
function withAbsolutePaths(
  options: Readonly<Record<string, unknown>>,
  folder: string,
): Record<string, unknown> {
  const absolute = (key: string, value: unknown): unknown => {
    if (typeof value !== 'string' || value === '' || isAbsolute(value)) return value;
    if (key === 'scriptPath' || (key === 'python' && value.includes('/')))
      return resolve(folder, value);
    return value;
  };
  const each = (group: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(group).map(([key, value]) => [key, absolute(key, value)]));
  const { bridges } = options;
  if (!isPlain(bridges)) return each(options);
  const pairs = Object.entries(bridges).map(([name, bridge]) => [
    name,
    isPlain(bridge) ? each(bridge) : bridge,
  ]);
  return { ...each(options), bridges: Object.fromEntries(pairs) as unknown };
}

function bridgeNames({ bridges }: Readonly<Record<string, unknown>>): readonly string[] {
  return isPlain(bridges) ? Object.keys(bridges) : [];
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** What is wrong there is told with the name of where it is from. */
function naming(source: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw named(source, error);
  }
}

async function namingAsync<Result>(source: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    throw named(source, error);
  }
}

function named(source: string, error: unknown): unknown {
  // What another file exports is told with the name of that one.
  if (source !== '' && error instanceof InvalidConfigError && !isAbsolute(error.field)) {
    error.message = `${source}: ${error.message}`;
  }
  return error;
}
