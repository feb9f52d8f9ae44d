// How does a test get DSPy in real processes, with the local model for its provider?
import { bindAdapter, type BoundOf } from '../../src/adapters/bound-adapter.ts';
import { createRuntime, dspy, type PoolOptions, type Runtime } from '../../src/index.ts';
import type { LocalModel } from '../../src/testing/index.ts';
import { nextEvent, PYTHON } from './real-runtime.ts';

/** DSPy's adapter in a runtime. */
export type Dspy = BoundOf<ReturnType<typeof dspy>>;

export function dspyRuntime(pool: PoolOptions = {}): Promise<Runtime> {
  return createRuntime({
    python: PYTHON,
    logger: false,
    bridges: { dspy: { adapter: dspy(), pool: { size: 2, overflow: 0, ...pool } } },
  });
}

/** What `configure` takes for this model. */
export function configOf(model: LocalModel, name = 'local'): { model: string; apiBase: string } {
  return { model: `openai/${name}`, apiBase: model.baseUrl };
}

/** The bridge by the words of its adapter. */
export function boundDspy(runtime: Runtime): Dspy {
  return bindAdapter(runtime.pool('dspy')) as unknown as Dspy;
}

/** End the process that holds this session, without a warning; when it resolves the runtime knows. */
export async function killWorkerOf(runtime: Runtime, sessionId: string): Promise<void> {
  const crashed = nextEvent(runtime, 'child.crashed');
  const pid = runtime.pool('dspy').workerOf(sessionId)?.pid;
  if (pid === undefined) throw new Error(`no worker holds session ${sessionId}`);
  process.kill(pid, 'SIGKILL');
  await crashed;
}
