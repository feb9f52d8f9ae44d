// What may the `start` of a child specification be, and what may it give? Types, and the one question whether something is XState logic.
import type { AnyActorLogic } from 'xstate';

import type { ActorRef } from './ref.ts';

/** What a start function is given besides its input. */
export interface StartContext {
  /** Aborted when the start is not wanted any more: the child is asked to stop, or its start took too long. */
  readonly signal: AbortSignal;
  /** Which incarnation of the child it is, from 1. */
  readonly epoch: number;
  /** The incarnation that is being started, to be handed to what others shall send events to. */
  readonly self: ActorRef;
}

/** What a start function gives: OTP's `{ok, Pid}` and `{ok, Pid, Info}`. */
export interface Started {
  /** XState logic of any kind: what runs. */
  readonly logic: AnyActorLogic;
  /** The input of that logic. */
  readonly input?: unknown;
  /** Handed to whoever called `startChild` or `restartChild`. */
  readonly info?: unknown;
  /** Runs when the incarnation has ended, however that was. What it returns is awaited: within the shutdown time when asked to stop, before the next start after a crash. */
  readonly cleanUp?: () => unknown;
}

/**
 * Start a child by code: open what it needs, then give the logic that runs. A throw or a rejection is a start error; `'ignore'` means that there is nothing to run (OTP's `ignore`).
 * No `AsyncLocalStorage` of the program's has a store in it: what brings a start about, a request or the crash of a sibling, is over long before the child is.
 */
export type StartFunction = (
  input: never,
  context: StartContext,
) => Started | 'ignore' | PromiseLike<Started | 'ignore'>;

/** Whether it is XState v5 actor logic of any kind. */
export function isLogic(start: unknown): start is AnyActorLogic {
  return (
    typeof start === 'object' &&
    start !== null &&
    typeof (start as { transition?: unknown }).transition === 'function' &&
    typeof (start as { getInitialSnapshot?: unknown }).getInitialSnapshot === 'function'
  );
}
