// Does the linter of machines see the actors that a machine spawns, wherever it does? Each machine is judged, then run with an actor that crashes.
import { createMachine, setup, spawnChild, type AnyStateMachine } from 'xstate';
import { describe, expect, it } from 'vitest';

import { foundIn, fragile, goesOn, INVOKE, machine, on, withActors } from './lint-machines.ts';
import type { Case } from './lint-machines.ts';

const HIRE = spawnChild('fragile', { id: 'k' });
/** Of logic in place: only the action itself tells of it, nothing in the machine's implementations. */
const HIRE_IN_PLACE = spawnChild(fragile as never, { id: 'k' }) as never;

/** A machine with a catch-all, and a named action that spawns. */
const withAction = (config: object): AnyStateMachine =>
  setup({ actions: { hire: HIRE_IN_PLACE } }).createMachine({
    ...{ id: 'm', on: on('*') },
    ...config,
  } as never) as unknown as AnyStateMachine;

/** A machine that spawns where nobody can see it. */
const withHidden = (transitions: object): AnyStateMachine =>
  withActors.createMachine({
    ...{ id: 'm', on: transitions },
    context: ({ spawn }: { spawn: (src: 'fragile', options: { id: string }) => unknown }) => ({
      ref: spawn('fragile', { id: 'k' }),
    }),
  } as never) as unknown as AnyStateMachine;

const PLACES: readonly Case[] = [
  ['by an entry action', machine({ id: 'm', on: on('*'), entry: HIRE }), ['* m fragile']],
  [
    'by an exit action',
    withAction({
      ...{ initial: 'a' },
      states: { a: { on: on('go', { target: 'b' }), exit: HIRE_IN_PLACE }, b: {} },
    }),
    ['* m k'],
  ],
  [
    'by an action of a transition',
    withAction({ on: { ...on('*'), ...on('go', { actions: HIRE_IN_PLACE }) } }),
    ['* m k'],
  ],
  [
    'by an action of a transition that no event triggers',
    withAction({
      ...{ initial: 'a' },
      states: { a: { always: { target: 'b', actions: HIRE_IN_PLACE } }, b: {} },
    }),
    ['* m k'],
  ],
  ['by an action with a name', withAction({ entry: 'hire' }), ['* m k']],
  ['by an action with parameters', withAction({ entry: { type: 'hire' } }), ['* m k']],
  [
    'without an id',
    createMachine({ id: 'm', on: { '*': {} }, entry: spawnChild(fragile as never) }),
    ['* m a spawned actor'],
  ],
  [
    'with an id that is computed',
    createMachine({
      ...{ id: 'm', on: { '*': {} } },
      entry: spawnChild(fragile as never, { id: () => 'k' }),
    }),
    ['* m a spawned actor'],
  ],
  ['where nobody can see it', withHidden(on('*')), ['* m fragile']],
  [
    'where nobody can see it, beside a transition of exactly the error of another',
    withHidden({ ...on('*'), ...on('xstate.error.actor.undefined') }),
    ['* m fragile'],
  ],
];

describe('a crash is swallowed of an actor that is spawned', () => {
  it.each(PLACES)('%s', (_what, given, found) => {
    expect([foundIn(given), goesOn(given)]).toEqual([found, true]);
  });
});

describe('a crash of a spawned actor', () => {
  const MEANT = { ...on('*'), ...on('xstate.error.actor.k') };

  it.each<[string, AnyStateMachine]>([
    ['by its name', machine({ id: 'm', on: MEANT, entry: HIRE })],
    ['in place', withAction({ on: MEANT, entry: HIRE_IN_PLACE })],
  ])('is taken care of by a transition of exactly that error, spawned %s', (_how, given) => {
    expect([foundIn(given), goesOn(given)]).toEqual([[], true]);
  });

  it('ends a machine without a catch-all', () => {
    const given = machine({ id: 'm', entry: HIRE });
    expect([foundIn(given), goesOn(given)]).toEqual([[], false]);
  });
});

describe('an action that spawns nothing', () => {
  it.each([['log'], ['not there'], [{ type: 'not there' }], [() => undefined]])('%o', (entry) => {
    const given = setup({ actions: { log: () => undefined } }).createMachine({
      ...{ id: 'm', on: on('*') },
      entry,
    } as never);
    expect(foundIn(given)).toEqual([]);
  });
});

describe('a machine that is spawned in place', () => {
  it('is looked into', () => {
    const inner = machine({ id: 'inner', on: on('*'), invoke: INVOKE });
    const outer = createMachine({ id: 'm', entry: spawnChild(inner as never) });
    expect(foundIn(outer)).toEqual(['* inner k']);
  });
});
