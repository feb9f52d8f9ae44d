// A worker is killed in the middle of each kind of call: what does the caller hear, and does the session's next call find everything that it had made?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DspyStreamItem, Runtime } from '../../src/index.ts';
import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';
import {
  boundDspy,
  configOf,
  dspyRuntime,
  killWorkerOf,
  type Dspy,
} from '../support/dspy-runtime.ts';
import { rejection } from '../support/real-runtime.ts';

let model: LocalModel;
let runtime: Runtime;
let bridge: Dspy;

const inputs = { question: 'What is 1 + 23?' };
const tools = [{ name: 'add', args: { a: { type: 'number' }, b: { type: 'number' } } }];
const trainset = [{ question: 'What is 2 + 70?', answer: '72' }];

beforeAll(async () => {
  model = await startLocalModel();
  runtime = await dspyRuntime({ size: 1, maxRestarts: 20 });
  bridge = boundDspy(runtime);
  // Requests of a call that is to be killed wait for it.
  model.inject({ kind: 'hang', times: 'always', match: { contains: 'Wait here' } });
});
afterAll(async () => {
  await runtime.stop();
  await model.close();
});

interface Stage {
  readonly id: string;
  readonly agentId: string;
  readonly session: { readonly sessionId: string };
}

/** A session with a model of its own and two programs. */
async function stage(sessionId: string): Promise<Stage> {
  const session = { sessionId, maxRetries: 0 };
  await bridge.configureLm(configOf(model, sessionId), session);
  const id = await bridge.createProgram({ signature: 'question -> answer' }, session);
  const agent = { signature: 'question -> answer', type: 'react', tools } as const;
  return { id, agentId: await bridge.createProgram(agent, session), session };
}

/** Everything that the session had made is there, with its own model. */
async function expectWhole({ id, session }: Stage): Promise<void> {
  const { outputs, usage } = await bridge.executeWithUsage(id, inputs, session);
  expect(outputs).toEqual({ answer: '24' });
  expect(Object.keys(usage)).toEqual([`openai/${session.sessionId}`]);
}

/** The call is with the model, then its worker is killed. */
async function killed(call: Promise<unknown>, sessionId: string, asked: string): Promise<unknown> {
  const failed = rejection(call);
  await model.nextRequest({ matching: asked });
  await killWorkerOf(runtime, sessionId);
  return failed;
}

async function all(items: AsyncIterable<DspyStreamItem>): Promise<DspyStreamItem[]> {
  const read: DspyStreamItem[] = [];
  for await (const item of items) read.push(item);
  return read;
}

