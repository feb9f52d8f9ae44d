// On which processors do the two sides of a call run? The kernel's choice moves a small echo more than anything in it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { compete, type Contestant, type ContestPlan } from './contest.ts';

const execute = promisify(execFile);

/** Where Node and both Pythons are held. */
const PLACEMENTS = {
  oneCore: { node: 0, python: 0 },
  twoCores: { node: 0, python: 1 },
} as const;

export interface Placed {
  readonly p50: number;
  readonly theirP50: number;
  readonly callsPerSecond: number;
  readonly theirCallsPerSecond: number;
}

/**
 * The same contest with everybody held on one processor, and with Node and Python on one each: comparable from run to run, which the kernel's own choice is not.
 * Empty where there is no `taskset` or only one processor.
 */
export async function competeInPlaces(
  plan: ContestPlan,
  ours: Contestant & { readonly pid: number | undefined },
  theirs: Contestant & { readonly pid: number | undefined },
): Promise<Readonly<Record<string, Placed>>> {
  const pythons = [ours.pid, theirs.pid].filter((pid) => pid !== undefined);
  const before = await affinityOf(process.pid);
  if (before === undefined || pythons.length < 2 || !/[-,]/u.test(before)) return {};
  const found: Record<string, Placed> = {};
  try {
    for (const [name, place] of Object.entries(PLACEMENTS)) {
      await hold(process.pid, String(place.node));
      for (const pid of pythons) await hold(pid, String(place.python));
      const figures = await compete(plan, ours, theirs);
      found[name] = {
        p50: figures.ours.p50,
        theirP50: figures.raw.p50,
        callsPerSecond: figures.ours.callsPerSecond,
        theirCallsPerSecond: figures.raw.callsPerSecond,
      };
    }
  } finally {
    for (const pid of [process.pid, ...pythons]) await hold(pid, before);
  }
  return found;
}

/** The processors that a process may use, as `taskset` writes them, or undefined. */
async function affinityOf(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await execute('taskset', ['-cp', String(pid)]);
    return /:\s*([\d,-]+)\s*$/u.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

async function hold(pid: number, processors: string): Promise<void> {
  await execute('taskset', ['-acp', processors, String(pid)]);
}
