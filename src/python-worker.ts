// How does a Python process become a child of any supervisor? A start for child specifications; interpreter and socket are found when it starts.
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { lifecycleStart, type LifecycleStart } from '../actors/lifecycle/child.ts';
import { workerEnv } from '../actors/port/env.ts';
import { systemHost } from '../actors/port/host.ts';
import type { ProcessLimits } from '../actors/port/message.ts';
import { hubOf } from '../actors/worker/worker-hub.ts';
import { openLate } from '../actors/worker/late-incarnation.ts';
import type { WorkerWatcher } from '../actors/worker/worker-types.ts';
import { PythonWorker } from '../actors/worker/worker.ts';
import { checkScript } from './config.ts';
import { legacyCommand, WORKER_COMMAND } from './python-command.ts';

/** One Python worker. Either `script` or `module` is needed; unknown keys are refused. */
export interface PythonWorkerOptions {
  /** A `.py` file, relative to the working directory. */
  readonly script?: string;
  /** An importable module. */
  readonly module?: string;
  /** `v1`: the script speaks the ported design's first protocol on its stdin and stdout, and is run as it stands, on any Python from `minPythonVersion` (3.8) on. */
  readonly protocol?: 'v1';
  /** The bridge's class, where the script or module defines more than one. */
  readonly class?: string;
  /** The interpreter. Default: `CADUCEUS_PYTHON`, the active virtual environment, `.venv`, `python3`. */
  readonly python?: string;
  /** At least this version, e.g. `3.11`. */
  readonly minPythonVersion?: string;
  /** Variables for the process, besides the few of ours that it may see. */
  readonly env?: Readonly<Record<string, string>>;
  /** Distributions that must be there: `package_missing` says so before an import fails. */
  readonly requiredPackages?: readonly string[];
  /** What it calls itself in errors. Default: the script or module. */
  readonly framework?: string;
  /** From the start to ready, imports and model loading included, in ms. Default 60 000. */
  readonly startTimeoutMs?: number;
  /** Between two heartbeats, in ms: one that misses three is looked at, and killed when it neither answers nor works. Default 2 000. */
  readonly heartbeatMs?: number;
  /** How long one call into C may hold Python's interpreter lock, in ms. Default 30 000. */
  readonly gilHoldMsMax?: number;
  /** What the kernel holds the process to. */
  readonly limits?: ProcessLimits;
}

const TEXTS = ['script', 'module', 'class', 'python', 'minPythonVersion', 'framework'] as const;
const KEYS: readonly string[] = [
  ...TEXTS,
  ...['protocol', 'env', 'requiredPackages', 'startTimeoutMs'],
  ...['heartbeatMs', 'gilHoldMsMax', 'limits'],
];
const LIMIT_KEYS: readonly string[] = ['openFilesMax', 'cpuMsMax', 'addressSpaceBytesMax'];

/**
 * A Python worker as a child: the `start` of a child specification. Its operations are called as any actor is: `call(ref, { type: 'predict', args: { … } })` gives what Python returned, or rejects with
 * {@link PythonError}; when the process ends first, with the reason. Calls run one after the other. A call that times out is not called off, and does not end the worker: what waits behind it waits on.
 * An operation that is sent with `cast` runs, and its result is dropped.
 *
 * An import error is an exit with `{ type: 'error', error: BridgeStartError }`: `isRetryable` of the child specification can say that trying again will not mend it.
 *
 * @throws {@link InvalidConfigError}; {@link ScriptNotFoundError}. That there is no interpreter is a start error.
 */
