// How does one task live and end? Its value, those who wait for it, its signal, and its shutdown.
import { setImmediate as turn } from 'node:timers/promises';

import { describe, expect, it, vi } from 'vitest';

import { exit } from '../../actors/lifecycle/exit.ts';
import type { TaskContext } from '../../supervisors/task-logic.ts';
import { exited, forever, gate, ok, taskStage } from '../conformance/part-3-stage.ts';

const KILLED = { type: 'killed' } as const;
const SHUTDOWN = { type: 'shutdown' } as const;
const NORMAL = { type: 'normal' } as const;

/** Takes its signal, and so many ms to end after it is aborted. */
const winding =
  (sleep: (ms: number) => Promise<number>, ms: number) =>
  async ({ signal }: TaskContext): Promise<string> => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await sleep(ms);
    return 'wound up';
  };

/** Fails as `fetch` does when its signal is aborted. */
const aborting = ({ signal }: TaskContext): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

describe('a value', () => {
  it('may be nothing, and may come at once', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.async(() => undefined));
    expect(await stage.ask(task.yield())).toEqual(ok(undefined));
  });

  it('may come of anything that has a then', async () => {
    const stage = await taskStage();
    const thenable: PromiseLike<number> = {
      then: (onValue) => Promise.resolve(5).then(onValue),
    };
    const task = await stage.ask(stage.tasks.async(() => thenable));
    expect(await stage.ask(task.await())).toBe(5);
  });

  it('is given as often as it is asked for', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.async(() => 1));
    expect(await stage.ask(Promise.all([task.await(), task.await(), task.yield()]))).toEqual([
      ...[1, 1],
      ok(1),
    ]);
  });

  it('is none when the task says that it exits, even normally', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.async(() => exit('normal')));
    expect(await stage.ask(task.yield())).toEqual(exited(NORMAL));
    await expect(stage.ask(task.await())).rejects.toMatchObject({ code: 'exit', reason: NORMAL });
  });
});

describe('waiting', () => {
  it('with yield leaves the value wanted when the time is over', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.async(() => stage.sleep(100)));
    expect(await stage.within(50, task.yield(50))).toBeUndefined();
    expect(await stage.within(50, task.await())).toBe(100);
    expect(stage.world.clock.pending).toBe(0);
  });

  it('takes 5 s by default, or for ever', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.async(() => stage.sleep(60_000)));
    expect(await stage.within(5_000, task.yield())).toBeUndefined();
    const long = task.yield(Number.POSITIVE_INFINITY);
    expect(await stage.within(55_000, long)).toEqual(ok(60_000));
    for (const timeoutMs of [-1, Number.NaN, '5' as never]) {
      await expect(stage.ask(task.await(timeoutMs))).rejects.toThrow(RangeError);
    }
  });

  it('of an actor ends with the actor: nothing is told to the dead', async () => {
    const stage = await taskStage();
    const actor = await stage.actor('caller');
    const { opened, open } = gate();
    const told: unknown[] = [];
    await stage.as(actor, async () => {
      const task = await stage.tasks.asyncNolink(() => opened);
      void task.yield(1_000).then((result) => told.push(result));
    });
    await stage.ask(stage.actors.terminateChild('caller'));
    expect(stage.world.clock.pending).toBe(0);
    open();
    await stage.world.advance(2_000);
    expect(told).toEqual([]);
  });
});

