// Which processes of a run are there? Asked of the operating system, which tells nobody by itself.
import { readdirSync, readFileSync } from 'node:fs';

/** Whether the process runs; one that is only waiting to be reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) [ZX]/su.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return process.platform !== 'linux';
  }
}

/** The processes that carry `CADUCEUS_RUN=<token>` and are alive. Linux only. */
export function processesOf(token: string): readonly number[] {
  const entry = `CADUCEUS_RUN=${token}`;
  return allPids().filter((pid) => environOf(pid).includes(entry) && isAlive(pid));
}

/** The guardian of a run, if it is alive. Linux only. */
export function guardiansOf(token: string): readonly number[] {
  const entry = `CADUCEUS_GUARDIAN=${token}`;
  return allPids().filter((pid) => environOf(pid).includes(entry) && isAlive(pid));
}

/** The environment that a process was started with; empty when it may not be read. */
export function environOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** The run that a process belongs to. */
export function tokenOf(pid: number): string | undefined {
  return environOf(pid)
    .find((entry) => entry.startsWith('CADUCEUS_RUN='))
    ?.slice('CADUCEUS_RUN='.length);
}

function allPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map(Number);
}

const POLL_MS = 5;

/** Wait for a fact of the operating system. @returns how long it took, in ms. */
export async function until(fact: () => boolean, withinMs: number): Promise<number> {
  const startedMs = performance.now();
  while (!fact()) {
    const tookMs = performance.now() - startedMs;
    if (tookMs > withinMs) throw new Error(`did not come about within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return performance.now() - startedMs;
}
