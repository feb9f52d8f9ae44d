// What is left of scikit-learn's models when their worker is killed, moved or given up on? Real processes, real signals.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BoundOf } from '../../src/adapters/bound-adapter.ts';
import { sklearn } from '../../src/adapters/sklearn.ts';
import { createRuntime, NdArray, type Runtime } from '../../src/index.ts';
import { nextEvent, PYTHON, rejection, until, workersOf } from '../support/real-runtime.ts';

let runtime: Runtime;
let sk: BoundOf<ReturnType<typeof sklearn>>;

beforeAll(async () => {
  runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    default: 'sklearn',
    bridges: {
      sklearn: { adapter: sklearn(), pool: { size: 2, overflow: 0, maxRestarts: 1_000 } },
    },
  });
  sk = runtime.registry.getAdapter('sklearn') as typeof sk;
  await allReady();
}, 60_000);
afterAll(() => runtime.stop());

/** For two workers on a busy machine. */
const READY_MS = 30_000;

/** Both workers are up and wait for calls. */
async function allReady(): Promise<void> {
  await until(() => runtime.pool('sklearn').statistics().gauges.idle === 2, READY_MS);
}

const numbers = (values: unknown): readonly number[] =>
  Array.from(values as ArrayLike<bigint | number>, Number);

function pidOf(sessionId: string): number {
  const pid = runtime.pool('sklearn').workerOf(sessionId)?.pid;
  // Zero would be this process and its neighbours.
  if (pid === undefined) throw new Error(`${sessionId} has no worker`);
  return pid;
}

/** Kill the session's worker. @returns its process. */
function kill(sessionId: string): number {
  const pid = pidOf(sessionId);
  process.kill(pid, 'SIGKILL');
  return pid;
}

const TICKS_PER_S = 100;

/** The seconds that a process has computed. */
function computedS(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) / TICKS_PER_S;
}

/** A model whose answers take long: each is compared with every row that it knows, at a price. */
const SLOW = {
  estimator: 'KNeighborsClassifier',
  params: { algorithm: 'brute', metric: 'minkowski', p: 3, n_neighbors: 3 },
};
const FEW_ROWS = { dataset: 'digits', testSize: 0.06 } as const;
/** Training that would take far longer than any test. */
const LONG = { dataset: 'digits', epochs: 100_000 } as const;
const MLP = {
  estimator: 'MLPClassifier',
  params: { hidden_layer_sizes: [32], learning_rate_init: 0.01 },
  steps: ['MinMaxScaler'],
};

describe('kill -9 in the middle of', () => {
  it('train leaves the model as it was before', async () => {
    const own = { sessionId: 'train-killed' };
    const id = await sk.loadModel(MLP, own);
    await sk.train({ id, dataset: 'digits', epochs: 3 }, own);
    const { predictions } = await sk.predict({ id, dataset: 'digits' }, own);
    const replayed = nextEvent(runtime, 'scope.replayed', ({ scope }) =>
      scope.endsWith(own.sessionId),
    );
    let killed = 0;
    const onProgress = (): void => {
      if (killed === 0) killed = kill(own.sessionId);
    };
    const error = await rejection(sk.train({ id, ...LONG }, { ...own, onProgress }));
    expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect((await sk.predict({ id, dataset: 'digits' }, own)).predictions).toEqual(predictions);
    // What was learned is brought back as it was, not learned again.
    expect((await replayed).operations).toEqual(['load_state']);
    expect(pidOf(own.sessionId)).not.toBe(killed);
    // And it can be trained again.
    await sk.train({ id, dataset: 'digits', epochs: 3 }, own);
  });

  it('the first train leaves a model that is not trained', async () => {
    const own = { sessionId: 'first-train-killed' };
    const id = await sk.loadModel(MLP, own);
    let isKilled = false;
    const onProgress = (): void => {
      if (!isKilled) kill(own.sessionId);
      isKilled = true;
    };
    await rejection(sk.train({ id, ...LONG }, { ...own, onProgress }));
    const error = await rejection(sk.predict({ id, dataset: 'digits' }, own));
    expect(error).toMatchObject({ code: 'not_trained' });
    const { models } = await sk.listModels({}, own);
    expect(models).toMatchObject([{ id, isTrained: false, steps: ['MinMaxScaler'] }]);
  });

  it.each([
    ['predict', 0],
    ['predict', 1],
    ['evaluate', 0],
  ] as const)('%s, with %i retries, changes no answer', async (op, maxRetries) => {
    const own = { sessionId: `${op}-killed-${maxRetries}` };
    const id = await sk.loadModel(SLOW, own);
    await sk.train({ id, dataset: 'digits' }, own);
    const ask = (more: object): Promise<unknown> =>
      sk.executeOperation(op, { id, ...FEW_ROWS }, { ...own, ...more });
    const expected = await ask({});
    const pid = pidOf(own.sessionId);
    const beforeS = computedS(pid);
    const asked = ask({ maxRetries }).catch((error: unknown) => error);
    // It computes: the call has reached scikit-learn.
    await until(() => computedS(pid) > beforeS + 0.1, 10_000);
    expect(kill(own.sessionId)).toBe(pid);
    const answer = await asked;
    if (maxRetries === 0) expect(answer).toMatchObject({ code: 'worker_crashed' });
    else expect(answer).toEqual(expected);
    expect(await ask({})).toEqual(expected);
  });

  // These take no longer than a message: the worker is stopped first, so that each is surely under way when it is killed.
  it.each([
    ['load_model', { id: 'other', estimator: 'Ridge' }],
    ['save_model', { id: 'mine' }],
    ['predict_proba', { id: 'mine', dataset: 'iris' }],
    ['unload_model', { id: 'mine' }],
    ['list_models', {}],
    ['load_dataset', { name: 'iris' }],
  ])('%s has not done it, as far as anyone can see', async (op, args) => {
    const own = { sessionId: `stopped-${op}` };
    await sk.loadModel({ id: 'mine', estimator: 'GaussianNB' }, own);
    await sk.train({ id: 'mine', dataset: 'iris' }, own);
    const { predictions } = await sk.predict({ id: 'mine', dataset: 'iris' }, own);
    process.kill(pidOf(own.sessionId), 'SIGSTOP');
    const asked = rejection(sk.executeOperation(op, args, { ...own, maxRetries: 0 }));
    kill(own.sessionId);
    expect(await asked).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect((await sk.listModels({}, own)).models.map(({ id }) => id)).toEqual(['mine']);
    expect((await sk.predict({ id: 'mine', dataset: 'iris' }, own)).predictions).toEqual(
      predictions,
    );
  });
});

