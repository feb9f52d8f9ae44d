// What does a task supervisor do beyond Elixir's own tests? Links, callers, restarts, refusals and options.
import { setImmediate as turn } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../actors/ground/limits.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import type { TaskContext } from '../../supervisors/task-logic.ts';
import {
  startTaskSupervisor,
  taskSupervisor,
  taskSupervisorOf,
} from '../../supervisors/task-supervisor.ts';
import { std } from '../conformance/children.ts';
import { exited, forever, gate, taskStage } from '../conformance/part-3-stage.ts';
import { virtualSystem } from '../support/virtual-system.ts';

const KILLED = { type: 'killed' } as const;
const SHUTDOWN = { type: 'shutdown' } as const;
const NORMAL = { type: 'normal' } as const;

describe('a link', () => {
  it('brings the task down with what ended its caller, but not when that was normal', async () => {
    const stage = await taskStage();
    const first = await stage.actor('first');
    const killed = await stage.as(first, () => stage.tasks.async(forever));
    await stage.ask(stage.actors.terminateChild('first'));
    expect(killed.ref.exitReason).toEqual(SHUTDOWN);
    const { opened, open } = gate();
    const outer = await stage.ask(
      stage.tasks.async(async () => {
        await opened;
        return stage.tasks.async(() => stage.sleep(10)).then(({ ref }) => ref);
      }),
    );
    open();
    const inner = await stage.ask(outer.await());
    expect([outer.ref.exitReason, inner.exitReason]).toEqual([NORMAL, undefined]);
    await stage.world.advance(10);
    expect(inner.exitReason).toEqual(NORMAL);
  });

  it('brings a caller down with what ended its task, an error or anything else abnormal', async () => {
    const stage = await taskStage();
    const caller = await stage.actor('caller');
    const task = await stage.as(caller, () => stage.tasks.async(forever));
    await stage.ask(stage.tasks.terminateChild(task.ref));
    expect(caller.exitReason).toEqual(SHUTDOWN);
    const crash = new Error('crash');
    const chain: ActorRef[] = [];
    const outer = await stage.ask(
      stage.tasks.async(async ({ self }) => {
        chain.push(self);
        const inner = await stage.tasks.async(() => Promise.reject(crash));
        chain.push(inner.ref);
        return forever();
      }),
    );
    await stage.world.settle();
    expect(chain.map(({ exitReason }) => exitReason)).toEqual(
      Array.from({ length: 2 }, () => ({ type: 'error', error: crash })),
    );
    expect(await stage.ask(outer.yield())).toEqual(exited({ type: 'error', error: crash }));
  });

  it('brings a task down that runs another one, with just the reason of that one', async () => {
    const stage = await taskStage();
    const inner: ActorRef[] = [];
    const outer = await stage.ask(
      stage.tasks.async(async () => {
        inner.push((await stage.tasks.async(forever, { shutdown: 'brutal_kill' })).ref);
        return forever();
      }),
    );
    await stage.world.settle();
    await stage.ask(stage.tasks.terminateChild(inner[0]!));
    expect([inner[0]?.exitReason, outer.ref.exitReason]).toEqual([KILLED, KILLED]);
  });

  it('is nobody of no actor: the crash waits for who awaits it', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.async(() => Promise.reject(new Error('crash'))));
    await turn();
    await expect(stage.ask(task.await())).rejects.toMatchObject({ code: 'exit' });
  });

  it('to one that is dead already ends the task at once', async () => {
    const stage = await taskStage();
    const caller = await stage.actor('caller');
    const { opened, open } = gate();
    const late = stage.as(caller, async () => {
      await opened;
      return stage.tasks.async(forever);
    });
    await stage.ask(stage.actors.terminateChild('caller'));
    open();
    const task = await stage.ask(late);
    expect(task.ref.exitReason).toEqual(SHUTDOWN);
  });
});

