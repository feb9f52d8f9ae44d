// What have dead runs of this user left behind? Found by their ledgers, judged by pid, start and token, and killed; whatever cannot be proven is left alone.
import { constants } from 'node:fs';
import { lstat, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Bus } from '../ground/bus.ts';
import type { Clock } from '../ground/clock.ts';
import { LIMITS } from '../ground/limits.ts';
import type { Host } from './host.ts';
import {
  judgeRun,
  LEDGER_NAME,
  RUN_PREFIX,
  parseLedger,
  placeHere,
  type LedgerContent,
  type Place,
} from './ledger.ts';

export interface SweepPorts {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly host: Host;
}

interface DeadRun {
  readonly directory: string;
  readonly why: 'dead' | 'other_boot';
  readonly content: LedgerContent;
  readonly killedPids: Set<number>;
}

/** Others may neither read nor write there. */
const FOREIGN_BITS = 0o077;

/**
 * Look once at the runs beside ours. Never rejects, and is over after a bound: what is not done by then, the next start does.
 * @param folder where the folders of runs lie.
 */
export async function sweepRuns(ports: SweepPorts, folder = tmpdir()): Promise<void> {
  const here = placeHere();
  const uid = process.getuid?.();
  if (here === undefined || uid === undefined) return;
  const sweep = new Sweep(ports, here, uid);
  await new Promise<void>((resolve) => {
    const timer = ports.clock.setTimeout(() => {
      sweep.stop();
      resolve();
    }, LIMITS.sweepTimeoutMs);
    sweep.run(folder).then(
      () => {
        ports.clock.clearTimeout(timer);
        resolve();
      },
      () => {
        // A folder that cannot be listed, or that somebody else removes at the same time.
        ports.clock.clearTimeout(timer);
        resolve();
      },
    );
  });
}

class Sweep {
  readonly #ports: SweepPorts;
  readonly #here: Place;
  readonly #uid: number;
  #state: 'running' | 'stopped' = 'running';

  constructor(ports: SweepPorts, here: Place, uid: number) {
    this.#ports = ports;
    this.#here = here;
    this.#uid = uid;
  }

  stop(): void {
    this.#state = 'stopped';
  }

  async run(folder: string): Promise<void> {
    const names = (await readdir(folder)).filter((name) => name.startsWith(RUN_PREFIX));
    const runs: DeadRun[] = [];
    for (const name of names.slice(0, LIMITS.sweepDirectoriesMax)) {
      if (this.#state === 'stopped') return;
      const run = await this.#judge(join(folder, name)).catch(() => undefined);
      if (run !== undefined) runs.push(run);
    }
    const left = await this.#kill(runs.filter(({ why }) => why === 'dead'));
    for (const run of runs) {
      if (this.#state === 'stopped') return;
      await this.#remove(run, left.has(run) ? 'stays' : 'goes');
    }
  }

  async #judge(directory: string): Promise<DeadRun | undefined> {
    const facts = await lstat(directory);
    if (!facts.isDirectory() || facts.uid !== this.#uid) return undefined;
    if ((facts.mode & FOREIGN_BITS) !== 0) return undefined;
    const content = parseLedger(await readLedger(join(directory, LEDGER_NAME)));
    if (content === undefined) return undefined;
    const nodeStart = this.#startOf(content.header.node.pid);
    const why = judgeRun(content.header, this.#here, nodeStart);
    return why === 'leave' ? undefined : { directory, why, content, killedPids: new Set() };
  }

  /** Two witnesses: where processes of others are hidden, what cannot be read may exist. */
  #startOf(pid: number): number | 'none' | undefined {
    const start = this.#ports.host.readProcess(pid)?.startTicks;
    if (start !== undefined) return start;
    try {
      process.kill(pid, 0);
      return undefined;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'none' : undefined;
    }
  }

  /** @returns the runs of which something may still live. */
  async #kill(runs: readonly DeadRun[]): Promise<ReadonlySet<DeadRun>> {
    let left = new Set(runs);
    for (let round = 0; round < LIMITS.sweepRoundsMax && left.size > 0; round += 1) {
      const found = await this.#killOnce([...left]);
      if (this.#state === 'stopped') return left;
      left = found;
      if (left.size > 0) await this.#pause();
    }
    return left;
  }

  async #killOnce(runs: readonly DeadRun[]): Promise<Set<DeadRun>> {
    const found = new Set<DeadRun>();
    const byEntry = new Map(runs.map((run) => [`CADUCEUS_RUN=${run.content.header.token}`, run]));
    for (const name of await readdir('/proc')) {
      const pid = Number(name);
      if (!Number.isSafeInteger(pid) || pid === process.pid) continue;
      const before = this.#ports.host.readProcess(pid);
      if (before === undefined || before.state === 'zombie') continue;
      const entries = await this.#environOf(pid);
      if (this.#state === 'stopped') return found;
      const run = entries.map((entry) => byEntry.get(entry)).find((each) => each !== undefined);
      if (run === undefined || !mayBeOf(run, pid, before.startTicks)) continue;
      found.add(run);
      // The same process still: what was read is of this one.
      if (this.#ports.host.readProcess(pid)?.startTicks === before.startTicks) {
        run.killedPids.add(pid);
        kill(pid);
      }
    }
    return found;
  }

  async #environOf(pid: number): Promise<readonly string[]> {
    try {
      const { uid } = await lstat(`/proc/${pid}`);
      return uid === this.#uid ? (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0') : [];
    } catch {
      return [];
    }
  }

  async #remove(run: DeadRun, fate: 'goes' | 'stays'): Promise<void> {
    const { directory, why, killedPids } = run;
    let isRemoved = false;
    if (fate === 'goes') {
      isRemoved = await rm(directory, { recursive: true, force: true }).then(
        () => true,
        () => false,
      );
    }
    this.#ports.bus.emit('run.swept', {
      directory,
      why,
      killedPids: [...killedPids],
      isRemoved,
    });
  }

  /** SIGKILL is certain but not instant. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#ports.clock.setTimeout(resolve, LIMITS.sweepPauseMs);
    });
  }
}

/** The token in its environment says that it is of the run; pid and start must not say otherwise: a number that the run gave to another process was used again. */
function mayBeOf({ content }: DeadRun, pid: number, startTicks: number): boolean {
  if (startTicks < content.header.node.startTicks) return false;
  const known = content.living.find((group) => group.pid === pid);
  return known === undefined || known.startTicks === startTicks;
}

async function readLedger(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = await file.stat();
    if (!facts.isFile() || facts.size > LIMITS.ledgerBytesMax) return '';
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was faster.
  }
}
