// Does layer 2 break as real processes do, and does the runtime above it recover as it would in production?
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

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
/** Crashes are what these tests are about, and none of them is to count for the next one. */
const pool = { size: 1, shutdownMs: 300, maxRestarts: 100, breaker: false } as const;

function startWords(): Promise<Runtime> {
  const bridges = { words: { adapter: wordsAdapter, pool } };
  return createTestRuntime({ layer: 2, python: PYTHON, bridges });
}

function mockFolders(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('caduceus-mocks-'));
}

describe('a worker of layer 2', () => {
  let runtime: Runtime;
  let crashes: BusEvents['child.crashed'][] = [];
  let calls = 0;

  beforeAll(async () => {
    runtime = await startWords();
    runtime.on('child.crashed', (event) => crashes.push(event));
    await runtime.pool('words').call('make_list', { id: 'l' }, SESSION);
    await runtime.pool('words').call('add_words', { id: 'l', words: ['kept'] }, SESSION);
  });
  afterAll(() => runtime.stop());
  beforeEach(() => {
    crashes = [];
  });

  const read = () => runtime.pool('words').call('read_list', { id: 'l' }, SESSION);
  /** Each with arguments of its own: those with which workers have crashed are in quarantine, as in production. */
  const count = (timeoutMs = 10_000) => {
    calls += 1;
    const args = { text: `call ${calls}` };
    return runtime.pool('words').call('count', args, { timeoutMs, maxRetries: 0 });
  };

  it('is a process', () => {
    expect(workersOf(runtime).map(({ pid }) => isAlive(pid!))).toEqual([true]);
  });

  it.each([
    { type: 'half_frame' },
    { type: 'garbage' },
    { type: 'exit', status: 7 },
    { type: 'kill' },
  ] as const)('loses one call to $type, and its session lives on in the next', async (order) => {
    misbehave(runtime, 'words', { ...order, op: 'count' });
    await expect(count()).rejects.toMatchObject({
      ...{ code: 'worker_crashed', outcome: 'maybeExecuted' },
    });
    expect(await read()).toEqual(['kept']);
    expect(crashes).toHaveLength(1);
  });

  it('has gone with the status that it was told to go with', async () => {
    misbehave(runtime, 'words', { type: 'exit', status: 7, op: 'count' });
    await expect(count()).rejects.toThrow('ended with exit status 7');
  });

  it('is known by what it wrote when that was garbage', async () => {
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

  it('is waited for when its answer is late in time', async () => {
    misbehave(runtime, 'words', { type: 'late', ms: 50, op: 'count' });
    expect(await count()).toEqual({ count: 2 });
  });

  it('is killed when it hears nothing while it works', async () => {
    misbehave(runtime, 'words', { type: 'hang', op: 'count' });
    const error = await count(50).catch((thrown: unknown) => thrown as DeadlineExceededError);
    expect(error).toMatchObject({ code: 'deadline_exceeded' });
    expect(await (error as DeadlineExceededError).cancellation.settled).toBe('kill');
    expect(await read()).toEqual(['kept']);
  });

  it('is started again when it crashes as it starts, as often as it was told to', async () => {
    misbehave(runtime, 'words', { type: 'crash_on_start', status: 9, times: 2 });
    misbehave(runtime, 'words', { type: 'kill', op: 'count' });
    await expect(count()).rejects.toMatchObject({ code: 'worker_crashed' });
    expect(await read()).toEqual(['kept']);
    expect(crashes).toHaveLength(3);
  });

  it('fails its pool when it never starts, which mends when it does', async () => {
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
    expect(await count()).toEqual({ count: 2 });
  });

  it('is given no order that says nothing', () => {
    const order = (given: object) => () => misbehave(runtime, 'words', given as never);
    expect(order({ type: 'hal_frame' })).toThrow('half_frame');
    expect(order({ type: 'late' })).toThrow('ms');
    expect(order({ type: 'exit', times: 0 })).toThrow('times');
    expect(order({ type: 'exit', op: 7 })).toThrow('op');
    expect(order({ type: 'exit', status: 256 })).toThrow('status');
    expect(() => misbehave(runtime, 'word', { type: 'exit' })).toThrow('word');
  });
});

describe('the end of a runtime of layer 2', () => {
  it('kills a worker that neither shutdown nor SIGTERM ends, and leaves no folder', async () => {
    const before = new Set(mockFolders());
    const runtime = await startWords();
    const own = mockFolders().filter((name) => !before.has(name));
    const [worker] = workersOf(runtime);
    misbehave(runtime, 'words', { type: 'ignore_sigterm', op: 'count' });
    expect(await runtime.pool('words').call('count', { text: 'a b' })).toEqual({ count: 2 });
    const stopped: BusEvents['child.stopped'][] = [];
    runtime.on('child.stopped', (event) => stopped.push(event));
    await runtime.stop();
    expect(isAlive(worker!.pid!)).toBe(false);
    const ofWorker = stopped.filter(({ path }) => path === worker!.path);
    expect(ofWorker).toMatchObject([{ reason: { type: 'killed' } }]);
    // Others may have made theirs meanwhile, and may have them still.
    const left = mockFolders().filter((name) => own.includes(name));
    expect(left.length).toBeLessThan(own.length);
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
    let pid = workersOf(runtime)[0]?.pid;
    const reading = (async () => {
      for await (const _ of runtime.pool('endless').stream('count')) {
        // Once: what it had written before still comes.
        if (pid === undefined) continue;
        process.kill(pid, 'SIGKILL');
        pid = undefined;
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
