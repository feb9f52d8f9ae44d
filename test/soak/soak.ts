// What is one run? Full load on every pool, faults in one of them, and at the end an account of everything.
import { readdirSync } from 'node:fs';

import { createRuntime, type Runtime } from '../../src/index.ts';
import { withScratch, within } from '../bench/stage.ts';
import { recyclesOf, sumOf, type Account } from './accounts.ts';
import type { SoakArguments } from './arguments.ts';
import { Dice } from './dice.ts';
import { Injector, pause } from './injector.ts';
import { Targets, type Fault } from './judge.ts';
import {
  garbageCollector,
  heldNow,
  isLeaking,
  leaksOf,
  settled,
  slopeOf,
  type Leaks,
  type MemorySample,
} from './leaks.ts';
import { configOf, POOL_NAMES, SIZES, STRICKEN } from './plan.ts';
import { PoolRun } from './pool-run.ts';
import { Recoveries } from './recoveries.ts';

/** What the last line says. */
export interface SoakResult {
  readonly ok: boolean;
  readonly accounting: Account;
  readonly unexplained: number;
  readonly kills: number;
  readonly freezes: number;
  readonly recycles: number;
  readonly recoveries: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly leaks: Leaks;
  readonly seed: number;
  readonly seconds: number;
  readonly faults: Readonly<Record<Fault, number>>;
  readonly pools: Readonly<Record<string, object>>;
  readonly memory: { readonly heapMiBPerMinute: number; readonly rssMiBPerMinute: number };
}

const SAMPLE_MS = 250;
/** Garbage is collected so often in a run: often enough for a line through the heaps, not so often that it is a load of its own. */
const MEMORY_SAMPLES = 40;
const MEMORY_SAMPLE_MS_MIN = 1_000;
/** From the last fault to a pool that has all its workers, and answers. */
const RECOVERY_MS_MAX = 60_000;
const STOP_MS_MAX = 60_000;
/** For calls that are under way when the time is over. */
const CLIENTS_MS_MAX = 90_000;
const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;

/** All that one run knows. */
interface Stage {
  readonly runtime: Runtime;
  readonly pools: readonly PoolRun[];
  readonly injector: Injector;
  readonly recoveries: Recoveries;
  readonly memory: MemorySample[];
  readonly pids: Set<number>;
  readonly nowMs: () => number;
}

/** @param tell hears what is worth a line while the run goes on. */
export async function soak(
  args: SoakArguments,
  tell: (line: string) => void,
): Promise<{ readonly result: SoakResult; readonly complaints: readonly string[] }> {
  const collect = garbageCollector();
  return withScratch(async (folder) => {
    // Sockets and scratch folders of the runtime are made there, so that what is left is seen.
    process.env['TMPDIR'] = folder;
    // The first use of a socket, a timer or a process makes things that Node keeps: they are no leak of ours.
    const warmUp = await createRuntime(configOf(process.env['CADUCEUS_PYTHON'], args.seed));
    await warmUp.stop();
    collect();
    const before = heldNow();
    const stage = await openStage(args);
    const accounts = await play(stage, args, collect, tell);
    await within(stage.runtime.stop(), STOP_MS_MAX, 'stopping the runtime');
    collect();
    const { memory, pids } = stage;
    const after = await settled(before);
    const leaks = leaksOf({ before, after, pids, folders: readdirSync(folder), memory });
    return verdictOf(args, stage, accounts, leaks);
  });
}

async function openStage(args: SoakArguments): Promise<Stage> {
  const runtime = await createRuntime(configOf(process.env['CADUCEUS_PYTHON'], args.seed));
  const dice = new Dice(args.seed);
  const beganMs = performance.now();
  const nowMs = (): number => performance.now() - beganMs;
  const targets = new Targets();
  const pools = POOL_NAMES.map((name) => {
    return new PoolRun(name, { runtime, targets, dice: dice.split(), nowMs });
  });
  const stricken = pools.find(({ name }) => name === STRICKEN)!;
  const client = stricken.client('injector');
  const injector = new Injector(STRICKEN, {
    ...{ runtime, targets, client, nowMs },
    dice: dice.split(),
  });
  const recoveries = new Recoveries(targets, nowMs);
  return { runtime, pools, injector, recoveries, memory: [], pids: new Set(), nowMs };
}

/** The run itself. @returns what the pools have counted. */
async function play(
  stage: Stage,
  { seconds }: SoakArguments,
  collect: () => void,
  tell: (line: string) => void,
): Promise<ReadonlyMap<string, Account>> {
  const { pools, injector, nowMs } = stage;
  const ends = watch(stage);
  const isOver = (): boolean => nowMs() > seconds * 1000;
  let isWatching = true;
  const sampling = sample(stage, seconds, collect, () => !isWatching);
  const faults = injector.run(isOver);
  const loads = pools.flatMap((pool) => [
    pool.load(isOver),
    pool.replace(SIZES[pool.name] ?? 1, pool.name === STRICKEN, isOver),
  ]);
  await within(Promise.all([...loads, faults]), seconds * 1000 + CLIENTS_MS_MAX, 'the last calls');
  tell(`${Math.round(nowMs() / 1000)} s: no call is open; waiting for all workers`);
  await recovered(stage);
  isWatching = false;
  await sampling;
  for (const pool of pools) pool.book.review(nowMs());
  const accounts = new Map(pools.map((pool) => [pool.name, pool.close()]));
  for (const end of ends) end();
  return accounts;
}

