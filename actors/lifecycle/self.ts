// Whose code runs now, as a reference that others can be given? Erlang's `self()`.
import { currentOwner, type CrashOwner } from './crash-trap.ts';
import type { ActorRef, Incarnation } from './ref.ts';

/** An actor as the owner of its code. */
export interface ActorOwner extends CrashOwner {
  readonly ref: Incarnation;
}

/**
 * The actor whose code runs now: in its actions, guards, start function, timers, promises and whatever those begin.
 *
 * @returns its incarnation, which may have ended already; nothing outside of every actor.
 */
export function self(): ActorRef | undefined {
  return ownIncarnation();
}

/** The same, as this package sees it. */
export function ownIncarnation(): Incarnation | undefined {
  const owner = currentOwner();
  return owner !== undefined && 'ref' in owner ? (owner as ActorOwner).ref : undefined;
}
