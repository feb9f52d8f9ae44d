// Where does each microsecond of a sequential call go? For `npm run bench -- --profile`.
import { execFile } from 'node:child_process';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { BenchArguments } from './arguments.ts';
import type { Contestant } from './contest.ts';
import {
  NATIVE,
  nodeFunctions,
  nodeShares,
  pythonFunctions,
  pythonShares,
  type CpuProfile,
  type PythonSample,
  type Share,
} from './cpu-profile.ts';
import { ECHO_ARGS, oursOf } from './echo.ts';
import { startRawBytes } from './raw-bytes.ts';
import { startRawEcho } from './raw-echo.ts';
import { ascending, percentile, round } from './row.ts';
import { benchFolder, openStage, withScratch, within } from './stage.ts';

const PROFILED = 'echo.sequential';
const CALLS = { full: 30_000, quick: 5_000 } as const;
const WARM_UP_CALLS = 4_000;
const SAMPLING_US = 100;
const FUNCTIONS_SHOWN = 12;
const WAKE_LIMIT_MS = 60_000;

const execute = promisify(execFile);

interface Run {
  readonly p50: number;
  readonly nodeCpuUs: number;
  readonly pythonCpuUs: number;
}

interface Floor {
  readonly name: string;
  readonly p50: number;
}

/** @throws TypeError when the id is of another row. */
export async function printProfile({ prefix, thoroughness }: BenchArguments): Promise<number> {
  if (!PROFILED.startsWith(prefix)) {
    throw new TypeError(`--profile is of ${PROFILED}, not of ${prefix}`);
  }
  const calls = CALLS[thoroughness];
  await using stage = await openStage({ script: 'profile_bridge.py' });
  const { bridge } = stage;
  const { executable } = (await bridge.call('interpreter')) as { executable: string };
  const ours = oursOf(bridge, 1);
  await runCalls(ours, WARM_UP_CALLS);
  const plain = await runCalls(ours, calls);
  const profile = await profiled(() => runCalls(ours, calls));
  await bridge.call('sample', {});
  await runCalls(ours, 2 * calls);
  const samples = (await bridge.call('samples', {})) as readonly PythonSample[];
  const floors = await floorsOf(executable, calls);
  print(plain, profile, samples, floors, calls);
  return 0;
}

async function runCalls({ call, pythonCpuS }: Contestant, calls: number): Promise<Run> {
  const timesMs: number[] = [];
  const pythonBeforeS = (await pythonCpuS?.()) ?? 0;
  const before = process.cpuUsage();
  for (let index = 0; index < calls; index += 1) {
    const beganMs = performance.now();
    await call(0);
    timesMs.push(performance.now() - beganMs);
  }
  const { user, system } = process.cpuUsage(before);
  const pythonS = ((await pythonCpuS?.()) ?? 0) - pythonBeforeS;
  return {
    p50: percentile(ascending(timesMs), 0.5) * 1000,
    nodeCpuUs: (user + system) / calls,
    pythonCpuUs: (pythonS * 1e6) / calls,
  };
}

async function profiled(work: () => Promise<unknown>): Promise<CpuProfile> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_US });
    await session.post('Profiler.start');
    await work();
    const { profile } = await session.post('Profiler.stop');
    const { samples = [], timeDeltas = [] } = profile;
    return { nodes: profile.nodes, samples, timeDeltas };
  } finally {
    session.disconnect();
  }
}

/** The same trip with less and less around it: what is left at the bottom is the kernel's. */
async function floorsOf(python: string, calls: number): Promise<readonly Floor[]> {
  return withScratch(async (folder) => {
    const echo = await startRawEcho(python, join(benchFolder(), 'raw_echo.py'), join(folder, 's'));
    const framed = await p50Of(() => echo.call('echo', ECHO_ARGS, 's'), calls);
    await echo.stop();
    const bytes = await startRawBytes(python, folder);
    const one = Buffer.alloc(1);
    const byte = await p50Of(() => bytes.echo(one), calls);
    await bytes.stop();
    const wake = execute(python, [join(benchFolder(), 'raw_wake.py'), String(calls)]);
    const { stdout } = await within(wake, WAKE_LIMIT_MS, 'raw_wake.py');
    return [
      { name: 'raw echo: frames and JSON on both sides', p50: framed },
      { name: 'bare Node and bare Python, one byte each way', p50: byte },
      { name: 'two bare Pythons, one byte each way', p50: Number(stdout) },
    ];
  });
}

async function p50Of(call: () => Promise<unknown>, calls: number): Promise<number> {
  await runCalls({ call }, WARM_UP_CALLS);
  return (await runCalls({ call }, calls)).p50;
}

function print(
  plain: Run,
  profile: CpuProfile,
  samples: readonly PythonSample[],
  floors: readonly Floor[],
  calls: number,
): void {
  const waitingUs = Math.max(0, plain.p50 - plain.nodeCpuUs - plain.pythonCpuUs);
  const functions = nodeFunctions(profile, calls).slice(0, FUNCTIONS_SHOWN);
  const lines = [
    `${PROFILED}: p50 ${us(plain.p50)}, ${calls} calls, Node ${process.versions.node}`,
    '',
    table('Node', plain.nodeCpuUs, withRest(nodeShares(profile, calls), plain.nodeCpuUs)),
    table('Python', plain.pythonCpuUs, pythonShares(samples, plain.pythonCpuUs)),
    line('Neither: one wakes the other, both ways', waitingUs),
    '',
    'The shares of Node are of a run under its sampling profiler, which costs a little itself; native code is what is left;',
    `those of Python are of ${samples.reduce((sum, [, , count]) => sum + count, 0)} samples of its processor time.`,
    '',
    'The same trip with less around it, p50 in this run',
    line('  ours', plain.p50),
    ...floors.map(({ name, p50 }) => line(`  ${name}`, p50)),
    '',
    'Functions of Node with the most time of their own',
    ...functions.map(({ name, us: time }) => line(`  ${name}`, time)),
    '',
    'Functions of Python with the most time of their own, system calls included',
    ...pythonFunctions(samples, plain.pythonCpuUs)
      .slice(0, FUNCTIONS_SHOWN)
      .map(({ name, us: time }) => line(`  ${name}`, time)),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** While a write wakes Python on the same processor, the profiler's clock runs on: native code is what JavaScript leaves of the processor time. */
function withRest(shares: readonly Share[], cpuUs: number): readonly Share[] {
  const known = shares.filter(({ name }) => name !== NATIVE);
  const rest = cpuUs - known.reduce((sum, { us: time }) => sum + time, 0);
  return [{ name: NATIVE, us: Math.max(0, rest) }, ...known];
}

function table(title: string, cpuUs: number, shares: readonly Share[]): string {
  const shown = shares.filter(({ us: time }) => time >= 0.05);
  return [
    line(`${title}: processor time`, cpuUs),
    ...shown.map(({ name, us: time }) => line(`  ${name}`, time)),
  ].join('\n');
}

const NAME_WIDTH = 62;

function line(name: string, time: number): string {
  return `${name.slice(0, NAME_WIDTH - 2).padEnd(NAME_WIDTH)}${us(time).padStart(10)}`;
}

function us(time: number): string {
  return `${round(time, 1).toFixed(1)} µs`;
}
