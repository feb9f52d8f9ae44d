// Is a registry what Elixir's is? Cases 217 to 226, of its registry tests.
import { describe, expect } from 'vitest';

import { incarnationOf, type ActorRef } from '../../actors/lifecycle/ref.ts';
import { via, type Registry } from '../../actors/lifecycle/registry.ts';
import type { RegistryEvent, RegistryKeys } from '../../actors/lifecycle/registry-entries.ts';
import { call, cast, startRegistry, whereis } from '../../supervisors/messages.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import {
  boom,
  doer,
  doers,
  overheard,
  rejectionOf,
  type Doers,
  type Job,
} from '../actors/lifecycle/actors.ts';
import { scenario } from './scenario.ts';
import { child, stage } from './stage.ts';

interface Scene extends Doers {
  readonly names: Registry<string>;
  readonly told: readonly RegistryEvent[];
}

/** Two actors, and a registry that tells a third one. */
async function scene(keys: RegistryKeys): Promise<Scene> {
  const made = await doers();
  const listener = await made.start(child('listener', { start: doer, name: 'listener' }));
  const told = overheard(listener) as readonly RegistryEvent[];
  const names = startRegistry<string>({ name: 'names', keys, listeners: ['listener'] }, made.world);
  return { ...made, names, told };
}

function taken(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return (error as { readonly ref?: unknown }).ref;
  }
  throw new Error('it was not taken');
}

describe('a unique registry', () => {
  scenario(217, 'unique registration', '', async () => {
    const { one, two, as, names } = await scene('unique');
    as(one, () => names.register('hello', 'world'));
    expect(as(one, () => taken(() => names.register('hello', 'again')))).toBe(one);
    expect(taken(() => names.register('hello', 'again', { as: two }))).toBe(one);
    expect([names.keys(one), names.keys(two)]).toEqual([['hello'], []]);
    expect(names.values('hello', one)).toEqual(['world']);
  });

  scenario(218, 'unique registration over a dead owner', '', async () => {
    const { one, two, as, names } = await scene('unique');
    const seen: unknown[] = [];
    // Told before the registry is: its own clean-up of the dead has not come yet.
    incarnationOf(one).whenEnded(() => {
      seen.push(names.lookup('hello'));
      names.register('hello', 'mine', { as: two });
    });
    names.register('hello', 'world', { as: one });
    as(one, boom);
    expect(seen).toEqual([[]]);
    expect(names.lookup('hello')).toEqual([{ ref: two, value: 'mine' }]);
  });

  scenario(219, 'unregister', '', async () => {
    const { one, two, as, names } = await scene('unique');
    as(one, () => names.register('hello', 'world'));
    as(two, () => names.unregister('hello'));
    expect(names.keys(one)).toEqual(['hello']);
    as(one, () => names.unregister('hello'));
    as(one, () => names.unregister('hello'));
    expect([names.keys(one), names.count()]).toEqual([[], 0]);
    names.register('hello', 'mine', { as: two });
    expect(names.values('hello', two)).toEqual(['mine']);
    expect(names.values('hello', one)).toEqual([]);
  });

  scenario(220, 'crash of the owner', '', async () => {
    const { one, two, as, names } = await scene('unique');
    for (const key of ['a', 'b', 'c']) names.register(key, key, { as: one });
    names.register('d', 'd', { as: two });
    as(one, boom);
    expect([names.count(), names.keys(one), names.keys(two)]).toEqual([1, [], ['d']]);
  });

  scenario(
    221,
    'links to the registry',
    'there are no links: the registry watches an owner from its first key to its last, and its own end ends nobody',
    async () => {
      const { one, as, names } = await scene('unique');
      const owners: number[] = [];
      const note = (): void => void owners.push(names.countOwners());
      note();
      for (const key of ['a', 'b']) {
        names.register(key, 1, { as: one });
        note();
      }
      for (const key of ['a', 'b']) {
        names.unregister(key, { as: one });
        note();
      }
      expect(owners).toEqual([0, 1, 1, 1, 0]);
      names.register('a', 1, { as: one });
      names.stop();
      expect(as(one, () => 'alive')).toBe('alive');
    },
  );

  scenario(222, 'listeners', '', async () => {
    const { one, two, as, names, told } = await scene('unique');
    names.register('a', 'x', { as: one });
    names.register('b', 'y', { as: two });
    names.unregister('b', { as: two });
    as(one, boom);
    const registry = 'names';
    expect(told).toEqual([
      { type: 'register', registry, key: 'a', ref: one, value: 'x' },
      { type: 'register', registry, key: 'b', ref: two, value: 'y' },
      { type: 'unregister', registry, key: 'b', ref: two },
      { type: 'unregister', registry, key: 'a', ref: one },
    ]);
  });

  scenario(223, 'via', '', async () => {
    const { names, world, told, ...made } = await scene('unique');
    const name = names.via('agent', 'a value');
    expect(whereis(name, world)).toBeUndefined();
    cast(name, { type: 'nobody' }, world);
    const agent = await made.start(child('agent', { start: doer, name }));
    expect(whereis(name, world)).toBe(agent);
    expect(names.lookup('agent')).toEqual([{ ref: agent, value: 'a value' }]);
    const job: Job = { type: 'job', run: () => 'done' };
    expect(await made.ask(call(name, job, world))).toBe('done');
    const again = made.ask(rejectionOf(made.sup.startChild(child('other', { name }))));
    expect(await again).toMatchObject({ code: 'already_started', ref: agent });
    await made.ask(made.sup.terminateChild('agent'));
    expect(whereis(name, world)).toBeUndefined();
    expect(told.map(({ type, key }) => [type, key])).toEqual([
      ['register', 'agent'],
      ['unregister', 'agent'],
    ]);

    const unknown = via('unknown', 'agent');
    expect(() => whereis(unknown, world)).toThrow(
      expect.objectContaining({ code: 'unknown_registry' }),
    );
    const lost = startSupervisor({ children: [child('a', { name: unknown })] }, world);
    expect(await made.ask(rejectionOf(lost))).toMatchObject({
      code: 'failed_to_start_child',
      cause: { code: 'unknown_registry' },
    });
    const many = startRegistry({ name: 'many', keys: 'duplicate' }, world);
    expect(() => whereis(many.via('agent'), world)).toThrow(
      expect.objectContaining({ code: 'not_unique' }),
    );
  });

  scenario(225, 'update_value', '', async () => {
    const { one, two, as, names, world } = await scene('unique');
    names.register('hello', 1, { as: one });
    const change = (value: unknown): unknown => (value as number) + 1;
    expect(as(one, () => names.updateValue('hello', change))).toEqual({ value: 2, before: 1 });
    expect(as(two, () => names.updateValue('hello', change))).toBeUndefined();
    expect(names.updateValue('other', change, { as: one })).toBeUndefined();
    expect(() => names.updateValue('hello', boom, { as: one })).toThrow('boom');
    expect(names.lookup('hello')).toEqual([{ ref: one, value: 2 }]);
    const many = startRegistry({ name: 'many', keys: 'duplicate' }, world);
    expect(() => many.updateValue('hello', change, { as: one })).toThrow(
      expect.objectContaining({ code: 'not_unique' }),
    );
  });

  scenario(226, 'lock', '', async () => {
    const { one, two, as, names, ask, world } = await scene('unique');
    const seen: string[] = [];
    const opens = new Map<string, () => void>();
    const hold = (who: string) => (): Promise<string> => {
      seen.push(who);
      return new Promise((resolve) => opens.set(who, () => resolve(who)));
    };
    const lock = (ref: ActorRef, key: string, who: string): Promise<string> =>
      as(ref, () => names.lock(key, hold(who))) as Promise<string>;
    const first = lock(one, 'k', 'first');
    const second = lock(two, 'k', 'second');
    const other = lock(two, 'other key', 'other');
    expect(seen).toEqual(['first', 'other']);
    opens.get('first')?.();
    opens.get('other')?.();
    expect(await ask(Promise.all([first, other]))).toEqual(['first', 'other']);
    expect(seen).toEqual(['first', 'other', 'second']);
    opens.get('second')?.();
    await ask(second);

    // Released when the work throws, at once or later.
    for (const work of [boom, async () => boom()]) {
      expect(await ask(rejectionOf(names.lock('k', work)))).toEqual(new Error('boom'));
    }
    expect(await ask(names.lock('k', () => 'free'))).toBe('free');

    // Released when the holder dies; a waiter that dies never has its turn.
    const three = await startDoer(world);
    void lock(one, 'k', 'holder');
    void lock(two, 'k', 'waiter');
    void lock(three, 'k', 'last');
    as(two, boom);
    expect(seen.slice(3)).toEqual(['holder']);
    as(one, boom);
    expect(seen.slice(3)).toEqual(['holder', 'last']);
    opens.get('last')?.();
    expect(await ask(names.lock('k', () => 'free'))).toBe('free');
  });
});

