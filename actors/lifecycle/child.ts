// What is the same for every supervised child, whatever is inside? Its states, its facts upward, its orders downward.
import type { CrashReport } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';

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
export type LifecycleState = (typeof LIFECYCLE_STATES)[number];

/** How long a child may take to end: OTP's `shutdown` of a child specification. */
export type Shutdown = number | 'brutal_kill' | 'infinity';

/** What a child tells the shell that holds it. Every fact carries the epoch: those of an old one are dropped. */
export type ChildFact =
  | { readonly type: 'child.ready'; readonly id: string; readonly epoch: number }
  /** It takes no more work, whatever comes next. Told at once, before it is known why. */
  | { readonly type: 'child.unavailable'; readonly id: string; readonly epoch: number }
  /** It ended without being asked, and waits for a verdict. */
  | {
      readonly type: 'child.crashed';
      readonly id: string;
      readonly epoch: number;
      readonly report: CrashReport;
      /** Whether this incarnation had ever been ready. */
      readonly phase: 'starting' | 'started';
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
  /** The verdict on a crash was restart: begin `epoch` after `delayMs`. Ignored unless crashed. */
  restart(epoch: number, delayMs: number): void;
  /** End within `shutdown`; answered by `child.stopped`. A second order counts only when it is `brutal_kill`. */
  stop(shutdown: Shutdown, reason: ExitReason): void;
  /** The children of a supervisor, in start order. */
  children(): readonly Child[];
}

/** Starts a lifecycle in state `spawning`. The listener is not called from inside this function. */
export type ChildStart = (start: {
  readonly id: string;
  readonly path: string;
  readonly epoch: number;
  readonly listener: (fact: ChildFact) => void;
}) => Child;
