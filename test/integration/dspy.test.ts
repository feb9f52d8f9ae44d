// Does real DSPy work through the runtime: scopes, sessions, errors? A real framework in real processes, with the local model.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createRuntime, dspy, type PoolOptions, type Runtime } from '../../src/index.ts';
import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';
import { nextEvent, PYTHON, rejection, workersOf } from '../support/real-runtime.ts';

let model: LocalModel;
let runtime: Runtime;

function dspyRuntime(pool: PoolOptions = {}): Promise<Runtime> {
  return createRuntime({
    python: PYTHON,
    logger: false,
    bridges: { dspy: { adapter: dspy(), pool: { size: 2, ...pool } } },
  });
}

function config(): { readonly model: string; readonly apiBase: string; readonly apiKey: string } {
  return { model: 'openai/local', apiBase: model.baseUrl, apiKey: 'not-needed' };
}

/** Both workers are up, so that calls spread over them. */
async function bothReady(of: Runtime): Promise<void> {
  while (of.pool('dspy').statistics().gauges.idle < 2) await nextEvent(of, 'child.ready');
}

beforeAll(async () => {
  model = await startLocalModel();
  runtime = await dspyRuntime();
  await bothReady(runtime);
  await runtime.ml.configure('dspy', config());
});
afterAll(async () => {
  await runtime.stop();
  await model.close();
});

describe('programs', () => {
  it('are created from a signature as a string and executed', async () => {
    const id = await runtime.ml.createProgram({ signature: 'question -> answer' });
    expect(id).toMatch(/^dspy_/u);
    const { answer } = await runtime.ml.execute(id, { question: 'What is 17 * 23?' });
    expect(answer).toContain('391');
  });

  it('are created from the structured form of the seed', async () => {
    const id = await runtime.ml.createProgram({
      signature: {
        inputs: [{ name: 'question', type: 'str' }],
        outputs: [{ name: 'answer', type: 'float' }],
      },
    });
    expect(await runtime.ml.execute(id, { question: 'What is 2 + 2?' })).toEqual({ answer: 4 });
  });

  it('of the anonymous scope run on either worker', async () => {
    const id = await runtime.ml.createProgram({ signature: 'question -> answer' });
    model.inject({ kind: 'slow', delayMs: 300, times: 2 });
    const asked = ['What is 3 * 3?', 'What is 4 * 4?'].map((question) =>
      runtime.ml.execute(id, { question }),
    );
    // Both are with the model at once: a worker runs one call at a time, so each has the program.
    await model.nextRequest({ matching: '3 * 3', timeoutMs: 5_000 });
    await model.nextRequest({ matching: '4 * 4', timeoutMs: 5_000 });
    expect(runtime.pool('dspy').statistics().gauges.busy).toBe(2);
    const answers = await Promise.all(asked);
    expect(answers.map(({ answer }) => answer)).toEqual([
      expect.stringContaining('9'),
      expect.stringContaining('16'),
    ]);
    const listed = await Promise.all([0, 1].map(() => runtime.pool('dspy').call('list_programs')));
    for (const list of listed) expect(JSON.stringify(list)).toContain(id);
  });

  it('of the session "anonymous" are those without a session', async () => {
    const id = await runtime.ml.createProgram({ signature: 'question -> answer' });
    const anonymous = { sessionId: 'anonymous' };
    const { answer } = await runtime.ml.execute(id, { question: 'What is 5 * 5?' }, anonymous);
    expect(answer).toContain('25');
  });

  it('are listed and deleted, for every worker', async () => {
    const id = await runtime.ml.createProgram({ id: 'mine', signature: 'a -> b' });
    expect(id).toBe('mine');
    await runtime.ml.deleteProgram('mine');
    for (const list of await Promise.all([0, 1].map(() => runtime.ml.listPrograms()))) {
      expect(JSON.stringify(list)).not.toContain('mine');
    }
  });
});

describe('sessions', () => {
  it('have programs of their own', async () => {
    const id = await runtime.ml.createProgram({ signature: 'a -> b' }, { sessionId: 'alice' });
    const error = await rejection(runtime.ml.execute(id, { a: '1' }, { sessionId: 'bob' }));
    expect(error).toMatchObject({ code: 'program_not_found', bridge: 'dspy' });
    expect(error.message).toContain(id);
  });

  it('are forgotten when they are ended, by the worker too', async () => {
    const dora = { sessionId: 'dora' };
    const id = await runtime.ml.createProgram({ signature: 'a -> b' }, dora);
    const { sessions } = runtime.pool('dspy').statistics().gauges;
    await runtime.pool('dspy').endSession('dora');
    expect(runtime.pool('dspy').statistics().gauges.sessions).toBe(sessions - 1);
    expect(JSON.stringify(await runtime.ml.listPrograms(dora))).not.toContain(id);
  });

  it('are replayed on the next incarnation: their own model and their programs', async () => {
    const other = await startLocalModel();
    const carol = { sessionId: 'carol' };
    await runtime.ml.configure('dspy', { ...config(), apiBase: other.baseUrl }, carol);
    const id = await runtime.ml.createProgram({ signature: 'question -> answer' }, carol);
    const before = runtime.pool('dspy').workerOf('carol');
    const crashed = nextEvent(runtime, 'child.crashed');
    const replayed = nextEvent(runtime, 'scope.replayed', ({ scope }) => scope === 'session carol');
    process.kill(before?.pid ?? 0, 'SIGKILL');
    await crashed;
    const { answer } = await runtime.ml.execute(id, { question: 'What is 6 * 7?' }, carol);
    expect(answer).toContain('42');
    expect(other.requestsCount).toBe(1);
    expect((await replayed).operations).toEqual(
      expect.arrayContaining(['configure_lm', 'create_program']),
    );
    await other.close();
  });
});