describe('a worker that is killed in the middle', () => {
  it('of an execution', async () => {
    const made = await stage('k-execute');
    const asked = 'Wait here, execution.';
    const call = bridge.executeProgram({ id: made.id, inputs: { question: asked } }, made.session);
    const error = await killed(call, 'k-execute', asked);
    expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    await expectWhole(made);
  });

  it('of a stream', async () => {
    const made = await stage('k-stream');
    model.inject({ kind: 'slow_tokens', perTokenMs: 200, match: { contains: 'Speak slowly' } });
    const seen: DspyStreamItem[] = [];
    const question = 'Speak slowly to me, please.';
    const read = async (): Promise<void> => {
      const items = bridge.streamProgram({ id: made.id, inputs: { question } }, made.session);
      for await (const item of items) {
        if (seen.push(item) === 1) void killWorkerOf(runtime, 'k-stream');
      }
    };
    expect(await rejection(read())).toMatchObject({ code: 'worker_crashed' });
    expect(seen[0]).toHaveProperty('text');
    await expectWhole(made);
    const items = await all(bridge.streamProgram({ id: made.id, inputs }, made.session));
    expect(items.at(-1)).toMatchObject({ outputs: { answer: '24' } });
  });

  it('of an agent’s tool', async () => {
    const made = await stage('k-tool');
    let attempts = 0;
    const add = async ({ a, b }: { a: number; b: number }): Promise<number> => {
      attempts += 1;
      if (attempts === 1) await killWorkerOf(runtime, 'k-tool');
      return a + b;
    };
    const options = { ...made.session, callbacks: { add } };
    const call = bridge.executeProgram({ id: made.agentId, inputs }, options);
    expect(await rejection(call)).toMatchObject({ code: 'worker_crashed' });
    expect(attempts).toBe(1);
    await expectWhole(made);
    const outputs = await bridge.executeProgram({ id: made.agentId, inputs }, options);
    expect(outputs['trajectory']).toMatchObject({ observation_0: 24 });
  });

  it('of an optimisation leaves the program as it was', async () => {
    const made = await stage('k-optimise');
    const examples = [...trainset, { question: 'Wait here, optimiser.', answer: '1' }];
    const run = bridge.optimize(made.id, { trainset: examples }, made.session);
    const error = await killed(run, 'k-optimise', 'Wait here, optimiser.');
    expect(error).toMatchObject({ code: 'worker_crashed' });
    expect(await bridge.getProgramInfo({ id: made.id }, made.session)).toMatchObject({
      demos_count: 0,
    });
    await expectWhole(made);
  });

  it('of an evaluation', async () => {
    const made = await stage('k-evaluate');
    const devset = [{ question: 'Wait here, examiner.', answer: '1' }];
    const run = bridge.evaluate(made.id, { devset }, made.session);
    const error = await killed(run, 'k-evaluate', 'Wait here, examiner.');
    expect(error).toMatchObject({ code: 'worker_crashed' });
    await expectWhole(made);
  });

  // These take no longer than a message: the worker is stopped first, so that each is surely under way when it is killed.
  it.each([
    ['create', ({ session }: Stage) => bridge.createProgram({ signature: 'a -> b' }, session)],
    ['configure', ({ session }: Stage) => bridge.configureLm(configOf(model, 'another'), session)],
    ['delete', ({ id, session }: Stage) => bridge.deleteProgram({ id }, session)],
    ['load', loadInto],
    ['list', ({ session }: Stage) => bridge.listPrograms({}, session)],
    ['dump', ({ id, session }: Stage) => bridge.dumpProgram({ id }, session)],
    ['info', ({ id, session }: Stage) => bridge.getProgramInfo({ id }, session)],
  ])('of a %s has not done it, as far as anyone can see', async (name, begin) => {
    const made = await stage(`k-${name}`);
    const pid = runtime.pool('dspy').workerOf(`k-${name}`)?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const call = rejection(begin(made));
    await killWorkerOf(runtime, `k-${name}`);
    expect(await call).toMatchObject({ code: 'worker_crashed' });
    await expectWhole(made);
    const { programs } = await bridge.listPrograms({}, made.session);
    expect(programs.map(({ id }) => id)).toEqual([made.id, made.agentId]);
  });
});

function loadInto({ session }: Stage): Promise<string> {
  const state = {
    self: {
      demos: [],
      signature: { instructions: 'x', fields: [] },
      ...{ traces: [], train: [], lm: null },
    },
  };
  const program = { format: 1, signature: 'a -> b', state };
  return bridge.loadProgram({ id: 'loaded', program }, session);
}

describe('all that DSPy has', () => {
  it('comes back after a kill: a model with a cache, loaded and optimised programs, and without what was deleted', async () => {
    const made = await stage('k-all');
    await bridge.configureLm({ ...configOf(model, 'k-all'), cache: 'memory' }, made.session);
    await loadInto(made);
    await bridge.optimize(made.id, { optimizer: 'labeled_few_shot', trainset }, made.session);
    await bridge.deleteProgram({ id: made.agentId }, made.session);
    await killWorkerOf(runtime, 'k-all');
    const { programs } = await bridge.listPrograms({}, made.session);
    expect(programs.map(({ id }) => id).sort()).toEqual([made.id, 'loaded'].sort());
    expect(await bridge.getProgramInfo({ id: made.id }, made.session)).toMatchObject({
      demos_count: 1,
    });
    const { requestsCount } = model;
    for (const _ of [1, 2]) await bridge.executeProgram({ id: made.id, inputs }, made.session);
    expect(model.requestsCount).toBe(requestsCount + 1);
  });
});
