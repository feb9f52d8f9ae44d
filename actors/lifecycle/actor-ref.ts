// What is a reference to an actor, to those who only use it? Types.
import type { ExitReason } from '../ground/exit-reason.ts';

/** What actors send each other: XState's events. */
export interface ActorEvent {
  readonly type: string;
}

/** An event as it may be written in place: with whatever fields its receiver knows. */
export type AnyActorEvent = ActorEvent | (ActorEvent & Readonly<Record<string, unknown>>);

/**
 * One incarnation of a child, as others see it: OTP's pid. The successor after a restart has another one; names resolve to the present one.
 */
export interface ActorRef<Event extends ActorEvent = AnyActorEvent> {
  /** The child's id in its supervisor. */
  readonly id: string;
  /** Where it stands in the tree: the ids from the root down, joined by `/`. */
  readonly path: string;
  /** Which incarnation of its row it is, from 1. */
  readonly epoch: number;
  /** Why it ended; nothing while it lives. */
  readonly exitReason: ExitReason | undefined;
  /** Give it an event. One for the dead is a dead letter: counted and told on the bus, never delivered, never an error (as Erlang's `!`). */
  send(event: Event): void;
}
