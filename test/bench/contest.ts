// How are two ways to make the same calls compared when the machine itself is not quiet? In turns, within one run.
import { percentile, round } from './row.ts';

/** One way to make a call, and, where it can say so, what its Python process has cost so far. */
export interface Contestant {
  readonly call: (caller: number) => Promise<unknown>;
  readonly pythonCpuS?: () => Promise<number>;
}

export interface ContestPlan {
  readonly rounds: number;
  readonly callsPerRound: number;
  readonly callers: number;
  readonly warmUpCalls: number;
}

/** For a look: fewer calls in fewer rounds. */
export function shortened(plan: ContestPlan): ContestPlan {
  return {
    rounds: Math.min(plan.rounds, 4),
    callsPerRound: Math.ceil(plan.callsPerRound / 4),
    callers: plan.callers,
    warmUpCalls: Math.ceil(plan.warmUpCalls / 2),
  };
}

/** Times in µs; CPU time is per call, of either process. */
export interface Figures {
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly callsPerSecond: number;
  readonly nodeCpuUs: number;
  readonly pythonCpuUs: number | null;
  readonly roundP50s: readonly number[];
  readonly roundCallsPerSecond: readonly number[];
}

interface Tally {
  readonly contestant: Contestant;
  readonly samples: Float64Array[];
  readonly elapsedMs: number[];
  nodeCpuUs: number;
  pythonCpuS: number;
}

/** Warm both up, then let them take turns; who begins changes every round, so that neither always follows the other. */
export async function compete(
  plan: ContestPlan,
  ours: Contestant,
  raw: Contestant,
): Promise<{ readonly ours: Figures; readonly raw: Figures }> {
  const tallies = [newTally(ours), newTally(raw)] as const;
  for (const { contestant } of tallies) await callAll(contestant, plan.warmUpCalls, plan.callers);
  for (let turn = 0; turn < plan.rounds; turn += 1) {
    const order = turn % 2 === 0 ? tallies : [tallies[1], tallies[0]];
    for (const tally of order) await playRound(tally, plan);
  }
  return { ours: figuresOf(tallies[0], plan), raw: figuresOf(tallies[1], plan) };
}

function newTally(contestant: Contestant): Tally {
  return { contestant, samples: [], elapsedMs: [], nodeCpuUs: 0, pythonCpuS: 0 };
}

async function playRound(tally: Tally, plan: ContestPlan): Promise<void> {
  const { contestant } = tally;
  const pythonBeforeS = (await contestant.pythonCpuS?.()) ?? 0;
  const nodeBefore = process.cpuUsage();
  const beganMs = performance.now();
  tally.samples.push(await callAll(contestant, plan.callsPerRound, plan.callers));
  tally.elapsedMs.push(performance.now() - beganMs);
  const { user, system } = process.cpuUsage(nodeBefore);
  tally.nodeCpuUs += user + system;
  tally.pythonCpuS += ((await contestant.pythonCpuS?.()) ?? 0) - pythonBeforeS;
}

/** Every caller has one call under way at any time, until all calls are made. */
async function callAll(
  contestant: Contestant,
  calls: number,
  callers: number,
): Promise<Float64Array> {
  const timesUs = new Float64Array(calls);
  let begun = 0;
  const callOn = async (caller: number): Promise<void> => {
    while (begun < calls) {
      const index = begun;
      begun += 1;
      const beganMs = performance.now();
      await contestant.call(caller);
      timesUs[index] = (performance.now() - beganMs) * 1000;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => callOn(caller)));
  return timesUs;
}

function figuresOf(tally: Tally, plan: ContestPlan): Figures {
  const n = plan.rounds * plan.callsPerRound;
  const all = new Float64Array(n);
  tally.samples.forEach((samples, index) => {
    all.set(samples, index * plan.callsPerRound);
  });
  all.sort();
  const totalMs = tally.elapsedMs.reduce((sum, ms) => sum + ms, 0);
  return {
    n,
    p50: round(percentile(all, 0.5), 1),
    p99: round(percentile(all, 0.99), 1),
    callsPerSecond: Math.round((n / totalMs) * 1000),
    nodeCpuUs: round(tally.nodeCpuUs / n, 1),
    pythonCpuUs:
      tally.contestant.pythonCpuS === undefined ? null : round((tally.pythonCpuS * 1e6) / n, 1),
    roundP50s: tally.samples.map((samples) => percentile(samples.slice().sort(), 0.5)),
    roundCallsPerSecond: tally.elapsedMs.map((ms) => (plan.callsPerRound / ms) * 1000),
  };
}
