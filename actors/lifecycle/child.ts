// What is the same for every supervised child, whatever is inside? Its states, its facts upward, its orders downward.
import type { Bus } from '../ground/bus.ts';
import type { Clock } from '../ground/clock.ts';
import type { CrashReport } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type { Random } from '../ground/random.ts';
import type { Names } from './names.ts';
import type { ActorRef } from './ref.ts';

/** The life of every child, in the words of the design. */
export const LIFECYCLE_STATES = [
  'spawning',
  'ready',
  'busy',
  'draining',
  'crashed',
  'restarting',
  'stopping',
  'stopped',
] as const;
/** One of {@link LIFECYCLE_STATES}. */
export type LifecycleState = (typeof LIFECYCLE_STATES)[number];

/** How long a child may take to end: OTP's `shutdown` of a child specification. Milliseconds; `brutal_kill` asks nothing first; `infinity` waits. */
export type Shutdown = number | 'brutal_kill' | 'infinity';

/** What a child tells the shell that holds it. Every fact carries the epoch: those of an old one are dropped. */
export type ChildFact =
  | {
      readonly type: 'child.ready';
      readonly id: string;
      readonly epoch: number;
      /** What its start gave besides: OTP's `{ok, Pid, Info}`. */
      readonly info?: unknown;
    }
  /** Its start said `ignore`: there is nothing to supervise, and this lifecycle is over. */
  | { readonly type: 'child.ignored'; readonly id: string; readonly epoch: number }
  /** It takes no more work, whatever comes next. Told at once, before it is known why. */
  | { readonly type: 'child.unavailable'; readonly id: string; readonly epoch: number }
  /** It ended without being asked, and waits for a verdict. */
  | {
      readonly type: 'child.crashed';
      readonly id: string;
      readonly epoch: number;
      readonly report: CrashReport;
    }
  /** It ended for good; this lifecycle will not start again. */
  | {
      readonly type: 'child.stopped';
      readonly id: string;
      readonly epoch: number;
      readonly reason: ExitReason;
    };

/** A lifecycle, as the shell of its supervisor holds it. */
export interface Child {
  readonly id: string;
  readonly kind: 'worker' | 'supervisor';
  readonly state: LifecycleState;
  readonly epoch: number;
  /** The operating system's process, where there is one. */
  readonly pid: number | undefined;
  /** The present incarnation. */
  readonly ref: ActorRef;
  /** The verdict on a crash was restart: begin `epoch` after `delayMs`. Ignored unless crashed. */
  restart(epoch: number, delayMs: number): void;
  /** End within `shutdown`; answered by `child.stopped`. A second order counts only when it is `brutal_kill`. */
  stop(shutdown: Shutdown, reason: ExitReason): void;
  /** The children of a supervisor, in start order. */
  children(): readonly Child[];
}

/** What a supervisor gives a lifecycle that it starts. */
export interface StartOrder {
  readonly id: string;
  readonly path: string;
  readonly epoch: number;
  /** May be called from inside the start: whoever is up at once says so at once. */
  readonly listener: (fact: ChildFact) => void;
  /** Told by lifecycles that run code of their users inside of the start: of each incarnation, before any of its code runs. As OTP registers a process before its init. */
  readonly begun?: (life: Child) => void;
}

/** Starts a lifecycle. */
export type ChildStart = (order: StartOrder) => Child;

/** What every life in a tree needs of the world. */
export interface LifePorts {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly random: Random;
  readonly names: Names;
}

const LIFECYCLE = Symbol.for('caduceus.lifecycle');

/** A `start` of a child specification that makes its own kind of lifecycle: a supervisor, a Python worker. */
export interface LifecycleStart {
  readonly [LIFECYCLE]: 'worker' | 'supervisor';
  /** What a linter of trees wants to know of it without starting it. */
  readonly about?: unknown;
  readonly make: (ports: LifePorts) => ChildStart;
}

/** Mark `make` as one that gives lifecycles. */
export function lifecycleStart(
  kind: 'worker' | 'supervisor',
  make: (ports: LifePorts) => ChildStart,
  about?: unknown,
): LifecycleStart {
  return { [LIFECYCLE]: kind, make, about };
}

/** The kind of lifecycle that `start` makes, if it is one that does. */
export function lifecycleKindOf(start: unknown): 'worker' | 'supervisor' | undefined {
  if (typeof start !== 'object' || start === null || !(LIFECYCLE in start)) return undefined;
  return (start as LifecycleStart)[LIFECYCLE];
}
