// What does a router need, and what can one see of it? Types only.
import type { Bus } from '../../actors/ground/bus.ts';
import type { Cancellation } from '../../actors/ground/errors.ts';
import type { Clock } from '../../actors/ground/clock.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';

export interface RouterOptions {
  readonly pool: string;
  readonly queueLengthMax: number;
  /** Calls that a worker may hold ahead of those that run. Default 0. */
  readonly prefetch?: number | undefined;
  /** Order a new incarnation in place of this one, in which an abandoned call may still run. */
  readonly replaceWorker: (worker: Worker, epoch: number, because: string) => void;
}

export interface RouterPorts {
  readonly clock: Clock;
  readonly bus: Bus;
}

/** A call whose caller reads its items. */
export interface OpenCall {
  /** As of any call. */
  readonly settled: Promise<unknown>;
  /** Ask for `n` more items. */
  readonly credit: (n: number) => void;
  /** Read no further: the generator is closed. @returns how its end goes on; undefined when it is over. */
  readonly stop: () => Cancellation | undefined;
}

/** Counters since the start, and gauges of now. */
export interface RouterStatistics {
  readonly ready: number;
  readonly busy: number;
  readonly queueLength: number;
  readonly sessions: number;
  readonly accepted: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly refused: number;
  readonly replayed: number;
}
