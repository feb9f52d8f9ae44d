// How many calls are where, and how long did they wait and run? accepted = completed + failed + cancelled + queued + running, always.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

import type { CallRow } from './call-row.ts';
import type { RowPhase } from './row-phase.ts';

/** A distribution, in ms. */
export interface HistogramView {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** What a call became. */
export type End = 'completed' | 'failed' | 'cancelled';

const US_PER_MS = 1000;
/** An hour: what takes longer counts as that. */
const HISTOGRAM_US_MAX = 3_600_000_000;
const NOTHING: HistogramView = { count: 0, min: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 };

/** The books of one pool. */
export class Accounting {
  readonly counters = {
    accepted: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    /** Calls that were failed because they could not have made it any more; among `failed`. */
    shed: 0,
    retried: 0,
    /** Entries of journals that incarnations were told. */
    replayed: 0,
    /** Sessions: lost for good; unbound by the end of their worker, to be made again; ended by their age. */
    lost: 0,
    rebuilt: 0,
    expired: 0,
    /** Calls that were refused as poison, at once or when their turn came. */
    quarantined: 0,
    batches: 0,
    batchedCalls: 0,
    /** Calls of the pool's own: snapshots, forgetting. */
    internal: 0,
  };
  /** By the code of the error. */
  readonly refused: Record<string, number> = {};
  #queued = 0;
  #running = 0;
  readonly #wait = newHistogram();
  readonly #run = newHistogram();

  /** Calls that wait, for a worker or for their next try. */
  get queued(): number {
    return this.#queued;
  }

  /** Calls that a worker has, or had and that are not answered yet; and checkouts that hold one. */
  get running(): number {
    return this.#running;
  }

  get waitMs(): HistogramView {
    return viewOf(this.#wait);
  }

  get runMs(): HistogramView {
    return viewOf(this.#run);
  }

  accept(row: CallRow): void {
    if (!isCounted(row)) return;
    this.counters.accepted += 1;
    this.#queued += 1;
  }

  refuse(code: string): void {
    if (code === 'poisoned') this.counters.quarantined += 1;
    this.refused[code] = (this.refused[code] ?? 0) + 1;
  }

  /** The row goes from one phase to another; its end is told by `end`. */
  move(row: CallRow, to: Exclude<RowPhase, 'settled'>): void {
    const was = isWaiting(row.phase);
    row.phase = to;
    const is = isWaiting(to);
    if (was === is || !isCounted(row)) return;
    const by = is ? 1 : -1;
    this.#queued += by;
    this.#running -= by;
  }

  end(row: CallRow, end: End): void {
    const was = isWaiting(row.phase);
    row.phase = 'settled';
    if (!isCounted(row)) return;
    if (was) this.#queued -= 1;
    else this.#running -= 1;
    this.counters[end] += 1;
  }

  /** So many calls were sent as one. */
  batch(size: number): void {
    this.counters.batches += 1;
    this.counters.batchedCalls += size;
  }

  waited(ms: number): void {
    this.#wait.record(toUs(ms));
  }

  ran(ms: number): void {
    this.#run.record(toUs(ms));
  }
}

/** The pool's own calls are none of a caller's, and a batch is counted by its calls. */
function isCounted({ kind }: CallRow): boolean {
  return kind === 'call' || kind === 'checkout';
}

function isWaiting(phase: RowPhase): boolean {
  return phase === 'queued' || phase === 'waiting';
}

function newHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: HISTOGRAM_US_MAX, figures: 2 });
}

/** Whole microseconds, from 1 on, as the histogram takes them. */
function toUs(ms: number): number {
  return Math.min(HISTOGRAM_US_MAX, Math.max(1, Math.round(ms * US_PER_MS)));
}

function viewOf(histogram: RecordableHistogram): HistogramView {
  if (histogram.count === 0) return NOTHING;
  const at = (percentile: number): number => histogram.percentile(percentile) / US_PER_MS;
  return {
    count: histogram.count,
    min: histogram.min / US_PER_MS,
    mean: histogram.mean / US_PER_MS,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    max: histogram.max / US_PER_MS,
  };
}
