// How does throughput grow with callers on one worker, and with workers?
import { join } from 'node:path';

import type { BridgeHandle } from '../../src/index.ts';
import { ECHO_ARGS, oursOf } from './echo.ts';
import { startRawEcho } from './raw-echo.ts';
import { ascending, percentile, round, type Benchmark, type Thoroughness } from './row.ts';
import { benchFolder, openStage, withScratch } from './stage.ts';

const CALLERS: Readonly<Record<Thoroughness, readonly number[]>> = {
  full: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  quick: [1, 8, 32, 256],
};
const WORKERS: Readonly<Record<Thoroughness, readonly number[]>> = {
  full: [1, 2, 4, 8, 16],
  quick: [1, 4],
};
const POINT_MS: Readonly<Record<Thoroughness, number>> = { full: 1_500, quick: 400 };
const WARM_UP_MS: Readonly<Record<Thoroughness, number>> = { full: 500, quick: 150 };
/** Of a call that waits, as for a language model, and takes no processor: what is left is the runtime's own limit. */
const WAIT_MS = 10;

interface Load {
  readonly callsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly n: number;
}

interface ConcurrencyPoint extends Load {
  readonly callers: number;
  readonly rawCallsPerSecond: number;
}

const concurrency: Benchmark = {
  id: 'curve.concurrency',
  question:
    '1 to 256 callers on one worker that is written up to 32 calls ahead, beside raw: calls/s of 32 ÷ calls/s of 1',
  unit: '× the calls/s of one caller',
  must: null,
  aim: null,
  run: async (thoroughness) => {
    await using stage = await openStage({
      script: 'echo_bridge.py',
      pool: { size: 1, prefetch: 32 },
    });
    const { bridge } = stage;
    const { executable } = (await bridge.call('interpreter')) as { executable: string };
    return await withScratch(async (folder) => {
      const raw = await startRawEcho(
        executable,
        join(benchFolder(), 'raw_echo.py'),
        join(folder, 's'),
      );
      try {
        const points: ConcurrencyPoint[] = [];
        for (const callers of CALLERS[thoroughness]) {
          const { call } = oursOf(bridge, callers);
          const ours = await loadOf(call, callers, thoroughness);
          const floor = await loadOf(() => raw.call('echo', ECHO_ARGS, 's'), callers, thoroughness);
          points.push({ callers, ...ours, rawCallsPerSecond: floor.callsPerSecond });
        }
        const at = (callers: number) => points.find((point) => point.callers === callers)!;
        const { n, p50, p99 } = at(32);
        return {
          value: round(at(32).callsPerSecond / at(1).callsPerSecond),
          n,
          p50,
          p99,
          detail: {
            timesAreOf: '32 callers',
            points,
            node: process.versions.node,
          },
        };
      } finally {
        await raw.stop();
      }
    });
  },
};

const workers: Benchmark = {
  id: 'curve.workers',
  question: `1 to 16 workers, each with a caller whose call waits ${WAIT_MS} ms in Python: calls/s at the most ÷ so many times the calls/s of one`,
  unit: '× proportional growth',
  must: null,
  aim: null,
  run: async (thoroughness) => {
    const points = [];
    for (const size of WORKERS[thoroughness]) {
      await using stage = await openStage({ script: 'echo_bridge.py', pool: { size } });
      await allAreUp(stage.bridge, size);
      const waits = await loadOf(waiting(stage.bridge, size), size, thoroughness);
      const echoes = await loadOf(oursOf(stage.bridge, size).call, size, thoroughness);
      points.push({ workers: size, ...waits, echoesPerSecond: echoes.callsPerSecond });
    }
    const first = points[0]!;
    const last = points.at(-1)!;
    return {
      value: round(last.callsPerSecond / (first.callsPerSecond * last.workers)),
      n: last.n,
      p50: last.p50,
      p99: last.p99,
      detail: {
        timesAreOf: `${last.workers} workers`,
        waitMs: WAIT_MS,
        points,
        node: process.versions.node,
      },
    };
  },
};

export const LOAD_BENCHMARKS: readonly Benchmark[] = [concurrency, workers];

function waiting(bridge: BridgeHandle, callers: number): (caller: number) => Promise<unknown> {
  const options = Array.from({ length: callers }, (_, index) => ({ sessionId: `waits-${index}` }));
  return (caller) => bridge.call('wait', { seconds: WAIT_MS / 1000 }, options[caller]);
}

/** So many calls at once that every worker must have taken one. */
async function allAreUp(bridge: BridgeHandle, size: number): Promise<void> {
  const calls = Array.from({ length: size * 2 }, () => bridge.call('wait', { seconds: 0.05 }));
  await Promise.all(calls);
}

/** Every caller has one call under way, until the time is over. Times in µs. */
async function loadOf(
  call: (caller: number) => Promise<unknown>,
  callers: number,
  thoroughness: Thoroughness,
): Promise<Load> {
  await callFor(call, callers, WARM_UP_MS[thoroughness]);
  const beganMs = performance.now();
  const timesMs = await callFor(call, callers, POINT_MS[thoroughness]);
  const tookMs = performance.now() - beganMs;
  const sorted = ascending(timesMs);
  return {
    callsPerSecond: Math.round((sorted.length / tookMs) * 1000),
    p50: round(percentile(sorted, 0.5) * 1000, 1),
    p99: round(percentile(sorted, 0.99) * 1000, 1),
    n: sorted.length,
  };
}

async function callFor(
  call: (caller: number) => Promise<unknown>,
  callers: number,
  limitMs: number,
): Promise<number[]> {
  const timesMs: number[] = [];
  const endMs = performance.now() + limitMs;
  const callOn = async (caller: number): Promise<void> => {
    for (;;) {
      const beganMs = performance.now();
      if (beganMs >= endMs) return;
      await call(caller);
      timesMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => callOn(caller)));
  return timesMs;
}
