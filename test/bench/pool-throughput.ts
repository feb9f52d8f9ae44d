// How much of what its workers could do does a pool get out of them?
import type { BridgeHandle } from '../../src/index.ts';
import { openPool } from './pool-stage.ts';
import { ascending, percentile, round, type Benchmark, type Thoroughness } from './row.ts';

const WORKERS = [1, 2, 4] as const;
/** Slept in Python, so that the processors of the machine are not what is measured. */
const WORK_MS = [1, 10, 100] as const;
type WorkMs = (typeof WORK_MS)[number];

const RUN_MS: Readonly<Record<Thoroughness, number>> = { full: 4_000, quick: 1_000 };
const WARM_UP_MS = 300;
/** For each worker: one whose call runs, and one who waits, so that no worker is idle for want of calls. */
const CALLERS_PER_WORKER = 2;

/**
 * Between two calls of a worker lie its answer's way to Node and the next call's way back, 60 to 150 µs on one machine, which is a tenth of a millisecond of work; and four workers
 * of a millisecond are 4 000 calls a second, for which two cores are already half taken. `prefetch` saves the way; this row measures without it.
 */
const LIMITS: Readonly<Record<WorkMs, { readonly must: number; readonly aim: number }>> = {
  1: { must: 0.6, aim: 0.85 },
  10: { must: 0.93, aim: 0.98 },
  100: { must: 0.98, aim: 0.995 },
};

export const POOL_THROUGHPUT_BENCHMARKS: readonly Benchmark[] = WORKERS.flatMap((workers) =>
  WORK_MS.map((workMs) => throughput(workers, workMs)),
);

function throughput(workers: number, workMs: WorkMs): Benchmark {
  return {
    id: `pool.throughput.${workers}x${workMs}`,
    question: `${workers} ${workers === 1 ? 'worker' : 'workers'} that sleep${workers === 1 ? 's' : ''} ${workMs} ms for each call, ${CALLERS_PER_WORKER} callers for each: calls/s ÷ those of Python loops that sleep so`,
    unit: '× the ideal',
    ...LIMITS[workMs],
    run: async (thoroughness) => {
      await using stage = await openPool({ size: workers });
      const { bridge } = stage;
      await napFor(bridge, workers, workMs, WARM_UP_MS + 4 * workMs);
      const napMs = await loopNapMs(bridge, workers, workMs, thoroughness);
      const beganMs = performance.now();
      const timesMs = await napFor(bridge, workers, workMs, RUN_MS[thoroughness]);
      const tookMs = performance.now() - beganMs;
      const callsPerSecond = (timesMs.length / tookMs) * 1000;
      const ideal = (workers / napMs) * 1000;
      const sorted = ascending(timesMs);
      return {
        value: round(callsPerSecond / ideal, 3),
        n: sorted.length,
        p50: round(percentile(sorted, 0.5) * 1000, 1),
        p99: round(percentile(sorted, 0.99) * 1000, 1),
        detail: {
          callsPerSecond: round(callsPerSecond, 1),
          ideal: round(ideal, 1),
          idealIs: `${workers} Python loops that sleep at the same time; one sleep takes ${round(napMs, 3)} ms there`,
          ofNominal: round(callsPerSecond / ((workers * 1000) / workMs), 3),
          timesAreOf: 'a call with its wait for a worker',
          node: process.versions.node,
        },
      };
    },
  };
}

/** What one sleep really takes here, on average, when all workers do nothing but sleep. */
async function loopNapMs(
  bridge: BridgeHandle,
  workers: number,
  workMs: WorkMs,
  thoroughness: Thoroughness,
): Promise<number> {
  const times = Math.ceil(RUN_MS[thoroughness] / 4 / workMs);
  const loops = Array.from({ length: workers }, () => bridge.call('naps', { ms: workMs, times }));
  const tookS = (await Promise.all(loops)) as number[];
  return (tookS.reduce((sum, s) => sum + s, 0) / workers / times) * 1000;
}

/** Every caller has one call under way, until the time is over. @returns what each took. */
async function napFor(
  bridge: BridgeHandle,
  workers: number,
  workMs: WorkMs,
  limitMs: number,
): Promise<number[]> {
  const timesMs: number[] = [];
  const endMs = performance.now() + limitMs;
  const callOn = async (): Promise<void> => {
    for (;;) {
      const beganMs = performance.now();
      if (beganMs >= endMs) return;
      await bridge.call('nap', { ms: workMs });
      timesMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: workers * CALLERS_PER_WORKER }, callOn));
  return timesMs;
}
