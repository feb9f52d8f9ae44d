// What may be said of a pool, and what holds when it is not? Types only; the defaults are in `actors/ground/limits.ts`.
import type { ProcessLimits } from '../../actors/port/message.ts';
import type { ResourceLimits } from '../../actors/worker/resources.ts';

/** How a session holds on to the worker that has its state (`docs/pools.md` §3). */
export type Affinity = 'none' | 'preferred' | 'required';

/** The size moves between `min` and `max`. */
export interface AutoscaleOptions {
  readonly min: number;
  readonly max: number;
  /** One worker more when the oldest waiting call has waited this long, in ms. */
  readonly queueWaitMs: number;
}

/** Of the sessions of one pool (`docs/pools.md` §4). */
export interface SessionOptions {
  /** A session without a call for this long ends, in ms. Default 3 600 000. */
  readonly ttlMs?: number | undefined;
  /** Default 10 000. */
  readonly max?: number | undefined;
  /** Entries of one journal after compaction. Default 1 000. */
  readonly journalEntriesMax?: number | undefined;
  /** Default 16 MiB. */
  readonly journalBytesMax?: number | undefined;
  /** Updates of a session between two snapshots, where its bridge can make them. Default 1. */
  readonly snapshotEvery?: number | undefined;
}

/** Of the pool's circuit breaker (`docs/pools.md` §6). */
export interface BreakerOptions {
  /** Crashes with no success between them that open it. Default 5, or twice the size if that is more. */
  readonly failureThreshold?: number | undefined;
  /** Successes in half open that close it. Default 3. */
  readonly successThreshold?: number | undefined;
  /** From the last failure to half open, in ms. Default 60 000. */
  readonly openMs?: number | undefined;
  /** Calls that are let through at a time while it is half open. Default 3. */
  readonly halfOpenCallsMax?: number | undefined;
  /** A probe without an end for this long is lost, in ms. Default 30 000, or the pool's `callTimeoutMs` if that is more. */
  readonly probeTimeoutMs?: number | undefined;
}

/** How many retries a pool makes by itself: `ratio` for each call, and `burst` more. */
export interface RetryBudgetOptions {
  /** Default 0.2. */
  readonly ratio?: number | undefined;
  /** Default 10. */
  readonly burst?: number | undefined;
}

/** When a call counts as poison. */
export interface QuarantineOptions {
  /** Crashes that it was in flight in. Default 2. */
  readonly crashes?: number | undefined;
  /** Default 60 000. */
  readonly forMs?: number | undefined;
}

export interface PoolOptions {
  /** Workers. Default 4. */
  readonly size?: number | undefined;
  /** Further workers while calls wait and nobody is idle. Default 0. */
  readonly overflow?: number | undefined;
  /** A worker beyond `size` (or `autoscale.min`) goes after this time without a call, in ms. Default 30 000. */
  readonly idleTimeoutMs?: number | undefined;
  readonly autoscale?: AutoscaleOptions | undefined;
  /** Workers that load at a time. Default: cores, at least 2. */
  readonly maxConcurrentStarts?: number | undefined;
  /** Retries of a call by default. Default 2. */
  readonly maxRetries?: number | undefined;
  /** Bytes of the calls that may wait, estimated. Default 64 MiB. */
  readonly queueBytesMax?: number | undefined;
  /** Default `required`. */
  readonly affinity?: Affinity | undefined;
  /** What becomes of a session whose worker has ended. Default: `rebuild` where the adapter marks what changes state, else `fail`. */
  readonly onSessionLoss?: 'rebuild' | 'fail' | undefined;
  /** A worker that has had this many calls is replaced. Default: no limit; so with the next two. */
  readonly maxCallsPerWorker?: number | undefined;
  readonly maxAgeMs?: number | undefined;
  /** Resident memory, as read at the heartbeats. */
  readonly maxRssBytes?: number | undefined;
  /** Each worker's three limits are lower by a random part, at most this one. Default 0.1. */
  readonly recycleJitter?: number | undefined;
  /** What a worker that is to be replaced gets for the calls and sessions that it has, in ms. Default 60 000. */
  readonly drainMs?: number | undefined;
  readonly sessions?: SessionOptions | undefined;
  readonly breaker?: BreakerOptions | false | undefined;
  readonly retryBudget?: RetryBudgetOptions | undefined;
  readonly quarantine?: QuarantineOptions | undefined;
  /** Default time of a call to find a worker, in ms; 0: now or not at all. Default 5 000. */
  readonly checkoutTimeoutMs?: number | undefined;
  /** Default time of a whole call, in ms. Default 30 000. */
  readonly callTimeoutMs?: number | undefined;
  /** Calls that may wait. Default 1 000. */
  readonly queueLengthMax?: number | undefined;
  /**
   * Calls that one worker runs at a time, for bridges that declare themselves `threads` or `asyncio`: at most as many as the bridge declares, which is the default. 1 for all others.
   */
  readonly concurrency?: number | undefined;
  /**
   * Calls that are written to a worker ahead of those that run, when none is idle. They run one after the other and save the way to Python and back between two of them; when their
   * worker dies they fail with `notSent`. Default 0.
   */
  readonly prefetch?: number | undefined;
  /** From the start of a worker to `ready`, in ms. Default 60 000. */
  readonly startTimeoutMs?: number | undefined;
  /** What a worker gets to finish its call when the pool stops, in ms. Default 5 000. */
  readonly shutdownMs?: number | undefined;
  /** Between two heartbeats of a worker, in ms: one that misses three is looked at, and killed when it neither answers nor works. Default 2 000. */
  readonly heartbeatMs?: number | undefined;
  /** How long one call into C may hold Python's interpreter lock, in ms, before its worker is killed for not answering. Default 30 000. */
  readonly gilHoldMsMax?: number | undefined;
  /** What the kernel holds each worker to. Default: nothing beyond what this process is held to. */
  readonly limits?: ProcessLimits | undefined;
  /** Beyond these `worker.over_limit` is told, once for each, as read from the system at the heartbeats. */
  readonly usageLimits?: ResourceLimits | undefined;
  /** Restarts within `periodMs` before the pool gives up. Default 3 for each worker: the death of all at once (no memory left) is not yet a loop. */
  readonly maxRestarts?: number | undefined;
  /** Default 5 000. */
  readonly periodMs?: number | undefined;
  /** Failed starts in a row before the pool gives up. Default 3. */
  readonly maxConsecutiveStartFailures?: number | undefined;
}
