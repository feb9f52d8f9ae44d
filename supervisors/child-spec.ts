// What must a supervisor know to start, restart and stop a child? OTP's child specification (supervisor, "Child specification").
import { LIMITS } from '../actors/ground/limits.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { ChildStart, Shutdown } from '../actors/lifecycle/child.ts';

/** `permanent`: always restarted; `transient`: only after an abnormal exit; `temporary`: never, and its row goes with it. */
export type RestartType = 'permanent' | 'transient' | 'temporary';

export interface ChildSpec {
  /** Unique among the children of one supervisor. */
  readonly id: string;
  readonly start: ChildStart;
  /** Default `permanent`. */
  readonly restart?: RestartType;
  /** Time to end by itself: milliseconds, `brutal_kill` or `infinity`. Default 5 000 for a worker, `infinity` for a supervisor. */
  readonly shutdown?: Shutdown;
  /** Default `worker`. */
  readonly type?: 'worker' | 'supervisor';
  /** When its start counts as done: `ready` (default, OTP's init) or `spawned`; an exit before ready is then an ordinary, counted exit. */
  readonly ack?: 'ready' | 'spawned';
  /** Beyond OTP: so many failed starts in a row end the supervisor. Unlimited by default. */
  readonly maxConsecutiveStartFailures?: number;
}

export type FullChildSpec = Required<ChildSpec>;

/** The specification with all defaults filled in. */
export function fullChildSpec(spec: ChildSpec): FullChildSpec {
  if (spec.id === '') throw new InvalidConfigError('children[].id', 'must not be empty');
  const type = spec.type ?? 'worker';
  return {
    restart: 'permanent',
    shutdown: type === 'supervisor' ? 'infinity' : LIMITS.shutdownMs,
    ack: 'ready',
    maxConsecutiveStartFailures: Number.POSITIVE_INFINITY,
    ...spec,
    type,
  };
}