describe('what was started', () => {
  it('remembers who asked for it, but not for ever', async () => {
    const stage = await taskStage();
    const deepest = LIMITS.taskCallersMax + 10;
    const lengths: number[] = [];
    const next = async (depth: number, { callers }: TaskContext): Promise<void> => {
      lengths.push(callers.length);
      if (depth < deepest) await stage.tasks.startChild((context) => next(depth + 1, context));
    };
    await stage.ask(stage.tasks.startChild((context) => next(0, context)));
    await stage.world.settle();
    expect([lengths.length, Math.max(...lengths)]).toEqual([deepest + 1, LIMITS.taskCallersMax]);
  });

  it('is restarted as a transient child only after a crash', async () => {
    const stage = await taskStage();
    let runs = 0;
    const run = (): Promise<void> => {
      runs += 1;
      return runs < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve();
    };
    await stage.ask(stage.tasks.startChild(run, { restart: 'transient' }));
    await stage.world.settle();
    expect([runs, await stage.running()]).toEqual([3, []]);
  });

  it('takes no notice of events that it does not know', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.startChild(forever));
    task.send({ type: 'hello' });
    await stage.world.settle();
    expect(task.exitReason).toBeUndefined();
  });

  it('is refused once the supervisor has ended', async () => {
    const stage = await taskStage();
    await stage.ask(stage.tasks.stop());
    for (const refused of [stage.tasks.async(() => 1), stage.tasks.startChild(() => 1)]) {
      await expect(stage.ask<unknown>(refused)).rejects.toMatchObject({ code: 'noproc' });
    }
  });

  it('is refused for a bad shutdown or restart', async () => {
    const stage = await taskStage();
    const bad = { code: 'bad_child_spec' };
    const shutdown = -1;
    const restart = 'never' as never;
    await expect(stage.ask(stage.tasks.async(() => 1, { shutdown }))).rejects.toMatchObject(bad);
    await expect(stage.ask(stage.tasks.startChild(() => 1, { restart }))).rejects.toMatchObject(
      bad,
    );
  });
});

describe('its options', () => {
  it('are checked at once, for a child too', async () => {
    const check = (options: unknown) => () => taskSupervisor(options as never);
    expect(check({ maxChildren: -1 })).toThrow(/invalid max children/u);
    expect(check({ shutdown: -1 })).toThrow(/invalid shutdown/u);
    expect(check({ strategy: 'one_for_one' })).toThrow(/unknown key/u);
    expect(check({ unknown: 1 })).toThrow(/unknown key/u);
    expect(check([])).toThrow(/invalid type/u);
    await expect(startTaskSupervisor({ name: '' }, virtualSystem())).rejects.toMatchObject({
      problem: 'invalid_name',
    });
  });

  it('are those of each supervisor, and of each of its incarnations', async () => {
    const world = virtualSystem();
    const children = [taskSupervisor.childSpec({ name: 'brutal', shutdown: 'brutal_kill' })];
    const top = await world.settled(startSupervisor({ children }, world));
    const first = taskSupervisorOf('brutal', world);
    // One promise for all handles of it: a program may ask for one with each request.
    expect(taskSupervisorOf('brutal', world).exited).toBe(first.exited);
    await world.settled(top.terminateChild('brutal'));
    await world.settled(top.restartChild('brutal'));
    const second = taskSupervisorOf('brutal', world);
    expect(await first.exited).toEqual(SHUTDOWN);
    const task = await world.settled(
      second.async(({ signal }) => (signal.aborted ? 1 : forever())),
    );
    await world.settled(second.terminateChild(task.ref));
    expect(task.ref.exitReason).toEqual(KILLED);
    await world.settled(top.stop());
    const none = expect.objectContaining({ code: 'noproc' }) as Error;
    expect(() => taskSupervisorOf(second.ref)).toThrow(none);
    expect(() => taskSupervisorOf('brutal', world)).toThrow(none);
    const { child } = await world.settled(
      (await world.settled(startSupervisor({}, world))).startChild({ id: 'std', start: std }),
    );
    expect(() => taskSupervisorOf(child!)).toThrow(none);
  });
});