describe('training that its caller gives up', () => {
  it('ends between two epochs, and leaves the model as it was', async () => {
    const own = { sessionId: 'cancelled' };
    const id = await sk.loadModel(MLP, own);
    await sk.train({ id, dataset: 'digits', epochs: 2 }, own);
    const { predictions } = await sk.predict({ id, dataset: 'digits' }, own);
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    const error = await rejection(
      sk.train({ id, ...LONG }, { ...own, onProgress, signal: controller.signal }),
    );
    expect(error).toMatchObject({ code: 'aborted' });
    const { settled } = error['cancellation'] as { settled: Promise<string> };
    expect(await settled).toBe('flag');
    expect((await sk.predict({ id, dataset: 'digits' }, own)).predictions).toEqual(predictions);
  });
});

describe('scopes', () => {
  it('two sessions have two models under one name, at once', async () => {
    const sessions = [
      { sessionId: 'ada', estimator: 'GaussianNB', dataset: 'iris', features: 4 },
      { sessionId: 'bob', estimator: 'DecisionTreeClassifier', dataset: 'wine', features: 13 },
    ] as const;
    await Promise.all(
      sessions.map(async ({ sessionId, estimator, dataset, features }) => {
        await sk.loadModel({ id: 'mine', estimator }, { sessionId });
        await sk.train({ id: 'mine', dataset }, { sessionId });
        const { models } = await sk.listModels({}, { sessionId });
        expect(models).toMatchObject([{ id: 'mine', estimator, features }]);
        const { metrics } = await sk.evaluate({ id: 'mine', dataset }, { sessionId });
        expect(metrics).toMatchObject({ accuracy: expect.closeTo(1, 1) as number });
      }),
    );
    const stranger = await rejection(
      sk.predict({ id: 'mine', dataset: 'iris' }, { sessionId: 'eve' }),
    );
    expect(stranger).toMatchObject({ code: 'model_not_found' });
    expect(stranger.message).not.toContain('ada');
  });

  it('a model without a session is the same on every worker, trained there again', async () => {
    const X = NdArray.from(Float64Array.of(5.9, 3, 5.1, 1.8), [1, 4]);
    const id = await sk.loadModel({
      estimator: 'RandomForestClassifier',
      params: { n_estimators: 20 },
    });
    await sk.train({ id, dataset: 'iris' });
    const { probabilities } = await sk.predictProba({ id, X });
    await allReady();
    for (const { pid = NaN } of workersOf(runtime)) {
      const ready = nextEvent(runtime, 'child.ready');
      process.kill(pid, 'SIGKILL');
      await ready;
    }
    const again = await Promise.all([0, 1, 2, 3].map(() => sk.predictProba({ id, X })));
    for (const one of again) expect(one.probabilities.equals(probabilities)).toBe(true);
    expect(numbers(probabilities.data).reduce((sum, n) => sum + n)).toBeCloseTo(1);
  });

  it('a session that is ended has no models any more', async () => {
    const own = { sessionId: 'ended' };
    await sk.loadModel({ id: 'gone', estimator: 'Ridge' }, own);
    await runtime.pool('sklearn').endSession('ended');
    expect(await sk.listModels({}, own)).toEqual({ models: [], totalCount: 0 });
  });
});
