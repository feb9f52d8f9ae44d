// Does a start clear away what dead runs left behind, and nothing else? Real processes, with ledgers of runs that were or might have been.
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Bus, type BusEvents } from '../../../actors/ground/bus.ts';
import { systemClock } from '../../../actors/ground/clock.ts';
import type { GuardedGroup } from '../../../actors/port/guardian.ts';
import { systemHost } from '../../../actors/port/host.ts';
import { LEDGER_NAME, placeHere, type LedgerHeader } from '../../../actors/port/ledger.ts';
import { sweepRuns } from '../../../actors/port/sweep.ts';
import { environOf, isAlive, until } from '../../support/processes.ts';

let folder: string;
let sleepers: ChildProcess[];
let swept: BusEvents['run.swept'][];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'caduceus-test-'));
  sleepers = [];
  swept = [];
});

afterEach(() => {
  for (const sleeper of sleepers) sleeper.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A process of ours that carries these variables. */
async function sleeper(env: Record<string, string> = {}): Promise<GuardedGroup> {
  const child = spawn('sleep', ['300'], {
    detached: true,
    env: { PATH: process.env['PATH'], ...env },
    stdio: 'ignore',
  });
  sleepers.push(child);
  await new Promise((resolve) => child.once('spawn', resolve));
  const pid = child.pid!;
  // Between fork and exec it is still what we are.
  const entries = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  await until(() => entries.every((entry) => environOf(pid).includes(entry)), 5_000);
  return { pid, startTicks: systemHost.readProcess(pid)!.startTicks, incarnation: `x/a/1/${pid}` };
}

/** The pid and start of a process that is no more. */
async function deadNode(): Promise<LedgerHeader['node']> {
  const { pid, startTicks } = await sleeper();
  sleepers.at(-1)!.kill('SIGKILL');
  await until(() => systemHost.readProcess(pid) === undefined, 5_000);
  return { pid, startTicks };
}

const me = (): LedgerHeader['node'] => ({
  pid: process.pid,
  startTicks: systemHost.readProcess(process.pid)!.startTicks,
});

interface RunGiven extends Partial<LedgerHeader> {
  readonly groups?: readonly GuardedGroup[];
}

/** The folder of a run. */
function runFolder(name: string, { groups = [], ...header }: RunGiven): string {
  const directory = path.join(folder, `caduceus-${name}`);
  mkdirSync(directory, { mode: 0o700 });
  const lines = [
    { format: 'caduceus-run/1', token: name, node: me(), ...placeHere(), ...header },
    ...groups.map(({ pid, startTicks, incarnation }) => ['launched', pid, startTicks, incarnation]),
  ];
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  writeFileSync(path.join(directory, LEDGER_NAME), text);
  return directory;
}

async function sweep(): Promise<void> {
  const bus = new Bus();
  bus.on('run.swept', (event) => swept.push(event));
  await sweepRuns({ clock: systemClock, bus, host: systemHost }, folder);
}

describe.skipIf(process.platform !== 'linux')('a run whose Node is dead', () => {
  it('loses what it left behind, those that the ledger does not know too, and its folder', async () => {
    const worker = await sleeper({ CADUCEUS_RUN: 'dead' });
    const grandchild = await sleeper({ CADUCEUS_RUN: 'dead' });
    const directory = runFolder('dead', { node: await older(), groups: [worker] });
    await sweep();
    expect([worker, grandchild].map(({ pid }) => isAlive(pid))).toEqual([false, false]);
    expect(existsSync(directory)).toBe(false);
    expect(swept).toHaveLength(1);
    expect(swept[0]).toMatchObject({ directory, why: 'dead', isRemoved: true });
    expect([...swept[0]!.killedPids].sort()).toEqual([worker.pid, grandchild.pid].sort());
  });

  it('is dead too when its Node’s pid is another’s by now', async () => {
    const worker = await sleeper({ CADUCEUS_RUN: 'reused' });
    const node = { pid: process.pid, startTicks: 1 };
    const directory = runFolder('reused', { node, groups: [worker] });
    await sweep();
    expect([isAlive(worker.pid), existsSync(directory)]).toEqual([false, false]);
  });

  it('has no power over a process that has a pid of it but not its token', async () => {
    const mine = await sleeper({ CADUCEUS_RUN: 'of another run' });
    runFolder('tokens', { node: await older(), groups: [mine] });
    await sweep();
    expect(isAlive(mine.pid)).toBe(true);
    expect(swept[0]?.killedPids).toEqual([]);
  });

  it('has none over one that began at another time than its ledger says', async () => {
    const mine = await sleeper({ CADUCEUS_RUN: 'starts' });
    const said = { ...mine, startTicks: mine.startTicks - 1 };
    runFolder('starts', { node: await older(), groups: [said] });
    await sweep();
    expect(isAlive(mine.pid)).toBe(true);
  });

  it('has none over one that began before its Node did', async () => {
    const mine = await sleeper({ CADUCEUS_RUN: 'before' });
    const node = { pid: (await deadNode()).pid, startTicks: mine.startTicks + 1_000 };
    runFolder('before', { node });
    await sweep();
    expect(isAlive(mine.pid)).toBe(true);
  });
});

/** A dead Node that was there before whatever the test has started. */
async function older(): Promise<LedgerHeader['node']> {
  return { pid: (await deadNode()).pid, startTicks: me().startTicks };
}

describe.skipIf(process.platform !== 'linux')('a run that may be alive', () => {
  const untouched = async (name: string, given: RunGiven): Promise<void> => {
    const worker = await sleeper({ CADUCEUS_RUN: name });
    const directory = runFolder(name, { ...given, groups: [worker] });
    await sweep();
    expect([isAlive(worker.pid), existsSync(directory), swept]).toEqual([true, true, []]);
  };

  it('keeps everything while its Node lives', () => untouched('alive', {}));

  it('keeps everything when its pids mean something elsewhere', async () => {
    await untouched('namespace', { node: await older(), pidNamespace: 'pid:[1]' });
  });

  it('keeps everything when it is of another machine', async () => {
    await untouched('machine', { node: await older(), hostName: 'elsewhere', bootId: 'other' });
  });

  it('keeps everything when its ledger is of another format', async () => {
    await untouched('format', { node: await older(), format: 'x' as 'caduceus-run/1' });
  });

  it('keeps everything when others may write into its folder', async () => {
    const worker = await sleeper({ CADUCEUS_RUN: 'open' });
    const directory = runFolder('open', { node: await older(), groups: [worker] });
    chmodSync(directory, 0o777);
    await sweep();
    expect([isAlive(worker.pid), existsSync(directory)]).toEqual([true, true]);
  });

  it('is not found through links', async () => {
    const worker = await sleeper({ CADUCEUS_RUN: 'link' });
    const real = runFolder('link', { node: await older(), groups: [worker] });
    const hidden = path.join(folder, 'elsewhere');
    const link = path.join(folder, 'caduceus-linked');
    mkdirSync(hidden, { mode: 0o700 });
    symlinkSync(path.join(real, LEDGER_NAME), path.join(hidden, LEDGER_NAME));
    symlinkSync(hidden, link);
    chmodSync(real, 0o755);
    await sweep();
    expect([isAlive(worker.pid), existsSync(hidden)]).toEqual([true, true]);
  });

  it('is any folder without a ledger', async () => {
    const directory = path.join(folder, 'caduceus-young');
    mkdirSync(directory, { mode: 0o700 });
    await sweep();
    expect(existsSync(directory)).toBe(true);
  });
});

describe.skipIf(process.platform !== 'linux')('a run of an earlier boot', () => {
  it('loses its folder, and no process: its pids and starts mean nothing now', async () => {
    const mine = await sleeper({ CADUCEUS_RUN: 'boot' });
    const directory = runFolder('boot', { bootId: 'earlier', groups: [mine] });
    await sweep();
    expect([isAlive(mine.pid), existsSync(directory)]).toEqual([true, false]);
    expect(swept).toEqual([{ directory, why: 'other_boot', killedPids: [], isRemoved: true }]);
  });
});

describe('a folder that cannot be listed', () => {
  it('is no error', async () => {
    rmSync(folder, { recursive: true });
    await expect(sweep()).resolves.toBeUndefined();
  });
});
