// Which states does a supervisor go through, and which verdict is which transition? It decides and never spawns: `supervisor.ts` carries out.
import { assign, setup, type SnapshotFrom } from 'xstate';

import { SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import type { LifecycleState } from '../actors/lifecycle/child.ts';
import { judgeCrash, type CrashFacts, type CrashVerdict } from './restart-policy.ts';
import type { RestartIntensity } from './restart-intensity.ts';

export interface SupervisorInput {
  readonly intensity: RestartIntensity;
}

export interface SupervisorContext {
  readonly input: SupervisorInput;
  /** Times of the restarts that still count, newest first. */
  readonly history: readonly number[];
  /** Why it ends; meaningful from `stopping` on. */
  readonly reason: ExitReason;
}

export type SupervisorEvent =
  | { readonly type: 'children.started' }
  | { readonly type: 'children.start_failed'; readonly id: string; readonly reason: ExitReason }
  | { readonly type: 'child.crashed'; readonly id: string; readonly facts: CrashFacts }
  | { readonly type: 'children.stopped' }
  | { readonly type: 'supervisor.stop'; readonly reason: ExitReason };

function verdictOn(context: SupervisorContext, facts: CrashFacts): CrashVerdict {
  return judgeCrash(context.input.intensity, context.history, facts);
}

export const supervisorMachine = setup({
  types: {
    context: {} as SupervisorContext,
    events: {} as SupervisorEvent,
    input: {} as SupervisorInput,
    output: {} as ExitReason,
  },
  actions: {
    startChildren: () => {
      throw new Error('not provided: startChildren');
    },
    restartChild: (_, _params: { id: string; history: readonly number[] }) => {
      throw new Error('not provided: restartChild');
    },
    keepChildDown: (_, _params: { id: string }) => {
      throw new Error('not provided: keepChildDown');
    },
    removeChild: (_, _params: { id: string }) => {
      throw new Error('not provided: removeChild');
    },
    giveUpOn: (_, _params: { id: string; because: string }) => {
      throw new Error('not provided: giveUpOn');
    },
    stopChildren: () => {
      throw new Error('not provided: stopChildren');
    },
    countRestart: assign(({ context }, params: { facts: CrashFacts }) => {
      const verdict = verdictOn(context, params.facts);
      return verdict.type === 'restart' ? { history: verdict.history } : {};
    }),
    recordReason: assign((_, params: { reason: ExitReason }) => ({ reason: params.reason })),
  },
  guards: {
    judged: ({ context }, params: { facts: CrashFacts; as: CrashVerdict['type'] }) =>
      verdictOn(context, params.facts).type === params.as,
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
          actions: {
            type: 'recordReason',
            params: ({ event }) => ({
              reason: {
                type: 'shutdown',
                detail: { failed_to_start_child: event.id, reason: event.reason },
              },
            }),
          },
        },
      },
    },
    running: {
      on: {
        'child.crashed': [
          {
            guard: { type: 'judged', params: ({ event }) => ({ ...event, as: 'restart' }) },
            actions: [
              { type: 'countRestart', params: ({ event }) => event },
              {
                type: 'restartChild',
                params: ({ context, event }) => ({
                  id: event.id,
                  history: context.history,
                }),
              },
            ],
          },
          {
            guard: { type: 'judged', params: ({ event }) => ({ ...event, as: 'keep_down' }) },
            actions: { type: 'keepChildDown', params: ({ event }) => event },
          },
          {
            guard: { type: 'judged', params: ({ event }) => ({ ...event, as: 'remove' }) },
            actions: { type: 'removeChild', params: ({ event }) => event },
          },
          {
            // OTP: the restart that would be one too many is not performed; the supervisor stops its children and exits `shutdown`.
            target: 'stopping',
            actions: [
              {
                type: 'giveUpOn',
                params: ({ context, event }) => {
                  const verdict = verdictOn(context, event.facts);
                  return {
                    id: event.id,
                    because: verdict.type === 'give_up' ? verdict.because : '',
                  };
                },
              },
              { type: 'recordReason', params: { reason: SHUTDOWN } },
            ],
          },
        ],
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

/** The supervisor's state in the words that hold for every child. */
export function lifecycleStateOf(snapshot: SnapshotFrom<typeof supervisorMachine>): LifecycleState {
  switch (snapshot.value) {
    case 'starting':
      return 'spawning';
    case 'running':
      return 'ready';
    case 'stopping':
    case 'stopped':
      return snapshot.value;
    default:
      return snapshot.value satisfies never;
  }
}
