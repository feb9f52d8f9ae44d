// What is a bridge's pool made of? Its configuration and its adapter, joined and resolved.
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import { workerEnv } from '../actors/port/env.ts';
import type { PoolSetup } from '../supervisors/pool/pool.ts';
import { preloadOf } from './adapters/zygote-option.ts';
import { checkScript, poolOptionsOf, type BridgeConfig, type RuntimeConfig } from './config.ts';
import { systemOutside, type Outside } from './outside.ts';
import { resolverOf } from './secrets.ts';
import { legacyCommand, WORKER_COMMAND } from './python-command.ts';

/** A pool's setup, apart from what only a running runtime has. */
export type Setup = Omit<PoolSetup, 'makeScratch' | 'zygote' | 'store' | 'startTree'> & {
  readonly preload: ReturnType<typeof preloadOf>;
};

/**
 * What the pool of one bridge is made of, by its configuration.
 * @throws {@link InvalidConfigError}, {@link ScriptNotFoundError}, {@link PythonNotFoundError}, {@link PythonTooOldError}.
 */
export async function poolSetup(
  name: string,
  given: BridgeConfig,
  config: RuntimeConfig,
  outside: Outside = systemOutside,
): Promise<Setup> {
  const bridge = outside.prepare(name, given);
  const { adapter, scriptPath, pythonClass, protocol } = bridge;
  const script = scriptPath === undefined ? undefined : checkScript(scriptPath);
  if (script === undefined && adapter.pythonModule === undefined) {
    throw new InvalidConfigError(
      `bridges.${name}.scriptPath`,
      'is needed: the adapter names no module',
    );
  }
  const requiredPackages = [
    ...(adapter.requiredPackages ?? []),
    ...(bridge.requiredPackages ?? []),
  ];
  const interpreter = await outside.findInterpreter({
    explicit: bridge.python ?? config.python,
    env: process.env,
    cwd: process.cwd(),
    minVersion: bridge.minPythonVersion ?? adapter.minPythonVersion,
    legacy: protocol === 'v1' ? { framework: name, requiredPackages } : undefined,
  });
  return {
    name,
    options: poolOptionsOf(name, bridge),
    operations: adapter.roles,
    resolveSecret: resolverOf(config.secrets ?? {}),
    isJournalled: Object.values(adapter.operations).some(({ change }) => change !== undefined),
    preload:
      protocol === 'v1'
        ? 'no zygote'
        : preloadOf({
            bridge: bridge.zygote,
            adapter: adapter.zygote,
            platform: process.platform,
          }),
    schemaHash: bridge.schemaHash,
    bridge: {
      framework: name,
      ...(script === undefined ? { module: adapter.pythonModule } : { script }),
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
