// Is a task for its own sake started, and one with a value awaited, as Elixir's are? Cases 186 to 195 of task/supervisor_test.exs.
import { describe, expect } from 'vitest';

import { exit } from '../../actors/lifecycle/exit.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import { exited, forever, gate, NOTHING_LEFT, ok, taskStage } from './part-3-stage.ts';
import { scenario } from './scenario.ts';
import { failure, refusal } from './supervised.ts';

const UNKNOWN = { type: 'shutdown', detail: 'unknown' } as const;

describe('start_child', () => {
  scenario(186, 'start_child/1', '', async () => {
    const stage = await taskStage();
    const caller = await stage.actor('caller');
    const { opened, open } = gate();
    const said: string[] = [];
    const task = await stage.as(caller, () =>
      stage.tasks.startChild(async () => {
        await opened;
        said.push('done');
        throw new Error('and crashed');
      }),
    );
    expect(await stage.running()).toEqual([task]);
    open();
    await stage.world.settle();
    expect(said).toEqual(['done']);
    expect([task.exitReason?.type, caller.exitReason]).toEqual(['error', undefined]);
  });

  scenario(187, 'start_child/3', 'arguments are those of a closure', async () => {
    const stage = await taskStage();
    const said: string[] = [];
    const say = (word: string): number => said.push(word);
    const task = await stage.ask(stage.tasks.startChild(() => say('done')));
    await stage.world.settle();
    expect([said, task.exitReason]).toEqual([['done'], { type: 'normal' }]);
  });

  scenario(188, 'start_child/1 with custom shutdown', '', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.startChild(forever, { shutdown: 'brutal_kill' }));
    await stage.ask(stage.tasks.stop());
    expect(task.exitReason).toEqual({ type: 'killed' });
  });

  scenario(189, 'start_child/1 with custom restart', '', async () => {
    const stage = await taskStage();
    let ready = 0;
    const run = (): Promise<never> => {
      ready += 1;
      return forever();
    };
    const first = await stage.ask(stage.tasks.startChild(run, { restart: 'permanent' }));
    first.send({ type: 'caduceus.shutdown' });
    await stage.world.settle();
    expect([first.exitReason, ready]).toEqual([{ type: 'shutdown' }, 2]);
    const [second] = await stage.running();
    expect([second?.id, second?.epoch]).toEqual([first.id, 2]);
  });

  scenario(
    190,
    'start_child/1 with $callers',
    'the chain is in the context; ancestors are the path',
    async () => {
      const stage = await taskStage();
      const caller = await stage.actor('caller');
      const seen: (readonly ActorRef[])[] = [];
      const task = await stage.as(caller, () =>
        stage.tasks.startChild(async ({ callers }) => {
          seen.push(callers);
          await stage.tasks.startChild((context) => seen.push(context.callers));
        }),
      );
      await stage.world.settle();
      expect(seen).toEqual([[caller], [task, caller]]);
    },
  );

  scenario(191, 'terminate_child/2', '', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.startChild(forever));
    expect(await stage.running()).toEqual([task]);
    await stage.ask(stage.tasks.terminateChild(task));
    expect(await stage.running()).toEqual([]);
    expect(await refusal(stage.ask(stage.tasks.terminateChild(task)))).toBe('not_found');
  });
});

describe('await', () => {
  scenario(
    192,
    'await/1 demonitors and unalias on timeout',
    'it rejects; the late value is told as dropped',
    async () => {
      const stage = await taskStage();
      const { opened, open } = gate();
      const task = await stage.ask(
        stage.tasks.async(async () => {
          await opened;
          return 'done';
        }),
      );
      const timedOut = await failure(stage.within(0, task.await(0)));
      const timeout = { type: 'timeout', what: 'await' };
      expect(timedOut).toMatchObject({ code: 'timeout', reason: timeout });
      open();
      await stage.world.settle();
      expect(task.ref.exitReason).toEqual({ type: 'normal' });
      expect(stage.world.told('reply.dropped').map(({ path }) => path)).toEqual([task.ref.path]);
      expect(await refusal(stage.ask(task.await(0)))).toBe('timeout');
      expect(await stage.leftovers()).toEqual(NOTHING_LEFT);
    },
  );

  scenario(193, 'await/1 exits on task throw', 'what is no error becomes one', async () => {
    const stage = await taskStage();
    const task = await stage.ask(
      stage.tasks.async(() => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- That is the case.
        throw 'unknown';
      }),
    );
    const error = await failure(stage.ask(task.await()));
    expect(error).toMatchObject({ code: 'exit', reason: { type: 'error' } });
    expect((error.cause as Error).message).toBe('unknown');
  });

  scenario(194, 'await/1 exits on task error', '', async () => {
    const stage = await taskStage();
    const oops = new Error('oops');
    const task = await stage.ask(stage.tasks.async(() => Promise.reject(oops)));
    const error = await failure(stage.ask(task.await()));
    expect(error).toMatchObject({ code: 'exit', reason: { type: 'error', error: oops } });
    expect(error.cause).toBe(oops);
  });

  scenario(195, 'await/1 exits on task exit', '', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.async(() => exit(UNKNOWN)));
    const error = await failure(stage.ask(task.await()));
    expect(error).toMatchObject({ code: 'exit', reason: UNKNOWN });
    expect(await stage.ask(task.yield())).toEqual(exited(UNKNOWN));
    const normal = await stage.ask(stage.tasks.async(() => 5));
    expect(await stage.ask(normal.yield())).toEqual(ok(5));
  });
});
