// What does one ask of a supervisor as a whole? OTP's supervisor flags.
import type { Bus } from '../actors/ground/bus.ts';
import type { Clock } from '../actors/ground/clock.ts';
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import type { ChildSpec } from './child-spec.ts';
import type { RestartIntensity } from './restart-intensity.ts';

export interface SupervisorFlags {
  /** In start order; stopped in reverse. */
  readonly children: readonly ChildSpec[];
  /** Default 3 restarts … */
  readonly maxRestarts?: number;
  /** … in 5 000 ms. */
  readonly periodMs?: number;
  /** Told when it gives up, with the crash that was one too many, before its children are stopped. */
  readonly onGiveUp?: (because: string, last: ExitReason) => void;
}

export interface SupervisorPorts {
  readonly clock: Clock;
  readonly bus: Bus;
}

export function intensityOf(flags: SupervisorFlags): RestartIntensity {
  return {
    maxRestarts: flags.maxRestarts ?? LIMITS.maxRestarts,
    periodMs: flags.periodMs ?? LIMITS.periodMs,
  };
}
