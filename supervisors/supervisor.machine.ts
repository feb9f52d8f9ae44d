// Which states does a supervisor go through, and which verdict is which transition? It decides and never acts: `supervisor.ts` carries out.
import { assign, setup, type SnapshotFrom } from 'xstate';

import { SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import type { LifecycleState } from '../actors/lifecycle/child.ts';
import {
  judgeExit,
  judgeTry,
  type ExitFacts,
  type ExitVerdict,
  type GiveUpCause,
  type PolicyBounds,
  type TryFacts,
} from './restart-policy.ts';

export interface SupervisorInput {
  readonly bounds: PolicyBounds;
}

export interface SupervisorContext {
  readonly input: SupervisorInput;
  /** Times of the restarts that still count, newest first. */
  readonly history: readonly number[];
  /** Why it ends; meaningful from `stopping` on. */
  readonly reason: ExitReason;
}

interface OfChild {
  readonly key: string;
}

export type SupervisorEvent =
  | { readonly type: 'children.started' }
  | { readonly type: 'children.start_failed'; readonly reason: ExitReason }
  | (OfChild & { readonly type: 'child.exited'; readonly facts: ExitFacts })
  /** The next try of a restart that failed. */
  | (OfChild & { readonly type: 'child.retried'; readonly facts: TryFacts })
  /** Its back-off is over; it was counted when that began. */
  | (OfChild & { readonly type: 'child.due' })
  | { readonly type: 'group.restarted' }
  | { readonly type: 'call.received'; readonly op: string }
  | { readonly type: 'call.served' }
  | { readonly type: 'children.stopped' }
  | { readonly type: 'supervisor.stop'; readonly reason: ExitReason };

type VerdictType = ExitVerdict['type'];

function unprovided<Params>(name: string): (_: unknown, params: Params) => void {
  return () => {
    throw new Error(`not provided: ${name}`);
  };
}

export const supervisorMachine = setup({
  types: {
    context: {} as SupervisorContext,
    events: {} as SupervisorEvent,
    input: {} as SupervisorInput,
    output: {} as ExitReason,
  },
  actions: {
    startChildren: unprovided<undefined>('startChildren'),
    restartGroup: unprovided<OfChild & { readonly history: readonly number[] }>('restartGroup'),
    startGroup: unprovided<OfChild>('startGroup'),
    keepChildDown: unprovided<OfChild>('keepChildDown'),
    removeChild: unprovided<OfChild>('removeChild'),
    shutDownWith: unprovided<OfChild & { readonly row: 'keep_down' | 'remove' }>('shutDownWith'),
    giveUpOn: unprovided<OfChild & { readonly because: GiveUpCause }>('giveUpOn'),
    stopChildren: unprovided<undefined>('stopChildren'),
    countExit: assign(({ context }, { facts }: { facts: ExitFacts }) =>
      counted(judgeExit(context.input.bounds, context.history, facts)),
    ),
    countTry: assign(({ context }, { facts }: { facts: TryFacts }) =>
      counted(judgeTry(context.input.bounds, context.history, facts)),
    ),
    recordReason: assign((_, params: { reason: ExitReason }) => ({ reason: params.reason })),
  },
  guards: {
    judgedExit: ({ context }, { facts, as }: { facts: ExitFacts; as: VerdictType }) =>
      judgeExit(context.input.bounds, context.history, facts).type === as,
    judgedTry: ({ context }, { facts, as }: { facts: TryFacts; as: VerdictType }) =>
      judgeTry(context.input.bounds, context.history, facts).type === as,
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => ({ input, history: [], reason: SHUTDOWN }),
  initial: 'starting',
  on: {
    'supervisor.stop': {
      target: '.stopping',
      actions: { type: 'recordReason', params: ({ event }) => event },
    },
  },
  states: {
    starting: {
      entry: 'startChildren',
      on: {
        'children.started': 'running',
        'children.start_failed': {
          target: 'stopping',
          actions: { type: 'recordReason', params: ({ event }) => event },
        },
      },
    },
    running: {
      initial: 'waiting',
      states: {
        waiting: {
          on: {
            'child.exited': [
              {
                guard: {
                  type: 'judgedExit',
                  params: ({ event }) => ({ ...event, as: 'restart' }),
                },
                target: 'restarting',
                actions: [
                  { type: 'countExit', params: ({ event }) => event },
                  {
                    type: 'restartGroup',
                    params: ({ context, event }) => ({
                      key: event.key,
                      history: context.history,
                    }),
                  },
                ],
              },
              {
                guard: {
                  type: 'judgedExit',
                  params: ({ event }) => ({ ...event, as: 'keep_down' }),
                },
                actions: { type: 'keepChildDown', params: ({ event }) => event },
              },
              {
                guard: {
                  type: 'judgedExit',
                  params: ({ event }) => ({ ...event, as: 'remove' }),
                },
                actions: { type: 'removeChild', params: ({ event }) => event },
              },
              {
                guard: {
                  type: 'judgedExit',
                  params: ({ event }) => ({ ...event, as: 'auto_shutdown' }),
                },
                target: '#supervisor.stopping',
                actions: [
                  {
                    type: 'shutDownWith',
                    params: ({ event }) => ({
                      key: event.key,
                      row: event.facts.restart === 'temporary' ? 'remove' : 'keep_down',
                    }),
                  },
                  { type: 'recordReason', params: { reason: SHUTDOWN } },
                ],
              },
              {
                // OTP: the restart that would be one too many is not performed; the supervisor stops its children and exits `shutdown`.
                target: '#supervisor.stopping',
                actions: [
                  {
                    type: 'giveUpOn',
                    params: ({ context, event }) => ({
                      key: event.key,
                      because: causeOf(
                        judgeExit(context.input.bounds, context.history, event.facts),
                      ),
                    }),
                  },
                  { type: 'recordReason', params: { reason: SHUTDOWN } },
                ],
              },
            ],
            'child.retried': [
              {
                guard: {
                  type: 'judgedTry',
                  params: ({ event }) => ({ ...event, as: 'restart' }),
                },
                target: 'restarting',
                actions: [
                  { type: 'countTry', params: ({ event }) => event },
                  {
                    type: 'restartGroup',
                    params: ({ context, event }) => ({
                      key: event.key,
                      history: context.history,
                    }),
                  },
                ],
              },
              {
                target: '#supervisor.stopping',
                actions: [
                  {
                    type: 'giveUpOn',
                    params: ({ context, event }) => ({
                      key: event.key,
                      because: causeOf(
                        judgeTry(context.input.bounds, context.history, event.facts),
                      ),
                    }),
                  },
                  { type: 'recordReason', params: { reason: SHUTDOWN } },
                ],
              },
            ],
            'child.due': {
              target: 'restarting',
              actions: { type: 'startGroup', params: ({ event }) => event },
            },
            'call.received': 'serving',
          },
        },
        // The group is stopped and started again; whatever else comes waits.
        restarting: { on: { 'group.restarted': 'waiting' } },
        // A child is started or stopped for a caller.
        serving: { on: { 'call.served': 'waiting' } },
      },
    },
    stopping: {
      entry: 'stopChildren',
      on: {
        'children.stopped': 'stopped',
        'supervisor.stop': {},
      },
    },
    stopped: { type: 'final' },
  },
  output: ({ context }) => context.reason,
});

function counted(verdict: ExitVerdict): { history?: readonly number[] } {
  return verdict.type === 'restart' ? { history: verdict.history } : {};
}

function causeOf(verdict: ExitVerdict): GiveUpCause {
  return verdict.type === 'give_up' ? verdict.because : 'reached_max_restart_intensity';
}

export type SupervisorSnapshot = SnapshotFrom<typeof supervisorMachine>;

/** The supervisor's state in the words that hold for every child. */
export function lifecycleStateOf({ value }: SupervisorSnapshot): LifecycleState {
  switch (value) {
    case 'starting':
      return 'spawning';
    case 'stopping':
    case 'stopped':
      return value;
    default:
      return 'ready';
  }
}
