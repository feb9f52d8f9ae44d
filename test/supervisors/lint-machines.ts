// What do the tests of the linter of machines share? An actor that crashes, machines around it, and how to see whether they go on.
import { createActor, fromTransition, setup, type AnyStateMachine } from 'xstate';

import { swallowersOf } from '../../supervisors/lint-machine.ts';

/** Crashes when it is told anything. */
export const fragile = fromTransition((): number => {
  throw new Error('crashed');
}, 0);

export const withActors = setup({ actors: { fragile }, guards: { no: () => false } });

export const INVOKE = { src: 'fragile', id: 'k' } as const;

/** What the linter must find: descriptor, state, actors. */
export type Case = readonly [what: string, machine: AnyStateMachine, found: readonly string[]];

export const on = (descriptor: string, transition: object = {}): object => ({
  [descriptor]: transition,
});

export const machine = (config: object): AnyStateMachine =>
  withActors.createMachine(config as never) as unknown as AnyStateMachine;

/** Whether the machine goes on when its only actor has crashed; it is told to `go` first. */
export function goesOn(given: AnyStateMachine): boolean {
  const actor = createActor(given);
  actor.subscribe({ error: () => undefined });
  actor.start();
  actor.send({ type: 'go' });
  const { children } = actor.getSnapshot() as {
    children: Record<string, { send: (event: object) => void }>;
  };
  const [inner, ...others] = Object.values(children);
  if (inner === undefined || others.length > 0) throw new Error('it must have one actor');
  inner.send({ type: 'anything' });
  const { status } = actor.getSnapshot() as { status: string };
  actor.stop();
  return status === 'active';
}

export const foundIn = (given: unknown): readonly string[] =>
  swallowersOf(given).map(
    ({ descriptor, state, actors }) => `${descriptor} ${state} ${actors.join()}`,
  );
