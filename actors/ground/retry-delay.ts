// How long does the next try of a call wait? Every kind of retry as a pure function of the attempt, the last wait and chance.
import { LIMITS } from './limits.ts';

/** How waits grow from one failure of a call to the next; of the last kind the caller says it, in ms, for attempt 1, 2, … */
export type Backoff =
  'exponential' | 'linear' | 'fibonacci' | 'decorrelated_jitter' | ((attempt: number) => number);

/** What a wait depends on. */
export interface DelayFacts {
  /** How often the call has failed: 1 after the first failure. */
  readonly attempt: number;
  /** The wait before the last try, in ms: 0 before there was any. Given in, where the original kept it in its process (B22). */
  readonly lastDelayMs: number;
  /** From 0 (included) to 1 (excluded). */
  readonly random: number;
}

/** The original's: at once, then a little later; the last one repeats. */
const IMMEDIATE_MS = [0, 100, 200] as const;

/** Waits of the original's `immediate_retry`. */
export function immediateDelayMs({ attempt, random }: DelayFacts): number {
  return jittered(IMMEDIATE_MS[Math.min(attempt, IMMEDIATE_MS.length) - 1] ?? 0, random);
}

/** The wait before another worker tries it, which is a matter of one try. */
export function failoverDelayMs({ random }: DelayFacts): number {
  return jittered(LIMITS.retryBaseMs, random);
}

/** Waits of the original's `backoff_retry`, and of the other kinds of its `RetryLogic`. Chance is in all of them, never below 0 and never beyond the bound. */
export function backoffDelayMs(backoff: Backoff, facts: DelayFacts): number {
  const { attempt, lastDelayMs, random } = facts;
  const baseMs = LIMITS.retryBaseMs;
  // It is made of chance already.
  if (backoff === 'decorrelated_jitter') {
    const upToMs = Math.max(baseMs, bounded(lastDelayMs * 3));
    return Math.round(baseMs + random * (upToMs - baseMs));
  }
  return jittered(bounded(steadyMs(backoff, attempt, baseMs)), random);
}

function steadyMs(
  backoff: Exclude<Backoff, 'decorrelated_jitter'>,
  attempt: number,
  baseMs: number,
): number {
  switch (backoff) {
    case 'exponential':
      return baseMs * 2 ** (attempt - 1);
    case 'linear':
      return baseMs * attempt;
    case 'fibonacci':
      return baseMs * fibonacci(attempt);
    default:
      return backoff(attempt);
  }
}

/** 1, 1, 2, 3, 5, … by Binet's formula, exact as far as any wait goes. */
function fibonacci(n: number): number {
  return Math.round(((1 + Math.sqrt(5)) / 2) ** n / Math.sqrt(5));
}

/** No number, and what is below 0, is 0: a function of the caller's may give anything. */
function bounded(ms: number): number {
  return Math.max(0, Math.min(ms, LIMITS.retryDelayMsMax)) || 0;
}

/** Up to a quarter less or more, so that calls that failed together are not tried together. */
function jittered(ms: number, random: number): number {
  const spread = ms * LIMITS.retryJitter;
  return Math.min(Math.round(ms - spread + 2 * spread * random), LIMITS.retryDelayMsMax);
}
