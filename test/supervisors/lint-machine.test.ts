// Does the linter of machines find what XState really does? Each machine is judged, then run with an actor that crashes.
import { createMachine, fromCallback, setup } from 'xstate';
import { describe, expect, it } from 'vitest';

import { swallowersOf } from '../../supervisors/lint-machine.ts';
import { foundIn, fragile, goesOn, INVOKE, machine, on, type Case } from './lint-machines.ts';

const SWALLOWING: readonly Case[] = [
  ...['*', 'xstate.*', 'xstate.error.*', 'xstate.error.actor.*'].map((general): Case => [
    `${general} above the invoking state`,
    machine({ id: 'm', on: on(general), initial: 'a', states: { a: { invoke: INVOKE } } }),
    [`${general} m k`],
  ]),
  [
    'a general one beside a more general one, which never gets it',
    machine({ id: 'm', on: { ...on('xstate.error.actor.*'), ...on('*') }, invoke: INVOKE }),
    ['xstate.error.actor.* m k'],
  ],
  [
    'a transition that is forbidden',
    machine({ id: 'm', on: { '*': undefined }, invoke: INVOKE }),
    ['* m k'],
  ],
  [
    'one of several that is not guarded',
    machine({ id: 'm', on: { '*': [{ guard: 'no' }, {}] }, invoke: INVOKE }),
    ['* m k'],
  ],
  [
    'one below the invoking state, which comes before its onError',
    machine({
      ...{ id: 'm', initial: 'a' },
      states: {
        a: {
          invoke: { ...INVOKE, onError: 'b' },
          ...{ initial: 'c', states: { c: { on: on('*') } } },
        },
        b: { invoke: [] },
      },
    }),
    ['* m.a.c k'],
  ],
  [
    'one of a region beside the invoking one',
    machine({
      ...{ id: 'm', type: 'parallel' },
      states: { a: { invoke: INVOKE }, b: { on: on('*') } },
    }),
    ['* m.b k'],
  ],
  [
    'an onError that may say no',
    machine({ id: 'm', on: on('*'), invoke: { ...INVOKE, onError: { guard: 'no' } } }),
    ['* m k'],
  ],
];

const SILENT: readonly Case[] = [
  ['no catch-all', machine({ id: 'm', invoke: INVOKE }), []],
  ...['xstate.done.*', 'xstate.error', 'foo.*', 'xstate'].map((descriptor): Case => [
    `${descriptor}, which no error matches`,
    machine({ id: 'm', on: on(descriptor), invoke: INVOKE }),
    [],
  ]),
  ['no transition at all', machine({ id: 'm', on: { '*': [] }, invoke: INVOKE }), []],
  ['a guarded one', machine({ id: 'm', on: on('*', { guard: 'no' }), invoke: INVOKE }), []],
  [
    'one of a state that is never active with the invoking one',
    machine({
      ...{ id: 'm', initial: 'a' },
      states: { a: { invoke: INVOKE }, b: { on: on('*') } },
    }),
    [],
  ],
];

const MEANT: readonly Case[] = [
  [
    'onError of the same state',
    machine({ id: 'm', on: on('*'), invoke: { ...INVOKE, onError: {} } }),
    [],
  ],
  [
    'onError below',
    machine({
      ...{ id: 'm', on: on('*'), initial: 'a' },
      states: { a: { invoke: { ...INVOKE, onError: {} } } },
    }),
    [],
  ],
  [
    'a transition of exactly that error, between the two',
    machine({
      ...{ id: 'm', on: on('*'), initial: 'a' },
      states: {
        a: {
          ...{ on: on('xstate.error.actor.k'), initial: 'b' },
          states: { b: { invoke: INVOKE } },
        },
      },
    }),
    [],
  ],
  [
    'onError of the region itself',
    machine({
      ...{ id: 'm', type: 'parallel' },
      states: { a: { invoke: { ...INVOKE, onError: {} } }, b: { on: on('*') } },
    }),
    [],
  ],
];

describe('a crash of an actor is swallowed by', () => {
  it.each(SWALLOWING)('%s', (_what, given, found) => {
    expect([foundIn(given), goesOn(given)]).toEqual([found, true]);
  });
});

describe('a crash of an actor is heard in spite of', () => {
  it.each(SILENT)('%s', (_what, given, found) => {
    expect([foundIn(given), goesOn(given)]).toEqual([found, false]);
  });
});

describe('a crash of an actor is taken care of by', () => {
  it.each(MEANT)('%s', (_what, given, found) => {
    expect([foundIn(given), goesOn(given)]).toEqual([found, true]);
  });
});

describe('machines inside of machines', () => {
  const inner = machine({ id: 'inner', on: on('*'), invoke: INVOKE });

  it('are looked into, whether named or in place', () => {
    const named = setup({ actors: { inner } }).createMachine({ id: 'm', invoke: { src: 'inner' } });
    const inPlace = createMachine({
      ...{ id: 'm', initial: 'a' },
      states: { a: { invoke: [{ src: inner }, { src: fromCallback(() => undefined) }] } },
    });
    const single = createMachine({ id: 'm', invoke: { src: inner } });
    for (const outer of [named, inPlace, single]) expect(foundIn(outer)).toEqual(['* inner k']);
  });

  it('are looked into once', () => {
    const twice = setup({ actors: { inner, again: inner } }).createMachine({
      id: 'm',
      invoke: [{ src: 'inner' }, { src: 'again' }],
    });
    expect(foundIn(twice)).toEqual(['* inner k']);
  });
});

describe('what is no machine', () => {
  it.each([
    [undefined],
    [() => undefined],
    [fragile],
    [fromCallback(() => undefined)],
    [{ root: {} }],
  ])('swallows nothing: %o', (given) => {
    expect(swallowersOf(given)).toEqual([]);
  });

  it('nor does a machine without actors', () => {
    expect(swallowersOf(createMachine({ on: { '*': {} } }))).toEqual([]);
  });
});
