// How long does a restart wait? Not at all in OTP; with a back-off: full jitter under a ceiling that doubles.
import type { Random } from '../actors/ground/random.ts';

/**
 * Wait before a restart. Full jitter: any time from 0 to the ceiling, equally likely, so that children that died of one cause do not come back in step
 * (M. Brooker, "Exponential Backoff And Jitter", 2015).
 */
export interface Backoff {
  /** The ceiling of the first restart, in ms; each further one in a row doubles it. At least 1. */
  readonly minMs: number;
  /** No ceiling is higher, in ms. */
  readonly maxMs: number;
  /** An incarnation that was up for so long, in ms, begins a new row. Default: the mean of `minMs` and `maxMs`. */
  readonly resetAfterMs?: number;
}

/** Beyond this exponent every ceiling is `maxMs`: 2^52 ms are longer than recorded history. */
const EXPONENT_MAX = 52;

/** @param restartsInRow restarts before this one without a stable time between. @returns ms to wait. */
export function backoffDelayMs(
  backoff: Backoff | undefined,
  restartsInRow: number,
  random: Random,
): number {
  if (backoff === undefined) return 0;
  const ceilingMs = Math.min(
    backoff.maxMs,
    backoff.minMs * 2 ** Math.min(restartsInRow, EXPONENT_MAX),
  );
  return Math.floor(random.next() * (ceilingMs + 1));
}

/** @returns the restarts in a row that count for a child that was up for `upMs`. */
export function restartsInRow(backoff: Backoff | undefined, before: number, upMs: number): number {
  if (backoff === undefined) return 0;
  const stableMs = backoff.resetAfterMs ?? (backoff.minMs + backoff.maxMs) / 2;
  return upMs >= stableMs ? 0 : before;
}
