// What is known of one play of a plan? Calls as their callers know them, orders, and what was told meanwhile; plain data for the checks.
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { PoolStatistics } from '../../supervisors/pool/pool-types.ts';
import type { CallOp, Plan } from './model-plan.ts';
import type { Execution, Tempo } from './model-target.ts';

/** An error as its caller got it. */
export interface Failure extends Error {
  readonly code?: string;
  readonly outcome?: 'notSent' | 'maybeExecuted';
  readonly workerId?: string;
  readonly epoch?: number;
  readonly exitReason?: ExitReason;
}

type Fate =
  | { readonly type: 'pending' }
  | { readonly type: 'completed'; readonly value: unknown }
  /** Its caller left the stream. */
  | { readonly type: 'left' }
  | { readonly type: 'failed'; readonly error: Failure };

/** One call, as its caller knows it. */
export interface Made {
  /** Their order. Stands in its arguments, so that it is known again in Python. */
  readonly number: number;
  readonly kind: 'call' | 'stream' | 'checkout' | 'held' | 'probe';
  readonly op: CallOp | 'count' | 'checkout';
  /** The thing that it is about. */
  readonly id: string;
  readonly session: string | undefined;
  /** How often the session had been ended before. */
  generation: number;
  readonly timeoutMs: number;
  readonly checkoutTimeoutMs: number;
  readonly maxRetries: number;
  readonly madeAtMs: number;
  readonly madeAt: number;
  /** Of a call of a checkout: that one's number. */
  readonly checkout: number | undefined;
  /** Calls that waited when it was made. */
  readonly queuedBefore: number;
  fate: Fate;
  settledAtMs: number;
  settledAt: number;
  /** When its caller had enough. */
  abortedAtMs: number | undefined;
  readonly items: unknown[];
}

/** One time that a worker was held alone. */
export interface Hold {
  readonly made: Made;
  readonly workerId: string;
  readonly epoch: number;
  readonly heldAt: number;
  /** When its holder gave it back. */
  endedAt: number;
}

/** An order to the pool, or the end of a session. */
export interface Order {
  readonly what: 'resize' | 'reload' | 'drain' | 'start' | 'end_session';
  readonly atMs: number;
  answer: { readonly type: 'pending' | 'done' } | { readonly type: 'failed'; error: Failure };
}

/** One incarnation, by what was done to it or told of it; keys are `path#epoch`. */
export interface Told {
  /** Faults that were put into it. */
  readonly injected: Map<string, 'kill' | 'freeze' | 'exit'>;
  /** One of its calls was ended by its caller, or it was replaced because of that. */
  readonly condemned: Set<string>;
  /** It was told to go, and when. */
  readonly retiringAtMs: Map<string, number>;
  /** No call is routed there any more, and since when by stamp. */
  readonly leftAt: Map<string, number>;
  /** It is known to have ended. */
  readonly endedAt: Map<string, number>;
  readonly pids: Map<number, string>;
  /** States of the pool after each other, and when they began. */
  readonly lives: { readonly state: string; readonly atMs: number }[];
  readonly losses: { readonly session: string; readonly at: number }[];
  /** Workers that were taken from whoever held them for too long. */
  readonly reclaims: { readonly site: string; readonly at: number }[];
  /** Facts of interest, to prove that the plans reach them. */
  readonly seen: Set<string>;
  /** The fewest workers that took calls, since it was ready first, with the size that they had to have then. */
  readonly shortages: string[];
  failedStarts: number;
  crashes: number;
}

export interface Run {
  readonly plan: Plan;
  readonly tempo: Tempo;
  readonly calls: readonly Made[];
  readonly holds: readonly Hold[];
  readonly orders: readonly Order[];
  readonly told: Told;
  readonly executions: readonly Execution[];
  /** What was wrong at once, in words. */
  readonly complaints: readonly string[];
  readonly statistics: PoolStatistics;
}

export function siteOf(path: string, epoch: number): string {
  return `${path}#${epoch}`;
}

/** What a caller was told of its call, in words. */
export function describe({ number, kind, op, session, fate }: Made): string {
  const where = session === undefined ? '' : ` of ${session}`;
  const what = `${kind} ${number} (${op}${where})`;
  if (fate.type !== 'failed') return `${what}, ${fate.type}`;
  const { code, outcome, message } = fate.error;
  return `${what}, ${String(code)} (${String(outcome)}): ${message}`;
}
