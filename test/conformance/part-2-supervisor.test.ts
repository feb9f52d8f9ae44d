// Does Elixir's Supervisor hold here? Cases 94 to 109: the child_spec protocol, defaults, names, and the life of a child.
import { describe, expect } from 'vitest';

import { childSpec } from '../../supervisors/child-spec-of.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import { handleOf } from '../../supervisors/handles.ts';
import { call, startRegistry, stop, whereis } from '../../supervisors/messages.ts';
import { startSupervisor, supervisor } from '../../supervisors/start-supervisor.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { plain, std } from './children.ts';
import { scenario } from './scenario.ts';
import { pop, Stack, StackSupervisor } from './stack.ts';

describe('child_spec', () => {
  scenario(94, 'generates child_spec/1', 'an object with childSpec', () => {
    const generated = StackSupervisor.childSpec({ values: ['hello'] });
    expect(generated).toMatchObject({ id: 'StackSupervisor', type: 'supervisor' });
    const Custom = {
      childSpec: (): ChildSpec => {
        const start = supervisor({ children: [] });
        return childSpec(StackSupervisor, { id: 'id', restart: 'temporary', start });
      },
    };
    const custom = childSpec(Custom);
    expect(custom).toMatchObject({ id: 'id', restart: 'temporary', type: 'supervisor' });
    expect(custom.start).not.toBe(generated.start);
  });

  scenario(
    95,
    'child_spec/2',
    'an object with childSpec, a pair, a specification; errors have codes',
    () => {
      const alone = childSpec(Stack);
      expect([alone.id, alone.input]).toEqual(['Stack', undefined]);
      expect(childSpec([Stack, { values: ['foo'] }]).input).toEqual({ values: ['foo'] });
      const whole = { id: 'whole', start: std };
      expect(childSpec(whole)).toEqual(whole);
      const overrides = {
        id: 'foo',
        start: std,
        restart: 'permanent',
        shutdown: 'infinity',
      } as const;
      expect(childSpec(Stack, overrides)).toEqual({ ...alone, ...overrides });
      const Without = (): void => undefined;
      const problems = [
        [Without, 'missing_child_spec', 'childSpec(input) method is expected of Without'],
        [std, 'missing_child_spec', 'write { id, start }'],
        [undefined, 'missing_startable', 'does its module export it?'],
        ['other', 'invalid_child_spec', 'a pair of that and its input is expected'],
        [[Stack], 'invalid_child_spec', 'a pair of that and its input is expected'],
      ] as const;
      for (const [given, problem, text] of problems) {
        const refused = expect(() => childSpec(given as never));
        refused.toThrow(expect.objectContaining({ code: 'bad_child_spec', problem }));
        refused.toThrow(text);
      }
    },
  );
});

describe('the start of a supervisor', () => {
  scenario(96, 'init/2', 'the strategy has a default, Erlang’s one_for_one', async () => {
    const world = virtualSystem();
    const started = await world.settled(startSupervisor({ children: [] }, world));
    const defaults = { strategy: 'one_for_one', maxRestarts: 3, periodMs: 5_000 };
    expect(started.statistics()).toMatchObject(defaults);
    const children = [{ id: 'a', start: std, restart: 'temporary', significant: true }] as const;
    await expect(startSupervisor({ children }, world)).rejects.toMatchObject({
      problem: 'bad_combination',
    });
    const given = { strategy: 'one_for_all', maxRestarts: 1, periodMs: 2_000 } as const;
    const other = await world.settled(startSupervisor({ ...given, children: [] }, world));
    expect(other.statistics()).toMatchObject(given);
  });

  scenario(99, 'start_link/2 with via', 'via a Registry', async () => {
    const world = virtualSystem();
    const names = startRegistry({ name: 'names', keys: 'unique' }, world);
    const name = names.via('via_sup');
    const started = await world.settled(startSupervisor({ name, children: [] }, world));
    expect(world.system.whereis(name)).toBe(started.ref);
    const handle = handleOf(world.system.whereis(name));
    expect(await world.settled(handle.whichChildren())).toEqual([]);
    const again = startSupervisor({ name, children: [] }, world);
    await expect(again).rejects.toMatchObject({ code: 'already_started', ref: started.ref });
    await world.settled(started.stop());
    expect(world.system.whereis(name)).toBeUndefined();
  });

  scenario(
    100,
    'start_link/3 with global',
    'a name of a system is known in all its trees',
    async () => {
      const world = virtualSystem();
      const flags = { name: 'global_sup', children: [] };
      const started = await world.settled(startSupervisor(flags, world));
      const found: unknown[] = [];
      const start = (): 'ignore' => {
        found.push(whereis('global_sup', world));
        return 'ignore';
      };
      await world.settled(startSupervisor({ children: [{ id: 'asks', start }] }, world));
      expect(found).toEqual([started.ref]);
      const elsewhere = virtualSystem();
      expect(elsewhere.system.whereis('global_sup')).toBeUndefined();
      const other = await elsewhere.settled(startSupervisor(flags, elsewhere));
      expect(handleOf(whereis('global_sup', elsewhere)).ref).toBe(other.ref);
    },
  );

  scenario(101, 'start_link/3 with local', 'whereis and handleOf', async () => {
    const world = virtualSystem();
    const started = await world.settled(startSupervisor({ name: 'my_sup', children: [] }, world));
    expect(world.system.whereis('my_sup')).toBe(started.ref);
    const handle = handleOf(world.system.whereis('my_sup'));
    expect(await world.settled(handle.whichChildren())).toEqual([]);
  });

  scenario(102, 'start_link/2', '', async () => {
    const world = virtualSystem();
    const { system } = world;
    const stack = childSpec([Stack, { values: ['hello'] }], { name: 'dyn_stack' });
    const started = await world.settled(startSupervisor({ children: [stack] }, world));
    const first = system.whereis('dyn_stack');
    expect(await world.settled(pop('dyn_stack', world))).toBe('hello');
    expect(await world.settled(pop('dyn_stack', world))).toBeUndefined();
    expect(await world.settled(call('dyn_stack', { type: 'stop' }, world))).toBe('ok');
    expect(system.whereis('dyn_stack')).not.toBe(first);
    expect(await world.settled(pop('dyn_stack', world))).toBe('hello');
    await world.settled(started.stop());
    expect(system.whereis('dyn_stack')).toBeUndefined();
    for (const name of ['', 7, { invalid: 'name' }]) {
      const refused = startSupervisor({ name: name as string, children: [stack] }, world);
      const error = { code: 'supervisor_data', problem: 'invalid_name', value: name };
      await expect(refused).rejects.toMatchObject(error);
    }
  });

  scenario(103, 'start_link/3', 'the module is an object; its init function', async () => {
    const world = virtualSystem();
    const init = (): ReturnType<typeof StackSupervisor.init> =>
      StackSupervisor.init({ values: ['hello'], name: 'stat_stack' });
    const started = await world.settled(startSupervisor(init, world));
    expect(await world.settled(pop('stat_stack', world))).toBe('hello');
    if (started === 'ignore') throw new Error('it was not told to ignore');
    expect(await world.settled(started.stop())).toEqual({ type: 'shutdown' });
  });
});

