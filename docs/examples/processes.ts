// Which processes of this run are still alive? Asked of the operating system, not of the runtime.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly state: string;
}

/**
 * The living processes that are children of ours, are one of `seen`, or are in the process group that one of `seen` led.
 * A zombie has ended: it only waits to be looked at by its parent.
 */
export function processesLeft(seen: ReadonlySet<number>): readonly number[] {
  return (existsSync('/proc/self/stat') ? rowsOfProc() : rowsOfPs())
    .filter(({ state }) => !/^[ZX]/u.test(state))
    .filter(({ pid, parent, group }) => parent === process.pid || seen.has(pid) || seen.has(group))
    .map(({ pid }) => pid);
}

function rowsOfProc(): readonly ProcessRow[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => {
      const line = readIfThere(`/proc/${name}/stat`);
      // The name of the program stands in brackets and may itself hold brackets and blanks.
      const [state = '', parent, group] = line.slice(line.lastIndexOf(')') + 2).split(' ');
      const row = { pid: Number(name), parent: Number(parent), group: Number(group), state };
      return line === '' ? [] : [row];
    });
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It has ended since the folder was listed.
    return '';
  }
}

function rowsOfPs(): readonly ProcessRow[] {
  const ps = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='], { encoding: 'utf8' });
  if (ps.error !== undefined) throw ps.error;
  return ps.stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/u))
    .map(([pid, parent, group, state = 'X']) => {
      return { pid: Number(pid), parent: Number(parent), group: Number(group), state };
    })
    .filter(({ pid }) => pid !== ps.pid);
}
