// How does scikit-learn look from TypeScript? Its operations, names translated to Python's, ids minted here.
import { LIMITS } from '../../actors/ground/limits.ts';
import { defineAdapter, type Adapter, type Args } from './adapter.ts';
import { camelCase, type Operations } from './operation.ts';
import { SKLEARN_MOCKS as MOCKS } from './sklearn-mocks.ts';
import { SKLEARN_SCHEMAS as SCHEMAS } from './sklearn-schemas.ts';

export type {
  SklearnMatrix,
  SklearnModel,
  SklearnTargets,
  SklearnValues,
} from './sklearn-schemas.ts';

const modelId = (args: Args): string => String(args['model_id']);

/** Held to one thread each, since a pool is parallel by its workers; and a process whose libraries have no threads can be forked. */
const ONE_THREAD = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };

const PYTHON_NAMES: Readonly<Record<string, string>> = { id: 'model_id', testSize: 'test_size' };

/** What each takes and gives, and what tests without Python answer. */
const BASE = {
  load_model: { ...SCHEMAS.load_model, mock: MOCKS.load_model },
  train: { ...SCHEMAS.train, mock: MOCKS.train },
  predict: { ...SCHEMAS.predict, mock: MOCKS.predict },
  predict_proba: { ...SCHEMAS.predict_proba, mock: MOCKS.predict_proba },
  evaluate: { ...SCHEMAS.evaluate, mock: MOCKS.evaluate },
  save_model: { ...SCHEMAS.save_model, mock: MOCKS.save_model },
  list_models: { ...SCHEMAS.list_models, mock: MOCKS.list_models },
  unload_model: { ...SCHEMAS.unload_model, mock: MOCKS.unload_model },
  list_datasets: { ...SCHEMAS.list_datasets, mock: MOCKS.list_datasets },
  load_dataset: { ...SCHEMAS.load_dataset, mock: MOCKS.load_dataset },
} as const;

const OPERATIONS = {
  load_model: { ...BASE.load_model, change: 'create', key: modelId },
  // Not idempotent: one that goes on from what was learned would learn it twice.
  train: { ...BASE.train, change: 'update', key: modelId },
  predict: { ...BASE.predict, idempotent: true },
  predict_proba: { ...BASE.predict_proba, idempotent: true },
  evaluate: { ...BASE.evaluate, idempotent: true },
  save_model: { ...BASE.save_model, idempotent: true },
  list_models: { ...BASE.list_models, idempotent: true },
  unload_model: { ...BASE.unload_model, change: 'delete', key: modelId },
  list_datasets: { ...BASE.list_datasets, idempotent: true },
  load_dataset: { ...BASE.load_dataset, idempotent: true },
  dump_state: { mock: MOCKS.dump_state },
  load_state: { mock: MOCKS.load_state },
  forget_session: { mock: MOCKS.forget_session },
} as const satisfies Operations;

/**
 * The adapter of scikit-learn. Its workers need `numpy`, `scikit-learn` and `skops`.
 * A model is made by `load_model` (`runtime.ml.createProgram`), learns by `train`, and answers by `predict` (`runtime.ml.execute`).
 */
export function sklearn(): Adapter<typeof OPERATIONS> {
  return defineAdapter({
    framework: 'sklearn',
    pythonModule: 'caduceus.bridges.sklearn',
    requiredPackages: ['numpy', 'scikit-learn>=1.7', 'skops>=0.13'],
    minPythonVersion: '3.10',
    env: ONE_THREAD,
    zygote: { preload: ['caduceus.bridges._sklearn_preload'] },
    pool: {
      size: 2,
      overflow: 1,
      checkoutTimeoutMs: 10_000,
      sessions: { journalBytesMax: LIMITS.sklearnJournalBytesMax },
    },
    operations: OPERATIONS,
    roles: {
      create: 'load_model',
      execute: 'predict',
      list: 'list_models',
      delete: 'unload_model',
      forget: 'forget_session',
      // A trained model is less than what it was trained on, and is there sooner than by training again.
      snapshot: 'dump_state',
      restore: 'load_state',
    },
    transformRequest: (op, args, { newId }) => {
      if (!Object.hasOwn(SCHEMAS, op)) return args;
      const { inputs, ...own } = args;
      const sent = pythonArgs({ ...(inputs as Args | undefined), ...own });
      return op === 'load_model' ? { ...sent, model_id: sent['model_id'] ?? newId() } : sent;
    },
    transformResponse: (op, result) => {
      if (!Object.hasOwn(SCHEMAS, op)) return result;
      const answer = result as Args;
      if (op === 'load_model') return answer['model_id'];
      return callersAnswer(answer);
    },
  });
}

function pythonArgs(args: Args): Args {
  const named = Object.entries(args).map(([name, value]) => [PYTHON_NAMES[name] ?? name, value]);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined)) as Args;
}

/** With names as TypeScript has them, down to metrics and models; parameters of an estimator keep scikit-learn's. */
function callersAnswer(answer: Args): Args {
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => {
      if (name === 'model_id') return ['id', value];
      if (name === 'models') return [name, (value as readonly Args[]).map(callersAnswer)];
      const isNested = (name === 'metrics' || name === 'held_out') && value !== null;
      return [camelCase(name), isNested ? callersAnswer(value as Args) : value];
    }),
  );
}
