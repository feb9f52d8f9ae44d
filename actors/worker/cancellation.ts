// How is a running call ended? Asked, then made to, then interrupted; when nothing helps, its process is condemned.
import type { Actor } from 'xstate';

import type { Clock } from '../ground/clock.ts';
import { LIMITS } from '../ground/limits.ts';
import { createRoot } from '../lifecycle/root.ts';
import {
  cancellationMachine,
  type CancelBudgets,
  type CancelMode,
  type CancelStage,
  type CancelState,
} from './cancellation.machine.ts';

/**
 * What a cancellation comes to. `drain`: this call cannot be ended without its neighbours, so the worker takes nothing new while they finish.
 * `kill`: a verdict for the caller to carry out; nothing was killed here.
 */
export type CancelStep = CancelStage | 'drain';

/** What is not given is the limit of the same name. */
export type CancelOptions = Partial<CancelBudgets>;

export interface CancelPorts {
  readonly clock: Clock;
  /** Tell the worker that this call is cancelled. */
  readonly flag: () => void;
  /** Have `CallCancelled` raised in its handler, or its task cancelled. */
  readonly raise: () => void;
  /** SIGINT to the process. */
  readonly interrupt: () => void;
  /** The cancellation itself has failed, and is over: something threw that is not the worker's fault. Told after a poll, never from inside. */
  readonly failed: (error: Error) => void;
}

/** One call's way to its end. */
export interface Cancellation {
  readonly state: CancelState;
  /** The call is over. @returns the stage that was needed: the last one that was begun. */
  settled(): CancelStage;
  /** Go no further: the process is gone, or the worker is. */
  stop(): void;
}

/**
 * Begin to cancel a call. `onStage` is told each step when its means has been used: the first, `flag`, from inside this function. A step follows when the time of the
 * one before is over and what had arrived by then has been read, so that a blocked event loop condemns no worker whose reply lay in the socket.
 */
export function cancelCall(
  options: CancelOptions,
  ports: CancelPorts,
  mode: CancelMode,
  onStage: (step: CancelStep) => void,
): Cancellation {
  const { clock } = ports;
  const machine = cancellationMachine.provide({
    actions: {
      flag: () => {
        ports.flag();
        onStage('flag');
      },
      raise: () => {
        ports.raise();
        onStage('raise');
      },
      interrupt: () => {
        ports.interrupt();
        onStage('interrupt');
      },
      drain: () => onStage('drain'),
      condemn: () => onStage('kill'),
      poll: () => clock.afterPoll(() => tell(actor, { type: 'polled' })),
    },
  });
  const actor: Actor<typeof cancellationMachine> = createRoot(machine, {
    id: 'cancellation',
    clock,
    input: { mode, budgets: budgetsOf(options) },
    onSnapshot: () => undefined,
    // Not from inside `cancelCall`: its caller has nothing yet that it could condemn.
    onError: (error) => clock.afterPoll(() => ports.failed(error)),
  });
  actor.start();
  return {
    get state() {
      return actor.getSnapshot().value;
    },
    settled: () => {
      tell(actor, { type: 'call.ended' });
      return actor.getSnapshot().context.stage;
    },
    stop: () => {
      actor.stop();
    },
  };
}

type CancelActor = Actor<typeof cancellationMachine>;

/** Replies and polls may come after the end, which XState would warn of on the console. */
function tell(actor: CancelActor, event: Parameters<CancelActor['send']>[0]): void {
  if (actor.getSnapshot().status === 'active') actor.send(event);
}

function budgetsOf(options: CancelOptions): CancelBudgets {
  return {
    flagMs: options.flagMs ?? LIMITS.cancelFlagMs,
    raiseMs: options.raiseMs ?? LIMITS.cancelRaiseMs,
    interruptMs: options.interruptMs ?? LIMITS.cancelInterruptMs,
    drainMs: options.drainMs ?? LIMITS.cancelDrainMs,
  };
}
