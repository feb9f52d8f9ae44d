// Are we faster than what people use today? Each peer against ours, in turns, on one interpreter, with one text.
import { join } from 'node:path';

import { compete, shortened, type ContestPlan, type Figures } from '../contest.ts';
import { ECHO_ARGS, oursOf, placesOf } from '../echo.ts';
import { competeInPlaces, type Placed } from '../placement.ts';
import { median, notMeasured, round, type Benchmark, type Thoroughness } from '../row.ts';
import { benchFolder, openStage, withScratch, within, type Stage } from '../stage.ts';
import { FASTAPI } from './fastapi/driver.ts';
import { GRPC } from './grpc/driver.ts';
import type { Peer, RunningPeer } from './peer.ts';
import { benchPython, loadPeerPackage, peerPackages, versionsOf } from './provide.ts';
import { PYTHON_SHELL } from './python-shell/driver.ts';
import { PYTHONIA } from './pythonia/driver.ts';
import { RAW_STDIO } from './raw-stdio/driver.ts';

const PEERS: readonly Peer[] = [PYTHON_SHELL, PYTHONIA, FASTAPI, GRPC, RAW_STDIO];

const PLAN: ContestPlan = { rounds: 8, callsPerRound: 800, callers: 1, warmUpCalls: 1_500 };
const TOGETHER: ContestPlan = { rounds: 4, callsPerRound: 2_000, callers: 32, warmUpCalls: 2_000 };
const START_LIMIT_MS = 30_000;
const CONTEST_LIMIT_MS = 120_000;

export const PEER_BENCHMARKS: readonly Benchmark[] = PEERS.map(benchmarkOf);

function benchmarkOf(peer: Peer): Benchmark {
  return {
    id: `peers.echo.${peer.name}`,
    question: `${peer.what}: its p50 ÷ ours, one echo of 100 characters at a time`,
    unit: '× our p50',
    must: peer.must,
    aim: peer.aim,
    run: async (thoroughness) => {
      const packages = await provide();
      if (packages.type === 'missing') return notMeasured(packages.reason);
      const { python, folder } = packages;
      await using stage = await openStage({
        script: 'echo_bridge.py',
        python,
        pool: { size: 1, prefetch: 32 },
      });
      return await withScratch(async (scratch) => {
        const running = await within(
          peer.start({
            python,
            folder: join(benchFolder(), 'peers', peer.name),
            scratch,
            load: (name) => loadPeerPackage(folder, name),
          }),
          START_LIMIT_MS,
          `the start of ${peer.name}`,
        );
        try {
          const contest = measure(stage, running, thoroughness);
          const { alone, places, together } = await within(contest, CONTEST_LIMIT_MS, peer.name);
          const ratios = alone.theirs.roundP50s.map(
            (p50, turn) => p50 / alone.ours.roundP50s[turn]!,
          );
          return {
            value: round(alone.theirs.p50 / alone.ours.p50),
            n: alone.ours.n,
            p50: alone.ours.p50,
            p99: alone.ours.p99,
            detail: {
              peerP50: alone.theirs.p50,
              peerP99: alone.theirs.p99,
              medianOfRounds: round(median(ratios)),
              nodeCpuUsPerCall: alone.ours.nodeCpuUs,
              peerNodeCpuUsPerCall: alone.theirs.nodeCpuUs,
              ...placesOf(places, (at) => at.theirP50 / at.p50),
              callsPerSecondOf32Callers: together.ours.callsPerSecond,
              peerCallsPerSecondOf32Callers: together.theirs.callsPerSecond,
              versions: await versionsOf(folder, python, peer.packages),
              node: process.versions.node,
            },
          };
        } finally {
          await running.stop();
        }
      });
    },
  };
}

type Packages =
  | { readonly type: 'there'; readonly python: string; readonly folder: string }
  | { readonly type: 'missing'; readonly reason: string };

/** What cannot be installed here is no fault of ours, and no error. */
async function provide(): Promise<Packages> {
  try {
    const python = await benchPython();
    return { type: 'there', python, folder: await peerPackages() };
  } catch (error) {
    return { type: 'missing', reason: error instanceof Error ? error.message : String(error) };
  }
}

interface Contest {
  readonly ours: Figures;
  readonly theirs: Figures;
}

interface Measured {
  readonly alone: Contest;
  readonly places: Readonly<Record<string, Placed>>;
  readonly together: Contest;
}

async function measure(
  stage: Stage,
  running: RunningPeer,
  thoroughness: Thoroughness,
): Promise<Measured> {
  const { text } = ECHO_ARGS;
  const answer = await running.echo(text);
  if (answer !== text) throw new Error(`the peer answered ${JSON.stringify(answer)}`);
  const contest = async (whole: ContestPlan): Promise<Contest> => {
    const plan = thoroughness === 'quick' ? shortened(whole) : whole;
    const found = await compete(plan, oursOf(stage.bridge, plan.callers), {
      call: () => running.echo(text),
    });
    return { ours: found.ours, theirs: found.raw };
  };
  const alone = await contest(PLAN);
  const places = await competeInPlaces(
    { ...PLAN, rounds: thoroughness === 'quick' ? 1 : PLAN.rounds / 2 },
    { ...oursOf(stage.bridge, 1), pid: stage.bridge.workerOf('caller-0')?.pid },
    { call: () => running.echo(text), pid: running.pid },
  );
  return { alone, places, together: await contest(TOGETHER) };
}
