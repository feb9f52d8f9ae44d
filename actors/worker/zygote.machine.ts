// Which states does a zygote go through, and what moves it? No I/O here: `zygote.ts` provides the process.
import { assign, fromCallback, setup, type SnapshotFrom } from 'xstate';

import type { CrashReport } from '../ground/errors.ts';
import { formatExitReason, KILLED, SHUTDOWN, type ExitReason } from '../ground/exit-reason.ts';
import { LIMITS } from '../ground/limits.ts';
import type { LifecycleState } from '../lifecycle/child.ts';
import type { ZygoteContext, ZygoteEvent, ZygoteInput, ZygoteOrder } from './zygote-events.ts';

const NO_REPORT: CrashReport = { reason: SHUTDOWN, stderrTail: '' };
/** After a kill that does not end the process in time, the row is given up and says so. */
const UNREAPED: CrashReport = { reason: { type: 'timeout', what: 'reap' }, stderrTail: '' };

function deathText({ reason, stderrTail }: CrashReport): string {
  const lastLine = stderrTail.trim().split('\n').at(-1) ?? '';
  return `it ended with ${formatExitReason(reason)} before it was ready${lastLine === '' ? '' : `: ${lastLine}`}`;
}

export const zygoteMachine = setup({
  types: {
    context: {} as ZygoteContext,
    events: {} as ZygoteEvent,
    input: {} as ZygoteInput,
    output: {} as ExitReason,
    tags: {} as 'crashed' | 'ready',
  },
  actors: {
    process: fromCallback<ZygoteEvent, { readonly epoch: number }>(() => {
      throw new Error('not provided: process');
    }),
  },
  actions: {
    leave: () => {
      throw new Error('not provided: leave');
    },
    terminate: () => {
      throw new Error('not provided: terminate');
    },
    kill: () => {
      throw new Error('not provided: kill');
    },
    recordOrder: assign((_, { shutdown, reason }: ZygoteOrder) => ({
      order: { shutdown, reason },
    })),
    recordCause: assign((_, { cause }: Pick<ZygoteContext, 'cause'>) => ({ cause })),
    recordHazard: assign((_, { hazard }: Pick<ZygoteContext, 'hazard'>) => ({ hazard })),
    recordExit: assign(({ context }, { report }: { readonly report: CrashReport }) => ({
      report: { ...report, reason: context.cause ?? report.reason },
    })),
    recordStop: assign(({ context }, { report }: { readonly report: CrashReport }) => ({
      report: { ...report, reason: context.order.reason },
    })),
    recordKill: assign((_, { report }: { readonly report: CrashReport }) => ({
      report: { ...report, reason: KILLED },
    })),
    recordNothing: assign(({ context }) => ({
      report: { reason: context.order.reason, stderrTail: '' },
    })),
    beginEpoch: assign((_, params: { readonly epoch: number; readonly delayMs: number }) => ({
      epoch: params.epoch,
      backoffMs: params.delayMs,
      cause: undefined,
      hazard: undefined,
      report: NO_REPORT,
    })),
  },
  guards: {
    isBrutal: (_, { shutdown }: ZygoteOrder) => shutdown === 'brutal_kill',
    brokeRules: (_, { cause }: Pick<ZygoteContext, 'cause'>) => cause !== undefined,
  },
  delays: {
    helloTimeout: LIMITS.helloTimeoutMs,
    startTimeout: ({ context }) => context.input.startTimeoutMs,
    shutdownTimeout: ({ context }) =>
      typeof context.order.shutdown === 'number' ? context.order.shutdown : LIMITS.zygoteShutdownMs,
    terminateGrace: LIMITS.terminateGraceMs,
    reapTimeout: LIMITS.reapTimeoutMs,
    backoff: ({ context }) => context.backoffMs,
  },
}).createMachine({
  id: 'zygote',
  context: ({ input }) => ({
    input,
    epoch: input.epoch,
    cause: undefined,
    report: NO_REPORT,
    order: { shutdown: LIMITS.zygoteShutdownMs, reason: SHUTDOWN },
    backoffMs: 0,
    hazard: undefined,
  }),
  initial: 'incarnation',
  states: {
    incarnation: {
      invoke: { src: 'process', input: ({ context }) => ({ epoch: context.epoch }) },
      initial: 'spawning',
      on: {
        'process.broken': {
          target: '.exiting',
          actions: { type: 'recordCause', params: ({ event }) => event },
        },
        'process.exited': {
          target: 'crashed',
          actions: { type: 'recordExit', params: ({ event }) => event },
        },
        'zygote.stop': [
          {
            guard: { type: 'isBrutal', params: ({ event }) => event },
            target: '.stopping.killing',
            actions: { type: 'recordOrder', params: ({ event }) => event },
          },
          {
            target: '.stopping',
            actions: { type: 'recordOrder', params: ({ event }) => event },
          },
        ],
      },
      states: {
        spawning: {
          initial: 'launching',
          // Whatever keeps it from being ready keeps no worker from being spawned, and tells of itself there better than here.
          on: {
            'process.ready': 'serving',
            'process.unfit': {
              target: '#zygote.unfit',
              actions: { type: 'recordHazard', params: ({ event }) => event },
            },
            'process.broken': [
              {
                guard: { type: 'brokeRules', params: ({ event }) => event },
                target: '#zygote.unfit',
                actions: {
                  type: 'recordHazard',
                  params: ({ event: { cause = SHUTDOWN } }) => ({
                    hazard: formatExitReason(cause),
                  }),
                },
              },
              // The exit that follows says why.
              {},
            ],
            'process.exited': {
              target: '#zygote.unfit',
              actions: {
                type: 'recordHazard',
                params: ({ event }) => ({ hazard: deathText(event.report) }),
              },
            },
            'zygote.stop': [
              {
                guard: { type: 'isBrutal', params: ({ event }) => event },
                target: 'stopping.killing',
                actions: { type: 'recordOrder', params: ({ event }) => event },
              },
              // The import that runs cannot hear a request.
              {
                target: 'stopping.terminating',
                actions: { type: 'recordOrder', params: ({ event }) => event },
              },
            ],
          },
          after: {
            startTimeout: {
              target: '#zygote.unfit',
              actions: { type: 'recordHazard', params: { hazard: 'it was not ready in time' } },
            },
          },
          states: {
            launching: {
              after: {
                helloTimeout: {
                  target: '#zygote.unfit',
                  actions: {
                    type: 'recordHazard',
                    params: { hazard: 'it did not connect in time' },
                  },
                },
              },
              on: { 'process.greeted': 'importing' },
            },
            importing: {},
          },
        },
        serving: {
          tags: ['ready'],
          on: {
            'zygote.hung': {
              target: 'exiting',
              actions: {
                type: 'recordCause',
                params: ({ event }) => ({ cause: { type: 'timeout', what: event.what } }),
              },
            },
          },
        },
        stopping: {
          initial: 'asking',
          on: {
            'process.broken': {},
            'process.exited': {
              target: '#zygote.stopped',
              actions: { type: 'recordStop', params: ({ event }) => event },
            },
            'zygote.stop': [
              { guard: { type: 'isBrutal', params: ({ event }) => event }, target: '.killing' },
              {},
            ],
          },
          states: {
            asking: { entry: 'leave', after: { shutdownTimeout: 'terminating' } },
            terminating: { entry: 'terminate', after: { terminateGrace: 'killing' } },
            killing: {
              entry: 'kill',
              on: {
                'zygote.stop': {},
                'process.exited': {
                  target: '#zygote.stopped',
                  actions: { type: 'recordKill', params: ({ event }) => event },
                },
              },
              after: {
                reapTimeout: {
                  target: '#zygote.stopped',
                  actions: { type: 'recordExit', params: { report: UNREAPED } },
                },
              },
            },
          },
        },
        exiting: {
          // Crashed, and its exit status still to come: it forks no more, so the process must not live on.
          tags: ['crashed'],
          entry: 'kill',
          on: {
            'process.broken': {},
            'zygote.stop': {
              target: 'stopping.killing',
              actions: { type: 'recordOrder', params: ({ event }) => event },
            },
          },
          after: {
            reapTimeout: {
              target: '#zygote.crashed',
              actions: { type: 'recordExit', params: { report: UNREAPED } },
            },
          },
        },
      },
    },
    unfit: {
      // It forks nobody, and its process is let go of; to its supervisor it is as good as ready.
      tags: ['ready'],
      on: {
        'zygote.stop': {
          target: 'stopped',
          actions: [{ type: 'recordOrder', params: ({ event }) => event }, 'recordNothing'],
        },
      },
    },
    crashed: {
      tags: ['crashed'],
      on: {
        'zygote.restart': {
          target: 'restarting',
          actions: { type: 'beginEpoch', params: ({ event }) => event },
        },
        'zygote.stop': 'stopped',
      },
    },
    restarting: {
      after: { backoff: 'incarnation' },
      on: { 'zygote.stop': 'stopped' },
    },
    stopped: { type: 'final' },
  },
  output: ({ context }) => context.report.reason,
});

export type ZygoteSnapshot = SnapshotFrom<typeof zygoteMachine>;

/** The zygote's state in the words that hold for every child. */
export function lifecycleStateOf(snapshot: ZygoteSnapshot): LifecycleState {
  if (snapshot.hasTag('crashed')) return 'crashed';
  if (snapshot.hasTag('ready')) return 'ready';
  if (snapshot.matches({ incarnation: 'spawning' })) return 'spawning';
  if (snapshot.matches({ incarnation: 'stopping' })) return 'stopping';
  return snapshot.matches('restarting') ? 'restarting' : 'stopped';
}