describe('a task that is to end', () => {
  it('and has taken its signal is given its shutdown time', async () => {
    const stage = await taskStage();
    const run = winding(stage.sleep, 100);
    const task = await stage.ask(stage.tasks.async(run, { shutdown: 200 }));
    const stopped = stage.tasks.terminateChild(task.ref);
    await stage.world.advance(99);
    expect(task.ref.exitReason).toBeUndefined();
    await stage.within(1, stopped);
    expect(await stage.ask(task.await())).toBe('wound up');
  });

  it('and takes longer than its shutdown time is killed', async () => {
    const stage = await taskStage({ shutdown: 50 });
    const task = await stage.ask(stage.tasks.async(winding(stage.sleep, 100)));
    await stage.within(50, stage.tasks.terminateChild(task.ref));
    expect(task.ref.exitReason).toEqual(KILLED);
    // What it still does is of no effect.
    await stage.world.advance(100);
    expect(await stage.ask(task.yield())).toEqual(exited(KILLED));
  });

  it('and never looked at its signal ends at once', async () => {
    const stage = await taskStage({ shutdown: 'infinity' });
    const task = await stage.ask(stage.tasks.async(() => stage.sleep(100)));
    await stage.ask(stage.tasks.terminateChild(task.ref));
    expect(task.ref.exitReason).toEqual(SHUTDOWN);
    await stage.world.advance(100);
    expect(await stage.ask(task.yield())).toEqual(exited(SHUTDOWN));
  });

  it('and fails because its signal was aborted has ended as it was asked to', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.async(aborting));
    await stage.ask(stage.tasks.stop());
    expect(task.ref.exitReason).toEqual(SHUTDOWN);
    expect(stage.world.told('supervisor.reported')).toEqual([]);
  });

  it('and fails otherwise has crashed', async () => {
    const stage = await taskStage();
    const crash = new Error('while winding up');
    const task = await stage.ask(
      stage.tasks.async(async (context) => {
        await aborting(context).catch(() => undefined);
        throw crash;
      }),
    );
    await stage.ask(stage.tasks.terminateChild(task.ref));
    expect(task.ref.exitReason).toEqual({ type: 'error', error: crash });
  });

  it('and failed with an AbortError of somebody else, unasked, has crashed', async () => {
    const stage = await taskStage();
    const error = new DOMException('aborted elsewhere', 'AbortError');
    const task = await stage.ask(stage.tasks.async(() => Promise.reject(error)));
    expect(await stage.ask(task.yield())).toMatchObject({ reason: { type: 'error' } });
  });

  it('finds its signal aborted when it takes it only then', async () => {
    const stage = await taskStage();
    const { opened, open } = gate();
    const seen: boolean[] = [];
    const task = await stage.ask(
      stage.tasks.async(async (context) => {
        await opened;
        seen.push(context.signal.aborted);
      }),
    );
    await stage.ask(task.shutdown('brutal_kill'));
    open();
    await stage.world.settle();
    expect(seen).toEqual([true]);
  });

  it('keeps to itself what its abort listeners throw', async () => {
    const stage = await taskStage();
    const late = new Error('in a listener');
    const task = await stage.ask(
      stage.tasks.async(({ signal }) => {
        signal.addEventListener('abort', () => {
          throw late;
        });
        return forever();
      }),
    );
    await stage.ask(task.shutdown('brutal_kill'));
    await turn();
    expect(stage.world.told('child.late_error').map(({ error }) => error)).toEqual([late]);
    expect(stage.tasks.statistics().state).toBe('ready');
  });

  it('may fail long after it was killed, and nobody hears of it', async () => {
    const stage = await taskStage();
    const { opened, open } = gate();
    const task = await stage.ask(
      stage.tasks.async(async () => {
        await opened;
        throw new Error('late');
      }),
    );
    expect(await stage.ask(task.shutdown('brutal_kill'))).toBeUndefined();
    const warned = vi.spyOn(console, 'warn');
    open();
    await turn();
    expect(task.ref.exitReason).toEqual(KILLED);
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  it('with its signal aborted only then: not by its own good end', async () => {
    const stage = await taskStage();
    const task = await stage.ask(stage.tasks.async(({ signal }) => ({ signal })));
    const { signal } = await stage.ask(task.await());
    expect(signal.aborted).toBe(false);
  });
});

describe('shutdown of a task', () => {
  it('asks it, waits, and kills it when its time is over', async () => {
    const stage = await taskStage();
    const quick = await stage.ask(stage.tasks.async(winding(stage.sleep, 10)));
    expect(await stage.within(10, quick.shutdown(50))).toEqual(ok('wound up'));
    const slow = await stage.ask(stage.tasks.async(winding(stage.sleep, 100)));
    expect(await stage.within(50, slow.shutdown(50))).toBeUndefined();
    expect(slow.ref.exitReason).toEqual(KILLED);
    await stage.world.advance(100);
    expect(stage.world.clock.pending).toBe(0);
  });

  it('gives how it had ended before', async () => {
    const stage = await taskStage();
    const done = await stage.ask(stage.tasks.async(() => 1));
    expect(await stage.ask(done.shutdown())).toEqual(ok(1));
    const crash = new Error('crash');
    const crashed = await stage.ask(stage.tasks.async(() => Promise.reject(crash)));
    await stage.world.settle();
    expect(await stage.ask(crashed.shutdown())).toEqual(exited({ type: 'error', error: crash }));
  });

  it('by its caller does not hurt the caller', async () => {
    const stage = await taskStage();
    const actor = await stage.actor('caller');
    const task = await stage.as(actor, () => stage.tasks.async(forever));
    await stage.as(actor, () => task.shutdown('brutal_kill'));
    expect([task.ref.exitReason, actor.exitReason]).toEqual([KILLED, undefined]);
  });
});
