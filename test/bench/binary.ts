// What does an array of a million numbers cost on its way to NumPy and back, beyond what its bytes cost?
import { compete, shortened, type ContestPlan } from './contest.ts';
import { startRawBytes } from './raw-bytes.ts';
import { ascending, median, round, type Benchmark } from './row.ts';
import { openStage, withScratch } from './stage.ts';
import { benchPython } from './peers/provide.ts';

const NUMBERS = 1_000_000;
const PLAN: ContestPlan = { rounds: 10, callsPerRound: 20, callers: 1, warmUpCalls: 20 };

export interface ArrayInterpreter {
  readonly version: string;
  readonly executable: string;
  readonly numpy: string;
}

const binary: Benchmark = {
  id: 'binary.8MB',
  question:
    '1 000 000 float64 from a Float64Array to a NumPy array and back: p50 ÷ p50 of a raw socket echo of 8 MB',
  unit: '× raw p50',
  must: 2,
  aim: 1.2,
  run: async (thoroughness) => {
    const plan = thoroughness === 'quick' ? shortened(PLAN) : PLAN;
    await using stage = await openStage({ script: 'array_bridge.py', python: await benchPython() });
    const { bridge } = stage;
    const python = (await bridge.call('interpreter')) as ArrayInterpreter;
    const value = Float64Array.from({ length: NUMBERS }, (_, index) => index / 7);
    const kind = await bridge.call('kind', { value });
    checkEcho(value, await bridge.call('echo', { value }));
    return await withScratch(async (folder) => {
      const raw = await startRawBytes(python.executable, folder);
      try {
        const options = { sessionId: 'arrays' };
        const results = await compete(
          plan,
          { call: () => bridge.call('echo', { value }, options) },
          { call: () => raw.echo(new Uint8Array(value.buffer)) },
        );
        const { ours, raw: floor } = results;
        const ratios = ours.roundP50s.map((p50, turn) => p50 / floor.roundP50s[turn]!);
        const gigabytes = (p50: number) => round((2 * value.byteLength) / p50 / 1000);
        return {
          value: round(ours.p50 / floor.p50),
          n: ours.n,
          p50: ours.p50,
          p99: ours.p99,
          detail: {
            rawP50: floor.p50,
            rawP99: floor.p99,
            gigabytesPerSecondBothWays: gigabytes(ours.p50),
            rawGigabytesPerSecondBothWays: gigabytes(floor.p50),
            inPython: kind,
            nodeCpuUsPerCall: ours.nodeCpuUs,
            rawNodeCpuUsPerCall: floor.nodeCpuUs,
            roundValues: {
              min: round(ascending(ratios)[0]!),
              median: round(median(ratios)),
              max: round(ascending(ratios).at(-1)!),
            },
            rounds: plan.rounds,
            callsPerRound: plan.callsPerRound,
            node: process.versions.node,
            python: python.version,
            numpy: python.numpy,
          },
        };
      } finally {
        await raw.stop();
      }
    });
  },
};

export const BINARY_BENCHMARKS: readonly Benchmark[] = [binary];

/** A fast answer that is wrong is worth nothing. */
function checkEcho(sent: Float64Array, came: unknown): void {
  const isSame =
    came instanceof Float64Array &&
    came.length === sent.length &&
    came.every((number, index) => number === sent[index]);
  if (!isSame) throw new Error('the array that came back is not the one that was sent');
}
