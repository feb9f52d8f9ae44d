// How does the registry of bridges serve its callers? Questions at once, changes one after the other, in the order in which they came. No I/O here: the actions come from whoever has the bridges.
import { assign, setup } from 'xstate';

import { LIMITS } from '../actors/ground/limits.ts';
import type { From } from '../actors/lifecycle/from.ts';

/** What a registry is asked to change. */
export type RegistryChange =
  | { readonly op: 'register'; readonly bridge: string; readonly given: unknown }
  | { readonly op: 'unregister'; readonly bridge: string; readonly drainMs: number | undefined };

/** One who waits for a change to be made. */
export interface Order {
  readonly change: RegistryChange;
  readonly from: From | undefined;
}

export type RegistryEvent =
  /** Look at one bridge: its script, its interpreter, its packages. */
  | { readonly type: 'validate'; readonly bridge: string; readonly from?: From }
  | { readonly type: 'change'; readonly change: RegistryChange; readonly from?: From }
  /** The change under way has been made, or refused. */
  | { readonly type: 'changed' };

interface RegistryContext {
  readonly waiting: readonly Order[];
}

const orderOf = ({ event }: { event: Extract<RegistryEvent, { type: 'change' }> }): Order => ({
  change: event.change,
  from: event.from,
});

/** There is one: a guard has seen it. */
function firstOf([order]: readonly Order[]): Order {
  if (order === undefined) throw new Error('no order waits');
  return order;
}

export const bridgeRegistryMachine = setup({
  types: { context: {} as RegistryContext, events: {} as RegistryEvent },
  actions: {
    look: (_, _event: Extract<RegistryEvent, { type: 'validate' }>) => {
      throw new Error('not provided: look');
    },
    make: (_, _order: Order) => {
      throw new Error('not provided: make');
    },
    refuse: (_, _order: Order) => {
      throw new Error('not provided: refuse');
    },
    enqueue: assign(({ context }, order: Order) => ({ waiting: [...context.waiting, order] })),
    dequeue: assign(({ context }) => ({ waiting: context.waiting.slice(1) })),
  },
  guards: {
    isFull: ({ context }) => context.waiting.length >= LIMITS.registryChangesMax,
    othersWait: ({ context }) => context.waiting.length > 0,
  },
}).createMachine({
  id: 'registry',
  context: () => ({ waiting: [] }),
  initial: 'serving',
  on: { validate: { actions: { type: 'look', params: ({ event }) => event } } },
  states: {
    serving: {
      on: { change: { target: 'changing', actions: { type: 'make', params: orderOf } } },
    },
    changing: {
      on: {
        change: [
          { guard: 'isFull', actions: { type: 'refuse', params: orderOf } },
          { actions: { type: 'enqueue', params: orderOf } },
        ],
        changed: [
          {
            guard: 'othersWait',
            actions: [
              {
                type: 'make',
                params: ({ context: { waiting } }) => firstOf(waiting),
              },
              'dequeue',
            ],
          },
          { target: 'serving' },
        ],
      },
    },
  },
});
