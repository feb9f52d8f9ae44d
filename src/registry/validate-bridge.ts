// Could this bridge start here? Looks at its script, its adapter, its interpreter and its packages, and starts no worker.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import { isCaduceusError } from '../../actors/ground/errors.ts';
import { compareVersions } from '../../actors/port/handshake.ts';
import { workerEnv } from '../../actors/port/env.ts';
import { resolveInterpreter, wantedVersion } from '../../actors/port/interpreter.ts';
import { BUILT_IN_ADAPTERS, isBuiltIn } from '../adapters/built-in.ts';
import {
  reportOf,
  unknownBridge,
  type AdapterFact,
  type BridgeReport,
  type PythonFact,
  type SourceFact,
} from './bridge-report.ts';
import { probePython } from './probe.ts';

export type { BridgeReport } from './bridge-report.ts';

/** What is looked at of an adapter. */
interface AdapterToValidate {
  readonly pythonModule?: string | undefined;
  readonly requiredPackages?: readonly string[] | undefined;
  readonly minPythonVersion?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** What is looked at of a bridge; every `BridgeConfig` is one. */
export interface BridgeToValidate {
  readonly adapter?: AdapterToValidate | string | undefined;
  readonly scriptPath?: string | undefined;
  readonly pythonModule?: string | undefined;
  readonly requiredPackages?: readonly string[] | undefined;
  readonly minPythonVersion?: string | undefined;
  readonly protocol?: 'v1' | undefined;
  readonly python?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface ValidateOptions {
  /** The interpreter of all bridges, where the bridge names none. */
  readonly python?: string | undefined;
  /** Names of the bridges that there are, for whoever has misspelt one. */
  readonly known?: readonly string[] | undefined;
  /** Default: those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** For the import of each package. Default: a minute. */
  readonly importTimeoutMs?: number | undefined;
}

/**
 * Look whether a bridge could start. Never rejects for what it looks for: all that is wrong is listed.
 * @param bridge its configuration; undefined when there is none of that name.
 */
export async function validateBridge(
  name: string,
  bridge: BridgeToValidate | undefined,
  options: ValidateOptions = {},
): Promise<BridgeReport> {
  if (bridge === undefined) return unknownBridge(name, options.known ?? []);
  const { adapter, fact } = adapterOf(bridge.adapter);
  const source = sourceOf(bridge, adapter, options.cwd ?? process.cwd());
  const legacy = bridge.protocol === 'v1' ? { framework: name, requiredPackages: [] } : undefined;
  const minVersion = bridge.minPythonVersion ?? adapter.minPythonVersion;
  const python = await pythonOf(bridge, adapter, source, options);
  const pythonWanted = wantedVersion({ minVersion, legacy });
  return reportOf(name, { adapter: fact, source, python, pythonWanted });
}

function adapterOf(given: BridgeToValidate['adapter']): {
  readonly adapter: AdapterToValidate;
  readonly fact: AdapterFact;
} {
  const loaded = { type: 'loaded' } as const;
  if (given === undefined) return { adapter: {}, fact: loaded };
  if (isBuiltIn(given)) return { adapter: BUILT_IN_ADAPTERS[given](), fact: loaded };
  if (typeof given === 'object' && given !== null) return { adapter: given, fact: loaded };
  const known = Object.keys(BUILT_IN_ADAPTERS);
  return { adapter: {}, fact: { type: 'unknown', given, known } };
}

function sourceOf(bridge: BridgeToValidate, adapter: AdapterToValidate, cwd: string): SourceFact {
  if (bridge.scriptPath !== undefined) {
    const path = resolve(cwd, bridge.scriptPath);
    return { type: 'script', path, problem: scriptProblem(path) };
  }
  const name = bridge.pythonModule ?? adapter.pythonModule;
  return name === undefined ? { type: 'none' } : { type: 'module', name };
}

function scriptProblem(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'there is no such file';
  return found.isFile() ? undefined : 'it is not a file';
}

/** Any version is taken, so that one that is too old is asked for its packages too. */
const ANY_VERSION = '0';

/** Before it nothing can be asked: not even the probe's own syntax is understood. */
const OLDEST_TO_ASK = '3.8';

async function pythonOf(
  bridge: BridgeToValidate,
  adapter: AdapterToValidate,
  source: SourceFact,
  options: ValidateOptions,
): Promise<PythonFact> {
  const { env = process.env, cwd = process.cwd(), importTimeoutMs } = options;
  const explicit = bridge.python ?? options.python;
  const legacy = { framework: '', requiredPackages: [] };
  try {
    const interpreter = await resolveInterpreter({
      ...{ explicit, env, cwd, legacy, minVersion: ANY_VERSION },
    });
    if (compareVersions(interpreter.version, OLDEST_TO_ASK) < 0) {
      const nothing = { packages: null, preload: null, module: null, venv: null };
      return { type: 'found', facts: { ...interpreter, ...nothing } };
    }
    const answer = await probePython({
      executable: interpreter.executable,
      packages: [...(adapter.requiredPackages ?? []), ...(bridge.requiredPackages ?? [])],
      env: workerEnv(env, { ...adapter.env, ...bridge.env }),
      module: source.type === 'module' ? source.name : undefined,
      importTimeoutMs,
    });
    if (answer.type === 'found') return { type: 'found', facts: answer.found };
    return { type: 'mute', ...interpreter, why: answer.why };
  } catch (error) {
    if (!isCaduceusError(error)) throw error;
    return { type: 'none', message: error.message };
  }
}
