// Are programs made better from examples, for every worker, and can such a run be watched, cancelled and cut short without harm?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Runtime } from '../../src/index.ts';
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

const trainset = [2, 3, 4, 5, 6].map((n) => ({ question: `What is ${n} + 70?`, answer: n + 70 }));
const wrong = trainset.map(({ question }) => ({ question, answer: -1 }));

beforeAll(async () => {
  model = await startLocalModel();
  runtime = await dspyRuntime({ size: 1 });
  bridge = boundDspy(runtime);
  await runtime.ml.configure('dspy', configOf(model));
});
afterAll(async () => {
  await runtime.stop();
  await model.close();
});

async function program(sessionId: string): Promise<string> {
  return bridge.createProgram({ signature: 'question -> answer: int' }, { sessionId });
}

describe('BootstrapFewShot', () => {
  it('finds demonstrations that its metric likes, tells of each step, and they are in the prompt', async () => {
    const session = { sessionId: 'boot' };
    const id = await program('boot');
    const steps: unknown[] = [];
    const found = await bridge.optimize(
      id,
      { trainset, maxBootstrappedDemos: 2, maxLabeledDemos: 3 },
      { ...session, onProgress: (step) => steps.push(step) },
    );
    expect(found).toMatchObject({ bootstrapped_count: 2, demos_count: 3, errors_count: 0 });
    expect(steps).toEqual([
      { done: 1, total: 5, bootstrapped: 1, errors: 0 },
      { done: 2, total: 5, bootstrapped: 2, errors: 0 },
    ]);
    expect(await bridge.getProgramInfo({ id }, session)).toMatchObject({ demos_count: 3 });
    const inputs = { question: 'What is 90 + 9?' };
    expect(await bridge.executeProgram({ id, inputs }, session)).toEqual({ answer: 99 });
    const request = await model.nextRequest({ matching: '90 + 9' });
    expect(request.promptText).toContain('What is 2 + 70?');
  });

  it('takes what a metric of ours likes, and nothing else', async () => {
    const session = { sessionId: 'judge' };
    const id = await program('judge');
    const judged: unknown[] = [];
    const metric = (
      example: Record<string, unknown>,
      outputs: Record<string, unknown>,
    ): boolean => {
      judged.push([example['answer'], outputs['answer']]);
      return outputs['answer'] === 74;
    };
    const options = { trainset, metric, maxLabeledDemos: 0 };
    const found = await bridge.optimize(id, options, session);
    expect(judged).toEqual(trainset.map(({ answer }) => [answer, answer]));
    expect(found).toMatchObject({ bootstrapped_count: 1, demos_count: 1 });
  });

  it('finds nothing where no answer is right', async () => {
    const id = await program('none');
    const options = { trainset: wrong, maxLabeledDemos: 0, maxRounds: 2 };
    const found = await bridge.optimize(id, options, { sessionId: 'none' });
    expect(found).toMatchObject({ bootstrapped_count: 0, demos_count: 0 });
  });

  it('goes on after some failures of the model, and is given up after too many', async () => {
    const session = { sessionId: 'errors' };
    const id = await program('errors');
    model.inject({ kind: 'status', status: 500 });
    const found = await bridge.optimizeProgram({ id, trainset, maxErrors: 1 }, session);
    expect(found).toMatchObject({ errors_count: 1, bootstrapped_count: 4 });
    model.inject({ kind: 'status', status: 500, times: 2 });
    const error = await rejection(bridge.optimizeProgram({ id, trainset, maxErrors: 1 }, session));
    expect(error).toMatchObject({ code: 'unavailable' });
  });

  it('fails with the metric’s own error', async () => {
    const id = await program('broken');
    const metric = (): number => {
      throw new Error('the judge is asleep');
    };
    const error = await rejection(
      bridge.optimize(id, { trainset, metric }, { sessionId: 'broken' }),
    );
    expect(error).toMatchObject({ code: 'callback_failed' });
    expect(error.message).toContain('the judge is asleep');
  });

  it('is cancelled between two requests or in one, and leaves the program as it was', async () => {
    const session = { sessionId: 'cancel' };
    const id = await program('cancel');
    const controller = new AbortController();
    model.inject({ kind: 'slow', delayMs: 100, times: 'always' });
    const run = bridge.optimize(
      id,
      { trainset },
      { ...session, signal: controller.signal, onProgress: () => controller.abort() },
    );
    const error = await rejection(run);
    model.clearFaults();
    expect(error).toMatchObject({ code: 'aborted' });
    const { settled } = error['cancellation'] as { settled: Promise<string> };
    expect(['flag', 'raise', 'interrupt']).toContain(await settled);
    expect(await bridge.getProgramInfo({ id }, session)).toMatchObject({ demos_count: 0 });
  });
});

describe('what was found', () => {
  it('is there again on the next worker, without a request to the model', async () => {
    const session = { sessionId: 'death' };
    const id = await program('death');
    await bridge.optimize(id, { trainset, maxBootstrappedDemos: 2, maxLabeledDemos: 2 }, session);
    const before = await bridge.dumpProgram({ id }, session);
    const { requestsCount } = model;
    await killWorkerOf(runtime, 'death');
    expect(await bridge.dumpProgram({ id }, session)).toEqual(before);
    expect(model.requestsCount).toBe(requestsCount);
  });
});

describe('LabeledFewShot', () => {
  it('takes demonstrations from the examples without asking the model', async () => {
    const session = { sessionId: 'labeled' };
    const id = await program('labeled');
    const { requestsCount } = model;
    const options = { optimizer: 'labeled_few_shot', trainset, maxLabeledDemos: 2 } as const;
    expect(await bridge.optimize(id, options, session)).toMatchObject({ demos_count: 2 });
    expect(model.requestsCount).toBe(requestsCount);
    expect(await bridge.getProgramInfo({ id }, session)).toMatchObject({ demos_count: 2 });
  });
});

describe('an evaluation', () => {
  it('compares each example, and counts what failed as wrong', async () => {
    const session = { sessionId: 'eval' };
    const id = await program('eval');
    model.inject({ kind: 'status', status: 500, match: { contains: '4 + 70' } });
    const devset = [...trainset.slice(0, 3), ...wrong.slice(3)];
    const found = await bridge.evaluate(id, { devset }, session);
    expect(found).toMatchObject({ score: 2 / 5, total_count: 5, errors_count: 1 });
    expect(found.results.map(({ score }) => score)).toEqual([1, 1, 0, 0, 0]);
    expect(found.results[2]?.error).toMatchObject({ code: 'unavailable' });
  });

  it('asks a metric of ours, which may give a part', async () => {
    const id = await program('part');
    const metric = (): number => 0.25;
    const found = await bridge.evaluate(id, { devset: trainset, metric }, { sessionId: 'part' });
    expect(found.score).toBe(0.25);
  });
});

describe('examples', () => {
  it.each([
    [[], 'trainset'],
    [[{ answer: 1 }], 'question'],
    [[{ question: 'q', anser: 1 }], 'anser'],
  ])('that do not fit the program are refused: %#', async (given, finding) => {
    const id = await program('misfits');
    const run = bridge.optimizeProgram({ id, trainset: given }, { sessionId: 'misfits' });
    const error = await rejection(run);
    expect(error).toMatchObject({ code: 'invalid_arguments' });
    expect(error.message).toContain(finding);
  });
});
