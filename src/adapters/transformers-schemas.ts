// What do the operations of Transformers take and give, as their callers see it?
import { z } from 'zod';

import { isNdArray, type NdArray } from '../../actors/port/nd-array.ts';

const idSchema = z.string().min(1);
const taskSchema = z.enum(['generate', 'embed', 'classify']);
const textSchema = z.union([z.string(), z.array(z.string())]);

const loadModelSchema = z.strictObject({
  /** Default: a new one, which carries the bridge's name. */
  id: idSchema.optional(),
  /** Its name on the hub, e.g. `gpt2` or `org/model`, or a directory: absolute, or with `./` in front. */
  modelName: z.string().min(1).optional(),
  /** Its directory, or a `.gguf` file; instead of `modelName`. */
  path: z.string().min(1).optional(),
  /** Default: what its configuration says that it was made for. */
  task: taskSchema.optional(),
  /** Default: float32 on a CPU, else that of the files. */
  dtype: z.enum(['auto', 'float32', 'float16', 'bfloat16']).optional(),
  /** `auto` (the default: a GPU where there is one), `cpu`, `cuda`, `cuda:1`, `mps`. */
  device: z.string().min(1).optional(),
  /** The file in the directory that has the weights, if they are not in safetensors. */
  ggufFile: z.string().min(1).optional(),
  /** A branch, tag or commit on the hub. */
  revision: z.string().min(1).optional(),
  /** Whether it may be fetched from the hub; otherwise only a local copy is used. */
  allowDownload: z.boolean().optional(),
});

/** A model, for `runtime.ml.createProgram`. */
export type TransformersModel = z.input<typeof loadModelSchema>;

const samplingShape = {
  /** Tokens of prompt and text together. Default: 100. */
  maxLength: z.int().positive().optional(),
  /** Tokens of the text alone; wins over `maxLength`. */
  maxNewTokens: z.int().positive().optional(),
  /** Whether chance has a say. Default: when one of the next four is given. */
  doSample: z.boolean().optional(),
  temperature: z.number().min(0).optional(),
  topP: z.number().min(0).max(1).optional(),
  topK: z.int().min(0).optional(),
  minP: z.number().min(0).max(1).optional(),
  repetitionPenalty: z.number().positive().optional(),
  /** The same one gives the same text. */
  seed: z.int().min(0).optional(),
  /** The text ends before the first of these. */
  stop: textSchema.optional(),
};
const messageSchema = z.strictObject({ role: z.string().min(1), content: z.string() });
const promptShape = {
  prompt: z.string().optional(),
  /** What was said so far, put into words by the model's own chat template; instead of `prompt`. */
  messages: z.array(messageSchema).min(1).optional(),
};
const inputsSchema = z.strictObject({ ...promptShape, ...samplingShape });
const generateSchema = z.strictObject({
  id: idSchema,
  ...promptShape,
  ...samplingShape,
  /** The same, as `runtime.ml.execute` and `runtime.ml.stream` have it. */
  inputs: inputsSchema.optional(),
});

/** One message of a conversation. */
export type TransformersMessage = z.input<typeof messageSchema>;

/** How a text is to be written. */
export type TransformersSampling = z.input<z.ZodObject<typeof samplingShape>>;

const usageSchema = z.object({
  promptTokens: z.int(),
  completionTokens: z.int(),
  totalTokens: z.int(),
});
/** `stop`: the model, or a stop string, ended it; `length`: the limit did. */
const finishReasonSchema = z.enum(['stop', 'length']);

const pieceSchema = z.object({
  /** What comes next; empty in the last piece. */
  text: z.string(),
  /** Of the last piece. */
  finishReason: finishReasonSchema.optional(),
  usage: usageSchema.optional(),
});

/** What a stream yields. */
export type TransformersPiece = z.output<typeof pieceSchema>;

const vectorSchema = z.custom<Float32Array | NdArray>(
  (value) =>
    value instanceof Float32Array ||
    (typeof value === 'object' && value !== null && isNdArray(value)),
  'must be an array of numbers',
);
const labelsSchema = z.array(z.object({ label: z.string(), score: z.number() }));

/** The labels of a text with their scores, the likeliest first. */
export type TransformersLabels = z.output<typeof labelsSchema>;

const encodedShape = {
  id: idSchema,
  text: textSchema,
  /** Whether a text that is too long for the model is cut (the default) or refused. */
  truncate: z.boolean().optional(),
};
const embedShape = {
  ...encodedShape,
  /** How the vector of a text is made of those of its tokens. Default: what the model says, else `mean`. */
  pooling: z.enum(['mean', 'cls']).optional(),
  /** Whether vectors have length 1. Default: true. */
  normalize: z.boolean().optional(),
};
const classifyShape = {
  ...encodedShape,
  /** How many labels. Default: all. */
  topK: z.int().positive().optional(),
};

/** How vectors are to be made. */
export type TransformersEmbedding = Omit<z.input<z.ZodObject<typeof embedShape>>, 'id' | 'text'>;

/** How labels are to be given. */
export type TransformersLabelling = Omit<z.input<z.ZodObject<typeof classifyShape>>, 'id' | 'text'>;

const modelSchema = z.object({
  id: idSchema,
  modelName: z.string(),
  task: taskSchema,
  architecture: z.string(),
  dtype: z.string(),
  device: z.string(),
  parametersCount: z.int(),
  memoryBytes: z.int(),
  contextTokensMax: z.int().nullable(),
  /** How many it has written; those of all models that share its weights. */
  tokensCount: z.int(),
  loadedAt: z.number(),
  callsCount: z.int(),
});

/** By operation: what it takes and what it gives. */
export const TRANSFORMERS_SCHEMAS = {
  load_model: { args: loadModelSchema, result: idSchema },
  generate: {
    args: generateSchema,
    result: z.object({
      id: idSchema,
      text: z.string(),
      finishReason: finishReasonSchema,
      usage: usageSchema,
    }),
  },
  stream_generate: { args: generateSchema, item: pieceSchema },
  /** One text: a `Float32Array`; several: an `NdArray`, a row for each. */
  embed: { args: z.strictObject(embedShape), result: vectorSchema },
  classify: {
    args: z.strictObject(classifyShape),
    result: z.union([labelsSchema, z.array(labelsSchema)]),
  },
  list_models: {
    args: z.strictObject({}),
    result: z.object({ models: z.array(modelSchema), totalCount: z.int() }),
  },
  unload: {
    args: z.strictObject({ id: idSchema }),
    result: z.object({ id: idSchema, status: z.literal('unloaded'), freedBytes: z.int() }),
  },
} as const;
