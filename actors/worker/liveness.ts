// Does a worker still live? Pings it at every beat, and asks the operating system when it does not answer.
import type { Actor } from 'xstate';

import type { Clock, TimerId } from '../ground/clock.ts';
import { errorFrom } from '../ground/error-from.ts';
import { LIMITS } from '../ground/limits.ts';
import { createRoot } from '../lifecycle/root.ts';
import type { ProcessReading } from '../port/host.ts';
import {
  livenessMachine,
  type LivenessSnapshot,
  type LivenessState,
  type LivenessVerdict,
  type MissedBeat,
  type Pulse,
} from './liveness.machine.ts';

export type { LivenessVerdict } from './liveness.machine.ts';

export interface LivenessOptions {
  readonly heartbeatMs: number;
  /** A worker that works and does not answer is left alone for so long after it was suspected; judged at the beat that follows. */
  readonly gilHoldMsMax: number;
}

export interface LivenessPorts {
  readonly clock: Clock;
  readonly ping: (seq: number) => void;
  /** The worker's process as the system sees it now. */
  readonly read: () => ProcessReading | undefined;
  /** Have it write its stacks (SIGUSR1). Called at most once before a verdict. */
  readonly dump: () => void;
  /** The watch itself has failed, and is over: something threw that is not the worker's fault. */
  readonly failed: (error: Error) => void;
}

/** The watch over one incarnation. */
export interface Liveness {
  readonly state: LivenessState;
  /** It has answered: whatever was suspected is forgotten. A `seq` that was never sent is ignored. */
  pong(seq: number): void;
  /** Ping no more, and give no verdict any more. */
  stop(): void;
}

/** What one beat found. */
export interface BeatFacts {
  readonly heartbeatMs: number;
  /** How long after its time the beat is judged. */
  readonly lateMs: number;
  /** Since the beat before. */
  readonly elapsedMs: number;
  /** A pong came since the last ping. */
  readonly isAnswered: boolean;
  /** Of the process that is watched; undefined when the system did not tell. */
  readonly startTicks: number | undefined;
  /** The process at the beat before, if it was read then; and now. */
  readonly before: ProcessReading | undefined;
  readonly now: ProcessReading | undefined;
}

/**
 * `late`: we were not there ourselves (a blocked event loop, a suspended host), so the beat says nothing of the worker.
 * `gone`: it is dead or another process has its pid; its exit tells that, nobody else.
 */
export type Beat =
  | { readonly type: 'beat.answered' }
  | { readonly type: 'beat.late' }
  | { readonly type: 'beat.gone' }
  | MissedBeat;

/** Judge one beat. */
export function judgeBeat(facts: BeatFacts): Beat {
  const { heartbeatMs, lateMs, elapsedMs, isAnswered, startTicks, before, now } = facts;
  if (isAnswered) return { type: 'beat.answered' };
  if (lateMs > heartbeatMs) return { type: 'beat.late' };
  if (now?.state === 'zombie') return { type: 'beat.gone' };
  const isStranger = startTicks !== undefined && now !== undefined && now.startTicks !== startTicks;
  if (isStranger) return { type: 'beat.gone' };
  return { type: 'beat.missed', pulse: pulseOf(before, now, elapsedMs), elapsedMs };
}

/** Does a process work that does not answer? `before` is the reading of `elapsedMs` ago. */
export function pulseOf(
  before: ProcessReading | undefined,
  now: ProcessReading | undefined,
  elapsedMs: number,
): Pulse {
  if (now === undefined) return 'unknown';
  switch (now.state) {
    case 'stopped':
      return 'stopped';
    // It computes, or would if others left it a core: at nice 19 beside busy cores it got 10 ms in a beat, and was not dead.
    case 'running':
    // It waits for a disk or for swapped memory. SIGKILL does not end such a wait either.
    case 'uninterruptible':
      return 'working';
    case 'sleeping':
    case 'zombie':
    case 'other':
      break;
    default:
      now.state satisfies never;
  }
  if (before === undefined) return 'unknown';
  const usedMs = now.cpuMs - before.cpuMs;
  return usedMs > idleCpuMsMax(now.threads, elapsedMs) ? 'working' : 'idle';
}

/**
 * The CPU time that a frozen process still uses. A Python thread that waits for the interpreter lock wakes every 5 ms to ask for it; measured on one
 * machine, each takes 0.3 to 1.1 % of a core (Python 3.10 to 3.13), and the control thread with its unanswered ping is one of them. A thread that computes takes nearly all of one.
 */
function idleCpuMsMax(threads: number, elapsedMs: number): number {
  const percent = Math.min(threads * LIMITS.gilWaiterCpuPercent, LIMITS.gilWaitersCpuPercentMax);
  return LIMITS.cpuTickMs + (elapsedMs * percent) / 100;
}

