// Does layer 2 break as real processes do, and does the runtime above it recover as it would in production?
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  defineAdapter,
  type BusEvents,
  type DeadlineExceededError,
  type Runtime,
} from '../../src/index.ts';
import { createTestRuntime, misbehave } from '../../src/testing/index.ts';
import { isAlive, PYTHON, until, workersOf } from '../support/real-runtime.ts';
import { wordsAdapter } from '../support/words-adapter.ts';

const SESSION = { sessionId: 'ada' };
const pool = { size: 1, shutdownMs: 300 };

function mockFolders(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('caduceus-mocks-'));
}

describe('layer 2', () => {
  let runtime: Runtime;
  let crashes: BusEvents['child.crashed'][];

  beforeEach(async () => {
    runtime = await createTestRuntime({
      layer: 2,
      python: PYTHON,
      bridges: { words: { adapter: wordsAdapter, pool } },
    });
    crashes = [];
    runtime.on('child.crashed', (event) => crashes.push(event));
    await runtime.pool('words').call('make_list', { id: 'l' }, SESSION);
    await runtime.pool('words').call('add_words', { id: 'l', words: ['kept'] }, SESSION);
  });
  afterEach(() => runtime.stop());

  const read = () => runtime.pool('words').call('read_list', { id: 'l' }, SESSION);
  const count = (timeoutMs = 10_000) =>
    runtime.pool('words').call('count', { text: 'a b' }, { timeoutMs, maxRetries: 0 });

  it('has real processes', () => {
    expect(workersOf(runtime).map(({ pid }) => isAlive(pid!))).toEqual([true]);
  });

  it.each([
    { type: 'half_frame' },
    { type: 'garbage' },
    { type: 'exit', status: 7 },
    { type: 'kill' },
  ] as const)(
    'loses one call to $type, and the session lives on in the next worker',
    async (order) => {
      misbehave(runtime, 'words', { ...order, op: 'count' });
      await expect(count()).rejects.toMatchObject({
        code: 'worker_crashed',
        outcome: 'maybeExecuted',
      });
      expect(await read()).toEqual(['kept']);
      expect(crashes).toHaveLength(1);
    },
  );

  it('says with which status a worker went', async () => {
    misbehave(runtime, 'words', { type: 'exit', status: 7, op: 'count' });
    await expect(count()).rejects.toThrow('ended with exit status 7');
  });

  it('names what it read when that was garbage', async () => {
    misbehave(runtime, 'words', { type: 'garbage', op: 'count' });
    await expect(count()).rejects.toMatchObject({
      exitReason: { type: 'error', error: { code: 'protocol_error' } },
    });
  });

  it('gives nobody an answer that comes too late', async () => {
    misbehave(runtime, 'words', { type: 'late', ms: 200, op: 'count' });
    const late = count(50);
    const next = runtime.pool('words').call('count', { text: 'a b c d' });
    await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(await next).toEqual({ count: 4 });
  });

  it('waits for an answer that is late in time', async () => {
    misbehave(runtime, 'words', { type: 'late', ms: 50, op: 'count' });
    expect(await count()).toEqual({ count: 2 });
  });

  it('kills a worker that hears nothing while it works', async () => {
    misbehave(runtime, 'words', { type: 'hang', op: 'count' });
    const error = await count(50).catch((thrown: unknown) => thrown as DeadlineExceededError);
    expect(error).toMatchObject({ code: 'deadline_exceeded' });
    expect(await (error as DeadlineExceededError).cancellation.settled).toBe('kill');
    expect(await read()).toEqual(['kept']);
  });

  it('ends a worker that neither shutdown nor SIGTERM ends', async () => {
    const [worker] = workersOf(runtime);
    misbehave(runtime, 'words', { type: 'ignore_sigterm', op: 'count' });
    expect(await count()).toEqual({ count: 2 });
    const stopped: BusEvents['child.stopped'][] = [];
    runtime.on('child.stopped', (event) => stopped.push(event));
    await runtime.stop();
    expect(isAlive(worker!.pid!)).toBe(false);
    const ofWorker = stopped.filter(({ path }) => path === worker!.path);
    expect(ofWorker).toMatchObject([{ reason: { type: 'killed' } }]);
  });

  it('starts a worker again that crashes when it starts, as often as it was told to', async () => {
    misbehave(runtime, 'words', { type: 'crash_on_start', status: 9, times: 2 });
    misbehave(runtime, 'words', { type: 'kill', op: 'count' });
    await expect(count()).rejects.toMatchObject({ code: 'worker_crashed' });
    expect(await read()).toEqual(['kept']);
    expect(crashes).toHaveLength(3);
  });

  it('fails the pool when its worker never starts, and mends when it does', async () => {
    const takeBack = misbehave(runtime, 'words', { type: 'crash_on_start', times: Infinity });
    const failed = new Promise((resolve) => runtime.on('pool.failed', resolve));
    misbehave(runtime, 'words', { type: 'kill', op: 'count' });
    await expect(count()).rejects.toMatchObject({ code: 'worker_crashed' });
    await failed;
    takeBack();
    await runtime.pool('words').start();
    expect(await read()).toEqual(['kept']);
  });

  it('misbehaves in as many calls as it was told to, and in those of that operation only', async () => {
    misbehave(runtime, 'words', { type: 'exit', op: 'count', times: 2 });
    expect(await read()).toEqual(['kept']);
    for (const _ of [1, 2]) await expect(count()).rejects.toMatchObject({ code: 'worker_crashed' });
    // With other arguments: those two calls are in quarantine, as in production.
    const other = await runtime.pool('words').call('count', { text: 'a b c' });
    expect(other).toEqual({ count: 3 });
  });

  it('refuses an order that says nothing', () => {
    const order = (given: object) => () => misbehave(runtime, 'words', given as never);
    expect(order({ type: 'hal_frame' })).toThrow('half_frame');
    expect(order({ type: 'late' })).toThrow('ms');
    expect(order({ type: 'exit', times: 0 })).toThrow('times');
    expect(order({ type: 'exit', status: 256 })).toThrow('status');
    expect(() => misbehave(runtime, 'word', { type: 'exit' })).toThrow('word');
  });

  it('leaves no process and no folder behind', async () => {
    const pids = workersOf(runtime).map(({ pid }) => pid!);
    const folders = mockFolders();
    await runtime.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(mockFolders().length).toBeLessThan(folders.length);
  });
});