describe('start_child', () => {
  scenario(105, 'supports new child spec as map', '', async () => {
    const world = virtualSystem();
    const sup = await world.settled(startSupervisor({ children: [] }, world));
    const spec = { id: 'task', restart: 'temporary', start: plain } as const;
    const { child } = await world.settled(sup.startChild(spec));
    expect(child).toMatchObject({ id: 'task', exitReason: undefined });
  });

  scenario(106, 'supports new child spec as {module, arg}', 'by childSpec', async () => {
    const world = virtualSystem();
    const sup = await world.settled(startSupervisor({ children: [] }, world));
    const { child } = await world.settled(sup.startChild(childSpec([Stack, { values: [1] }])));
    expect(child?.id).toBe('Stack');
    expect(await world.settled(pop(child, world))).toBe(1);
  });

  scenario(107, 'with invalid child spec', 'invalid_mfa is invalid_start', async () => {
    const world = virtualSystem();
    const sup = await world.settled(startSupervisor({ children: [] }, world));
    const wrong = [
      [{}, 'missing_id', undefined],
      [{ id: 'a', start: 2 }, 'invalid_start', 2],
      [{ id: 'a', start: ['Task', 'foo', 'bar'] }, 'invalid_start', ['Task', 'foo', 'bar']],
      [{ id: 'a', start: std, shutdown: -1 }, 'invalid_shutdown', -1],
    ] as const;
    for (const [spec, problem, value] of wrong) {
      const error = { code: 'bad_child_spec', problem, value };
      await expect(sup.startChild(spec)).rejects.toMatchObject(error);
    }
    expect(await world.settled(sup.whichChildren())).toEqual([]);
  });

  scenario(108, 'with valid child spec', '', async () => {
    const world = virtualSystem();
    const sup = await world.settled(startSupervisor({ maxRestarts: 2, children: [] }, world));
    for (const shutdown of [0, 1]) {
      const spec = { id: `child${shutdown}`, start: std, shutdown };
      const { child } = await world.settled(sup.startChild(spec));
      if (child === undefined) throw new Error('nothing was started');
      await world.settled(stop(child, { type: 'shutdown' }, world));
      expect(child?.exitReason).toEqual({ type: 'shutdown' });
    }
  });
});

describe('a child', () => {
  scenario(109, 'child life cycle', '', async () => {
    const world = virtualSystem();
    const sup = await world.settled(startSupervisor({ children: [] }, world));
    expect(await world.settled(sup.whichChildren())).toEqual([]);
    const none = { specs: 0, active: 0, supervisors: 0, workers: 0 };
    expect(await world.settled(sup.countChildren())).toEqual(none);
    const spec = childSpec([Stack, { values: ['hello'] }]);
    const { child } = await world.settled(sup.startChild(spec));
    expect(await world.settled(pop(child, world))).toBe('hello');
    const entry = { id: 'Stack', child, type: 'worker' };
    expect(await world.settled(sup.whichChildren())).toEqual([entry]);
    const one = { specs: 1, active: 1, supervisors: 0, workers: 1 };
    expect(await world.settled(sup.countChildren())).toEqual(one);
    await expect(world.settled(sup.deleteChild('Stack'))).rejects.toMatchObject({
      code: 'running',
    });
    await world.settled(sup.terminateChild('Stack'));
    const again = await world.settled(sup.restartChild('Stack'));
    expect(await world.settled(pop(again.child, world))).toBe('hello');
    await world.settled(sup.terminateChild('Stack'));
    await world.settled(sup.deleteChild('Stack'));
    expect(await world.settled(sup.stop())).toEqual({ type: 'shutdown' });
  });
});