/**
 * Watch a worker from now on, whose process must live: the first ping goes out at once, each further one a beat later. `onVerdict` is called at most once, never from inside this function; then the watch is over.
 */
export function watchLiveness(
  options: LivenessOptions,
  ports: LivenessPorts,
  onVerdict: (verdict: LivenessVerdict) => void,
): Liveness {
  return new Watch(options, ports, onVerdict);
}

class Watch implements Liveness {
  readonly #heartbeatMs: number;
  readonly #ports: LivenessPorts;
  readonly #onVerdict: (verdict: LivenessVerdict) => void;
  readonly #actor: Actor<typeof livenessMachine>;
  /** The last ping, and the last one at the time of the last pong: equal when it has answered since. */
  #seq = 0;
  #heardSeq = 0;
  #beatAtMs: number;
  /** What tells this process from a later one with its pid. */
  #startTicks: number | undefined;
  /** Read at the last beat, if that was not answered. */
  #before: ProcessReading | undefined;
  #timer: TimerId;

  constructor(
    { heartbeatMs, gilHoldMsMax }: LivenessOptions,
    ports: LivenessPorts,
    onVerdict: (verdict: LivenessVerdict) => void,
  ) {
    const { clock } = ports;
    this.#heartbeatMs = heartbeatMs;
    this.#ports = ports;
    this.#onVerdict = onVerdict;
    this.#beatAtMs = clock.nowMs();
    const machine = livenessMachine.provide({
      actions: {
        dump: () => ports.dump(),
        poll: () => clock.afterPoll(() => this.#tell({ type: 'polled' })),
      },
    });
    const input = {
      missesMax: LIMITS.heartbeatMissesMax,
      gilHoldMsMax,
      dumpMs: LIMITS.dumpMs,
    };
    this.#actor = createRoot(machine, {
      id: 'liveness',
      clock,
      input,
      onSnapshot: (snapshot) => this.#onSnapshot(snapshot),
      onError: (error) => this.#fail(error),
    });
    this.#actor.start();
    this.#begin();
  }

  get state(): LivenessState {
    const snapshot = this.#actor.getSnapshot();
    return snapshot.status === 'active' ? snapshot.value : 'over';
  }

  pong(seq: number): void {
    if (seq > this.#seq) return;
    this.#heardSeq = this.#seq;
    this.#tell({ type: 'pong' });
  }

  stop(): void {
    this.#ports.clock.clearTimeout(this.#timer);
    this.#actor.stop();
  }

  #tell(event: Parameters<Actor<typeof livenessMachine>['send']>[0]): void {
    if (this.#isActive()) this.#actor.send(event);
  }

  #isActive(): boolean {
    return this.#actor.getSnapshot().status === 'active';
  }

  #begin(): void {
    try {
      this.#startTicks = this.#ports.read()?.startTicks;
    } catch (error) {
      this.#fail(errorFrom(error));
      return;
    }
    this.#ask();
  }

  /** Ping, and look after the answer a beat later: not in the timer, since what has come meanwhile may still lie in the socket. */
  #ask(): void {
    const { clock } = this.#ports;
    const dueAtMs = clock.nowMs() + this.#heartbeatMs;
    this.#timer = clock.setTimeout(() => {
      clock.afterPoll(() => this.#beat(dueAtMs));
    }, this.#heartbeatMs);
    this.#seq += 1;
    try {
      this.#ports.ping(this.#seq);
    } catch (error) {
      this.#fail(errorFrom(error));
    }
  }

  #beat(dueAtMs: number): void {
    if (!this.#isActive()) return;
    try {
      const beat = this.#look(dueAtMs);
      if (beat.type === 'beat.missed') this.#tell(beat);
    } catch (error) {
      this.#fail(errorFrom(error));
    }
    if (this.#isActive()) this.#ask();
  }

  #look(dueAtMs: number): Beat {
    const nowMs = this.#ports.clock.nowMs();
    const isAnswered = this.#heardSeq === this.#seq;
    const now = isAnswered ? undefined : this.#ports.read();
    const beat = judgeBeat({
      heartbeatMs: this.#heartbeatMs,
      lateMs: nowMs - dueAtMs,
      elapsedMs: nowMs - this.#beatAtMs,
      isAnswered,
      startTicks: this.#startTicks,
      before: this.#before,
      now,
    });
    this.#before = now;
    this.#beatAtMs = nowMs;
    return beat;
  }

  #onSnapshot(snapshot: LivenessSnapshot): void {
    if (snapshot.status !== 'done') return;
    this.stop();
    if (snapshot.output !== undefined) this.#onVerdict(snapshot.output);
  }

  #fail(error: Error): void {
    this.stop();
    this.#ports.failed(error);
  }
}
