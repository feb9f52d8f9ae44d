// What does a call cost that only comes back, beyond what the same bytes cost without us?
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createRuntime, defineAdapter, type BridgeHandle } from '../../src/index.ts';
import { compete, type Contestant, type ContestPlan, type Figures } from './contest.ts';
import { startRawEcho } from './raw-echo.ts';
import { percentile, round, type Benchmark, type Row } from './row.ts';

const ARGS = { text: 'x'.repeat(100) };
const SEQUENTIAL: ContestPlan = {
  rounds: 10,
  callsPerRound: 2_000,
  callers: 1,
  warmUpCalls: 3_000,
};
const PIPELINED: ContestPlan = {
  rounds: 10,
  callsPerRound: 4_000,
  callers: 32,
  warmUpCalls: 6_000,
};

interface Interpreter {
  readonly version: string;
  readonly executable: string;
}

interface Measured {
  readonly ours: Figures;
  readonly raw: Figures;
  readonly python: string;
}

const sequential: Benchmark = {
  id: 'echo.sequential',
  question: 'one echo at a time through runtime, pool, session and one worker: p50 ÷ raw p50',
  run: async () => {
    const measured = await measure(SEQUENTIAL);
    const { ours, raw } = measured;
    const ratios = ours.roundP50s.map((p50, turn) => p50 / raw.roundP50s[turn]!);
    return {
      id: 'echo.sequential',
      value: round(ours.p50 / raw.p50),
      unit: '× raw p50',
      must: 1.8,
      aim: 1.3,
      n: ours.n,
      p50: ours.p50,
      p99: ours.p99,
      detail: detailOf(measured, SEQUENTIAL, ratios),
    };
  },
};

const pipelined: Benchmark = {
  id: 'echo.pipelined',
  question: '32 callers, each with its own session, on one worker: calls/s ÷ raw calls/s',
  run: async () => {
    const measured = await measure(PIPELINED);
    const { ours, raw } = measured;
    const ratios = ours.roundCallsPerSecond.map(
      (calls, turn) => calls / raw.roundCallsPerSecond[turn]!,
    );
    return {
      id: 'echo.pipelined',
      value: round(ours.callsPerSecond / raw.callsPerSecond),
      unit: '× raw calls/s',
      must: 0.5,
      aim: 0.9,
      n: ours.n,
      p50: ours.p50,
      p99: ours.p99,
      detail: {
        note:
          'calls go to a worker one at a time: there is no prefetch option yet, and the limits are those of prefetch 32; ' +
          'raw has up to 32 calls on the wire',
        ...detailOf(measured, PIPELINED, ratios),
      },
    };
  },
};

export const ECHO_BENCHMARKS: readonly Benchmark[] = [sequential, pipelined];

async function measure(plan: ContestPlan): Promise<Measured> {
  const folder = benchFolder();
  await using runtime = await createRuntime({
    logger: false,
    bridges: {
      echo: {
        adapter: defineAdapter({ framework: 'echo', operations: {} }),
        scriptPath: join(folder, 'echo_bridge.py'),
        pool: { size: 1 },
      },
    },
  });
  const bridge = runtime.pool('echo');
  const { version, executable } = (await bridge.call('interpreter')) as Interpreter;
  const scratch = mkdtempSync(join(tmpdir(), 'raw-echo-'));
  const raw = await startRawEcho(executable, join(folder, 'raw_echo.py'), join(scratch, 's'));
  try {
    const results = await compete(plan, oursOf(bridge, plan), {
      call: (caller) => raw.call('echo', ARGS, nameOf(caller)),
      pythonCpuS: async () => (await raw.call('cpu', {}, nameOf(0))) as number,
    });
    return { ...results, python: version };
  } finally {
    await raw.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function oursOf(bridge: BridgeHandle, plan: ContestPlan): Contestant {
  const options = Array.from({ length: plan.callers }, (_, index) => ({
    sessionId: nameOf(index),
  }));
  return {
    call: (caller) => bridge.call('echo', ARGS, options[caller]),
    pythonCpuS: async () => (await bridge.call('cpu', {}, options[0])) as number,
  };
}

function nameOf(caller: number): string {
  return `caller-${caller}`;
}

function detailOf(
  { ours, raw, python }: Measured,
  plan: ContestPlan,
  ratios: readonly number[],
): Row['detail'] {
  const sorted = [...ratios].sort((a, b) => a - b);
  return {
    rawP50: raw.p50,
    rawP99: raw.p99,
    rawCallsPerSecond: raw.callsPerSecond,
    callsPerSecond: ours.callsPerSecond,
    nodeCpuUsPerCall: ours.nodeCpuUs,
    rawNodeCpuUsPerCall: raw.nodeCpuUs,
    pythonCpuUsPerCall: ours.pythonCpuUs,
    rawPythonCpuUsPerCall: raw.pythonCpuUs,
    rounds: plan.rounds,
    callsPerRound: plan.callsPerRound,
    callers: plan.callers,
    roundValues: {
      min: round(sorted[0]!),
      median: round(percentile(sorted, 0.5)),
      max: round(sorted.at(-1)!),
    },
    node: process.versions.node,
    python,
    cpus: availableParallelism(),
  };
}

/** Where the Python programs lie: the build has none of them. */
function benchFolder(): string {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  return join(root, 'test', 'bench');
}
