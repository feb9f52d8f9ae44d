// The program of docs/guide/sklearn.md: a model learns to read digits, is asked, measured, saved, and outlives its worker. Prints one JSON line for each chapter. Its argument is the folder where models are kept.
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { createRuntime, isCaduceusError, sklearn } from '../../../src/index.ts';

const folder = path.resolve(process.argv[2] ?? '.');
const show = (what: string, value: unknown): void => console.log(JSON.stringify([what, value]));
const rounded = (value: number): number => Math.round(value * 100) / 100;

const runtime = await createRuntime({
  bridges: { sklearn: { adapter: sklearn(), pool: { size: 2 } } },
});
const sk = runtime.registry.getAdapter('sklearn');

const ada = { sessionId: 'ada' };
const id = await sk.loadModel(
  {
    estimator: 'LogisticRegression',
    params: { max_iter: 2_000 },
    steps: ['StandardScaler', { type: 'PCA', params: { n_components: 40 } }],
  },
  ada,
);
const trained = await sk.train({ id, dataset: 'digits', testSize: 0.25, seed: 7 }, ada);
show('train', [trained.task, trained.samples, trained.warnings]);

const { X } = await sk.loadDataset({ name: 'digits' }); // an NdArray: float64, 1797 rows of 64
const { predictions } = await sk.predict({ id, X }, ada); // whole numbers: a BigInt64Array
const digits = Array.from(predictions as BigInt64Array, Number);
show('predict', [X.dtype, X.shape, digits.length, digits.slice(0, 5)]);

const { metrics } = await sk.evaluate({ id, dataset: 'digits', testSize: 0.25, seed: 7 }, ada);
if ('accuracy' in metrics) show('evaluate', metrics.accuracy > 0.94);

const pid = runtime.pool('sklearn').workerOf('ada')?.pid;
if (pid !== undefined) process.kill(pid, 'SIGKILL');
const again = await sk.predict({ id, X }, ada); // answered by another process
show('kill -9', isDeepStrictEqual(again.predictions, predictions));

const file = path.join(folder, 'digits.skops');
await sk.saveModel({ id, path: file }, ada);
const copy = await sk.loadModel({ path: file }); // for everybody: without a session
const { probabilities } = await sk.predictProba({ id: copy, X });
show('save', probabilities.shape);

const refused = await sk.loadModel({ path: '/tmp/model.pkl' }).catch((error: unknown) => error);
if (isCaduceusError(refused)) show('pickles', refused.code);

const net = await sk.loadModel({ estimator: 'MLPClassifier', steps: ['MinMaxScaler'] }, ada);
const losses: number[] = [];
const onProgress = (step: unknown): number => losses.push((step as { loss: number }).loss);
await sk.train({ id: net, dataset: 'digits', epochs: 5 }, { ...ada, onProgress });
show('epochs', [losses.length, (losses[4] ?? NaN) < (losses[0] ?? NaN)]);

const controller = new AbortController();
const given = await sk
  .train(
    { id: net, dataset: 'digits', epochs: 100_000, resume: true },
    { ...ada, signal: controller.signal, onProgress: () => controller.abort() },
  )
  .catch((error: unknown) => error);
if (isCaduceusError(given)) show('given up', given.code);

const line = await runtime.ml.createProgram(
  { estimator: 'LinearRegression' },
  { bridge: 'sklearn' },
);
await sk.train({ id: line, X: [[1], [2], [3]], y: [3, 5, 7] });
const answer = await runtime.ml.execute(line, { X: [[10]] });
show('unified', Array.from(answer['predictions'] as Float64Array, rounded)); // 21

await runtime.stop();
