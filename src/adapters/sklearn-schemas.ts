// What do the operations of scikit-learn take and give, as their callers see it?
import { z } from 'zod';

import { isNdArray, type NdArray, type NdData } from '../../actors/port/nd-array.ts';

type Row = readonly number[] | NdData;

/** Rows and columns of numbers. An `NdArray` crosses as its bytes; lists are for what is short. */
export type SklearnMatrix = NdArray | readonly Row[];

/** What belongs to each row: numbers, or the names of classes; for several targets one row each. */
export type SklearnTargets = NdArray | Row | readonly string[] | readonly Row[];

/** One number for each row as a typed array (whole numbers of NumPy's usual size as a `BigInt64Array`), several as an `NdArray`; names of classes as texts. */
export type SklearnValues = NdArray | NdData | readonly string[];

const isArray = (value: unknown): value is NdArray =>
  typeof value === 'object' && value !== null && isNdArray(value);
const isRow = (value: unknown): boolean => Array.isArray(value) || ArrayBuffer.isView(value);

// Only the outermost form: element by element they are checked where they are used, and may be millions.
const matrixSchema = z.custom<SklearnMatrix>(
  (value) => isArray(value) || (Array.isArray(value) && value.every(isRow)),
  'must be an NdArray of two dimensions, or a list of rows',
);
const targetsSchema = z.custom<SklearnTargets>(
  (value) => isArray(value) || isRow(value),
  'must be an NdArray or a list',
);
const arraySchema = z.custom<NdArray>(isArray, 'must be an NdArray');
const bytesSchema = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be bytes');
const valuesSchema = z.custom<SklearnValues>(
  (value) => isArray(value) || isRow(value),
  'must be an array, or a list of texts',
);

const idSchema = z.string().min(1);
const paramsSchema = z.record(z.string(), z.unknown());
const taskSchema = z.enum(['classification', 'regression', 'clustering']);

const rowsShape = {
  /** One of those that scikit-learn ships; instead of `X`. */
  dataset: z.string().min(1).optional(),
  X: matrixSchema.optional(),
  /** The share of the rows that is held out of training; the same in `train` and `evaluate` gives the same rows. */
  testSize: z.number().gt(0).lt(1).optional(),
  /** Of the split, and of the order of the rows in an epoch. Default: 0. */
  seed: z.int().min(0).optional(),
  split: z.enum(['train', 'test', 'all']).optional(),
};
const dataShape = { ...rowsShape, y: targetsSchema.optional() };

const loadModelSchema = z.strictObject({
  /** Default: a new one, which carries the bridge's name. */
  id: idSchema.optional(),
  /** A class of scikit-learn; instead of `path` and `state`. */
  estimator: z.string().min(1).optional(),
  params: paramsSchema.optional(),
  /** What is done to the data before, e.g. `['StandardScaler', { type: 'PCA', params: { n_components: 2 } }]`. */
  steps: z
    .array(
      z.union([
        z.string().min(1),
        z.strictObject({ type: z.string().min(1), params: paramsSchema.optional() }),
      ]),
    )
    .optional(),
  /** An absolute path of a `.skops` file. */
  path: z.string().min(1).optional(),
  /** What `save_model` gave. */
  state: bytesSchema.optional(),
});

/** A model, for `runtime.ml.createProgram`: a new one, that of a file, or that of bytes. */
export type SklearnModel = z.input<typeof loadModelSchema>;

const predictSchema = z.strictObject({
  id: idSchema,
  ...rowsShape,
  /** The same, as `runtime.ml.execute` has it. */
  inputs: z.strictObject(rowsShape).optional(),
});

const classificationSchema = z.object({
  accuracy: z.number(),
  /** Of these three the mean of all classes. */
  precision: z.number(),
  recall: z.number(),
  f1: z.number(),
  /** Rows are true, columns are predicted; both in the order of `labels`. */
  confusionMatrix: arraySchema,
  labels: valuesSchema,
  logLoss: z.number().optional(),
});
const regressionSchema = z.object({
  r2: z.number().nullable(),
  mse: z.number(),
  rmse: z.number(),
  mae: z.number(),
});
const clusteringSchema = z.object({
  clusters: z.int(),
  silhouette: z.number().nullable(),
  adjustedRand: z.number().optional(),
});
const metricsSchema = z.union([classificationSchema, regressionSchema, clusteringSchema]);

const modelSchema = z.object({
  id: idSchema,
  estimator: z.string(),
  steps: z.array(z.string()),
  params: paramsSchema,
  task: taskSchema,
  isTrained: z.boolean(),
  /** That `epochs` and `resume` are for it. */
  learnsByEpochs: z.boolean(),
  features: z.int().nullable(),
  createdAt: z.number(),
  predictionCount: z.int(),
});
const countedModelsSchema = z.object({ models: z.array(modelSchema), totalCount: z.int() });

/** By operation: what it takes and what it gives. */
export const SKLEARN_SCHEMAS = {
  load_model: { args: loadModelSchema, result: idSchema },
  train: {
    args: z.strictObject({
      id: idSchema,
      ...dataShape,
      /** Learn epoch by epoch: `onProgress` hears of each, and a cancelled call ends between two. */
      epochs: z.int().positive().optional(),
      /** Go on from what was learned. */
      resume: z.boolean().optional(),
      /** All classes that there will ever be, when the first epochs do not show each. */
      classes: targetsSchema.optional(),
    }),
    result: z.object({
      id: idSchema,
      task: taskSchema,
      samples: z.int(),
      features: z.int(),
      classes: valuesSchema.nullable(),
      epochs: z.int().nullable(),
      /** How good it is on what `testSize` held out. */
      heldOut: metricsSchema.nullable(),
      durationMs: z.number(),
      /** What scikit-learn warned of. */
      warnings: z.array(z.string()),
      status: z.literal('trained'),
    }),
  },
  predict: {
    args: predictSchema,
    result: z.object({ id: idSchema, predictions: valuesSchema }),
  },
  predict_proba: {
    args: predictSchema,
    result: z.object({ id: idSchema, probabilities: arraySchema, classes: valuesSchema }),
  },
  evaluate: {
    args: z.strictObject({ id: idSchema, ...dataShape }),
    result: z.object({
      id: idSchema,
      task: taskSchema,
      samples: z.int(),
      metrics: metricsSchema,
    }),
  },
  save_model: {
    args: z.strictObject({
      id: idSchema,
      /** An absolute path that ends in `.skops`. Without it the model comes back as `state`. */
      path: z.string().min(1).optional(),
    }),
    result: z.object({
      id: idSchema,
      format: z.literal('skops'),
      path: z.string().optional(),
      state: bytesSchema.optional(),
      sizeBytes: z.int(),
      status: z.literal('saved'),
    }),
  },
  list_models: { args: z.strictObject({}).optional(), result: countedModelsSchema },
  unload_model: {
    args: z.strictObject({ id: idSchema }),
    result: z.object({ id: idSchema, status: z.literal('unloaded') }),
  },
  list_datasets: {
    args: z.strictObject({}).optional(),
    result: z.object({ datasets: z.array(z.object({ name: z.string(), task: taskSchema })) }),
  },
  load_dataset: {
    args: z.strictObject({ name: z.string().min(1) }),
    result: z.object({
      name: z.string(),
      task: taskSchema,
      samples: z.int(),
      features: z.int(),
      featureNames: z.array(z.string()),
      targetNames: z.array(z.string()).nullable(),
      X: arraySchema,
      y: valuesSchema,
    }),
  },
} as const;
