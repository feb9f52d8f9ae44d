// How does a test get a runtime over `calls_bridge.py`?
import { createRuntime, defineAdapter, type PoolOptions, type Runtime } from '../../src/index.ts';
import type { Callbacks } from '../../src/index.ts';
import { fixture, PYTHON } from './real-runtime.ts';

/** Every operation is passed through: the bridge says which there are. */
const adapter = defineAdapter({ framework: 'calls', operations: {} });

export function callsRuntime(
  pool: PoolOptions = {},
  more: { readonly callbacks?: Callbacks; readonly script?: string } = {},
): Promise<Runtime> {
  return createRuntime({
    python: PYTHON,
    logger: false,
    bridges: {
      calls: {
        adapter,
        scriptPath: fixture(more.script ?? 'calls_bridge.py'),
        pool: { size: 1, ...pool },
        callbacks: more.callbacks ?? {},
      },
    },
  });
}
