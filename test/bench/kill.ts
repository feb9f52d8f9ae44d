// How soon does a caller hear that its worker was killed, and how soon does another worker answer?
import { once } from 'node:events';
import { join } from 'node:path';

import { isCaduceusError } from '../../src/index.ts';
import { rawColdStarts } from './spawn.ts';
import {
  ascending,
  median,
  microsecondsOf,
  notMeasured,
  percentile,
  round,
  timesOf,
  type Benchmark,
  type Outcome,
} from './row.ts';
import { endBare, openRendezvous, spawnBare } from './raw-process.ts';
import {
  benchFolder,
  isForked,
  openStage,
  projectPython,
  rootFolder,
  withScratch,
  within,
  type Stage,
  type StageOptions,
} from './stage.ts';

const FULL_KILLS = 300;
const QUICK_KILLS = 15;
const HOLD_LIMIT_MS = 30_000;
const HOLD_SECONDS = 60;
/** Each kill is a restart: the budget is not what is measured. */
const POOL = { size: 1, maxRestarts: 1_000_000 };

const ZYGOTE: StageOptions = {
  script: 'dspy_bridge.py',
  pool: POOL,
  zygote: { preload: ['dspy'] },
};

const PHASES = ['crashed', 'starting', 'launched', 'greeted', 'ready'] as const;

/** Of one kill, in ms since the signal. */
interface Kill {
  readonly heardMs: number;
  readonly answeredMs: number;
}

interface OurKill extends Kill {
  /** How the killed worker had been started. */
  readonly wasForked: boolean;
  /** When the next incarnation was where, in ms since the signal. */
  readonly phasesMs: Readonly<Record<string, number>>;
}

const detect: Benchmark = {
  id: 'kill.detect',
  question: 'kill -9 of a worker → its call in flight has failed with a typed error: p99',
  unit: 'ms p99',
  must: 5,
  aim: 2,
  run: async (thoroughness) => {
    const kills = thoroughness === 'quick' ? QUICK_KILLS : FULL_KILLS;
    await using stage = await openStage({ script: 'echo_bridge.py', pool: POOL });
    const found = await killAgain(stage, kills);
    const floor = await rawDeaths(kills);
    return {
      ...outcomeOf(found.map(({ heardMs }) => heardMs)),
      detail: {
        times: timesOf(found.map(({ heardMs }) => heardMs)),
        rawFloor: timesOf(floor),
        rawFloorIs:
          'kill -9 of a Python process with the same modules → end of its connection in bare Node: the kernel takes its memory apart first',
      },
    };
  },
};

const recover: Benchmark = {
  id: 'kill.recover',
  question:
    'kill -9 of a worker with DSPy → a replacement, forked from a zygote with DSPy preloaded, has answered a call: p99',
  unit: 'ms p99',
  must: 25,
  aim: 10,
  run: async (thoroughness) => {
    await using stage = await openStage(ZYGOTE);
    const kills = thoroughness === 'quick' ? QUICK_KILLS : FULL_KILLS;
    const found = await killAgain(stage, kills);
    const forked = found.filter(({ wasForked }) => wasForked);
    if (forked.length === 0) return notMeasured('no worker was forked from a zygote here');
    const bare = await rawKills([], kills);
    const preloaded = await rawKills(['dspy'], kills);
    const cold = await rawColdStarts(projectPython(), thoroughness);
    const answered = found.map(({ answeredMs }) => answeredMs);
    return {
      ...outcomeOf(answered),
      detail: {
        forked: `${forked.length} of ${found.length} killed workers; the others had been started cold`,
        times: timesOf(answered),
        heard: timesOf(found.map(({ heardMs }) => heardMs)),
        medianMsOfPhases: phasesOf(found),
        rawFloor: timesOf(bare.map(({ answeredMs }) => answeredMs)),
        rawFloorIs:
          'kill -9 → fork of a bare Python zygote → its child has connected and given a byte back',
        rawFloorWithDspy: timesOf(preloaded.map(({ answeredMs }) => answeredMs)),
        rawHeardWithDspy: timesOf(preloaded.map(({ heardMs }) => heardMs)),
        rawColdStart: timesOf(cold),
        rawColdStartIs:
          'spawn of Python → connected, without DSPy: what a fork saves, imports aside',
      },
    };
  },
};

export const KILL_BENCHMARKS: readonly Benchmark[] = [detect, recover];

function outcomeOf(samplesMs: readonly number[]): Omit<Outcome, 'detail'> {
  return { value: round(percentile(ascending(samplesMs), 0.99)), ...microsecondsOf(samplesMs) };
}

