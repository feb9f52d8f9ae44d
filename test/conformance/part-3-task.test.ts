// Is a task whose value is wanted started as Elixir's is? Cases 173 to 185 of task/supervisor_test.exs.
import { describe, expect } from 'vitest';

import { openRegistry, Registry, via } from '../../actors/lifecycle/registry.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import { taskSupervisor, taskSupervisorOf } from '../../supervisors/task-supervisor.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { failure, refusal } from './supervised.ts';
import { forever, gate, taskStage } from './part-3-stage.ts';
import { scenario } from './scenario.ts';

describe('a task supervisor', () => {
  scenario(173, 'can be supervised directly', '', async () => {
    const world = virtualSystem();
    const children = [taskSupervisor.childSpec({ name: 'tasks' })];
    const sup = await world.settled(startSupervisor({ children }, world));
    const below = taskSupervisorOf('tasks', world);
    expect(world.system.whereis('tasks')).toBe(below.ref);
    const task = await world.settled(below.async(() => 1));
    expect(await world.settled(task.await())).toBe(1);
    await world.settled(sup.stop());
    expect(await refusal(world.settled(below.tasks()))).toBe('noproc');
  });

  scenario(
    175,
    'multiple supervisors can be supervised and identified with simple child spec',
    'no global names: there is one node',
    async () => {
      const world = virtualSystem();
      openRegistry({ name: 'registry', keys: 'unique' }, world.system.names);
      const named = via(new Registry('registry', world.system.names, () => undefined), 'via name');
      const children = [
        taskSupervisor.childSpec({ name: 'simple' }),
        taskSupervisor.childSpec({ name: named }),
      ];
      const sup = await world.settled(startSupervisor({ children }, world));
      const { child } = await world.settled(sup.startChild(taskSupervisor.childSpec()));
      for (const name of ['simple', named, child!]) {
        expect(await world.settled(taskSupervisorOf(name, world).tasks())).toEqual([]);
      }
      const second = await failure(world.settled(sup.startChild(taskSupervisor.childSpec())));
      expect(second).toMatchObject({ code: 'already_started', ref: child });
      await world.settled(sup.stop());
    },
  );

  scenario(176, 'counts and returns children', '', async () => {
    const { tasks, ask } = await taskStage().then((stage) => ({
      tasks: stage.tasks,
      ask: <Value>(answer: Promise<Value>) => stage.ask(answer),
    }));
    expect(await ask(tasks.tasks())).toEqual([]);
    const none = { specs: 0, active: 0, supervisors: 0, workers: 0 };
    expect(await ask(tasks.countChildren())).toEqual(none);
  });
});

describe('async', () => {
  scenario(
    177,
    'async/1 spawns tasks under the supervisor',
    'the link is seen by what it does; the reply comes by await',
    async () => {
      const stage = await taskStage();
      const caller = await stage.actor('caller');
      const { opened, open } = gate();
      const task = await stage.as(caller, () =>
        stage.tasks.async(async () => {
          await opened;
          return 'done';
        }),
      );
      expect(await stage.running()).toEqual([task.ref]);
      const value = task.await();
      open();
      expect(await stage.ask(value)).toBe('done');
      expect(task.ref.exitReason).toEqual({ type: 'normal' });
      expect(caller.exitReason).toBeUndefined();

      const crash = new Error('crash');
      await stage.as(caller, () =>
        stage.tasks.async(() => {
          throw crash;
        }),
      );
      await stage.world.settle();
      expect(caller.exitReason).toEqual({ type: 'error', error: crash });
      const other = await stage.actor('other');
      const linked = await stage.as(other, () => stage.tasks.async(forever));
      await stage.ask(stage.actors.terminateChild('other'));
      expect(linked.ref.exitReason).toEqual({ type: 'shutdown' });
    },
  );

  scenario(178, 'async/1 with custom shutdown', '', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.async(forever, { shutdown: 'brutal_kill' }));
    await stage.ask(stage.tasks.stop());
    expect(task.ref.exitReason).toEqual({ type: 'killed' });
  });

  scenario(179, 'async/1 raises when :max_children is reached', 'it rejects', async () => {
    const stage = await taskStage({ maxChildren: 1 });
    await stage.ask(stage.tasks.async(forever));
    expect(await refusal(stage.ask(stage.tasks.async(() => 1)))).toBe('max_children');
  });

  scenario(
    180,
    'async/1 with $callers',
    'the chain is in the context; ancestors are the path',
    async () => {
      const stage = await taskStage();
      const caller = await stage.actor('caller');
      const task = await stage.as(caller, () =>
        stage.tasks.async(async ({ callers, self }) => {
          const inner = await stage.tasks.async((context) => context.callers);
          return { outer: callers, inner: await inner.await(), self };
        }),
      );
      const { outer, inner, self } = await stage.ask(task.await());
      expect(self).toBe(task.ref);
      expect(outer).toEqual([caller]);
      expect(inner).toEqual([task.ref, caller]);
      expect(task.ref.path.startsWith(`${stage.tasks.ref.path}/`)).toBe(true);
    },
  );

  scenario(181, 'async/3', 'arguments are those of a closure', async () => {
    const stage = await taskStage();
    const { opened, open } = gate();
    const waitAndGive = async (value: string): Promise<string> => {
      await opened;
      return value;
    };
    const task = await stage.ask(stage.tasks.async(() => waitAndGive('done')));
    expect(await stage.running()).toEqual([task.ref]);
    open();
    expect(await stage.ask(task.await())).toBe('done');
  });
});

describe('async_nolink', () => {
  scenario(
    182,
    'async_nolink/1 spawns a task under the supervisor without linking to the caller',
    'the missing link is seen by what it does not do',
    async () => {
      const stage = await taskStage();
      const caller = await stage.actor('caller');
      const task = await stage.as(caller, () => stage.tasks.asyncNolink(() => 'done'));
      expect(await stage.ask(task.await())).toBe('done');
      expect(task.ref.exitReason).toEqual({ type: 'normal' });
      const crashing = await stage.as(caller, () =>
        stage.tasks.asyncNolink(() => {
          throw new Error('crash');
        }),
      );
      expect(crashing.ref.exitReason?.type).toBe('error');
      expect(caller.exitReason).toBeUndefined();
      const left = await stage.as(caller, () => stage.tasks.asyncNolink(forever));
      await stage.ask(stage.actors.terminateChild('caller'));
      expect(await stage.running()).toEqual([left.ref]);
    },
  );

  scenario(183, 'async_nolink/1 with custom shutdown', '', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.asyncNolink(forever, { shutdown: 'brutal_kill' }));
    await stage.ask(stage.tasks.stop());
    expect(task.ref.exitReason).toEqual({ type: 'killed' });
  });

  scenario(184, 'async_nolink/1 raises when :max_children is reached', 'it rejects', async () => {
    const stage = await taskStage({ maxChildren: 1 });
    await stage.ask(stage.tasks.asyncNolink(forever));
    expect(await refusal(stage.ask(stage.tasks.asyncNolink(() => 1)))).toBe('max_children');
  });

  scenario(185, 'async_nolink/3', 'arguments are those of a closure', async () => {
    const stage = await taskStage();
    const args = ['a', 'b'] as const;
    const task = await stage.ask(stage.tasks.asyncNolink(() => args.join('')));
    expect(await stage.ask(task.await())).toBe('ab');
  });
});
