// What does scikit-learn's bridge keep of a model, and what does it refuse? A real framework in real processes.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BoundOf } from '../../src/adapters/bound-adapter.ts';
import { sklearn } from '../../src/adapters/sklearn.ts';
import { createRuntime, type Runtime } from '../../src/index.ts';
import { PYTHON, rejection } from '../support/real-runtime.ts';

let runtime: Runtime;
let sk: BoundOf<ReturnType<typeof sklearn>>;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'caduceus-sklearn-'));
  runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    bridges: { sklearn: { adapter: sklearn(), pool: { size: 1 } } },
  });
  sk = runtime.registry.getAdapter('sklearn') as typeof sk;
}, 60_000);
afterAll(async () => {
  await runtime.stop();
  await rm(folder, { recursive: true });
});

describe('a saved model', () => {
  it('comes back from bytes and from a file, and answers alike', async () => {
    const id = await sk.loadModel({
      estimator: 'RandomForestClassifier',
      params: { n_estimators: 20 },
    });
    await sk.train({ id, dataset: 'wine' });
    const { X } = await sk.loadDataset({ name: 'wine' });
    const expected = await sk.predictProba({ id, X });
    const bytes = await sk.saveModel({ id });
    expect(bytes.state).toHaveLength(bytes.sizeBytes);
    const file = path.join(folder, 'wine.skops');
    const written = await sk.saveModel({ id, path: file });
    expect(written).toEqual({
      ...{ id, path: file, format: 'skops' },
      sizeBytes: (await stat(file)).size,
      status: 'saved',
    });
    expect(await readdir(folder)).toEqual(['wine.skops']);
    const others = [
      await sk.loadModel({ state: bytes.state ?? Buffer.of() }),
      await sk.loadModel({ path: file }),
    ];
    for (const other of others) {
      const { probabilities } = await sk.predictProba({ id: other, X });
      expect(probabilities.equals(expected.probabilities)).toBe(true);
    }
  });

  it.each([
    ['a path of a pickle', { path: '/tmp/model.pkl' }, 'unsafe_format'],
    ['a path of joblib', { path: '/tmp/model.joblib' }, 'unsafe_format'],
    [
      'the bytes of a pickle',
      { state: Buffer.from('\u0080\u0004K\u0001.', 'latin1') },
      'unsafe_format',
    ],
    ['bytes of anything', { state: Buffer.from('hello') }, 'invalid_arguments'],
    ['a path that is not absolute', { path: 'model.skops' }, 'invalid_arguments'],
    ['a file that is not there', { path: '/tmp/nowhere.skops' }, 'model_file_not_found'],
  ])('is not %s', async (_, source, code) => {
    expect(await rejection(sk.loadModel(source))).toMatchObject({ code, bridge: 'sklearn' });
  });
});

describe('what cannot be is refused', () => {
  const load = (args: object) => () => sk.executeOperation('load_model', args);
  const train = (args: object) => async () => {
    const id = await sk.loadModel({ estimator: 'RidgeClassifier' });
    return sk.executeOperation('train', { id, ...args });
  };

  it.each([
    ['an estimator that is none', load({ estimator: 'RidgeClasifier' }), "mean 'RidgeClassifier'"],
    ['an estimator of another place', load({ estimator: 'os.system' }), 'not known here'],
    ['a step that is none', load({ estimator: 'SVC', steps: ['Scaler'] }), 'steps.0'],
    [
      'a parameter that is none',
      load({ estimator: 'Ridge', params: { alhpa: 1 } }),
      "mean 'alpha'",
    ],
    ['a value that it does not take', load({ estimator: 'Ridge', params: { alpha: -1 } }), 'alpha'],
    [
      'processes of its own',
      load({ estimator: 'RandomForestClassifier', params: { n_jobs: 2 } }),
      'n_jobs must be 1',
    ],
    ['no source', load({}), 'one of estimator, path and state'],
    ['an argument that is none', load({ estimator: 'SVC', parms: {} }), 'parms'],
    ['a data set that is none', train({ dataset: 'irs' }), "mean 'iris'"],
    ['two sources of data', train({ dataset: 'iris', X: [[1]] }), 'either dataset or X'],
    ['rows without targets', train({ X: [[1]] }), 'needs y'],
    ['more rows than targets', train({ X: [[1], [2]], y: [1] }), '2 rows and y has 1'],
    ['rows of different lengths', train({ X: [[1], [2, 3]], y: [1, 2] }), 'different lengths'],
    ['one row that is no table', train({ X: Float64Array.of(1, 2), y: [1] }), 'X'],
    ['texts as numbers', train({ X: [['a'], ['b']], y: [1, 2] }), 'numbers, not texts'],
    ['what is no number', train({ X: [[NaN], [1]], y: [0, 1] }), 'NaN'],
    ['a share beyond the whole', train({ dataset: 'iris', testSize: 1.5 }), 'testSize'],
    ['epochs of what has none', train({ dataset: 'iris', epochs: 2 }), 'SGDClassifier'],
    ['going on from nothing', train({ dataset: 'iris', resume: true }), 'has been trained'],
  ])('%s', async (_, call, word) => {
    const error = await rejection(call());
    expect(error).toMatchObject({ code: 'invalid_arguments' });
    expect(error.message).toContain(word);
  });

  it('an answer before training, and probabilities of what has none', async () => {
    const id = await sk.loadModel({ estimator: 'LinearSVC' });
    const early = await rejection(sk.predict({ id, X: [[1]] }));
    expect(early).toMatchObject({ code: 'not_trained' });
    await sk.train({ id, dataset: 'iris' });
    const wide = await rejection(sk.predict({ id, X: [[1]] }));
    expect(wide).toMatchObject({ code: 'invalid_arguments' });
    expect(wide.message).toContain('expecting 4 features');
    const odds = await rejection(sk.predictProba({ id, dataset: 'iris' }));
    expect(odds).toMatchObject({ code: 'unsupported' });
  });
});
