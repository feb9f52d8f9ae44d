// Which states does a Python worker go through, and what moves it? No I/O here: `worker.ts` provides the process.
import { assign, fromCallback, setup } from 'xstate';

import type { CrashReport } from '../ground/errors.ts';
import { KILLED, SHUTDOWN, type ExitReason } from '../ground/exit-reason.ts';
import { LIMITS } from '../ground/limits.ts';
import { BridgeStartError } from '../ground/start-errors.ts';
import type { RemoteError } from '../ground/worker-facts.ts';
import type { Shutdown } from '../lifecycle/child.ts';
import type { WorkerContext, WorkerEvent, WorkerInput } from './worker-events.ts';

const NO_REPORT: CrashReport = { reason: SHUTDOWN, stderrTail: '' };

function causeOf(context: WorkerContext, report: CrashReport): CrashReport {
  return { ...report, reason: context.cause ?? report.reason };
}

/** After a kill that does not end the process in time (an uninterruptible disk wait), the row is given up and says so. */
const UNREAPED: CrashReport = { reason: { type: 'timeout', what: 'reap' }, stderrTail: '' };

export const workerMachine = setup({
  types: {
    context: {} as WorkerContext,
    events: {} as WorkerEvent,
    input: {} as WorkerInput,
    output: {} as ExitReason,
    tags: {} as 'accepting' | 'crashed',
  },
  actors: {
    process: fromCallback<WorkerEvent, { readonly epoch: number }>(() => {
      throw new Error('not provided: process');
    }),
  },
  actions: {
    askToShutDown: () => {
      throw new Error('not provided: askToShutDown');
    },
    terminate: () => {
      throw new Error('not provided: terminate');
    },
    kill: () => {
      throw new Error('not provided: kill');
    },
    recordOrder: assign((_, order: WorkerContext['order']) => ({ order })),
    recordCause: assign((_, { cause }: Pick<WorkerContext, 'cause'>) => ({ cause })),
    recordFailure: assign((_, { error }: { error: RemoteError }) => ({
      cause: { type: 'error' as const, error: new BridgeStartError(error) },
    })),
    recordExit: assign(({ context }, params: { report: CrashReport }) => ({
      report: causeOf(context, params.report),
    })),
    recordStop: assign((_, params: { reason: ExitReason; stderrTail: string }) => ({
      report: params,
    })),
    beginEpoch: assign((_, params: { epoch: number; delayMs: number }) => ({
      epoch: params.epoch,
      backoffMs: params.delayMs,
      cause: undefined,
      report: NO_REPORT,
    })),
  },
  guards: {
    isBrutal: (_, params: { shutdown: Shutdown }) => params.shutdown === 'brutal_kill',
    /** The end of the wire has no cause of its own; a broken rule of it has. */
    brokeRules: (_, params: { cause: ExitReason | undefined }) => params.cause !== undefined,
    hasDrainTime: ({ context }) => context.order.shutdown !== 'infinity',
  },
  delays: {
    helloTimeout: LIMITS.helloTimeoutMs,
    startTimeout: ({ context }) => context.input.startTimeoutMs,
    shutdownTimeout: ({ context }) =>
      typeof context.order.shutdown === 'number' ? context.order.shutdown : LIMITS.shutdownMs,
    terminateGrace: LIMITS.terminateGraceMs,
    reapTimeout: LIMITS.reapTimeoutMs,
    backoff: ({ context }) => context.backoffMs,
  },
}).createMachine({
  id: 'worker',
  context: ({ input }) => ({
    input,
    epoch: input.epoch,
    cause: undefined,
    report: NO_REPORT,
    order: { shutdown: LIMITS.shutdownMs, reason: SHUTDOWN },
    backoffMs: 0,
  }),
  initial: 'incarnation',
  states: {
    incarnation: {
      invoke: { src: 'process', input: ({ context }) => ({ epoch: context.epoch }) },
      initial: 'spawning',
      on: {
        'process.broken': {
          target: '.exiting',
          actions: { type: 'recordCause', params: ({ event }) => ({ cause: event.cause }) },
        },
        'process.exited': {
          target: 'crashed',
          actions: { type: 'recordExit', params: ({ event }) => ({ report: event.report }) },
        },
        'worker.stop': [
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
          states: {
            launching: {
              after: {
                helloTimeout: {
                  target: '#worker.incarnation.exiting',
                  actions: {
                    type: 'recordCause',
                    params: { cause: { type: 'timeout', what: 'hello' } },
                  },
                },
              },
              on: { 'process.greeted': 'importing' },
            },
            importing: {},
          },
          after: {
            startTimeout: {
              target: 'exiting',
              actions: {
                type: 'recordCause',
                params: { cause: { type: 'timeout', what: 'start' } },
              },
            },
          },
          on: {
            'process.ready': 'ready',
            // A start is aborted, not waited for: the import that runs cannot hear a request.
            'worker.stop': [
              {
                guard: { type: 'isBrutal', params: ({ event }) => event },
                target: 'stopping.killing',
                actions: { type: 'recordOrder', params: ({ event }) => event },
              },
              {
                target: 'stopping.terminating',
                actions: { type: 'recordOrder', params: ({ event }) => event },
              },
            ],
            'process.failed': {
              target: 'exiting',
              actions: { type: 'recordFailure', params: ({ event }) => event },
            },
          },
        },
        ready: { tags: ['accepting'], on: { 'call.started': 'busy' } },
        busy: {
          on: {
            'call.ended': 'ready',
            'worker.stop': [
              {
                guard: { type: 'isBrutal', params: ({ event }) => event },
                target: 'stopping.killing',
                actions: { type: 'recordOrder', params: ({ event }) => event },
              },
              {
                target: 'draining',
                actions: { type: 'recordOrder', params: ({ event }) => event },
              },
            ],
          },
        },
        draining: {
          // The worker finishes the running call, then exits by itself; the time is the same shutdown time.
          entry: 'askToShutDown',
          after: { shutdownTimeout: { guard: 'hasDrainTime', target: 'stopping.terminating' } },
          on: {
            // An obedient worker closes its connections just before it exits; the shutdown time bounds the other kind.
            'process.broken': [
              {
                guard: { type: 'brokeRules', params: ({ event }) => event },
                target: 'stopping.killing',
              },
              {},
            ],
            'process.exited': {
              target: '#worker.stopped',
              actions: {
                type: 'recordStop',
                params: ({ context, event }) => ({ ...event.report, reason: context.order.reason }),
              },
            },
            // A second order counts only when it is for less time: brutal_kill.
            'worker.stop': [
              {
                guard: { type: 'isBrutal', params: ({ event }) => event },
                target: 'stopping.killing',
              },
              {},
            ],
          },
        },
        stopping: {
          initial: 'asking',
          on: {
            'process.broken': [
              { guard: { type: 'brokeRules', params: ({ event }) => event }, target: '.killing' },
              {},
            ],
            'process.exited': {
              target: '#worker.stopped',
              actions: {
                type: 'recordStop',
                params: ({ context, event }) => ({ ...event.report, reason: context.order.reason }),
              },
            },
            'worker.stop': [
              {
                guard: { type: 'isBrutal', params: ({ event }) => event },
                target: '.killing',
              },
              {},
            ],
          },
          states: {
            asking: {
              entry: 'askToShutDown',
              after: { shutdownTimeout: { guard: 'hasDrainTime', target: 'terminating' } },
            },
            terminating: { entry: 'terminate', after: { terminateGrace: 'killing' } },
            killing: {
              entry: 'kill',
              on: {
                'process.broken': {},
                'worker.stop': {},
                'process.exited': {
                  target: '#worker.stopped',
                  actions: {
                    type: 'recordStop',
                    params: ({ event }) => ({ ...event.report, reason: KILLED }),
                  },
                },
              },
              after: {
                reapTimeout: {
                  target: '#worker.stopped',
                  actions: { type: 'recordStop', params: UNREAPED },
                },
              },
            },
          },
        },
        exiting: {
          // Crashed, and its exit status still to come: the wire is over, so the process must not live on.
          tags: ['crashed'],
          entry: 'kill',
          after: {
            reapTimeout: {
              target: '#worker.crashed',
              actions: { type: 'recordExit', params: { report: UNREAPED } },
            },
          },
          on: {
            'process.broken': {},
            // Said on another lane than the one whose end was seen first.
            'process.failed': { actions: { type: 'recordFailure', params: ({ event }) => event } },
            'process.exited': {
              target: '#worker.crashed',
              actions: { type: 'recordExit', params: ({ event }) => ({ report: event.report }) },
            },
            'worker.stop': {
              target: 'stopping.killing',
              actions: { type: 'recordOrder', params: ({ event }) => event },
            },
          },
        },
      },
    },
    crashed: {
      tags: ['crashed'],
      on: {
        'worker.restart': {
          target: 'restarting',
          actions: { type: 'beginEpoch', params: ({ event }) => event },
        },
        'worker.stop': 'stopped',
      },
    },
    restarting: {
      after: { backoff: 'incarnation' },
      on: { 'worker.stop': 'stopped' },
    },
    stopped: { type: 'final' },
  },
  output: ({ context }) => context.report.reason,
});
