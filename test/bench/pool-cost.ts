// What do routing, a session and a journal add to one small call, beyond what the worker itself takes for it?
import type { BridgeHandle, CallOptions } from '../../src/index.ts';
import { compete, shortened, type ContestPlan, type Figures } from './contest.ts';
import { ECHO_ARGS, placesOf } from './echo.ts';
import { competeInPlaces, type Placed } from './placement.ts';
import { openBareWorker, openPool } from './pool-stage.ts';
import { round, type Benchmark, type Outcome, type Thoroughness } from './row.ts';

const PLAN: ContestPlan = { rounds: 10, callsPerRound: 2_000, callers: 1, warmUpCalls: 3_000 };

/** What is called through the pool, and how. */
interface Way {
  readonly op: string;
  readonly options: CallOptions;
}

interface Measured {
  readonly ours: Figures;
  readonly bare: Figures;
  readonly places: Readonly<Record<string, Placed>>;
}

/**
 * A bare worker call on one core is some 30 µs: a socket each way, JSON and frames on both sides. Routing is a deadline, a row and a choice of worker; a session adds its order and
 * its binding; a journal adds a copy of the arguments and a wait for its store before the answer.
 */
const LIMITS_OF: Readonly<Record<string, { readonly must: number; readonly aim: number }>> = {
  'pool.routing': { must: 1.3, aim: 1.15 },
  'pool.session': { must: 1.3, aim: 1.15 },
  'pool.journal': { must: 1.6, aim: 1.3 },
};

const routing = costOf(
  'pool.routing',
  'one anonymous echo at a time through bridge, router and queue, on one worker',
  { op: 'echo', options: {} },
);
const session = costOf('pool.session', 'the same in a session: bound to its worker, in order', {
  op: 'echo',
  options: { sessionId: 's' },
});
const journal = costOf(
  'pool.journal',
  'the same by an operation that changes the state of its session, and is journalled in memory',
  { op: 'keep', options: { sessionId: 's' } },
);

export const POOL_COST_BENCHMARKS: readonly Benchmark[] = [routing, session, journal];

function costOf(id: string, what: string, way: Way): Benchmark {
  return {
    id,
    question: `${what}: p50 ÷ p50 of the same worker sent its calls directly, on one core where there is \`taskset\``,
    unit: '× bare worker p50',
    ...LIMITS_OF[id]!,
    run: async (thoroughness) => outcomeOf(await measure(way, thoroughness)),
  };
}

async function measure({ op, options }: Way, thoroughness: Thoroughness): Promise<Measured> {
  const plan = thoroughness === 'quick' ? shortened(PLAN) : PLAN;
  await using pool = await openPool({ size: 1 });
  await using worker = await openBareWorker();
  const { bridge } = pool;
  const ours = { call: () => bridge.call(op, ECHO_ARGS, options) };
  const bare = { call: () => worker.call(op, ECHO_ARGS) };
  const figures = await compete(plan, ours, bare);
  const places = await competeInPlaces(
    { ...plan, rounds: Math.ceil(plan.rounds / 2) },
    { ...ours, pid: await pidOf(bridge) },
    { ...bare, pid: worker.pid },
  );
  return { ours: figures.ours, bare: figures.raw, places };
}

/** Of the only worker: a session is bound to it once it has called. */
async function pidOf(bridge: BridgeHandle): Promise<number | undefined> {
  await bridge.call('echo', ECHO_ARGS, { sessionId: 's' });
  return bridge.workerOf('s')?.pid;
}

/** On one core nobody waits for a wake-up: what is left is what the pool does. Elsewhere the kernel's choice of places is larger than the difference. */
function outcomeOf({ ours, bare, places }: Measured): Outcome {
  const { oneCore } = places;
  const [p50, bareP50] =
    oneCore === undefined ? [ours.p50, bare.p50] : [oneCore.p50, oneCore.theirP50];
  return {
    value: round(p50 / bareP50),
    n: ours.n,
    p50: ours.p50,
    p99: ours.p99,
    detail: {
      addedUs: round(p50 - bareP50, 1),
      valueIsOf: oneCore === undefined ? 'the places that the kernel chose' : 'oneCore',
      bareP50: bare.p50,
      bareP99: bare.p99,
      nodeCpuUsPerCall: ours.nodeCpuUs,
      bareNodeCpuUsPerCall: bare.nodeCpuUs,
      ...placesOf(places, (at) => at.p50 / at.theirP50),
      node: process.versions.node,
    },
  };
}
