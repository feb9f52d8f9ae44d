// Are many tasks run and read as Elixir's streams of tasks are? Cases 196 to 216 of task/supervisor_test.exs.
import { describe, expect } from 'vitest';

import { exit } from '../../actors/lifecycle/exit.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { StreamFunction, StreamResult } from '../../supervisors/task-stream-options.ts';
import type { TaskStreamOptions } from '../../supervisors/task-stream-options.ts';
import { all, exited, forever, NOTHING_LEFT, ok, take, taskStage } from './part-3-stage.ts';
import type { TaskStage } from './part-3-stage.ts';
import { scenario } from './scenario.ts';
import { refusal } from './supervised.ts';

const FOUR: TaskStreamOptions = { maxConcurrency: 4 };
const ENDLESS = [0, -1, -1, -1];

/** A negative time is for ever. */
const sleeping =
  (stage: TaskStage) =>
  (ms: number): Promise<number> =>
    ms < 0 ? forever() : stage.sleep(ms);

const detailed = (detail: number) => ({ type: 'shutdown', detail }) as const;
const exiting = (detail: number): ReturnType<typeof exit> => exit(detailed(detail));

type Streams = 'asyncStream' | 'asyncStreamNolink';

function streamed<Input, Value>(
  stage: TaskStage,
  streams: Streams,
  elements: Iterable<Input>,
  fn: StreamFunction<Input, Value>,
  options: TaskStreamOptions = FOUR,
): AsyncIterable<StreamResult<Input, Value>> {
  return stage.tasks[streams](elements, fn, options);
}

async function streamsInOrder(streams: Streams): Promise<void> {
  const stage = await taskStage();
  const read = all(streamed(stage, streams, [1, 2, 3, 4], stage.sleep));
  expect(await stage.within(4, read)).toEqual([ok(1), ok(2), ok(3), ok(4)]);
}

async function leaksNothing(streams: Streams): Promise<void> {
  const stage = await taskStage();
  await stage.within(4, all(streamed(stage, streams, [1, 2, 3, 4], stage.sleep)));
  expect(await stage.leftovers()).toEqual(NOTHING_LEFT);
}

async function keepsOrder(streams: Streams): Promise<void> {
  const stage = await taskStage();
  const read = all(streamed(stage, streams, [4, 3, 2, 1], stage.sleep));
  expect(await stage.within(4, read)).toEqual([ok(4), ok(3), ok(2), ok(1)]);
}

async function givesExits(streams: Streams): Promise<void> {
  const stage = await taskStage();
  const read = all(streamed(stage, streams, [1, 2, 3, 4], exiting));
  const exits = [1, 2, 3, 4].map((detail) => exited(detailed(detail)));
  expect(await stage.ask(read)).toEqual(exits);
}

async function stopsUnused(streams: Streams): Promise<void> {
  const stage = await taskStage();
  const reader = await stage.actor('reader');
  const read = stage.as(reader, () => take(1, streamed(stage, streams, ENDLESS, sleeping(stage))));
  expect(await stage.within(0, read)).toEqual([ok(0)]);
  expect(await stage.running()).toEqual([]);
  expect(stage.world.told('child.stopped').length).toBe(ENDLESS.length);
  // The links are gone: their ends did not reach the reader.
  expect(reader.exitReason).toBeUndefined();
}

async function stopsUnusedWithoutLeaks(streams: Streams): Promise<void> {
  const stage = await taskStage();
  await stage.within(0, take(1, streamed(stage, streams, ENDLESS, sleeping(stage))));
  expect(await stage.leftovers()).toEqual(NOTHING_LEFT);
}

async function refusesTooMany(streams: Streams): Promise<void> {
  const stage = await taskStage({ maxChildren: 1 });
  const reader = await stage.actor('reader');
  const options = { maxConcurrency: 2 };
  const read = stage.as(reader, () => all(streamed(stage, streams, ENDLESS, forever, options)));
  expect(await refusal(read)).toBe('max_children');
  expect(await stage.leftovers()).toEqual(NOTHING_LEFT);
  expect(reader.exitReason).toBeUndefined();
}

