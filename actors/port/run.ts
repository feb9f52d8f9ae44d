// What is a run? All processes that one runtime starts: they carry one token, its guardian and its ledger know them.
import { isMainThread } from 'node:worker_threads';

import type { Bus } from '../ground/bus.ts';
import type { Clock } from '../ground/clock.ts';
import type { Ids } from '../ground/ids.ts';
import { Guardian, type GuardedGroup, type SpawnGuardian } from './guardian.ts';
import type { Host } from './host.ts';
import { Ledger } from './ledger.ts';
import type { RunGuard } from './run-guard.ts';

export interface RunPorts {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly ids: Ids;
  readonly host: Host;
  /** For the run of this token. */
  readonly guardianSpawner: (token: string) => SpawnGuardian;
}

/**
 * To whom the kernel may tie a worker. The tie is to the thread that starts it: where that is not the main thread, its end would be taken for Node's.
 * @param thread that starts processes.
 */
export function parentPidFor(
  { platform, pid }: Pick<NodeJS.Process, 'platform' | 'pid'>,
  thread: 'main' | 'worker',
): number | undefined {
  return platform === 'linux' && thread === 'main' ? pid : undefined;
}

interface Named {
  readonly epoch: number;
  readonly incarnation: string;
}

/** Workers that were named and not launched yet. More are not in the making at a time; a start that failed leaves its name here. */
const NAMED_MAX = 4_096;

/** One run. */
export class Run implements RunGuard {
  /** 192 bits of chance: what carries it in its environment is of this run. */
  readonly token: string;
  readonly parentPid: number | undefined;
  readonly #clock: Clock;
  readonly #host: Host;
  readonly #guardian: Guardian;
  readonly #ledger: Ledger | undefined;
  readonly #named = new Map<string, Named>();
  readonly #groups = new Map<number, GuardedGroup>();
  #serial = 0;

  /** @param directory private to this run, removed with it. */
  constructor(directory: string, ports: RunPorts) {
    const { clock, bus, host } = ports;
    this.token = ports.ids.nonce();
    this.parentPid = parentPidFor(process, isMainThread ? 'main' : 'worker');
    this.#clock = clock;
    this.#host = host;
    const spawnGuardian = ports.guardianSpawner(this.token);
    this.#guardian = new Guardian({ clock, bus, host, spawnGuardian });
    this.#ledger = Ledger.open(directory, this.token, { bus, host });
  }

  /** The guardian's pid, while there is one. */
  get guardianPid(): number | undefined {
    return this.#guardian.pid;
  }

  /** Start the guardian: before the first worker, which it is to know at once. */
  start(): void {
    this.#guardian.start();
  }

  envOf(workerId: string, epoch: number): Readonly<Record<string, string>> {
    const incarnation = this.#name(workerId, epoch);
    const [oldest] = this.#named.keys();
    if (this.#named.size >= NAMED_MAX && oldest !== undefined) this.#named.delete(oldest);
    this.#named.set(workerId, { epoch, incarnation });
    return { CADUCEUS_RUN: this.token, CADUCEUS_INCARNATION: incarnation };
  }

  launched(pid: number, workerId: string, epoch: number): void {
    const before = this.#groups.get(pid);
    // Its number is another's by now, so it is over, whoever has missed to say so.
    if (before !== undefined) this.#end(before);
    const named = this.#named.get(workerId);
    this.#named.delete(workerId);
    const incarnation = named?.epoch === epoch ? named.incarnation : this.#name(workerId, epoch);
    const startTicks = this.#host.readProcess(pid)?.startTicks ?? 0;
    const group = { pid, startTicks, incarnation };
    this.#groups.set(pid, group);
    this.#ledger?.launched(group);
    this.#guardian.add(group);
  }

  /** Not at once: to write it down and to wake the guardian takes as long as all the rest of a death, and callers wait for that. */
  ended(pid: number, _workerId: string, _epoch: number): void {
    const group = this.#groups.get(pid);
    if (group === undefined) return;
    this.#clock.afterPoll(() => {
      // Its number may be another's by now.
      if (this.#groups.get(pid) === group) this.#end(group);
    });
  }

  /** All of it ends: who still lives is killed, the guardian goes. Call it before the folder is removed. */
  close(): Promise<void> {
    this.#ledger?.close();
    return new Promise((resolve) => {
      this.#guardian.close(resolve);
    });
  }

  #end(group: GuardedGroup): void {
    this.#groups.delete(group.pid);
    this.#ledger?.ended(group);
    this.#guardian.end(group);
  }

  /** With a serial, since a worker's name and epoch come again when its row was deleted: an end must never be taken for another's. */
  #name(workerId: string, epoch: number): string {
    this.#serial += 1;
    return `${this.token}/${wordOf(workerId)}/${epoch}/${this.#serial}`;
  }
}

/** A worker's id without spaces and control characters. */
function wordOf(text: string): string {
  return text.replaceAll(/[^\w./~@:-]/gu, (char) => {
    const bytes = [...Buffer.from(char)];
    return bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  });
}
