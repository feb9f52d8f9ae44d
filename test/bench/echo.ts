// What does a call cost that only comes back, beyond what the same bytes cost without us?
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import type { BridgeHandle } from '../../src/index.ts';
import { compete, shortened, type Contestant, type ContestPlan, type Figures } from './contest.ts';
import { startRawEcho } from './raw-echo.ts';
import { competeInPlaces, type Placed } from './placement.ts';
import {
  ascending,
  median,
  round,
  type Benchmark,
  type Outcome,
  type Row,
  type Thoroughness,
} from './row.ts';
import { benchFolder, openStage, withScratch } from './stage.ts';

export const ECHO_ARGS = { text: 'x'.repeat(100) };

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
  readonly places: Readonly<Record<string, Placed>>;
  readonly ours: Figures;
  readonly raw: Figures;
  readonly python: string;
}

const sequential: Benchmark = {
  id: 'echo.sequential',
  question: 'one echo at a time through runtime, pool, session and one worker: p50 ÷ raw p50',
  unit: '× raw p50',
  must: 1.8,
  aim: 1.3,
  run: async (thoroughness) => {
    const plan = planOf(SEQUENTIAL, thoroughness);
    const measured = await measure(plan, { size: 1 });
    const { ours, raw } = measured;
    const ratios = ours.roundP50s.map((p50, turn) => p50 / raw.roundP50s[turn]!);
    return outcomeOf(ours.p50 / raw.p50, measured, plan, ratios, (at) => at.p50 / at.theirP50);
  },
};

const pipelined: Benchmark = {
  id: 'echo.pipelined',
  question:
    '32 callers, each with its own session, on one worker that is written up to 32 calls ahead: calls/s ÷ raw calls/s',
  unit: '× raw calls/s',
  must: 0.5,
  aim: 0.9,
  run: async (thoroughness) => {
    const plan = planOf(PIPELINED, thoroughness);
    const measured = await measure(plan, { size: 1, prefetch: 32 });
    const { ours, raw } = measured;
    const ratios = ours.roundCallsPerSecond.map(
      (calls, turn) => calls / raw.roundCallsPerSecond[turn]!,
    );
    const value = ours.callsPerSecond / raw.callsPerSecond;
    return outcomeOf(
      value,
      measured,
      plan,
      ratios,
      (at) => at.callsPerSecond / at.theirCallsPerSecond,
    );
  },
};

export const ECHO_BENCHMARKS: readonly Benchmark[] = [sequential, pipelined];

function planOf(plan: ContestPlan, thoroughness: Thoroughness): ContestPlan {
  return thoroughness === 'quick' ? shortened(plan) : plan;
}

async function measure(
  plan: ContestPlan,
  pool: Readonly<Record<string, number>>,
): Promise<Measured> {
  await using stage = await openStage({ script: 'echo_bridge.py', pool });
  const { bridge } = stage;
  const { version, executable } = (await bridge.call('interpreter')) as Interpreter;
  return await withScratch(async (folder) => {
    const script = join(benchFolder(), 'raw_echo.py');
    const raw = await startRawEcho(executable, script, join(folder, 's'));
    try {
      const ours = oursOf(bridge, plan.callers);
      const theirs: Contestant = {
        call: (caller) => raw.call('echo', ECHO_ARGS, nameOf(caller)),
        pythonCpuS: async () => (await raw.call('cpu', {}, nameOf(0))) as number,
      };
      const results = await compete(plan, ours, theirs);
      const places = await competeInPlaces(
        { ...plan, rounds: Math.ceil(plan.rounds / 2) },
        { ...ours, pid: bridge.workerOf(nameOf(0))?.pid },
        { ...theirs, pid: raw.pid },
      );
      return { ...results, places, python: version };
    } finally {
      await raw.stop();
    }
  });
}

/** Our side of every contest of echoes: each caller has a session of its own. */
export function oursOf(bridge: BridgeHandle, callers: number): Contestant {
  const options = Array.from({ length: callers }, (_, index) => ({ sessionId: nameOf(index) }));
  return {
    call: (caller) => bridge.call('echo', ECHO_ARGS, options[caller]),
    pythonCpuS: async () => (await bridge.call('cpu', {}, options[0])) as number,
  };
}

function nameOf(caller: number): string {
  return `caller-${caller}`;
}

function outcomeOf(
  value: number,
  measured: Measured,
  plan: ContestPlan,
  ratios: readonly number[],
  placedValue: (placed: Placed) => number,
): Outcome {
  const { n, p50, p99 } = measured.ours;
  return {
    value: round(value),
    n,
    p50,
    p99,
    detail: detailOf(measured, plan, ratios, placedValue),
  };
}

function detailOf(
  { ours, raw, places, python }: Measured,
  plan: ContestPlan,
  ratios: readonly number[],
  placedValue: (placed: Placed) => number,
): Row['detail'] {
  const sorted = ascending(ratios);
  return {
    rawP50: raw.p50,
    rawP99: raw.p99,
    rawCallsPerSecond: raw.callsPerSecond,
    callsPerSecond: ours.callsPerSecond,
    nodeCpuUsPerCall: ours.nodeCpuUs,
    rawNodeCpuUsPerCall: raw.nodeCpuUs,
    pythonCpuUsPerCall: ours.pythonCpuUs,
    rawPythonCpuUsPerCall: raw.pythonCpuUs,
    ...placesOf(places, placedValue),
    rounds: plan.rounds,
    callsPerRound: plan.callsPerRound,
    callers: plan.callers,
    roundValues: {
      min: round(sorted[0]!),
      median: round(median(sorted)),
      max: round(sorted.at(-1)!),
    },
    node: process.versions.node,
    python,
    cpus: availableParallelism(),
  };
}

/** The row's value in each placement, and what it is made of. */
export function placesOf(
  places: Readonly<Record<string, Placed>>,
  valueOf: (placed: Placed) => number,
): Readonly<Record<string, object>> {
  const entries = Object.entries(places);
  return Object.fromEntries(
    entries.map(([name, placed]) => [name, { value: round(valueOf(placed)), ...placed }]),
  );
}
