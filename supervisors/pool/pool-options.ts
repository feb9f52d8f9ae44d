// What may be said of a pool, and what holds when it is not? Types only; the defaults are in `actors/ground/limits.ts`.
import type { ProcessLimits } from '../../actors/port/message.ts';
import type { ResourceLimits } from '../../actors/worker/resources.ts';

export interface PoolOptions {
  /** Workers. Default 4. */
  readonly size?: number | undefined;
  /** Default time of a call to find a worker, in ms. Default 5 000. */
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