describe('configure without a session', () => {
  it('reaches both live workers and every later one', async () => {
    const own = await dspyRuntime();
    await bothReady(own);
    await own.ml.configure('dspy', config());
    const id = await own.ml.createProgram({ signature: 'question -> answer' });
    const ask = (): Promise<unknown> => own.ml.execute(id, { question: 'What is 1 + 1?' });
    model.inject({ kind: 'slow', delayMs: 300, times: 2 });
    expect(await Promise.all([ask(), ask()])).toHaveLength(2);
    const pids = workersOf(own).map(({ pid }) => pid);
    for (const pid of pids) {
      const ready = nextEvent(own, 'child.ready');
      process.kill(pid ?? 0, 'SIGKILL');
      await ready;
    }
    model.inject({ kind: 'slow', delayMs: 300, times: 2 });
    expect(await Promise.all([ask(), ask()])).toHaveLength(2);
    await own.stop();
  });

  it('is missed with its own code', async () => {
    const own = await dspyRuntime({ size: 1 });
    const id = await own.ml.createProgram({ signature: 'a -> b' });
    expect(await rejection(own.ml.execute(id, { a: '1' }))).toMatchObject({
      code: 'not_configured',
    });
    await own.stop();
  });
});

describe('bad input', () => {
  it.each(['no arrow', 'question -> answer: nonsense_type', 'a, a -> b', ' -> '])(
    'as a signature is refused by DSPy’s own words: %s',
    async (signature) => {
      const error = await rejection(runtime.ml.createProgram({ signature }));
      expect(error).toMatchObject({ code: 'invalid_signature' });
    },
  );

  it('as a program’s form is refused before it is sent', async () => {
    const error = await rejection(runtime.ml.createProgram({ signature: 'a -> b', type: 'magic' }));
    expect(error).toMatchObject({ code: 'invalid_arguments', field: 'type' });
  });

  it('as an unknown program id names it', async () => {
    const error = await rejection(runtime.ml.execute('dspy_nope', { question: 'q' }));
    expect(error).toMatchObject({ code: 'program_not_found' });
    expect(error.message).toContain('dspy_nope');
  });

  it('as wrong inputs names the fields', async () => {
    const id = await runtime.ml.createProgram({ signature: 'question -> answer' });
    const error = await rejection(runtime.ml.execute(id, { qestion: 'x' }));
    expect(error).toMatchObject({ code: 'invalid_arguments' });
    expect(error.message).toContain('question');
  });

  it('of the model’s server reaches the caller with a code and Python’s traceback', async () => {
    const id = await runtime.ml.createProgram({ signature: 'question -> answer' });
    model.inject({ kind: 'status', status: 500 });
    const error = await rejection(runtime.ml.execute(id, { question: 'What is 2 + 3?' }));
    expect(error).toMatchObject({ code: 'unavailable', pythonType: 'ModelError' });
    expect(error.message).toContain('LMServerError');
    expect(error['traceback']).toContain('dspy');
  });
});

describe('what every bridge answers', () => {
  it.each([
    ['ping', ['status', 'timestamp', 'uptime', 'mode', 'worker_id', 'framework']],
    ['get_stats', ['command_count', 'error_count', 'uptime', 'framework']],
    ['get_capabilities', ['framework', 'supported_operations', 'mode']],
  ])('%s has at least the seed’s fields', async (op, fields) => {
    const reply = (await runtime.pool('dspy').call(op)) as Record<string, unknown>;
    expect(Object.keys(reply)).toEqual(expect.arrayContaining(fields));
    expect(reply['framework']).toMatchObject({
      name: 'dspy',
      capabilities: ['signatures', 'programs', 'language_models'],
    });
  });

  it('shutdown replies and then really ends the worker', async () => {
    const own = await dspyRuntime({ size: 1 });
    const crashed = nextEvent(own, 'child.crashed');
    const reply = await own.pool('dspy').call('shutdown');
    expect(reply).toMatchObject({
      status: 'shutting_down',
      worker_id: 'dspy/0',
      mode: 'pool-worker',
    });
    expect((await crashed).reason).toEqual({ type: 'normal' });
    await own.stop();
  });
});
