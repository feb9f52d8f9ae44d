// What do the operations of scikit-learn answer where no Python is? Models that tell rows apart by their sums: by what they are given alone.
import { isNdArray, NdArray } from '../../actors/port/nd-array.ts';
import type { Args, MockContext } from './operation.ts';

type Answer = Readonly<Record<string, unknown>>;

interface MockModel extends Answer {
  readonly model_id: unknown;
  readonly task: string;
  readonly is_trained: boolean;
  readonly features: number | null;
  /** What it has been taught to say. */
  readonly classes: readonly (bigint | string)[];
}

const DATASETS = [
  { name: 'iris', task: 'classification', features: 4, classes: 3 },
  { name: 'wine', task: 'classification', features: 13, classes: 3 },
  { name: 'breast_cancer', task: 'classification', features: 30, classes: 2 },
  { name: 'digits', task: 'classification', features: 64, classes: 10 },
  { name: 'diabetes', task: 'regression', features: 10, classes: 0 },
  { name: 'linnerud', task: 'regression', features: 3, classes: 0 },
] as const;
const ROWS = 10;

/** By operation. */
export const SKLEARN_MOCKS = {
  load_model: (args: Args, { state }: MockContext): Answer => {
    const model = newModel(args);
    state.set(String(args['model_id']), model);
    return { ...described(model), status: 'loaded' };
  },
  train: (args: Args, context: MockContext): Answer => {
    const model = find(args, context);
    const rows = rowsOf('train', args);
    const features = rows[0]?.length ?? 0;
    const classes = model.task === 'classification' ? classesOf(args) : [];
    context.state.set(String(args['model_id']), { ...model, is_trained: true, features, classes });
    return {
      ...{ model_id: model.model_id, task: model.task, samples: rows.length, features },
      ...{ classes: classes.length === 0 ? null : sent(classes), epochs: args['epochs'] ?? null },
      held_out: args['test_size'] === undefined ? null : metricsOf(model, context),
      ...{ duration_ms: 0, warnings: [], status: 'trained' },
    };
  },
  predict: (args: Args, context: MockContext): Answer => {
    const { model, rows } = ask('predict', args, context);
    const sums = rows.map(sumOf);
    const predictions =
      model.task === 'regression'
        ? Float64Array.from(sums)
        : sent(sums.map((sum) => said(model, sum)));
    return { model_id: model.model_id, predictions };
  },
  predict_proba: (args: Args, context: MockContext): Answer => {
    const { model, rows } = ask('predict_proba', args, context);
    const width = model.classes.length;
    if (width === 0) throw refusal('predict_proba: a regression gives none', 'unsupported');
    const odds = new Float64Array(rows.length * width);
    for (const [index, row] of rows.entries()) odds[index * width + placeOf(model, sumOf(row))] = 1;
    const probabilities = NdArray.from(odds, [rows.length, width]);
    return { model_id: model.model_id, probabilities, classes: sent(model.classes) };
  },
  evaluate: (args: Args, context: MockContext): Answer => {
    const { model, rows } = ask('evaluate', args, context);
    const { model_id, task } = model;
    return { model_id, task, samples: rows.length, metrics: metricsOf(model, context) };
  },
  save_model: (args: Args, context: MockContext): Answer => {
    const { model_id } = find(args, context);
    const saved = { model_id, format: 'skops', status: 'saved' };
    const state = Buffer.from(String(model_id));
    if (args['path'] === undefined) return { ...saved, state, size_bytes: state.length };
    return { ...saved, path: args['path'], size_bytes: state.length };
  },
  list_models: (_args: Args, { state }: MockContext): Answer => {
    const models = [...state.values()].map((model) => described(model as MockModel));
    return { models, total_count: models.length };
  },
  unload_model: (args: Args, context: MockContext): Answer => {
    const { model_id } = find(args, context);
    context.state.delete(String(model_id));
    return { model_id, status: 'unloaded' };
  },
  list_datasets: (): Answer => ({ datasets: DATASETS.map(({ name, task }) => ({ name, task })) }),
  load_dataset: ({ name }: Args): Answer => {
    const { task, features, classes } = dataset(name);
    const rows = datasetRows(name);
    const X = NdArray.from(Float64Array.from(rows.flat()), [ROWS, features]);
    const whole = Array.from({ length: classes }, (_, index) => `class_${index}`);
    return {
      ...{ name, task, samples: ROWS, features, X },
      feature_names: Array.from({ length: features }, (_, index) => `feature_${index}`),
      target_names: classes === 0 ? null : whole,
      y:
        classes === 0
          ? Float64Array.from(rows, sumOf)
          : sent(rows.map((_, n) => BigInt(n % classes))),
    };
  },
  dump_state: (_args: Args, { state }: MockContext): Answer => ({ models: [...state.values()] }),
  load_state: (args: Args, { state }: MockContext): Answer => {
    const { models } = args['state'] as { readonly models: readonly MockModel[] };
    state.clear();
    for (const model of models) {
      // Whole numbers come back from the wire as numbers.
      const classes = model.classes.map((each: bigint | number | string) =>
        typeof each === 'number' ? BigInt(each) : each,
      );
      state.set(String(model.model_id), { ...model, classes });
    }
    return { status: 'restored', total_count: models.length };
  },
  forget_session: (_args: Args, { sessionId, state }: MockContext): Answer => {
    state.clear();
    return { session_id: sessionId, status: 'forgotten' };
  },
};

