// Who starts the workers of a pool that has a zygote? It forks them, and the system spawns whom it cannot.
import type { Clock, TimerId } from '../ground/clock.ts';
import { LIMITS } from '../ground/limits.ts';
import type { Host } from './host.ts';
import type {
  KillSignal,
  NoticeSignal,
  ProcessFact,
  SpawnedProcess,
  Spawner,
  SpawnRequest,
} from './launcher.ts';
import type { Signals } from './signals.ts';
import type { ForkFact } from './zygote-wire.ts';

/** A zygote that forks, as this spawner sees it. */
export interface ForkLine {
  fork(fork: number, request: SpawnRequest): void;
  /** It refused one, with the reason: the worker is spawned instead. */
  onRefused(hazard: string): void;
  /** It owes an answer since `forkTimeoutMs`. It is to be ended; {@link ZygoteSpawner.lose} follows. */
  onHung(): void;
}

export interface ForkPorts {
  readonly clock: Clock;
  /** Starts whom the zygote does not. */
  readonly system: Spawner;
  readonly signals: Signals;
  readonly host: Pick<Host, 'readProcess'>;
}

/** Where a worker's start stands. */
type Stage =
  /** Behind others, or asked for: not known to have a process. */
  | { readonly type: 'waiting' }
  | { readonly type: 'forked'; readonly pid: number; readonly startTicks: number | undefined }
  | { readonly type: 'spawned'; readonly process: SpawnedProcess }
  | { readonly type: 'over' };

const INVITATION = 'CADUCEUS_WORKER';

interface Row {
  readonly fork: number;
  readonly request: SpawnRequest;
  readonly tell: (fact: ProcessFact) => void;
  stage: Stage;
  /** Killed before it was there: it is never to be. */
  doom: KillSignal | undefined;
}

/**
 * A spawner with a zygote while it has one (`use`). Orders go to it one by one, so that the time of each answer is its own. What it forks is killed and told of as any process is;
 * how it ended comes from the zygote, whose child it is.
 */
export class ZygoteSpawner implements Spawner {
  readonly #ports: ForkPorts;
  readonly #byPid = new Map<number, Row>();
  readonly #queue: Row[] = [];
  #line: ForkLine | undefined;
  #asked: { readonly row: Row; readonly timer: TimerId } | undefined;
  #nextFork = 1;

  constructor(ports: ForkPorts) {
    this.#ports = ports;
  }

  /** From now on this zygote forks. */
  use(line: ForkLine): void {
    this.#line = line;
  }

  /** It forks no more: it has ended, or is about to. Whom it owes is spawned; whom it has forked is killed, and told to have been. */
  lose(): void {
    this.#line = undefined;
    if (this.#asked !== undefined) this.#queue.unshift(this.#takeAsked(this.#asked));
    for (const row of this.#queue.splice(0)) this.#spawnOrEnd(row);
    for (const row of [...this.#byPid.values()]) {
      this.#signal(row, 'SIGKILL');
      this.#end(row, null, 'SIGKILL');
    }
  }

  spawn(request: SpawnRequest, listener: (fact: ProcessFact) => void): SpawnedProcess {
    // A wire needs pipes of its own, which a fork has not.
    if (this.#line === undefined || request.stdio === 'wire') {
      return this.#ports.system.spawn(request, listener);
    }
    const row: Row = {
      fork: this.#nextFork,
      request,
      tell: listener,
      stage: { type: 'waiting' },
      doom: undefined,
    };
    this.#nextFork += 1;
    this.#queue.push(row);
    this.#askNext();
    return {
      kill: (signal) => this.#kill(row, signal),
      notify: (signal) => this.#notify(row, signal),
    };
  }

  /** What the zygote says of its workers. */
  onFact(fact: ForkFact): void {
    switch (fact.type) {
      case 'forked': {
        const row = this.#answered(fact.fork);
        if (row !== undefined) this.#onForked(row, fact.pid);
        this.#askNext();
        return;
      }
      case 'refused': {
        const row = this.#answered(fact.fork);
        this.#line?.onRefused(fact.hazard);
        if (row !== undefined) this.#spawnOrEnd(row);
        this.#askNext();
        return;
      }
      case 'exited': {
        const row = this.#byPid.get(fact.pid);
        if (row === undefined) return;
        // What the dead leader's group still holds (a grandchild) must not outlive it.
        this.#signal(row, 'SIGKILL');
        this.#end(row, fact.status, fact.signal);
        return;
      }
      default:
        fact satisfies never;
    }
  }

  #askNext(): void {
    if (this.#asked !== undefined || this.#line === undefined) return;
    const row = this.#queue.shift();
    if (row === undefined) return;
    if (row.doom !== undefined) {
      this.#askNext();
      return;
    }
    const { clock } = this.#ports;
    const timer = clock.setTimeout(() => {
      // After one more poll: when the event loop has stalled, the answer may have arrived.
      clock.afterPoll(() => {
        if (this.#asked?.row === row) this.#line?.onHung();
      });
    }, LIMITS.forkTimeoutMs);
    this.#asked = { row, timer };
    this.#line.fork(row.fork, asChildOfZygote(row.request));
  }

  #takeAsked(asked: { readonly row: Row; readonly timer: TimerId }): Row {
    this.#ports.clock.clearTimeout(asked.timer);
    this.#asked = undefined;
    return asked.row;
  }

  /** The row that this answer is for; nothing for an answer that nobody waits for. */
  #answered(fork: number): Row | undefined {
    return this.#asked?.row.fork === fork ? this.#takeAsked(this.#asked) : undefined;
  }

  #onForked(row: Row, pid: number): void {
    const startTicks = this.#ports.host.readProcess(pid)?.startTicks;
    row.stage = { type: 'forked', pid, startTicks };
    this.#byPid.set(pid, row);
    row.tell({ type: 'spawned', pid });
    if (row.doom !== undefined) this.#signal(row, row.doom);
  }

  #spawnOrEnd(row: Row): void {
    const { doom } = row;
    if (doom === undefined) {
      const process = this.#ports.system.spawn(row.request, row.tell);
      row.stage = { type: 'spawned', process };
      return;
    }
    this.#end(row, null, doom);
  }

