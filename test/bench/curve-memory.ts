// How much memory does one more worker with a framework take, started cold and forked from a zygote?
import { existsSync, readFileSync } from 'node:fs';

import { notMeasured, round, type Benchmark, type Thoroughness } from './row.ts';
import { isForked, openStage, processesOf, within, type Stage } from './stage.ts';

const SIZES: Readonly<Record<Thoroughness, readonly number[]>> = {
  full: [1, 2, 4, 8],
  quick: [1, 3],
};
const UP_LIMIT_MS = 120_000;
const KIB = 1024;

interface Memory {
  readonly perWorkerMiB: number;
  /** What serves all of them: the zygote. */
  readonly sharedMiB: number;
}

const memory: Benchmark = {
  id: 'curve.memory',
  question:
    'proportional set size of workers with DSPy, each after a call, spawned ÷ forked from a zygote (its own share included)',
  unit: '× the memory of forked workers',
  must: null,
  aim: null,
  run: async (thoroughness) => {
    if (!existsSync('/proc/self/smaps_rollup')) {
      return notMeasured('this system has no /proc/<pid>/smaps_rollup');
    }
    const points = [];
    let areForked = true;
    for (const workers of SIZES[thoroughness]) {
      const spawned = await memoryOf(workers, false);
      const forked = await memoryOf(workers, { preload: ['dspy'] });
      areForked &&= forked.areForked;
      points.push({
        workers,
        spawnedMiB: spawned.memory.perWorkerMiB,
        forkedMiB: areForked ? forked.memory.perWorkerMiB : null,
        zygoteMiB: areForked ? forked.memory.sharedMiB : null,
      });
    }
    const last = points.at(-1)!;
    const forkedMiB =
      last.forkedMiB === null ? null : last.forkedMiB + last.zygoteMiB! / last.workers;
    return {
      value: forkedMiB === null ? null : round(last.spawnedMiB / forkedMiB),
      n: points.reduce((sum, { workers }) => sum + workers, 0),
      p50: null,
      p99: null,
      detail: {
        ...(areForked ? {} : { reason: 'not every worker was forked from the zygote here' }),
        valueIsOf: `${last.workers} workers`,
        points,
        node: process.versions.node,
      },
    };
  },
};

export const MEMORY_BENCHMARKS: readonly Benchmark[] = [memory];

async function memoryOf(
  workers: number,
  zygote: false | { readonly preload: readonly string[] },
): Promise<{ readonly memory: Memory; readonly areForked: boolean }> {
  await using stage = await openStage({
    script: 'dspy_bridge.py',
    pool: { size: workers, callTimeoutMs: UP_LIMIT_MS, checkoutTimeoutMs: UP_LIMIT_MS },
    zygote,
  });
  const pids = await within(workersUp(stage, workers), UP_LIMIT_MS, 'the start of all workers');
  const others = [...processesOf(stage.runtime).values()].filter((pid) => !pids.includes(pid));
  return {
    memory: {
      perWorkerMiB: round(sum(pids.map(pssMiB)) / workers, 1),
      sharedMiB: round(sum(others.map(pssMiB)), 1),
    },
    areForked: pids.every(isForked),
  };
}

/** One call in each worker, told apart by their sessions: a worker that holds one is busy, so the next session gets another. */
async function workersUp({ bridge }: Stage, workers: number): Promise<readonly number[]> {
  const pids = new Set<number>();
  for (let turn = 0; pids.size < workers; turn += 1) {
    const sessions = Array.from({ length: workers }, (_, index) => `memory-${turn}-${index}`);
    const calls = sessions.map((sessionId) =>
      bridge.call('signature', { text: 'question -> answer' }, { sessionId }),
    );
    await Promise.all(calls);
    for (const sessionId of sessions) {
      const pid = bridge.workerOf(sessionId)?.pid;
      if (pid !== undefined) pids.add(pid);
      await bridge.endSession(sessionId);
    }
  }
  return [...pids];
}

function pssMiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const [, kib] = /^Pss:\s+(\d+) kB$/mu.exec(text) ?? [];
  if (kib === undefined) throw new Error(`/proc/${pid}/smaps_rollup has no Pss`);
  return Number(kib) / KIB;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