function newModel(args: Args): MockModel {
  const sources = ['estimator', 'path', 'state'].filter((each) => args[each] !== undefined);
  if (sources.length !== 1) {
    throw refusal('load_model needs one of estimator, path and state', 'invalid_arguments');
  }
  // What was saved says nothing here: it is a model that has been trained.
  const { estimator = 'LogisticRegression' } = args as { readonly estimator?: string };
  const is_trained = args['estimator'] === undefined;
  return {
    ...{ model_id: args['model_id'], estimator, steps: stepNames(args['steps']) },
    ...{ params: args['params'] ?? {}, task: taskOf(estimator), is_trained },
    ...{ learns_by_epochs: /^(?:SGD|MLP)/u.test(estimator), features: null },
    ...{ created_at: 0, prediction_count: 0, classes: is_trained ? [0n, 1n] : [] },
  };
}

function stepNames(steps: unknown): readonly string[] {
  return ((steps ?? []) as readonly (string | { readonly type: string })[]).map((step) =>
    typeof step === 'string' ? step : step.type,
  );
}

function taskOf(estimator: string): string {
  if (estimator.endsWith('KMeans')) return 'clustering';
  const isRegression =
    /Regressor$|SVR$|^(?:BayesianRidge|ElasticNet|Lasso|LinearRegression|Ridge)$/u.test(estimator);
  return isRegression ? 'regression' : 'classification';
}

function described({ classes: _classes, ...model }: MockModel): Answer {
  return model;
}

function find(args: Args, { state }: MockContext): MockModel {
  const model = state.get(String(args['model_id']));
  if (model !== undefined) return model as MockModel;
  throw refusal(`there is no model ${String(args['model_id'])}`, 'model_not_found');
}

function ask(op: string, args: Args, context: MockContext): { model: MockModel; rows: number[][] } {
  const model = find(args, context);
  if (!model.is_trained) {
    throw refusal(`model ${String(model.model_id)} has not been trained`, 'not_trained');
  }
  return { model, rows: rowsOf(op, args) };
}

function rowsOf(op: string, args: Args): number[][] {
  const { dataset: name, X } = args;
  if ((name === undefined) === (X === undefined)) {
    throw refusal(`${op} needs either dataset or X`, 'invalid_arguments');
  }
  if (X === undefined) return datasetRows(name);
  if (!isNdArray(X as object)) {
    return (X as ArrayLike<number>[]).map((row) => Array.from(row, Number));
  }
  const { shape, data } = X as NdArray;
  const [count = 0, width = 0] = shape;
  const flat = Array.from(data as ArrayLike<number | bigint>, Number);
  return Array.from({ length: count }, (_, row) => flat.slice(row * width, (row + 1) * width));
}

function dataset(name: unknown): (typeof DATASETS)[number] {
  const found = DATASETS.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw refusal(`dataset: there is no ${String(name)}`, 'invalid_arguments');
}

function datasetRows(name: unknown): number[][] {
  const { features } = dataset(name);
  return Array.from({ length: ROWS }, (_, row) => Array.from({ length: features }, () => row));
}

function classesOf({ y, dataset: name }: Args): readonly (bigint | string)[] {
  if (y === undefined) {
    const { classes } = dataset(name);
    return Array.from({ length: classes }, (_, index) => BigInt(index));
  }
  const values = isNdArray(y as object) ? (y as NdArray).data : y;
  const whole = Array.from(values as ArrayLike<number | bigint | string>, (value) =>
    typeof value === 'string' ? value : BigInt(Math.round(Number(value))),
  );
  return [...new Set(whole)].sort((a, b) => (a < b ? -1 : 1));
}

const sumOf = (row: readonly number[]): number => row.reduce((sum, value) => sum + value, 0);

function placeOf({ classes }: MockModel, sum: number): number {
  return Math.abs(Math.trunc(sum)) % Math.max(1, classes.length);
}

function said(model: MockModel, sum: number): bigint | string {
  return model.classes[placeOf(model, sum)] ?? 0n;
}

/** As Python sends it: numbers as an array, names as a list. */
function sent(values: readonly (bigint | string)[]): BigInt64Array | readonly string[] {
  if (values.some((value) => typeof value === 'string')) return values.map(String);
  return BigInt64Array.from(values as readonly bigint[]);
}

function metricsOf({ task, classes }: MockModel, { random }: MockContext): Answer {
  const figure = random();
  if (task === 'regression') return { r2: figure, mse: 1, rmse: 1, mae: 1 };
  if (task === 'clustering') return { clusters: 3, silhouette: figure };
  const size = classes.length;
  return {
    ...{ accuracy: figure, precision: figure, recall: figure, f1: figure },
    confusion_matrix: NdArray.from(new BigInt64Array(size * size), [size, size]),
    labels: sent(classes),
  };
}

function refusal(message: string, code: string): Error {
  return Object.assign(new Error(message), { name: 'BridgeError', code });
}