  #kill(row: Row, signal: KillSignal): void {
    const { stage } = row;
    switch (stage.type) {
      case 'waiting': {
        row.doom = row.doom === 'SIGKILL' ? row.doom : signal;
        const isQueued = this.#queue.includes(row);
        // Later, since a process tells nothing from inside of what is asked of it.
        if (isQueued) this.#ports.clock.afterPoll(() => this.#end(row, null, signal));
        return;
      }
      case 'forked':
        this.#signal(row, signal);
        return;
      case 'spawned':
        stage.process.kill(signal);
        return;
      case 'over':
        return;
      default:
        stage satisfies never;
    }
  }

  #notify(row: Row, signal: NoticeSignal): void {
    const { stage } = row;
    if (stage.type === 'spawned') stage.process.notify(signal);
    if (stage.type !== 'forked' || !this.#isStill(stage, 'the process')) return;
    this.#ports.signals.signalProcess(stage.pid, signal);
  }

  #signal({ stage }: Row, signal: KillSignal): void {
    if (stage.type !== 'forked' || !this.#isStill(stage, 'its group')) return;
    this.#ports.signals.signalGroup(stage.pid, signal);
  }

  /**
   * Whether the number still is our worker's. The zygote may have reaped it and its word be on the way, and numbers are used again: a process of another start time is a stranger.
   * Where there is none of that number, no other process can have got it as long as a group bears it.
   */
  #isStill(
    stage: Extract<Stage, { readonly type: 'forked' }>,
    what: 'the process' | 'its group',
  ): boolean {
    if (stage.startTicks === undefined) return false;
    const reading = this.#ports.host.readProcess(stage.pid);
    if (reading === undefined) return what === 'its group';
    return reading.startTicks === stage.startTicks;
  }

  #end(row: Row, status: number | null, signal: string | null): void {
    if (row.stage.type === 'over') return;
    if (row.stage.type === 'forked') this.#byPid.delete(row.stage.pid);
    row.stage = { type: 'over' };
    row.tell({ type: 'exited', status, signal });
    row.tell({ type: 'closed' });
  }
}

/** The parent whose death must be the worker's is the zygote: by 0 (`docs/protocol.md` §9). */
function asChildOfZygote(request: SpawnRequest): SpawnRequest {
  const { [INVITATION]: text, ...env } = request.env;
  if (text === undefined) return request;
  const invitation = JSON.stringify({ ...(JSON.parse(text) as object), parentPid: 0 });
  return { ...request, env: { ...env, [INVITATION]: invitation } };
}
