// Do entries stand for living actors only, and do keys work as names? The parts of a registry that Elixir's suite does not ask about.
import { describe, expect, it } from 'vitest';

import type { ActorRef } from '../../../actors/lifecycle/ref.ts';
import { registry, via } from '../../../actors/lifecycle/registry.ts';
import {
  call,
  monitor,
  registryNamed,
  startRegistry,
  whereis,
} from '../../../supervisors/messages.ts';
import { startSupervisor, supervisor } from '../../../supervisors/start-supervisor.ts';
import { child, stage } from '../../conformance/stage.ts';
import { boom, doer, doers, rejectionOf, type Job } from './actors.ts';

const refused = (code: string): object => expect.objectContaining({ code }) as object;

describe('a registry', () => {
  it('belongs to a system, and has its name there alone', async () => {
    const { world } = await doers();
    const first = startRegistry({ name: 'r', keys: 'unique' }, world);
    expect(() => startRegistry({ name: 'r', keys: 'unique' }, world)).toThrow(
      refused('already_started'),
    );
    first.stop();
    first.stop();
    const second = startRegistry({ name: 'r', keys: 'unique' }, world);
    first.stop();
    expect(second.count()).toBe(0);
    expect(registryNamed('r', world).count()).toBe(0);
    second.stop();
    expect(() => first.count()).toThrow(refused('unknown_registry'));
  });

  it.each([
    [{ name: '', keys: 'unique' }, 'name'],
    [{ name: 'r', keys: 'some' }, 'keys'],
    [{ name: 'r', keys: 'unique', listeners: 'x' }, 'listeners'],
    [{ name: 'r', keys: 'unique', partitions: 2 }, 'partitions'],
  ])('refuses %o', (options, field) => {
    expect(() => registry(options as never)).toThrow(expect.objectContaining({ field }));
  });

  it('takes entries of actors only, and of the living', async () => {
    const { one, as, world } = await doers();
    const all = startRegistry({ name: 'r', keys: 'duplicate' }, world);
    expect(() => all.register('k', 1)).toThrow(refused('no_owner'));
    all.register('k', 1, { as: one });
    expect(all.lookup('k')).toEqual([{ ref: one, value: 1 }]);
    as(one, boom);
    expect(() => all.register('k', 1, { as: one })).toThrow(refused('noproc'));
    await expect(all.lock('k', () => 1, { as: one })).rejects.toMatchObject({ code: 'noproc' });
    expect([all.count(), all.countOwners()]).toEqual([0, 0]);
  });

  it('is a child like any other: it starts before those who use it, and its successor is empty', async () => {
    const made = await stage({
      strategy: 'rest_for_one',
      children: [
        { id: 'registry', start: registry({ name: 'r', keys: 'unique' }) },
        { id: 'a', start: doer, name: via('r', 'a', { size: 1 }) },
      ],
    });
    const names = registryNamed<string>('r', made.world);
    const a = await made.ref('a');
    expect(names.lookup('a')).toEqual([{ ref: a, value: { size: 1 } }]);
    await made.ask(made.sup.terminateChild('registry'));
    expect(() => names.count()).toThrow(refused('unknown_registry'));
    await made.ask(made.sup.restartChild('registry'));
    expect(names.lookup('a')).toEqual([]);
    await made.ask(made.sup.stop());
    expect(() => names.count()).toThrow(refused('unknown_registry'));
  });
});

describe('a key as a name', () => {
  it('resolves to the present incarnation of a child, across restarts', async () => {
    const made = await stage();
    const names = startRegistry({ name: 'r', keys: 'unique' }, made.world);
    const name = names.via('a');
    await made.start(child('a', { start: doer, name }));
    const seen: (number | undefined)[] = [];
    const note = (): void => void seen.push(whereis(name, made.world)?.epoch);
    note();
    const first = await made.ref('a');
    first.send({ type: 'die', run: boom });
    note();
    await made.ask(made.sup.terminateChild('a'));
    note();
    await made.ask(made.sup.restartChild('a'));
    note();
    expect(seen).toEqual([1, 2, undefined, 3]);
    expect(names.keys(await made.ref('a'))).toEqual(['a']);
    await made.ask(made.sup.terminateChild('a'));
    await made.ask(made.sup.deleteChild('a'));
    expect(names.count()).toBe(0);
  });

  it('that is taken refuses the start, and leaves the one who has it alone', async () => {
    const made = await stage();
    startRegistry({ name: 'r', keys: 'unique' }, made.world);
    const a = await made.start(child('a', { name: via('r', 'k') }));
    const second = made.sup.startChild(child('b', { name: via('r', 'k') }));
    expect(await made.ask(rejectionOf(second))).toMatchObject({ code: 'already_started', ref: a });
    const root = startSupervisor({ name: via('r', 'k') }, made.world);
    expect(await made.ask(rejectionOf(root))).toMatchObject({ code: 'already_started', ref: a });
    expect(whereis(via('r', 'k'), made.world)).toBe(a);
  });

  it('names supervisors too, at the top and inside', async () => {
    const made = await stage();
    const names = startRegistry({ name: 'r', keys: 'unique' }, made.world);
    const top = await made.ask(startSupervisor({ name: names.via('top') }, made.world));
    expect(whereis(names.via('top'), made.world)).toBe(top.ref);
    expect(top.statistics()).toMatchObject({ name: 'r:top', path: 'r:top' });
    const inner = await made.start({ id: 'in', start: supervisor({ name: names.via('in') }) });
    expect(whereis(names.via('in'), made.world)).toBe(inner);
    await made.ask(top.stop());
    expect(whereis(names.via('top'), made.world)).toBeUndefined();
    expect(names.count()).toBe(1);
  });

  it('works for call and monitor', async () => {
    const { one, as, world, ...made } = await doers();
    const names = startRegistry({ name: 'r', keys: 'unique' }, world);
    names.register('one', undefined, { as: one });
    const job: Job = { type: 'job', run: () => 42 };
    expect(await made.ask(call(via(names, 'one'), job, world))).toBe(42);
    const downs: (ActorRef | undefined)[] = [];
    monitor(via('r', 'one'), ({ ref }) => downs.push(ref), world);
    as(one, boom);
    await world.settle();
    expect(downs).toEqual([one]);
    expect(await made.ask(rejectionOf(call(via('r', 'one'), job, world)))).toMatchObject({
      code: 'noproc',
      message: 'call job of r:one: there is nobody who takes it',
    });
    expect(await made.ask(rejectionOf(call(via('s', 'x'), job, world)))).toMatchObject({
      code: 'unknown_registry',
    });
  });

  it('is checked where it is written', () => {
    expect(() => supervisor({ name: {} as never })).toThrow(
      expect.objectContaining({ problem: 'invalid_name' }),
    );
  });
});

describe('a lock', () => {
  it('is given to each in turn, however many there are', async () => {
    const { world, ...made } = await doers();
    const locks = startRegistry({ name: 'r', keys: 'unique' }, world);
    const seen: number[] = [];
    let open: () => void = () => undefined;
    const first = locks.lock('k', () => new Promise<void>((resolve) => (open = resolve)));
    const rest = Array.from({ length: 20_000 }, (_, index) =>
      locks.lock('k', () => seen.push(index)),
    );
    open();
    await made.ask(Promise.all([first, ...rest]));
    expect([seen.length, seen[0], seen.at(-1)]).toEqual([20_000, 0, 19_999]);
  });
});
