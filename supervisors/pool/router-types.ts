// What does a router need, and what can one see of it? Types only.
import type { BreakerSettings } from '../../actors/breaker/breaker.ts';
import type { Bus } from '../../actors/ground/bus.ts';
import type { Cancellation } from '../../actors/ground/errors.ts';
import type { Clock } from '../../actors/ground/clock.ts';
import type { Random } from '../../actors/ground/random.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import type { Accounting, HistogramView } from './accounting.ts';
import type { Affinity, SessionOptions } from './pool-options.ts';
import type { ResolveSecret, ScopeStore } from './scope-store.ts';

/** Operations of the bridge that the pool calls by itself; the roles of its adapter. */
export interface PoolOperations {
  /** Drops what a session made. */
  readonly forget?: string | undefined;
  /** Gives the state of a session, and takes it again as the argument `state`. Both or none. */
  readonly snapshot?: string | undefined;
  readonly restore?: string | undefined;
}

export interface RouterOptions {
  readonly pool: string;
  readonly queueLengthMax: number;
  readonly queueBytesMax?: number | undefined;
  /** Calls that a worker may hold ahead of those that run. Default 0. */
  readonly prefetch?: number | undefined;
  /** Default `required`. */
  readonly affinity?: Affinity | undefined;
  /** Default `rebuild`. */
  readonly onSessionLoss?: 'rebuild' | 'fail' | undefined;
  readonly sessions?: SessionOptions | undefined;
  readonly operations?: PoolOperations | undefined;
  /** Undefined: journals live as long as this process. */
  readonly store?: ScopeStore | undefined;
  readonly resolveSecret?: ResolveSecret | undefined;
  /** Undefined: no breaker. */
  readonly breaker?: BreakerSettings | undefined;
  readonly retryBudget?: { readonly ratio: number; readonly burst: number } | undefined;
  readonly quarantine?: { readonly crashes: number; readonly forMs: number } | undefined;
  /** Order a new incarnation in place of this one, in which an abandoned call may still run. */
  readonly replaceWorker: (worker: Worker, epoch: number, because: string) => void;
  /** A call waits for a worker. Told for each: it must cost little. */
  readonly onQueued?: (() => void) | undefined;
  /** A worker has nothing to do now. */
  readonly onIdle?: ((worker: Worker, epoch: number) => void) | undefined;
  /** A call of it is over; how many this incarnation has had. */
  readonly onCallOver?: ((worker: Worker, epoch: number, callsCount: number) => void) | undefined;
}

export interface RouterPorts {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly random: Random;
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

/** How busy a pool is, for whoever decides about its workers. */
export interface Load {
  /** Places at which any worker would do: what waits for its own is helped by no other. */
  readonly queued: number;
  /** Workers that may be sent a call of anybody now. */
  readonly idle: number;
  readonly busy: number;
  /** Of the one of them that has waited longest, in ms; looks at all that wait. */
  readonly oldestWaitMs: number;
}

/** Gauges of now. */
export interface RouterGauges {
  readonly idle: number;
  readonly busy: number;
  /** Held by checkouts. */
  readonly held: number;
  readonly leaving: number;
  readonly queued: number;
  readonly queuedBytes: number;
  readonly running: number;
  readonly sessions: number;
  readonly oldestWaitMs: number;
  readonly breaker: 'closed' | 'open' | 'half_open' | 'none';
}

export interface RouterStatistics {
  readonly gauges: RouterGauges;
  readonly counters: Accounting['counters'] & {
    /** By the code of the error. */
    readonly refused: Readonly<Record<string, number>>;
  };
  /** From acceptance to a worker. */
  readonly waitMs: HistogramView;
  /** From a worker to its answer. */
  readonly runMs: HistogramView;
}
