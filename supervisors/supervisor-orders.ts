// How do a machine's orders reach its shell? Noted during the transition, carried out after it.
import type { GiveUpCause } from './restart-policy.ts';
import { supervisorMachine } from './supervisor.machine.ts';

interface OfChild {
  readonly key: string;
}

/** What the machine orders and its shell does. */
export interface Orders {
  readonly startChildren: () => void;
  readonly restartGroup: (
    order: OfChild & {
      /** Restarts that count in the window, this one included. */
      readonly history: readonly number[];
    },
  ) => void;
  readonly startGroup: (order: OfChild) => void;
  readonly keepChildDown: (order: OfChild) => void;
  readonly removeChild: (order: OfChild) => void;
  readonly shutDownWith: (order: OfChild & { readonly row: 'keep_down' | 'remove' }) => void;
  readonly giveUpOn: (order: OfChild & { readonly because: GiveUpCause }) => void;
  readonly stopChildren: () => void;
}

/**
 * The machine with actions that only note the order in `queue`. A child may answer an order at once: it must meet a machine that is already in its new state, and XState
 * may not be asked to make other actors from inside an action.
 */
export function machineWith(orders: Orders, queue: (() => void)[]): typeof supervisorMachine {
  const note =
    <Order>(carryOut: (order: Order) => void) =>
    (_: unknown, order: Order): void => {
      queue.push(() => {
        carryOut(order);
      });
    };
  return supervisorMachine.provide({
    actions: {
      startChildren: note(orders.startChildren),
      restartGroup: note(orders.restartGroup),
      startGroup: note(orders.startGroup),
      keepChildDown: note(orders.keepChildDown),
      removeChild: note(orders.removeChild),
      shutDownWith: note(orders.shutDownWith),
      giveUpOn: note(orders.giveUpOn),
      stopChildren: note(orders.stopChildren),
    },
  });
}
