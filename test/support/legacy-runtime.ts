// How does a test get a runtime over v1 scripts, and a Python that is as old as they may be?
import { join } from 'node:path';

import {
  createRuntime,
  defineAdapter,
  type BridgeConfig,
  type PoolOptions,
  type Runtime,
} from '../../src/index.ts';
import { pythonOf } from './pythons.ts';
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

/** Undefined where there is none. */
export const PYTHON_3_8 = pythonOf('3.8');
