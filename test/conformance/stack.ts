// Who keeps values in these tests, and says by itself how it is supervised? A stack, and a supervisor of one.
import { assign, setup } from 'xstate';

import { reply, type From } from '../../actors/lifecycle/from.ts';
import { childSpec } from '../../supervisors/child-spec-of.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import { call, type Target } from '../../supervisors/messages.ts';
import { supervisor } from '../../supervisors/start-supervisor.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import type { VirtualSystem } from '../support/virtual-system.ts';

interface StackInput {
  readonly values: readonly unknown[];
}

type StackEvent =
  { readonly type: 'pop'; readonly from: From } | { readonly type: 'stop'; readonly from: From };

const stack = setup({
  types: {
    context: {} as StackInput,
    events: {} as StackEvent,
    input: {} as StackInput | undefined,
  },
}).createMachine({
  context: ({ input }) => input ?? { values: [] },
  initial: 'up',
  states: {
    up: {
      on: {
        pop: {
          actions: [
            ({ context, event }) => reply(event.from, context.values[0]),
            assign(({ context }) => ({ values: context.values.slice(1) })),
          ],
        },
        stop: { target: 'stopped', actions: ({ event }) => reply(event.from, 'ok') },
      },
    },
    stopped: { type: 'final' },
  },
});

export const Stack = {
  childSpec: (input?: StackInput): ChildSpec => ({ id: 'Stack', start: stack, input }),
};

/** The topmost value, taken off. */
export function pop(target: Target | undefined, { system }: VirtualSystem): Promise<unknown> {
  if (target === undefined) throw new Error('there is no stack');
  return call(target, { type: 'pop' }, { system });
}

/** A supervisor that is made elsewhere: the init of a tree of its own, and its specification below another. */
export const StackSupervisor = {
  init({ values, name }: StackInput & { readonly name?: string }): SupervisorFlags {
    const named = name === undefined ? {} : { name };
    return { children: [childSpec([Stack, { values }], named)] };
  },
  childSpec(input: StackInput = { values: [] }): ChildSpec {
    const start = supervisor(StackSupervisor.init(input));
    return { id: 'StackSupervisor', start, type: 'supervisor' };
  },
};
