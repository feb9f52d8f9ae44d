// Who is left when Node is gone? Keeps one guardian process running and tells it whom to kill then (`docs/protocol.md` §8).
import type { Bus } from '../ground/bus.ts';
import type { Clock, TimerId } from '../ground/clock.ts';
import { errorFrom } from '../ground/error-from.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import { LIMITS } from '../ground/limits.ts';
import type { Host } from './host.ts';

/** One process group of the run: who leads it, since when, and the name that its processes carry. */
export interface GuardedGroup {
  readonly pid: number;
  /** 0 where the system does not tell. */
  readonly startTicks: number;
  /** Without spaces; never used twice. */
  readonly incarnation: string;
}

/** A running guardian, seen from Node. */
export interface GuardianProcess {
  readonly pid: number | undefined;
  /** Bytes that it has not taken yet. */
  readonly backlogBytes: number;
  tell(line: string): void;
  /** Close its input: then it kills what is left and exits. From now on Node waits for it. */
  end(): void;
  kill(): void;
}

/** Starts one. `onExit` is called once, never from inside. */
export type SpawnGuardian = (onExit: (reason: ExitReason) => void) => GuardianProcess;

export interface GuardianPorts {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly host: Host;
  readonly spawnGuardian: SpawnGuardian;
}

type Life =
  | { readonly type: 'none' }
  | { readonly type: 'running'; readonly process: GuardianProcess }
  /** Too many have ended: the next one comes when the timer fires. */
  | { readonly type: 'waiting'; readonly timer: TimerId }
  | { readonly type: 'closing'; readonly timer: TimerId }
  | { readonly type: 'over' };

/** How long to wait before the next replacement, given when the last ones were. */
export function replacementWaitMs(replacedAtMs: readonly number[], nowMs: number): number {
  const oldest = replacedAtMs.at(-LIMITS.guardianReplacementsMax);
  if (oldest === undefined) return 0;
  return Math.max(0, oldest + LIMITS.guardianReplacementPeriodMs - nowMs);
}

/** The guardian of a run, across its processes: one that dies is replaced at once, and the next one is told everything. */
export class Guardian {
  readonly #ports: GuardianPorts;
  readonly #groups = new Map<string, GuardedGroup>();
  /** Ends that a guardian may have died over. To be told of one twice changes nothing. */
  #ends: GuardedGroup[] = [];
  #replacedAtMs: number[] = [];
  #life: Life = { type: 'none' };
  #onOver: (() => void)[] = [];

  constructor(ports: GuardianPorts) {
    this.#ports = ports;
  }

  /** Its pid, while it runs. */
  get pid(): number | undefined {
    return this.#life.type === 'running' ? this.#life.process.pid : undefined;
  }

  /** Before the first worker. Later calls change nothing. */
  start(): void {
    if (this.#life.type === 'none') this.#spawn();
  }

  add(group: GuardedGroup): void {
    this.#groups.set(group.incarnation, group);
    this.#tell('add', group);
    this.#endIfDeaf();
  }

  end(group: GuardedGroup): void {
    this.#groups.delete(group.incarnation);
    this.#ends = [...this.#ends, group].slice(-LIMITS.guardianEndsKept);
    this.#tell('end', group);
    this.#endIfDeaf();
  }

  /** It kills what is left and goes. @param onOver called when it has, never from inside. */
  close(onOver: () => void): void {
    this.#onOver.push(onOver);
    const { clock } = this.#ports;
    switch (this.#life.type) {
      case 'running': {
        const { process } = this.#life;
        const timer = clock.setTimeout(() => process.kill(), LIMITS.guardianEndTimeoutMs);
        this.#life = { type: 'closing', timer };
        process.end();
        return;
      }
      case 'closing':
        return;
      case 'waiting':
        clock.clearTimeout(this.#life.timer);
        this.#life = { type: 'over' };
        clock.afterPoll(() => this.#tellOver());
        return;
      case 'none':
      case 'over':
        this.#life = { type: 'over' };
        clock.afterPoll(() => this.#tellOver());
        return;
      default:
        this.#life satisfies never;
    }
  }

  #tellOver(): void {
    for (const onOver of this.#onOver.splice(0)) onOver();
  }

  #spawn(): void {
    const { clock, spawnGuardian } = this.#ports;
    try {
      const process = spawnGuardian((reason) => this.#onExit(reason));
      this.#life = { type: 'running', process };
    } catch (cause) {
      // No descriptors, no memory: there may be some later.
      const reason: ExitReason = { type: 'error', error: errorFrom(cause) };
      this.#life = { type: 'waiting', timer: clock.setTimeout(() => this.#onExit(reason), 0) };
      return;
    }
    for (const group of this.#groups.values()) this.#tell('add', group);
    for (const group of this.#ends) this.#tell('end', group);
  }

  #onExit(reason: ExitReason): void {
    if (this.#life.type === 'closing') {
      this.#ports.clock.clearTimeout(this.#life.timer);
      this.#life = { type: 'over' };
      this.#tellOver();
      return;
    }
    if (this.#life.type === 'over') return;
    const { clock, bus } = this.#ports;
    const waitMs = replacementWaitMs(this.#replacedAtMs, clock.nowMs());
    if (waitMs === 0) {
      this.#replace(reason);
      return;
    }
    bus.emit('guardian.absent', { reason, waitMs });
    this.#life = { type: 'waiting', timer: clock.setTimeout(() => this.#replace(reason), waitMs) };
  }

  #replace(reason: ExitReason): void {
    const { clock, bus } = this.#ports;
    const kept = LIMITS.guardianReplacementsMax;
    this.#replacedAtMs = [...this.#replacedAtMs, clock.nowMs()].slice(-kept);
    this.#spawn();
    bus.emit('guardian.replaced', { reason, pid: this.pid, groupsCount: this.#groups.size });
  }

  #tell(verb: 'add' | 'end', { pid, startTicks, incarnation }: GuardedGroup): void {
    if (this.#life.type !== 'running') return;
    this.#life.process.tell(`${verb} ${pid} ${startTicks} ${incarnation}\n`);
  }

  /** One that is stopped or does not read guards nobody: its successor does. */
  #endIfDeaf(): void {
    if (this.#life.type !== 'running') return;
    const { process } = this.#life;
    const { pid } = process;
    const state = pid === undefined ? undefined : this.#ports.host.readProcess(pid)?.state;
    if (state === 'stopped' || process.backlogBytes > LIMITS.guardianBacklogBytesMax) {
      process.kill();
    }
  }
}
