// How does an actor of ours come to life? As the root of its own XState system, always with someone listening for its errors.
import {
  createActor,
  type Actor,
  type AnyStateMachine,
  type InputFrom,
  type SnapshotFrom,
} from 'xstate';

import type { Clock } from '../ground/clock.ts';
import { errorFrom } from '../ground/error-from.ts';

export interface RootOptions<Machine extends AnyStateMachine> {
  readonly id: string;
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>;
  readonly input: InputFrom<Machine>;
  /** Called after every transition. What it throws is an error of this actor too. */
  readonly onSnapshot: (snapshot: SnapshotFrom<Machine>) => void;
  /**
   * Called when the machine threw in an action, guard or assign, or `onSnapshot` did; the actor takes no more events then. Without a listener XState throws such an error
   * in a timer, which ends the process; and it leaves what the machine invoked running, so the listener must clean up.
   */
  readonly onError: (error: Error) => void;
}

/**
 * Make a root actor. It is not started.
 * Supervised children are roots in a Map, never XState children: XState keeps children of a parent that threw running, and its bookkeeping of thousands of them is quadratic.
 */
export function createRoot<Machine extends AnyStateMachine>(
  machine: Machine,
  options: RootOptions<Machine>,
): Actor<Machine> {
  const { id, clock, input, onSnapshot, onError } = options;
  const actor = createActor<Machine>(machine, { id, clock, input });
  const fail = (error: unknown): void => {
    onError(errorFrom(error));
  };
  // One observer for both: XState throws an error in a timer again for each observer that does not listen for errors.
  actor.subscribe({
    next: (snapshot) => {
      try {
        onSnapshot(snapshot);
      } catch (error) {
        actor.stop();
        fail(error);
      }
    },
    error: fail,
  });
  return actor;
}