/** The way to recovery, step by step. */
function phasesOf(kills: readonly OurKill[]): Readonly<Record<string, number>> {
  const entries = PHASES.map((phase) => {
    const found = kills.flatMap(({ phasesMs }) => phasesMs[phase] ?? []);
    return [phase, found.length === 0 ? null : round(median(found))] as const;
  });
  return Object.fromEntries(entries.filter(([, ms]) => ms !== null)) as Record<string, number>;
}

/** Kill the worker while a call runs in it, and call again as soon as that one has failed. The first two are warm-up. */
async function killAgain(stage: Stage, kills: number): Promise<readonly OurKill[]> {
  const found: OurKill[] = [];
  for (let turn = -2; turn < kills; turn += 1) {
    const kill = await killOnce(stage, `session-${turn}`);
    if (turn >= 0) found.push(kill);
  }
  return found;
}

async function killOnce({ runtime, bridge }: Stage, sessionId: string): Promise<OurKill> {
  const held = new Promise<void>((resolve) => {
    const forget = runtime.on('worker.output', ({ line }) => {
      if (line !== 'holding') return;
      forget();
      resolve();
    });
  });
  const call = bridge.call('hold', { seconds: HOLD_SECONDS }, { sessionId });
  // Looked at below; until then a rejection is not unhandled.
  call.catch(() => undefined);
  await within(held, HOLD_LIMIT_MS, 'a call to be in flight');
  const pid = bridge.workerOf(sessionId)?.pid;
  if (pid === undefined) throw new Error('the worker of a call in flight is not known');
  const wasForked = isForked(pid);
  const phasesMs: Record<string, number> = {};
  const beganMs = performance.now();
  const ends = PHASES.map((phase) =>
    runtime.on(`child.${phase}`, () => {
      phasesMs[phase] = performance.now() - beganMs;
    }),
  );
  process.kill(pid, 'SIGKILL');
  await call.then(
    () => {
      throw new Error('a call of a killed worker has succeeded');
    },
    (error: unknown) => {
      if (!isCaduceusError(error) || error.code !== 'worker_crashed') throw error;
    },
  );
  const heardMs = performance.now() - beganMs;
  await bridge.call('echo', {});
  const answeredMs = performance.now() - beganMs;
  for (const end of ends) end();
  await bridge.endSession(sessionId);
  return { heardMs, answeredMs, wasForked, phasesMs };
}

/** A process as large as our worker, since it is its size that the kernel needs the time for. */
const AS_LARGE = `
import sys, socket
sys.path.insert(0, sys.argv[2])
import caduceus.worker
lane = socket.socket(socket.AF_UNIX)
lane.connect(sys.argv[1])
lane.sendall(b"!")
lane.recv(1)
`;

async function rawDeaths(kills: number): Promise<readonly number[]> {
  return withScratch(async (folder) => {
    const rendezvous = await openRendezvous(folder);
    const sources = join(rootFolder(), 'python', 'src');
    const found: number[] = [];
    for (let turn = 0; turn < kills; turn += 1) {
      const child = spawnBare(projectPython(), ['-c', AS_LARGE, rendezvous.address, sources]);
      const socket = await rendezvous.next();
      await once(socket, 'data');
      const ended = once(socket, 'close');
      socket.resume();
      const beganMs = performance.now();
      child.kill('SIGKILL');
      await ended;
      found.push(performance.now() - beganMs);
    }
    rendezvous.close();
    return found;
  });
}

/** The same with nothing around it: a bare zygote, whose children connect, give one byte back, and wait. */
async function rawKills(preload: readonly string[], kills: number): Promise<readonly Kill[]> {
  return withScratch(async (folder) => {
    const rendezvous = await openRendezvous(folder);
    const script = join(benchFolder(), 'raw_zygote.py');
    const zygote = spawnBare(projectPython(), [script, rendezvous.address, ...preload]);
    const fork = async () => {
      zygote.stdin?.write('f');
      const socket = await rendezvous.next();
      socket.write('?');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return { socket, pid: Number(answer.toString()) };
    };
    try {
      const found: Kill[] = [];
      let child = await fork();
      for (let turn = -2; turn < kills; turn += 1) {
        const ended = once(child.socket, 'close');
        child.socket.resume();
        const beganMs = performance.now();
        process.kill(child.pid, 'SIGKILL');
        await ended;
        const heardMs = performance.now() - beganMs;
        child = await fork();
        const answeredMs = performance.now() - beganMs;
        if (turn >= 0) found.push({ heardMs, answeredMs });
      }
      child.socket.destroy();
      return found;
    } finally {
      rendezvous.close();
      await endBare(zygote);
    }
  });
}
