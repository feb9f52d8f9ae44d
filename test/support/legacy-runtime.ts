// How does a test get a runtime over v1 scripts, and a Python that is as old as they may be?
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import {
  createRuntime,
  defineAdapter,
  type BridgeConfig,
  type PoolOptions,
  type Runtime,
} from '../../src/index.ts';
import { fixture, PYTHON } from './real-runtime.ts';

/** Passes every operation through unchecked. */
const anything = defineAdapter({ framework: 'legacy', operations: {} });

export function legacyScript(name: string): string {
  return join(fixture('legacy'), name);
}

/** A runtime with one bridge `legacy`, a v1 script. */
export function legacyRuntime(
  script: string,
  pool: PoolOptions = {},
  more: Partial<BridgeConfig> = {},
): Promise<Runtime> {
  return createRuntime({
    python: PYTHON,
    logger: false,
    bridges: {
      legacy: {
        adapter: anything,
        scriptPath: legacyScript(script),
        protocol: 'v1',
        pool: { size: 1, ...pool },
        ...more,
      },
    },
  });
}

/** A Python 3.8: `python3.8` of the PATH, or one of a version manager. Undefined where there is none. */
export const PYTHON_3_8 = ['python3.8', ...managedPythons()].find(isPython38);

function managedPythons(): string[] {
  const folder = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((version) => version.startsWith('3.8.'))
    .map((version) => join(folder, version, 'bin', 'python'));
}

/** Run, not looked at: a version manager's shim is there whether its version is or not. */
function isPython38(command: string): boolean {
  try {
    const printed = execFileSync(command, ['-V'], {
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 10_000,
    });
    return printed.startsWith('Python 3.8.');
  } catch {
    return false;
  }
}
