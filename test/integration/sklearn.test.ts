// Does real scikit-learn work through the runtime: every operation, real figures, arrays as bytes? A real framework in real processes.
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BoundOf } from '../../src/adapters/bound-adapter.ts';
import { sklearn } from '../../src/adapters/sklearn.ts';
import { createRuntime, NdArray, type Runtime } from '../../src/index.ts';
import { PYTHON, rejection, zygoteOf } from '../support/real-runtime.ts';

type Bound = BoundOf<ReturnType<typeof sklearn>>;

let runtime: Runtime;
let sk: Bound;

beforeAll(async () => {
  runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    default: 'sklearn',
    bridges: { sklearn: { adapter: sklearn(), pool: { size: 1 } } },
  });
  sk = runtime.registry.getAdapter('sklearn') as Bound;
}, 60_000);
afterAll(() => runtime.stop());

const HELD_OUT = { testSize: 0.25, seed: 7 } as const;

/** The part of a classification's figures that are numbers. */
function figures(metrics: object): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, value] of Object.entries(metrics))
    if (typeof value === 'number') found[name] = value;
  return found;
}

const numbers = (values: unknown): readonly number[] =>
  Array.from(values as ArrayLike<bigint | number>, Number);

describe('data sets', () => {
  it('are those that scikit-learn ships, with what each is for', async () => {
    const { datasets } = await sk.listDatasets();
    expect(datasets.map(({ name, task }) => `${name}: ${task}`)).toEqual([
      'iris: classification',
      'wine: classification',
      'breast_cancer: classification',
      'digits: classification',
      'diabetes: regression',
      'linnerud: regression',
    ]);
  });

  it.each([
    ['iris', [150, 4], ['setosa', 'versicolor', 'virginica']],
    ['wine', [178, 13], ['class_0', 'class_1', 'class_2']],
    ['breast_cancer', [569, 30], ['malignant', 'benign']],
    ['digits', [1797, 64], ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']],
    ['diabetes', [442, 10], null],
    ['linnerud', [20, 3], ['Weight', 'Waist', 'Pulse']],
  ])('%s comes as arrays, whose dtype and shape are kept', async (name, shape, targetNames) => {
    const loaded = await sk.loadDataset({ name });
    expect(loaded.X).toBeInstanceOf(NdArray);
    expect([loaded.X.dtype, loaded.X.shape]).toEqual(['float64', shape]);
    expect([loaded.samples, loaded.features]).toEqual(shape);
    expect(loaded.featureNames).toHaveLength(loaded.features);
    expect(loaded.targetNames).toEqual(targetNames);
    if (name === 'linnerud') expect((loaded.y as NdArray).shape).toEqual([20, 3]);
    else if (loaded.task === 'regression') expect(loaded.y).toBeInstanceOf(Float64Array);
    else expect(loaded.y).toBeInstanceOf(BigInt64Array);
  });
});

describe('a model', () => {
  it('of digits behind two steps is right on what it has not seen', async () => {
    const id = await sk.loadModel({
      estimator: 'LogisticRegression',
      params: { max_iter: 2_000, C: 1 },
      steps: ['StandardScaler', { type: 'PCA', params: { n_components: 40 } }],
    });
    expect(id).toMatch(/^sklearn_/u);
    const trained = await sk.train({ id, dataset: 'digits', ...HELD_OUT });
    expect(trained).toMatchObject({ id, task: 'classification', samples: 1347, features: 64 });
    const { metrics, samples } = await sk.evaluate({ id, dataset: 'digits', ...HELD_OUT });
    expect(samples).toBe(450);
    const { accuracy, f1, precision, recall, logLoss } = figures(metrics);
    for (const figure of [accuracy, f1, precision, recall]) {
      expect(figure).toBeGreaterThan(0.94);
      expect(figure).toBeLessThan(1);
    }
    expect(logLoss).toBeLessThan(0.25);
    expect(trained.heldOut).toEqual(metrics);
    if (!('confusionMatrix' in metrics)) throw new Error('is no classification');
    expect([metrics.confusionMatrix.dtype, metrics.confusionMatrix.shape]).toEqual([
      'int64',
      [10, 10],
    ]);
    const counted = numbers(metrics.confusionMatrix.data);
    const right = counted.filter((_, index) => index % 11 === 0);
    expect(counted.reduce((sum, n) => sum + n)).toBe(450);
    expect(right.reduce((sum, n) => sum + n) / 450).toBeCloseTo(accuracy ?? 0);
  });

  it.each([
    ['iris', 'KNeighborsClassifier', 0.9],
    ['wine', 'RandomForestClassifier', 0.9],
    ['breast_cancer', 'HistGradientBoostingClassifier', 0.92],
  ])('of %s by %s has the accuracy that is known of it', async (dataset, estimator, bound) => {
    const id = await sk.loadModel({ estimator });
    await sk.train({ id, dataset, ...HELD_OUT });
    const { metrics } = await sk.evaluate({ id, dataset, ...HELD_OUT });
    expect(figures(metrics)['accuracy']).toBeGreaterThan(bound);
    // And what is measured is what it was not trained on.
    const seen = await sk.evaluate({ id, dataset, ...HELD_OUT, split: 'train' });
    const all = await sk.evaluate({ id, dataset });
    expect(seen.samples).toBeGreaterThan(2 * (all.samples - seen.samples));
  });

  it('of diabetes explains about the half of it', async () => {
    const id = await sk.loadModel({ estimator: 'Ridge', params: { alpha: 0.1 } });
    await sk.train({ id, dataset: 'diabetes', ...HELD_OUT });
    const { metrics, task } = await sk.evaluate({ id, dataset: 'diabetes', ...HELD_OUT });
    expect(task).toBe('regression');
    const { r2, mse, rmse, mae } = figures(metrics) as Record<
      'r2' | 'mse' | 'rmse' | 'mae',
      number
    >;
    expect(r2).toBeGreaterThan(0.3);
    expect(r2).toBeLessThan(0.6);
    expect(rmse ** 2).toBeCloseTo(mse);
    expect(mae).toBeLessThan(rmse);
  });

  it('of linnerud gives three numbers for each row', async () => {
    const id = await sk.loadModel({ estimator: 'LinearRegression' });
    await sk.train({ id, dataset: 'linnerud' });
    const { predictions } = await sk.predict({ id, dataset: 'linnerud' });
    expect((predictions as NdArray).shape).toEqual([20, 3]);
  });

  it('of iris without being told the kinds finds three of them', async () => {
    const id = await sk.loadModel({ estimator: 'KMeans', params: { n_clusters: 3 } });
    const { X } = await sk.loadDataset({ name: 'iris' });
    await sk.train({ id, X });
    const { metrics } = await sk.evaluate({ id, dataset: 'iris' });
    expect(metrics).toMatchObject({ clusters: 3 });
    expect(figures(metrics)['adjustedRand']).toBeGreaterThan(0.5);
    expect(figures(metrics)['silhouette']).toBeGreaterThan(0.4);
  });

  it('is listed with what it is made of, and unloaded', async () => {
    const own = { sessionId: 'lists' };
    const params = { max_depth: 3 };
    await sk.loadModel({ id: 'mine', estimator: 'DecisionTreeClassifier', params }, own);
    const listed = await sk.listModels({}, own);
    expect(listed.totalCount).toBe(1);
    expect(listed.models[0]).toMatchObject({
      ...{ id: 'mine', estimator: 'DecisionTreeClassifier', steps: [], task: 'classification' },
      ...{ isTrained: false, learnsByEpochs: false, features: null },
      // Whoever names no seed has one all the same: a replay must come to the same model.
      params: { max_depth: 3, random_state: 0 },
    });
    expect(await sk.unloadModel({ id: 'mine' }, own)).toEqual({ id: 'mine', status: 'unloaded' });
    expect(await sk.listModels(undefined, own)).toEqual({ models: [], totalCount: 0 });
    const error = await rejection(sk.predict({ id: 'mine', X: [[1]] }, own));
    expect(error).toMatchObject({ code: 'model_not_found' });
  });
});

describe('arrays', () => {
  it('of the caller keep their dtype, both ways', async () => {
    const id = await sk.loadModel({ estimator: 'LinearRegression' });
    const X = NdArray.from(Float32Array.of(1, 2, 3, 4), [4, 1]);
    await sk.train({ id, X, y: Float32Array.of(3, 5, 7, 9) });
    const { predictions } = await sk.predict({
      id,
      X: NdArray.from(Float32Array.of(5, 6), [2, 1]),
    });
    expect(predictions).toBeInstanceOf(Float32Array);
    expect(numbers(predictions)).toEqual([expect.closeTo(11, 3), expect.closeTo(13, 3)]);
  });

  it('may be lists, and classes may have names', async () => {
    const id = await sk.loadModel({
      estimator: 'KNeighborsClassifier',
      params: { n_neighbors: 1 },
    });
    const trained = await sk.train({
      id,
      X: [[0], [1], [9], [10]],
      y: ['low', 'low', 'high', 'high'],
    });
    expect(trained.classes).toEqual(['high', 'low']);
    expect(await sk.predict({ id, X: [[2], [8]] })).toEqual({ id, predictions: ['low', 'high'] });
    const odds = await sk.predictProba({ id, X: [Float64Array.of(2)] });
    expect(odds.probabilities).toEqual(NdArray.from(Float64Array.of(0, 1), [1, 2]));
    expect(odds.classes).toEqual(['high', 'low']);
  });

  it('of probabilities have a row for each row, which adds up to one', async () => {
    const id = await sk.loadModel({ estimator: 'GaussianNB' });
    await sk.train({ id, dataset: 'wine' });
    const { X } = await sk.loadDataset({ name: 'wine' });
    const { probabilities, classes } = await sk.predictProba({ id, X });
    expect([probabilities.dtype, probabilities.shape]).toEqual(['float64', [178, 3]]);
    expect(numbers(classes)).toEqual([0, 1, 2]);
    const [a = 0, b = 0, c = 0] = numbers(probabilities.data);
    expect(a + b + c).toBeCloseTo(1);
  });
});

describe('the unified interface', () => {
  it('creates, executes, lists and deletes models', async () => {
    const own = { sessionId: 'unified' };
    const id = await runtime.ml.createProgram({ estimator: 'LinearDiscriminantAnalysis' }, own);
    await sk.train({ id, dataset: 'iris' }, own);
    const { predictions } = await runtime.ml.execute(id, { X: [[5.1, 3.5, 1.4, 0.2]] }, own);
    expect(numbers(predictions)).toEqual([0]);
    expect(await runtime.ml.listPrograms(own)).toMatchObject({ totalCount: 1 });
    await runtime.ml.deleteProgram(id, own);
    expect(await runtime.ml.listPrograms(own)).toMatchObject({ totalCount: 0 });
  });
});

describe('training by epochs', () => {
  it('tells how far it is', async () => {
    const id = await sk.loadModel({
      estimator: 'MLPClassifier',
      params: { hidden_layer_sizes: [32], learning_rate_init: 0.01 },
      steps: ['MinMaxScaler'],
    });
    const seen: { epoch: number; epochs: number; loss: number }[] = [];
    const trained = await sk.train(
      { id, dataset: 'digits', epochs: 20, ...HELD_OUT },
      { onProgress: (step) => seen.push(step as (typeof seen)[number]) },
    );
    expect(trained.epochs).toBe(20);
    expect(seen.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect(seen[19]?.loss).toBeLessThan((seen[0]?.loss ?? 0) / 3);
    expect(figures(trained.heldOut ?? {})['accuracy']).toBeGreaterThan(0.9);
  });

  it('goes on from what was learned', async () => {
    const id = await sk.loadModel({ estimator: 'SGDClassifier', params: { loss: 'log_loss' } });
    const { X } = await sk.loadDataset({ name: 'digits' });
    const rows = (from: number, to: number): NdArray =>
      NdArray.from((X.data as Float64Array).subarray(from * 64, to * 64), [to - from, 64]);
    const { y } = await sk.loadDataset({ name: 'digits' });
    const targets = y as BigInt64Array;
    await sk.train({
      ...{ id, X: rows(0, 5), y: targets.subarray(0, 5), epochs: 1 },
      classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    });
    const before = await sk.evaluate({ id, dataset: 'digits' });
    await sk.train({ id, X: rows(5, 1797), y: targets.subarray(5), resume: true, epochs: 3 });
    const after = await sk.evaluate({ id, dataset: 'digits' });
    expect(figures(before.metrics)['accuracy']).toBeLessThan(0.6);
    expect(figures(after.metrics)['accuracy']).toBeGreaterThan(0.85);
  });
});

describe('the process', () => {
  it('that the workers are forked from has imported it all, and has one thread', async () => {
    const zygote = zygoteOf(runtime);
    expect(zygote?.state).toBe('ready');
    expect(await readdir(`/proc/${zygote?.pid ?? 0}/task`)).toHaveLength(1);
  });

  it('answers what every bridge answers', async () => {
    expect(await runtime.pool('sklearn').call('get_stats')).toMatchObject({
      framework: {
        name: 'sklearn',
        capabilities: ['models', 'training', 'prediction', 'evaluation'],
      },
    });
  });
});