/** Everything that happens is a moment at which the sums must hold. */
function watch({ runtime, pools, injector, recoveries, pids }: Stage): readonly (() => void)[] {
  return [
    runtime.on('child.launched', ({ path, epoch, pid }) => {
      pids.add(pid);
      injector.onLaunch(path, epoch);
    }),
    runtime.on('child.crashed', (event) => {
      injector.onEnd(event.path, event.epoch);
      recoveries.onCrash(event);
    }),
    runtime.on('child.stopped', ({ path, epoch }) => injector.onEnd(path, epoch)),
    runtime.on('child.ready', (event) => recoveries.onReady(event)),
    runtime.on('call.cancelling', (event) => recoveries.onCancelling(event)),
    runtime.on('pool.failed', ({ pool, error }) => {
      pools.find(({ name }) => name === pool)?.book.complain(`it has failed: ${error.message}`);
    }),
    runtime.on('bus.subscriber_detached', ({ event, error }) => {
      pools[0]!.book.complain(`a listener of ${event} threw ${String(error)}`);
    }),
    runtime.on('*', (_event, name) => {
      for (const pool of pools) pool.checkSum(`at ${name}`);
    }),
  ];
}

async function sample(
  { pools, injector, memory, nowMs }: Stage,
  seconds: number,
  collect: () => void,
  isOver: () => boolean,
): Promise<void> {
  const everyMs = Math.max(MEMORY_SAMPLE_MS_MIN, (seconds * 1000) / MEMORY_SAMPLES);
  let nextMs = everyMs;
  while (!isOver()) {
    await pause(SAMPLE_MS);
    for (const pool of pools) {
      pool.checkSum('at a sampling');
      pool.book.review(nowMs());
    }
    injector.review();
    if (nowMs() < nextMs || nowMs() > seconds * 1000) continue;
    nextMs = nowMs() + everyMs;
    collect();
    const { heapUsed, rss } = process.memoryUsage();
    memory.push({ atMs: nowMs(), heapBytes: heapUsed, rssBytes: rss });
  }
}

/** Every pool has its workers again, and answers. */
async function recovered({ runtime, pools, injector, nowMs }: Stage): Promise<void> {
  const endMs = nowMs() + RECOVERY_MS_MAX;
  for (const pool of pools) {
    const size = SIZES[pool.name] ?? 1;
    const isWhole = (): boolean => readyCount(runtime, pool.name) >= size;
    while ((!isWhole() || injector.frozenCount > 0) && nowMs() < endMs) await pause(SAMPLE_MS / 5);
    if (!isWhole())
      pool.book.complain(
        `${readyCount(runtime, pool.name)} of ${size} workers are ready ${RECOVERY_MS_MAX} ms after the last fault`,
      );
    const client = pool.client('last');
    const given = await client.call({ op: 'echo', args: { value: 'last' } });
    if (given.type === 'error') client.complain(`the last call failed: ${given.code}`);
  }
}

function readyCount(runtime: Runtime, pool: string): number {
  const node = runtime.tree().children.find(({ id }) => id === pool);
  const count = (of: typeof node): number => {
    if (of === undefined || of.id === 'zygote') return 0;
    if (of.kind === 'worker') return of.state === 'ready' || of.state === 'busy' ? 1 : 0;
    return of.children.reduce((sum, child) => sum + count(child), 0);
  };
  return count(node);
}

function verdictOf(
  { seed, seconds }: SoakArguments,
  stage: Stage,
  accounts: ReadonlyMap<string, Account>,
  leaks: Leaks,
): { readonly result: SoakResult; readonly complaints: readonly string[] } {
  const { pools, injector, recoveries, memory } = stage;
  const { counts } = injector;
  const crashes = recoveries.unexplained;
  const unexplained = pools.reduce((sum, { book }) => sum + book.unexplained.count, crashes.length);
  const { times } = pools.find(({ name }) => name === STRICKEN)!.book.tally;
  const perMinute = (of: (sample: MemorySample) => number): number =>
    Number(((slopeOf(memory.slice(memory.length / 4), of) * MINUTE_MS) / MIB).toFixed(2));
  const result: SoakResult = {
    ok: unexplained === 0 && !isLeaking(leaks),
    accounting: sumOf([...accounts.values()]),
    unexplained,
    kills: counts.kill,
    freezes: counts.freeze,
    recycles: pools.reduce((sum, { bridge }) => sum + recyclesOf(bridge.statistics()), 0),
    recoveries: recoveries.count,
    p50Ms: times.percentile(0.5),
    p99Ms: times.percentile(0.99),
    leaks,
    seed,
    seconds,
    faults: counts,
    pools: Object.fromEntries(pools.map((pool) => [pool.name, poolResult(pool, accounts)])),
    memory: {
      heapMiBPerMinute: perMinute(({ heapBytes }) => heapBytes),
      rssMiBPerMinute: perMinute(({ rssBytes }) => rssBytes),
    },
  };
  const complaints = pools.flatMap(({ book }) => book.unexplained.complaints);
  return { result, complaints: [...complaints, ...crashes] };
}

function poolResult(pool: PoolRun, accounts: ReadonlyMap<string, Account>): object {
  const { tally } = pool.book;
  return {
    ...accounts.get(pool.name),
    codes: tally.codes,
    checks: pool.checks,
    orders: pool.orders,
    counters: pool.bridge.statistics().counters,
    p50Ms: tally.times.percentile(0.5),
    p99Ms: tally.times.percentile(0.99),
  };
}
