// How does a test get Transformers, for real? Its workers are forked from a process that has imported torch once.
import { readFileSync } from 'node:fs';

import type { BoundOf } from '../../src/adapters/bound-adapter.ts';
import { createRuntime, transformers, type PoolOptions, type Runtime } from '../../src/index.ts';
import { PYTHON, until } from './real-runtime.ts';

type Bound = BoundOf<ReturnType<typeof transformers>>;

export interface TransformersStage {
  readonly runtime: Runtime;
  readonly bound: Bound;
}

/** Importing torch takes seconds, and many of them when other suites compute. */
export const IMPORT_MS = 180_000;

/** One thread each: on cores that others use, two wait for each other more than they compute. */
export async function transformersStage(pool: PoolOptions = {}): Promise<TransformersStage> {
  const runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    default: 'transformers',
    bridges: {
      transformers: { adapter: transformers({ threads: 1 }), pool: { size: 1, ...pool } },
    },
  });
  return { runtime, bound: runtime.registry.getAdapter('transformers') };
}

const TICKS_PER_S = 100;

function computedS(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) / TICKS_PER_S;
}

/** Wait until a process has computed for so long from now on: it is in the middle of what it was told. */
export async function untilBusy(pid: number, seconds: number): Promise<void> {
  const before = computedS(pid);
  await until(() => computedS(pid) >= before + seconds, IMPORT_MS);
}
