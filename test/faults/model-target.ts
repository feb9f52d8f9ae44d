// What does a plan need of the world that it is played in? The same of scripted workers under virtual time and of real processes.
import { defineAdapter, type Adapter, type BridgeHandle } from '../../src/index.ts';
import type { BusEventName, BusListener } from '../../src/index.ts';
import type { PoolOptions } from '../../supervisors/pool/pool-options.ts';
import type { Plan } from './model-plan.ts';

/** What the pool is called. */
export const POOL = 'p';

/** What the named times of a plan are, in ms. */
export interface Tempo {
  readonly quickMs: number;
  readonly slowMs: number;
  readonly ampleMs: number;
  readonly tightMs: number;
  readonly spans: { readonly blink: number; readonly moment: number; readonly while: number };
  /** How much later than its time a call may be told of its end. */
  readonly lateMsMax: number;
  /** From the last fault until the pool has its workers again. */
  readonly recoveryMs: number;
  /** How long a worker beyond the size stays. */
  readonly idleMs: number;
  readonly heartbeatMs: number;
  /** How long a breaker is open, and a pool that has given up is down. */
  readonly breakerMs: number;
  /** What a worker gets that is to be replaced, where that is ample. */
  readonly drainMs: number;
}

/** Crashes that open it: few, so that plans reach it. */
export const BREAKER_FAILURES = 2;

/** What Python did, in the order in which it did it. */
export interface Execution {
  readonly kind: 'start' | 'end';
  /** Of the call, as it stands in its arguments. */
  readonly number: number;
  readonly op: string;
  readonly session: string | null;
  readonly pid: number;
  /** By the clock of {@link Target.stamp}. */
  readonly stamp: number;
}

export interface Incarnation {
  readonly path: string;
  readonly epoch: number;
  readonly pid: number;
  readonly state: string;
}

export interface Target {
  readonly bridge: BridgeHandle;
  readonly tempo: Tempo;
  readonly on: <Name extends BusEventName>(
    name: Name | '*',
    listener: BusListener<Name>,
  ) => () => void;
  readonly nowMs: () => number;
  /** What comes later has a larger one, in Python too. */
  readonly stamp: () => number;
  /** Those that have a process. */
  readonly workers: () => readonly Incarnation[];
  readonly hurt: (how: 'kill' | 'freeze', worker: Incarnation) => void;
  /** So many of the next starts fail; 0: none does any more. */
  readonly failStarts: (count: number) => void;
  /** Let promises tell what has become of them. */
  readonly rest: () => Promise<void>;
  /** Let so many facts come in. */
  readonly deliver: (facts: number) => Promise<void>;
  readonly pass: (ms: number) => Promise<void>;
  /** @returns whether it came about. */
  readonly until: (fact: () => boolean, withinMs: number) => Promise<boolean>;
  readonly executions: () => readonly Execution[];
  /** Stop everything. @returns what is left, and what was wrong beneath the pool. */
  readonly close: () => Promise<readonly string[]>;
}

const key = (args: Readonly<Record<string, unknown>>): string => String(args['id']);

const OPERATIONS: Adapter['operations'] = {
  ...Object.fromEntries(
    ['echo', 'raise', 'exit', 'stubborn', 'count', 'dump', 'load', 'forget'].map((op) => [op, {}]),
  ),
  look: { idempotent: true },
  flaky: { idempotent: true },
  embed: { batch: { maxSize: 3, maxWaitMs: 20 } },
  make: { change: 'create', key },
  add: { change: 'update', key },
  drop: { change: 'delete', key },
  setup: { change: 'configure' },
};

/** Operations that change state. */
export const CHANGES: ReadonlySet<string> = new Set(['make', 'add', 'drop', 'setup']);
/** Operations that are tried again although they may have run. */
export const IDEMPOTENT: ReadonlySet<string> = new Set(['look', 'flaky']);

const roles = { create: 'make', configure: 'setup', forget: 'forget' };

const ADAPTERS: Readonly<Record<Plan['options']['state'], Adapter>> = {
  journals: defineAdapter({ framework: 'model', operations: OPERATIONS, roles }),
  snapshots: defineAdapter({
    ...{ framework: 'model', operations: OPERATIONS },
    roles: { ...roles, snapshot: 'dump', restore: 'load' },
  }),
};

export function adapterOf({ options }: Plan): Adapter {
  return ADAPTERS[options.state];
}

/** The pool's options, as its plan and the tempo of its world say. */
export function poolOptionsOf({ options, kind }: Plan, tempo: Tempo): PoolOptions {
  const { size, overflow, concurrency, prefetch, affinity, onSessionLoss, autoscale } = options;
  const { queueLengthMax, maxRetries, maxCallsPerWorker, maxRestarts, drain, breaker } = options;
  const { ampleMs, tightMs, slowMs, idleMs, heartbeatMs, breakerMs, drainMs } = tempo;
  return {
    ...{ size, overflow, concurrency, prefetch, affinity, onSessionLoss },
    ...{ queueLengthMax, maxRetries, maxCallsPerWorker, maxRestarts, heartbeatMs },
    ...(autoscale === 'on' && { autoscale: { min: 1, max: size + 1, queueWaitMs: slowMs } }),
    ...{ idleTimeoutMs: idleMs, callTimeoutMs: ampleMs, checkoutTimeoutMs: ampleMs },
    drainMs: kind === 'calm' ? 10 * ampleMs : drain === 'ample' ? drainMs : tightMs,
    breaker: breaker === 'on' && { failureThreshold: BREAKER_FAILURES, openMs: breakerMs },
    // What is tried here fails often, and a budget would only keep retries from being seen.
    retryBudget: { ratio: 1, burst: 1_000 },
  };
}

/** The sizes that a pool may be ordered to have. */
export function sizeWithin({ options }: Plan, size: number): number {
  return options.autoscale === 'on' ? Math.min(size, options.size + 1) : size;
}
