// Which states does every supervised child that is no OS process go through? It decides and never acts: `actor-child.ts` carries out.
import { assign, setup, type SnapshotFrom } from 'xstate';

import { KILLED, SHUTDOWN, type ExitReason } from '../ground/exit-reason.ts';
import { LIMITS } from '../ground/limits.ts';
import type { LifecycleState, Shutdown } from './child.ts';

export interface LifecycleInput {
  readonly epoch: number;
  readonly startTimeoutMs: number;
}

interface LifecycleContext {
  readonly input: LifecycleInput;
  readonly epoch: number;
  /** How the last incarnation ended. */
  readonly reason: ExitReason;
  /** The order to stop: its time. */
  readonly shutdown: Shutdown;
  readonly delayMs: number;
}

export type LifecycleEvent =
  | { readonly type: 'inside.ready' }
  | { readonly type: 'inside.ignored' }
  | { readonly type: 'inside.exited'; readonly reason: ExitReason }
  | { readonly type: 'inside.reaped' }
  | { readonly type: 'lifecycle.restart'; readonly epoch: number; readonly delayMs: number }
  | { readonly type: 'lifecycle.stop'; readonly shutdown: Shutdown };

const START_TIMED_OUT: ExitReason = { type: 'timeout', what: 'start' };

/** An order that its shell fills in. */
function unprovided(name: string): () => never {
  return () => {
    throw new Error(`not provided: ${name}`);
  };
}

export const lifecycleMachine = setup({
  types: {
    context: {} as LifecycleContext,
    events: {} as LifecycleEvent,
    input: {} as LifecycleInput,
    output: {} as ExitReason,
  },
  actions: {
    open: unprovided('open'),
    ask: unprovided('ask'),
    kill: unprovided('kill'),
    reap: unprovided('reap'),
    recordExit: assign((_, params: { reason: ExitReason }) => ({ reason: params.reason })),
    recordRestart: assign((_, params: { epoch: number; delayMs: number }) => params),
    recordStop: assign((_, params: { shutdown: Shutdown }) => ({ shutdown: params.shutdown })),
  },
  guards: {
    isBrutal: (_, params: { shutdown: Shutdown }) => params.shutdown === 'brutal_kill',
    isBounded: ({ context }) => context.shutdown !== 'infinity',
    isImmediate: ({ context }) => context.delayMs === 0,
  },
  delays: {
    startTimeout: ({ context }) => context.input.startTimeoutMs,
    shutdownTime: ({ context }) => (typeof context.shutdown === 'number' ? context.shutdown : 0),
    cleanUpTimeout: () => LIMITS.cleanUpTimeoutMs,
    backoff: ({ context }) => context.delayMs,
  },
}).createMachine({
  id: 'lifecycle',
  context: ({ input }) => ({
    input,
    epoch: input.epoch,
    reason: SHUTDOWN,
    shutdown: 'infinity',
    delayMs: 0,
  }),
  initial: 'spawning',
  states: {
    spawning: {
      entry: 'open',
      on: {
        'inside.ready': 'ready',
        'inside.ignored': {
          target: 'stopped',
          actions: { type: 'recordExit', params: { reason: { type: 'normal' } } },
        },
        'inside.exited': {
          target: 'crashed',
          actions: { type: 'recordExit', params: ({ event }) => event },
        },
        'lifecycle.stop': {
          target: 'stopping',
          actions: { type: 'recordStop', params: ({ event }) => event },
        },
      },
      after: {
        startTimeout: {
          target: 'crashed',
          actions: [{ type: 'recordExit', params: { reason: START_TIMED_OUT } }, 'kill'],
        },
      },
    },
    ready: {
      on: {
        'inside.exited': {
          target: 'crashed',
          actions: { type: 'recordExit', params: ({ event }) => event },
        },
        'lifecycle.stop': {
          target: 'stopping',
          actions: { type: 'recordStop', params: ({ event }) => event },
        },
      },
    },
    // Its supervisor hears of the end when the clean-up is over, as an exit signal follows `terminate` in OTP: nobody waits for one child's clean-up but itself.
    crashed: {
      initial: 'cleaning',
      entry: 'reap',
      states: {
        cleaning: {
          on: {
            'inside.reaped': 'reaped',
            'lifecycle.stop': [
              {
                guard: { type: 'isBrutal', params: ({ event }) => event },
                target: '#lifecycle.stopped',
              },
              {
                target: '#lifecycle.stopping.finishing',
                actions: { type: 'recordStop', params: ({ event }) => event },
              },
            ],
          },
          after: { cleanUpTimeout: 'reaped' },
        },
        reaped: {
          on: {
            'lifecycle.restart': {
              target: '#lifecycle.restarting',
              actions: { type: 'recordRestart', params: ({ event }) => event },
            },
            'lifecycle.stop': '#lifecycle.stopped',
          },
        },
      },
    },
    restarting: {
      on: { 'lifecycle.stop': 'stopped' },
      always: { guard: 'isImmediate', target: 'spawning' },
      after: { backoff: 'spawning' },
    },
    stopping: {
      initial: 'choosing',
      states: {
        choosing: {
          always: [
            { guard: { type: 'isBrutal', params: ({ context }) => context }, target: 'killed' },
            { guard: 'isBounded', target: 'asking' },
            { target: 'waiting' },
          ],
        },
        // Bounded by the shutdown time, the clean-up of what has ended included.
        asking: {
          entry: 'ask',
          on: {
            'inside.exited': {
              actions: [{ type: 'recordExit', params: ({ event }) => event }, 'reap'],
            },
            'inside.reaped': '#lifecycle.stopped',
            'lifecycle.stop': {
              guard: { type: 'isBrutal', params: ({ event }) => event },
              target: 'killed',
            },
          },
          after: { shutdownTime: 'killed' },
        },
        // The same without a bound: shutdown time `infinity`.
        waiting: {
          entry: 'ask',
          on: {
            'inside.exited': {
              actions: [{ type: 'recordExit', params: ({ event }) => event }, 'reap'],
            },
            'inside.reaped': '#lifecycle.stopped',
            'lifecycle.stop': {
              guard: { type: 'isBrutal', params: ({ event }) => event },
              target: 'killed',
            },
          },
        },
        // It had crashed before it was asked: only its clean-up is waited for.
        finishing: {
          on: {
            'inside.reaped': '#lifecycle.stopped',
            'lifecycle.stop': {
              guard: { type: 'isBrutal', params: ({ event }) => event },
              target: '#lifecycle.stopped',
            },
          },
          after: { cleanUpTimeout: '#lifecycle.stopped' },
        },
        killed: {
          entry: ['kill', { type: 'recordExit', params: { reason: KILLED } }],
          always: '#lifecycle.stopped',
        },
      },
    },
    stopped: { type: 'final' },
  },
  output: ({ context }) => context.reason,
});

export type LifecycleSnapshot = SnapshotFrom<typeof lifecycleMachine>;

/** The child's state in the words that hold for every child. */
export function lifecycleStateOf({ value }: LifecycleSnapshot): LifecycleState {
  return (typeof value === 'string' ? value : Object.keys(value)[0]) as LifecycleState;
}
