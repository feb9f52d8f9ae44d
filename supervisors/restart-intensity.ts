// Is one more restart still within the window? OTP's rule (supervisor, "Maximum Restart Intensity"): stamp before the try, the current one counts.

export interface RestartIntensity {
  /** Restarts allowed within `periodMs`; 0 means that the first one is already too many. */
  readonly maxRestarts: number;
  readonly periodMs: number;
}

export type IntensityVerdict =
  { readonly type: 'allowed'; readonly history: readonly number[] } | { readonly type: 'exceeded' };

/**
 * @param history monotonic times of earlier restarts, newest first.
 * OTP stamps in whole seconds; here milliseconds are compared, so the window is exact (recorded in `docs/decisions/`).
 */
export function countRestart(
  intensity: RestartIntensity,
  history: readonly number[],
  nowMs: number,
): IntensityVerdict {
  const recent = [nowMs, ...history.filter((thenMs) => nowMs - thenMs <= intensity.periodMs)];
  return recent.length <= intensity.maxRestarts
    ? { type: 'allowed', history: recent }
    : { type: 'exceeded' };
}

/**
 * Replacements that the runtime orders itself (deadlines, aborts) spend no restart budget, but have a rate of their own.
 * @returns milliseconds to wait before the next one may start; 0 when the window allows it now.
 */
export function replacementDelayMs(
  limit: RestartIntensity,
  history: readonly number[],
  nowMs: number,
): number {
  const blocking = history[limit.maxRestarts - 1];
  return blocking === undefined ? 0 : Math.max(0, blocking + limit.periodMs - nowMs);
}
