// What does a liveness watch see of a worker? A scripted process under virtual time, whose every answer and reading the test decides.
import type { ProcessReading } from '../../../actors/port/host.ts';
import { watchLiveness, type LivenessVerdict } from '../../../actors/worker/liveness.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

export const HEARTBEAT_MS = 2_000;
export const GIL_HOLD_MS_MAX = 30_000;
/** CPU time of a whole core in one beat. */
export const COMPUTES = 1 * HEARTBEAT_MS;

/** An ordinary process, asleep. */
export const READING: ProcessReading = {
  state: 'sleeping',
  cpuMs: 0,
  startTicks: 100,
  parentPid: 1,
  groupId: 2,
  sessionId: 2,
  threads: 2,
  rssBytes: 50_000_000,
};

/** Virtual time in which we can be absent: nothing fires meanwhile, and what was due then fires late. */
export class JumpingClock extends VirtualClock {
  #jumpedMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.#jumpedMs;
  }

  jump(byMs: number): void {
    this.#jumpedMs += byMs;
  }
}

export type Answer = 'at once' | 'never';

export class WatchedWorker {
  readonly clock = new JumpingClock();
  readonly pings: number[] = [];
  readonly verdicts: LivenessVerdict[] = [];
  readonly failures: Error[] = [];
  answers: Answer = 'never';
  dumps = 0;
  reads = 0;
  /** What the system says of it; CPU time is added by `cpuPerBeatMs`. */
  process: Partial<ProcessReading> | undefined = {};
  /** CPU time that it uses in one beat, evenly. */
  cpuPerBeatMs = 0;
  readonly liveness = watchLiveness(
    { heartbeatMs: HEARTBEAT_MS, gilHoldMsMax: GIL_HOLD_MS_MAX },
    {
      clock: this.clock,
      ping: (seq) => this.onPing(seq),
      read: () => this.#read(),
      dump: () => {
        this.onDump();
      },
      failed: (error) => this.failures.push(error),
    },
    (verdict) => this.verdicts.push(verdict),
  );

  onPing(seq: number): void {
    this.pings.push(seq);
    if (this.answers === 'at once') this.clock.setTimeout(() => this.liveness.pong(seq), 1);
  }

  onDump(): void {
    this.dumps += 1;
  }

  /** Let beats go by. */
  beats(count: number): void {
    this.clock.advance(count * HEARTBEAT_MS);
  }

  /** Answer the last ping. */
  pong(): void {
    this.liveness.pong(this.pings.at(-1) ?? 0);
  }

  #read(): ProcessReading | undefined {
    this.reads += 1;
    if (this.process === undefined) return undefined;
    const cpuMs = (this.clock.nowMs() / HEARTBEAT_MS) * this.cpuPerBeatMs;
    return { ...READING, cpuMs, ...this.process };
  }
}

/** One that does not answer. */
export function silentWorker(
  facts: Partial<Pick<WatchedWorker, 'process' | 'cpuPerBeatMs'>> = {},
): WatchedWorker {
  return Object.assign(new WatchedWorker(), facts);
}
