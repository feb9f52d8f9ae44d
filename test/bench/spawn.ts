// What does a cold start of a worker cost, beyond what Python itself and its imports take?
import { once } from 'node:events';

import {
  median,
  microsecondsOf,
  round,
  timesOf,
  type Benchmark,
  type Thoroughness,
} from './row.ts';
import { endBare, openRendezvous, spawnBare } from './raw-process.ts';
import { openStage, withScratch, within, type Stage } from './stage.ts';

const FULL_STARTS = 40;
const QUICK_STARTS = 10;
const START_LIMIT_MS = 60_000;

/** The imports of echo_bridge.py; then it connects and says one byte, as a worker says hello. */
const BARE = `
import platform, sys, time, socket
lane = socket.socket(socket.AF_UNIX)
lane.connect(sys.argv[1])
lane.sendall(b"!")
lane.recv(1)
`;

const cold: Benchmark = {
  id: 'spawn.cold',
  question:
    'cold spawn of a worker → ready, minus bare Python with the same imports → connected: medians',
  unit: 'ms',
  must: 60,
  aim: 25,
  run: async (thoroughness) => {
    const starts = thoroughness === 'quick' ? QUICK_STARTS : FULL_STARTS;
    await using stage = await openStage({
      script: 'echo_bridge.py',
      pool: { size: 1, maxRestarts: 1_000_000 },
    });
    const { executable } = (await stage.bridge.call('interpreter')) as { executable: string };
    return await withScratch(async (folder) => {
      const ours: number[] = [];
      const bare: number[] = [];
      for (let turn = -2; turn < starts; turn += 1) {
        const oursMs = await startOfOurs(stage);
        const bareMs = await startOfBare(executable, folder, turn);
        if (turn < 0) continue;
        ours.push(oursMs);
        bare.push(bareMs);
      }
      return {
        value: round(median(ours) - median(bare)),
        ...microsecondsOf(ours),
        detail: { ours: timesOf(ours), rawFloor: timesOf(bare), node: process.versions.node },
      };
    });
  },
};

export const SPAWN_BENCHMARKS: readonly Benchmark[] = [cold];

/** Kill the worker; from the start of the next incarnation to its readiness, as the tree sees them. */
async function startOfOurs({ runtime, bridge }: Stage): Promise<number> {
  const sessionId = 'the one that is killed';
  await bridge.call('echo', {}, { sessionId });
  const pid = bridge.workerOf(sessionId)?.pid;
  if (pid === undefined) throw new Error('the worker of a session is not known');
  let beganMs = 0;
  const started = new Promise<number>((resolve) => {
    const ends = [
      runtime.on('child.starting', () => {
        beganMs = performance.now();
      }),
      runtime.on('child.ready', () => {
        for (const end of ends) end();
        resolve(performance.now() - beganMs);
      }),
    ];
  });
  process.kill(pid, 'SIGKILL');
  return within(started, START_LIMIT_MS, 'the start of a worker');
}

/** Times in ms of a bare start without anything else. */
export async function rawColdStarts(
  python: string,
  thoroughness: Thoroughness,
): Promise<readonly number[]> {
  const starts = thoroughness === 'quick' ? QUICK_STARTS : FULL_STARTS;
  return withScratch(async (folder) => {
    const found: number[] = [];
    for (let turn = 0; turn < starts; turn += 1) {
      found.push(await startOfBare(python, folder, turn));
    }
    return found;
  });
}

async function startOfBare(python: string, folder: string, turn: number): Promise<number> {
  const rendezvous = await openRendezvous(folder, `bare-${turn}`);
  const beganMs = performance.now();
  const child = spawnBare(python, ['-c', BARE, rendezvous.address]);
  const socket = await rendezvous.next();
  await once(socket, 'data');
  const tookMs = performance.now() - beganMs;
  socket.destroy();
  rendezvous.close();
  await endBare(child);
  return tookMs;
}
