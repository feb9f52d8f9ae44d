// How many calls came to which end, and how long did they take? Counted by those who made them.

/** What became of a call, as its caller has seen it. `refused` calls were never accepted. */
export type Ending = 'completed' | 'failed' | 'cancelled' | 'refused';

export type Counts = Readonly<Record<Ending, number>>;

/** Errors by which a call is refused before it is accepted (`docs/pools.md` §2). */
const REFUSALS: ReadonlySet<string> = new Set([
  'overloaded',
  'circuit_open',
  'poisoned',
  'session_lost',
  'pool_failed',
  'pool_stopped',
  'runtime_stopped',
]);

/** The end that an error is, by its code. */
export function endingOf(code: string): Exclude<Ending, 'completed'> {
  if (code === 'aborted') return 'cancelled';
  return REFUSALS.has(code) ? 'refused' : 'failed';
}

/** Two neighbouring buckets differ by so much: the error of a percentile is half of it. */
const STEP = 1.02;
const LEAST_MS = 0.01;

/** Times of calls, in buckets: their number may be anything, their memory is not. */
export class Times {
  readonly #buckets: number[] = [];
  #count = 0;

  add(ms: number): void {
    const bucket = Math.max(0, Math.round(Math.log(ms / LEAST_MS) / Math.log(STEP)));
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count += 1;
  }

  /** The time that `share` of the calls were faster than; null when there were none. */
  percentile(share: number): number | null {
    let left = this.#count * share;
    for (const [bucket, count] of this.#buckets.entries()) {
      left -= count ?? 0;
      if (left < 0) return Number((LEAST_MS * STEP ** bucket).toPrecision(3));
    }
    return null;
  }
}

/** All calls to one pool. */
export class Tally {
  /** Of completed calls: from the call to its answer, as their callers wait. */
  readonly times = new Times();
  readonly #counts = { completed: 0, failed: 0, cancelled: 0, refused: 0 };
  readonly #codes = new Map<string, number>();

  completed(ms: number): void {
    this.#counts.completed += 1;
    this.times.add(ms);
  }

  ended(code: string, ending: Exclude<Ending, 'completed'>): void {
    this.#counts[ending] += 1;
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
  }

  get counts(): Counts {
    return { ...this.#counts };
  }

  /** How often each code came. */
  get codes(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#codes);
  }
}