describe('async_stream', () => {
  scenario(196, 'streams an enumerable with fun', '', () => streamsInOrder('asyncStream'));

  scenario(198, 'streams an enumerable without leaking tasks', '', () =>
    leaksNothing('asyncStream'),
  );

  scenario(199, 'streams an enumerable with slowest first', '', () => keepsOrder('asyncStream'));

  scenario(
    200,
    'streams an enumerable with exits',
    'read by no actor there is nobody to link, as if exits were trapped',
    () => givesExits('asyncStream'),
  );

  scenario(201, 'shuts down unused tasks', 'the links are seen by what they do not do', () =>
    stopsUnused('asyncStream'),
  );

  scenario(202, 'shuts down unused tasks without leaking messages', '', () =>
    stopsUnusedWithoutLeaks('asyncStream'),
  );

  scenario(
    203,
    'raises an error if :max_children is reached with clean stream shutdown',
    'the iteration rejects',
    () => refusesTooMany('asyncStream'),
  );

  scenario(204, 'with $callers', 'the chain is in the context', async () => {
    const stage = await taskStage();
    const reader = await stage.actor('reader');
    const outer = stage.tasks.asyncStream([1], async (_one, { callers, self }) => {
      const inner = stage.tasks.asyncStream([1], (_two, context) => context.callers);
      return { outer: callers, inner: await all(inner), self };
    });
    const [result] = await stage.as(reader, () => all(outer));
    if (result?.type !== 'ok') throw new Error('it crashed');
    const { value } = result;
    expect(value.outer).toEqual([reader]);
    expect(value.inner).toEqual([ok<readonly ActorRef[]>([value.self, reader])]);
  });

  scenario(205, 'consuming from another process', 'from another actor', async () => {
    const stage = await taskStage();
    const said: number[] = [];
    const stream = stage.tasks.asyncStream([1, 2, 3], (one) => said.push(one));
    expect(await stage.running()).toEqual([]);
    const reader = await stage.actor('reader');
    await stage.as(reader, () => all(stream));
    expect(said).toEqual([1, 2, 3]);
  });

  scenario(206, 'with timeout and :zip_input_on_exit set to true', '', async () => {
    const stage = await taskStage();
    const options = { zipInputOnExit: true, onTimeout: 'kill_task', timeoutMs: 50 } as const;
    const read = all(streamed(stage, 'asyncStream', [1, 100], stage.sleep, options));
    const timeout = { ...exited({ type: 'timeout', what: 'task' }), input: 100 };
    expect(await stage.within(50, read)).toEqual([ok(1), timeout]);
    expect(await stage.running()).toEqual([]);
  });

  scenario(207, 'with outer halt on failure and :zip_input_on_exit', '', async () => {
    const stage = await taskStage();
    const options = { ...FOUR, zipInputOnExit: true };
    const elements = [1, 2, 3, 4, 5, 6, 7, 8];
    const read = take(4, streamed(stage, 'asyncStream', elements, exiting, options));
    const four = [1, 2, 3, 4].map((input) => ({ ...exited(detailed(input)), input }));
    expect(await stage.ask(read)).toEqual(four);
    expect(await stage.leftovers()).toEqual(NOTHING_LEFT);
  });

  scenario(208, 'does not allow streaming with invalid :shutdown', '', async () => {
    const stage = await taskStage();
    for (const shutdown of ['unknown', 'infinity', -1] as const) {
      const options = { shutdown } as unknown as TaskStreamOptions;
      const message = /shutdown: whole ms from 0 or brutal_kill is expected/u;
      expect(() => stage.tasks.asyncStream([], () => 1, options)).toThrow(message);
    }
  });
});

describe('async_stream_nolink', () => {
  scenario(209, 'streams an enumerable with fun', '', () => streamsInOrder('asyncStreamNolink'));

  scenario(211, 'streams an enumerable without leaking tasks', '', () =>
    leaksNothing('asyncStreamNolink'),
  );

  scenario(212, 'streams an enumerable with slowest first', '', () =>
    keepsOrder('asyncStreamNolink'),
  );

  scenario(213, 'streams an enumerable with exits', '', async () => {
    await givesExits('asyncStreamNolink');
    const stage = await taskStage();
    const reader = await stage.actor('reader');
    const read = stage.as(reader, () => all(streamed(stage, 'asyncStreamNolink', [1, 2], exiting)));
    expect(await read).toEqual([exited(detailed(1)), exited(detailed(2))]);
    expect(reader.exitReason).toBeUndefined();
  });

  scenario(214, 'shuts down unused tasks', 'the links are seen by what they do not do', () =>
    stopsUnused('asyncStreamNolink'),
  );

  scenario(215, 'shuts down unused tasks without leaking messages', '', () =>
    stopsUnusedWithoutLeaks('asyncStreamNolink'),
  );

  scenario(
    216,
    'raises an error if :max_children is reached with clean stream shutdown',
    'the iteration rejects',
    () => refusesTooMany('asyncStreamNolink'),
  );
});
