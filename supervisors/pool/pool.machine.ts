// Which states does a pool go through, and what moves it? No I/O here: `pool.ts` starts and stops the tree.
import { assign, setup, type SnapshotFrom } from 'xstate';

import type { PoolFailedError } from '../../actors/ground/errors.ts';
import { LIMITS } from '../../actors/ground/limits.ts';

/** The life of a pool as its users see it. */
export type PoolState = 'unstarted' | 'starting' | 'serving' | 'draining' | 'failed' | 'stopped';

export interface PoolInput {
  /** From a failure, its workers being gone, to the next start by itself, in ms; undefined: never. */
  readonly reopenMs: number | undefined;
  readonly start: 'at_once' | 'on_demand';
}

interface PoolContext {
  readonly input: PoolInput;
  readonly drainMs: number;
  readonly whyClosed: WhyClosed;
  /** Of its last failure; makes one for each who hears of it. */
  readonly makeError: (() => PoolFailedError) | undefined;
}

/** Why it is closed: its runtime ends, or nobody has its bridge any more. */
export type WhyClosed = 'runtime ends' | 'bridge was unregistered';

export type PoolEvent =
  | { readonly type: 'worker.ready' }
  /** Its workers cannot be kept up. */
  | { readonly type: 'tree.failed'; readonly makeError: () => PoolFailedError }
  /** Nothing of its tree is left. */
  | { readonly type: 'tree.gone' }
  | { readonly type: 'pool.drain'; readonly timeoutMs: number }
  /** No call waits or runs. */
  | { readonly type: 'pool.drained' }
  | { readonly type: 'pool.stop' }
  | { readonly type: 'pool.start' }
  /** A call has come to one that starts on demand. */
  | { readonly type: 'pool.wake' }
  /** It is over for good; its root stops what there is of its tree. */
  | { readonly type: 'pool.close'; readonly why: WhyClosed };

const FAILS = {
  target: '#pool.failed',
  actions: {
    type: 'recordFailure',
    params: ({ event }: { event: Extract<PoolEvent, { type: 'tree.failed' }> }) => event,
  },
} as const;

const DRAINS = {
  target: '#pool.draining',
  actions: {
    type: 'recordDrain',
    params: ({ event }: { event: Extract<PoolEvent, { type: 'pool.drain' }> }) => event,
  },
} as const;

const CLOSES = {
  target: '.closed',
  actions: {
    type: 'recordClose',
    params: ({ event }: { event: Extract<PoolEvent, { type: 'pool.close' }> }) => event,
  },
} as const;

export const poolMachine = setup({
  types: {
    context: {} as PoolContext,
    events: {} as PoolEvent,
    input: {} as PoolInput,
  },
  actions: {
    recordFailure: assign((_, { makeError }: { makeError: () => PoolFailedError }) => ({
      makeError,
    })),
    recordDrain: assign((_, { timeoutMs }: { timeoutMs: number }) => ({ drainMs: timeoutMs })),
    recordClose: assign((_, { why }: { why: WhyClosed }) => ({ whyClosed: why })),
  },
  guards: {
    startsAtOnce: ({ context }) => context.input.start === 'at_once',
    reopens: ({ context }) => context.input.reopenMs !== undefined,
  },
  delays: {
    drainTime: ({ context }) => context.drainMs,
    reopenTime: ({ context }) => context.input.reopenMs ?? 0,
  },
}).createMachine({
  id: 'pool',
  context: ({ input }) => ({
    ...{ input, drainMs: LIMITS.drainMs },
    ...{ whyClosed: 'runtime ends', makeError: undefined },
  }),
  initial: 'unstarted',
  on: { 'pool.close': CLOSES },
  states: {
    unstarted: {
      always: { guard: 'startsAtOnce', target: 'starting' },
      on: {
        'pool.wake': 'starting',
        'pool.start': 'starting',
        'pool.drain': 'stopping',
        'pool.stop': 'stopping',
      },
    },
    starting: {
      on: {
        'worker.ready': 'serving',
        'tree.failed': FAILS,
        'pool.drain': DRAINS,
        'pool.stop': 'stopping',
      },
    },
    serving: {
      on: { 'tree.failed': FAILS, 'pool.drain': DRAINS, 'pool.stop': 'stopping' },
    },
    draining: {
      after: { drainTime: 'stopping' },
      on: { 'pool.drained': 'stopping', 'tree.failed': FAILS, 'pool.stop': 'stopping' },
    },
    // Its workers are told to end.
    stopping: { on: { 'tree.gone': 'stopped' } },
    stopped: { on: { 'pool.start': 'starting' } },
    failed: {
      initial: 'ending',
      states: {
        // What is left of its tree ends.
        ending: {
          on: {
            'tree.gone': 'waiting',
            'pool.start': 'ending_first',
            'pool.stop': '#pool.stopping',
          },
        },
        // It was told to start again, which it does then.
        ending_first: { on: { 'tree.gone': '#pool.starting', 'pool.stop': '#pool.stopping' } },
        waiting: {
          after: { reopenTime: { guard: 'reopens', target: '#pool.starting' } },
          on: { 'pool.start': '#pool.starting', 'pool.stop': '#pool.stopped' },
        },
      },
    },
    closed: { on: { 'pool.close': {} } },
  },
});

export type PoolSnapshot = SnapshotFrom<typeof poolMachine>;

/** Where it is, in the machine's own words. */
export type PoolPlace =
  | 'unstarted'
  | 'starting'
  | 'serving'
  | 'draining'
  | 'stopping'
  | 'stopped'
  | 'failed'
  | 'restarting'
  | 'closed';

export function placeOf(snapshot: PoolSnapshot): PoolPlace {
  const { value } = snapshot;
  if (typeof value === 'string') return value;
  return value.failed === 'ending_first' ? 'restarting' : 'failed';
}

/** The state in the words of `docs/pools.md`. */
export function stateOf(place: PoolPlace): PoolState {
  switch (place) {
    case 'stopping':
      return 'draining';
    case 'closed':
      return 'stopped';
    case 'restarting':
      return 'failed';
    case 'unstarted':
    case 'starting':
    case 'serving':
    case 'draining':
    case 'stopped':
    case 'failed':
      return place;
    default:
      return place satisfies never;
  }
}