describe('a duplicate registry', () => {
  scenario(224, 'duplicate keys and dispatch', '', async () => {
    const { one, two, as, names, ask } = await scene('duplicate');
    as(one, () => names.register('hello', 1));
    as(one, () => names.register('hello', 2));
    names.register('hello', 3, { as: two });
    const entries = [
      { ref: one, value: 1 },
      { ref: one, value: 2 },
      { ref: two, value: 3 },
    ];
    expect(names.lookup('hello')).toEqual(entries);
    expect([names.keys(one), names.values('hello', one)]).toEqual([
      ['hello', 'hello'],
      [1, 2],
    ]);
    const calls: unknown[] = [];
    const tell = (given: unknown): void => void calls.push(given);
    await ask(names.dispatch('hello', tell));
    await ask(names.dispatch('hello', tell, { parallel: true }));
    await ask(names.dispatch('nobody', tell));
    expect(calls).toEqual([entries, ...entries.map((entry) => [entry])]);
    for (const parallel of [false, true]) {
      expect(await ask(rejectionOf(names.dispatch('hello', boom, { parallel })))).toEqual(
        new Error('boom'),
      );
    }
    expect(names.lookup('hello')).toEqual(entries);
    as(one, () => names.unregister('hello'));
    expect(names.lookup('hello')).toEqual([{ ref: two, value: 3 }]);
    as(two, boom);
    expect(names.count()).toBe(0);
  });
});

async function startDoer(world: Scene['world']): Promise<ActorRef> {
  return (await stage({ children: [{ id: 'three', start: doer }] }, world)).ref('three');
}
