// When is an order of the supervisor's machine carried out? After the transition, never from inside it.
import { supervisorMachine } from './supervisor.machine.ts';

/** What the machine orders and its shell does. */
export interface Orders {
  readonly startChildren: () => void;
  readonly restartChild: (order: {
    readonly id: string;
    /** Restarts that count in the window, this one included. */
    readonly history: readonly number[];
  }) => void;
  readonly keepChildDown: (order: { readonly id: string }) => void;
  readonly removeChild: (order: { readonly id: string }) => void;
  readonly giveUpOn: (order: { readonly id: string; readonly because: string }) => void;
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
      restartChild: note(orders.restartChild),
      keepChildDown: note(orders.keepChildDown),
      removeChild: note(orders.removeChild),
      giveUpOn: note(orders.giveUpOn),
      stopChildren: note(orders.stopChildren),
    },
  });
}
