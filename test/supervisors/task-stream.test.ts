// What does a stream of tasks do beyond Elixir's own tests? Concurrency, inputs of all kinds, and every way in which it can end early.
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../actors/ground/limits.ts';
import {
  all,
  exited,
  forever,
  gate,
  NOTHING_LEFT,
  ok,
  taskStage,
} from '../conformance/part-3-stage.ts';
import { take } from '../conformance/part-3-stage.ts';
import { cores } from '../../supervisors/cores.ts';

/** Notes what is asked of it. */
class Input implements AsyncIterableIterator<number> {
  pulled = 0;
  returned = 0;
  readonly #endless: 'endless' | 'stuck';

  constructor(endless: 'endless' | 'stuck' = 'endless') {
    this.#endless = endless;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<number>> {
    this.pulled += 1;
    if (this.#endless === 'stuck' && this.pulled > 1) return forever();
    return Promise.resolve({ done: false, value: this.pulled });
  }

  return(): Promise<IteratorResult<number>> {
    this.returned += 1;
    return this.#endless === 'stuck'
      ? forever()
      : Promise.resolve({ done: true, value: undefined });
  }
}

describe('a stream', () => {
  it('runs so many at one time, by default as many as there are cores', async () => {
    const stage = await taskStage();
    const elements = Array.from({ length: 50 }, (_, index) => index);
    for (const [options, most] of [
      [{ maxConcurrency: 3 }, 3],
      [{}, Math.min(cores(), 50)],
    ] as const) {
      let running = 0;
      let peak = 0;
      const work = async (): Promise<void> => {
        running += 1;
        peak = Math.max(peak, running);
        await stage.sleep(10);
        running -= 1;
      };
      await stage.within(1_000, all(stage.tasks.asyncStream(elements, work, options)));
      expect(peak).toBe(most);
    }
  });

  it('gives results as they come when order does not matter', async () => {
    const stage = await taskStage();
    const options = { maxConcurrency: 2, ordered: false };
    const read = all(stage.tasks.asyncStream([30, 10, 10, 20], stage.sleep, options));
    expect(await stage.within(60, read)).toEqual([ok(10), ok(10), ok(30), ok(20)]);
  });

  it('starts nothing while nobody waits for a result', async () => {
    const stage = await taskStage();
    const input = new Input();
    const stream = stage.tasks.asyncStream(input, (one) => one, { maxConcurrency: 2 });
    const results = stream[Symbol.asyncIterator]();
    await stage.world.settle();
    expect(input.pulled).toBe(0);
    expect((await stage.ask(results.next())).value).toEqual(ok(1));
    const before = input.pulled;
    await stage.world.settle();
    expect(input.pulled).toBe(before);
    await results.return?.();
    expect(input.returned).toBe(1);
  });

  it('reads endless inputs of functions that give at once, of both kinds, without end of memory', async () => {
    const stage = await taskStage();
    function* counting(): Generator<number> {
      for (let one = 0; ; one += 1) yield one;
    }
    for (const ordered of [true, false]) {
      const stream = stage.tasks.asyncStream(counting(), (one) => one, { ordered });
      const values = await stage.ask(take(100, stream));
      expect(values.length).toBe(100);
    }
    // Those behind a slow one wait, but not without bound.
    let begun = 0;
    const work = (one: number): number | Promise<number> => {
      begun += 1;
      return one === 0 ? stage.sleep(100) : one;
    };
    const options = { maxConcurrency: 2 };
    const read = take(1, stage.tasks.asyncStream(counting(), work, options));
    await stage.world.advance(50);
    expect(begun).toBe(options.maxConcurrency + LIMITS.streamBufferMax);
    expect(await stage.within(50, read)).toEqual([ok(100)]);
    expect(await stage.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('can be read more than once, each time anew', async () => {
    const stage = await taskStage();
    const stream = stage.tasks.asyncStream([1, 2], (one) => one * 2);
    const twice = [await stage.ask(all(stream)), await stage.ask(all(stream))];
    expect(twice).toEqual([
      [ok(2), ok(4)],
      [ok(2), ok(4)],
    ]);
  });

  it('of nothing gives nothing', async () => {
    const stage = await taskStage();
    expect(await stage.ask(all(stage.tasks.asyncStream([], () => 1)))).toEqual([]);
  });
});

describe('a stream that ends early', () => {
  it('fails with the timeout of a task and ends all', async () => {
    const stage = await taskStage();
    const options = { maxConcurrency: 3, timeoutMs: 50 };
    const read = all(stage.tasks.asyncStream([10, 100, 200], stage.sleep, options));
    const timeout = { code: 'timeout', reason: { type: 'timeout', what: 'task' } };
    await expect(stage.within(50, read)).rejects.toMatchObject(timeout);
    expect(await stage.running()).toEqual([]);
  });

  it('counts the time of each task from its own start', async () => {
    const stage = await taskStage();
    const options = { maxConcurrency: 1, timeoutMs: 50 };
    const read = all(stage.tasks.asyncStream([40, 40, 40], stage.sleep, options));
    expect(await stage.within(120, read)).toEqual([ok(40), ok(40), ok(40)]);
    expect(await stage.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('waits for ever where it is told to', async () => {
    const stage = await taskStage();
    const options = { timeoutMs: Number.POSITIVE_INFINITY };
    const read = all(stage.tasks.asyncStream([60_000], stage.sleep, options));
    expect(await stage.within(60_000, read)).toEqual([ok(60_000)]);
  });

  it('fails with what its input throws, at once or later', async () => {
    const stage = await taskStage();
    const broken = new Error('broken');
    function* now(): Generator<number> {
      yield 1;
      throw broken;
    }
    async function* later(): AsyncGenerator<number> {
      yield 1;
      await Promise.resolve();
      throw broken;
    }
    for (const input of [now(), later()]) {
      const read = all(stage.tasks.asyncStream(input, forever, { maxConcurrency: 2 }));
      await expect(stage.ask(read)).rejects.toBe(broken);
      expect(await stage.leftovers()).toEqual(NOTHING_LEFT);
    }
  });

  it('does not wait for an input that is stuck', async () => {
    const stage = await taskStage();
    const input = new Input('stuck');
    const read = take(
      1,
      stage.tasks.asyncStream(input, (one) => one, { maxConcurrency: 2 }),
    );
    expect(await stage.ask(read)).toEqual([ok(1)]);
    expect(input.returned).toBe(1);
  });

  it('tells its input before it has ended, and hands on what that throws', async () => {
    const stage = await taskStage();
    const closed: string[] = [];
    async function* input(): AsyncGenerator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        await Promise.resolve();
        closed.push('closed');
      }
    }
    const options = { maxConcurrency: 1 };
    await stage.ask(
      take(
        1,
        stage.tasks.asyncStream(input(), (one) => one, options),
      ),
    );
    expect(closed).toEqual(['closed']);
  });

  it('with a reader that has died stops its tasks and starts no more', async () => {
    const stage = await taskStage();
    for (const streams of ['asyncStream', 'asyncStreamNolink'] as const) {
      const reader = await stage.actor(streams);
      const input = new Input();
      const seen: unknown[] = [];
      void stage.as(reader, async () => {
        const options = { maxConcurrency: 2 };
        const stream = stage.tasks[streams](input, () => stage.sleep(10), options);
        for await (const result of stream) seen.push(result);
      });
      await stage.world.advance(15);
      expect((await stage.running()).length).toBe(2);
      const { pulled } = input;
      await stage.ask(stage.actors.terminateChild(streams));
      expect(await stage.running()).toEqual([]);
      await stage.world.advance(100);
      expect([input.pulled, input.returned, seen.length]).toEqual([pulled, 1, 2]);
    }
  });

  it('fails when it would start one more under a supervisor that has ended', async () => {
    const stage = await taskStage();
    const seen: unknown[] = [];
    const read = (async () => {
      const stream = stage.tasks.asyncStream([1, 50, 50, 50], stage.sleep, { maxConcurrency: 2 });
      for await (const result of stream) seen.push(result);
    })();
    read.catch(() => undefined);
    await stage.world.advance(10);
    await stage.ask(stage.tasks.stop());
    await expect(stage.ask(read)).rejects.toMatchObject({ code: 'noproc' });
    expect(seen).toEqual([ok(1), exited({ type: 'shutdown' })]);
  });

  it('ends a task whose start it still waited for as soon as that has come', async () => {
    const stage = await taskStage();
    // The supervisor is busy meanwhile: it stops a child that takes its time.
    const { opened, open } = gate();
    const slow = await stage.ask(
      stage.tasks.startChild(async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await opened;
      }),
    );
    const reader = await stage.actor('reader');
    let begun = 0;
    void stage.as(reader, async () => {
      const work = (one: number): Promise<number> => {
        begun += 1;
        return stage.sleep(one);
      };
      await all(stage.tasks.asyncStream([10, 20, 30], work, { maxConcurrency: 1 }));
    });
    const stopped = stage.tasks.terminateChild(slow);
    await stage.world.advance(10);
    expect(begun).toBe(1);
    await stage.ask(stage.actors.terminateChild('reader'));
    open();
    await stage.ask(stopped);
    await stage.world.settle();
    expect(await stage.running()).toEqual([]);
    expect(begun).toBe(2);
  });

  it('crashes an actor that reads it with links when a task crashes', async () => {
    const stage = await taskStage();
    const reader = await stage.actor('reader');
    const crash = new Error('crash');
    const work = (): Promise<never> => Promise.reject(crash);
    void stage.as(reader, () => all(stage.tasks.asyncStream([1, 2], work)));
    await stage.world.settle();
    expect(reader.exitReason).toEqual({ type: 'error', error: crash });
    const other = await stage.actor('other');
    const read = stage.as(other, () => all(stage.tasks.asyncStreamNolink([1], work)));
    expect(await read).toEqual([exited({ type: 'error', error: crash })]);
  });
});

describe('its options', () => {
  it('are checked before anything is read', async () => {
    const stage = await taskStage();
    for (const options of [
      { maxConcurrency: 0 },
      { maxConcurrency: 1.5 },
      { timeoutMs: -1 },
      { onTimeout: 'ignore' },
    ]) {
      expect(() => stage.tasks.asyncStream([1], () => 1, options as never)).toThrow(RangeError);
    }
  });
});