export function pythonWorker(options: PythonWorkerOptions): LifecycleStart {
  checkOptions(options);
  const { script, module, class: name, python, minPythonVersion, env = {} } = options;
  const { requiredPackages = [], startTimeoutMs = LIMITS.startTimeoutMs, protocol } = options;
  const path = script === undefined ? undefined : checkScript(script);
  const bridge = {
    framework: options.framework ?? script ?? module ?? '',
    requiredPackages,
    ...(path === undefined ? { module } : { script: path }),
    ...(name === undefined ? {} : { class: name }),
  };
  const { framework } = bridge;
  const legacy = protocol === 'v1' ? { framework, requiredPackages } : undefined;
  const interpreter = { explicit: python, minVersion: minPythonVersion, legacy };
  const { heartbeatMs, gilHoldMsMax, limits } = options;
  const request = {
    bridge,
    interpreter,
    limits,
    ...(protocol === 'v1' && path !== undefined ? legacyCommand(path) : WORKER_COMMAND),
    env: () => workerEnv(process.env, env),
  };
  const make: LifecycleStart['make'] = (ports) => (order) =>
    new PythonWorker(
      order,
      { startTimeoutMs, heartbeatMs, gilHoldMsMax, watcher: NOBODY },
      { ...ports, host: systemHost },
      (worker, onFact) => openLate(worker, hubOf(ports), request, onFact),
    );
  return lifecycleStart('worker', make, options);
}

/** Nobody routes calls to it: who calls it has its reference. */
const NOBODY: WorkerWatcher = {
  workerReady: () => undefined,
  workerUnavailable: () => undefined,
};

function checkOptions(options: PythonWorkerOptions): void {
  const given = options as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(given)) {
    if (!KEYS.includes(key))
      throw new InvalidConfigError(key, `is unknown; known are ${KEYS.join(', ')}`);
  }
  for (const key of TEXTS) {
    const value = given[key];
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw new InvalidConfigError(key, 'a text is expected');
  }
  if ((options.script === undefined) === (options.module === undefined))
    throw new InvalidConfigError('script', 'either script or module is expected');
  checkLegacy(options);
  const { env, requiredPackages, startTimeoutMs } = options;
  const values: readonly unknown[] = Object.values(env ?? {});
  if (typeof (env ?? {}) !== 'object' || values.some((value) => typeof value !== 'string'))
    throw new InvalidConfigError('env', 'texts by name are expected');
  if (requiredPackages !== undefined && !Array.isArray(requiredPackages))
    throw new InvalidConfigError('requiredPackages', 'a list of texts is expected');
  if (startTimeoutMs !== undefined && !(Number.isSafeInteger(startTimeoutMs) && startTimeoutMs > 0))
    throw new InvalidConfigError('startTimeoutMs', 'whole ms from 1 are expected');
  checkVitals(options);
}

function checkVitals({ heartbeatMs, gilHoldMsMax, limits }: PythonWorkerOptions): void {
  if (heartbeatMs !== undefined && !(heartbeatMs >= LIMITS.heartbeatMsMin))
    throw new InvalidConfigError('heartbeatMs', `ms from ${LIMITS.heartbeatMsMin} are expected`);
  if (gilHoldMsMax !== undefined && !(gilHoldMsMax > 0))
    throw new InvalidConfigError('gilHoldMsMax', 'ms above 0 are expected');
  if (limits === undefined) return;
  if (typeof limits !== 'object' || limits === null)
    throw new InvalidConfigError('limits', 'an object is expected');
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    if (!LIMIT_KEYS.includes(name))
      throw new InvalidConfigError(
        `limits.${name}`,
        `is unknown; known are ${LIMIT_KEYS.join(', ')}`,
      );
    if (value !== undefined && !(typeof value === 'number' && value > 0))
      throw new InvalidConfigError(`limits.${name}`, 'a number above 0 is expected');
  }
}

/** A v1 script is the whole program: it builds its bridge itself. */
function checkLegacy({ protocol, script, class: name }: PythonWorkerOptions): void {
  if (protocol === undefined) return;
  if (protocol !== 'v1') throw new InvalidConfigError('protocol', 'v1 is expected, or nothing');
  if (script === undefined)
    throw new InvalidConfigError('script', 'is needed: protocol v1 is that of a script');
  if (name !== undefined)
    throw new InvalidConfigError('class', 'is not for v1: the script builds its own');
}