describe('a mock that is left alone on layer 2', () => {
  it('is closed when its reader leaves, and when its worker dies', async () => {
    let closed = 0;
    const adapter = defineAdapter({
      framework: 'endless',
      operations: {
        count: {
          stream: true,
          mock: function* () {
            try {
              for (let number = 0; ; number += 1) yield number;
            } finally {
              closed += 1;
            }
          },
        },
      },
    });
    await using runtime = await createTestRuntime({
      layer: 2,
      python: PYTHON,
      bridges: { endless: { adapter, pool: { size: 1 } } },
    });
    for await (const _ of runtime.pool('endless').stream('count')) break;
    await until(() => closed === 1, 5_000);
    const reading = (async () => {
      for await (const _ of runtime.pool('endless').stream('count')) {
        process.kill(workersOf(runtime)[0]!.pid!, 'SIGKILL');
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'worker_crashed' });
    await until(() => closed === 2, 5_000);
  });

  it('answers several calls of one worker at a time', async () => {
    const waiting: (() => void)[] = [];
    const adapter = defineAdapter({
      framework: 'meet',
      operations: {
        // Returns once two are there.
        meet: {
          mock: () =>
            new Promise<string>((resolve) => {
              waiting.push(() => resolve('met'));
              if (waiting.length === 2) for (const each of waiting) each();
            }),
        },
      },
    });
    await using runtime = await createTestRuntime({
      layer: 2,
      python: PYTHON,
      bridges: { meet: { adapter, pool: { size: 1, concurrency: 2 } } },
    });
    const meet = () => runtime.pool('meet').call('meet', {}, { timeoutMs: 10_000 });
    expect(await Promise.all([meet(), meet()])).toEqual(['met', 'met']);
  });
});
