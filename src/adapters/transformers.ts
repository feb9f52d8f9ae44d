// How does Transformers look from TypeScript? Its operations, names translated to Python's, ids minted here, and the methods that the ported design gives its example.
import { resolve } from 'node:path';

import type { NdArray } from '../../actors/port/nd-array.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import type { CallOptions } from '../calls/call-options.ts';
import type { CallStream } from '../calls/call-stream.ts';
import { defineAdapter, type AdapterCalls, type Args } from './adapter.ts';
import { camelCase } from './operation.ts';
import { TRANSFORMERS_MOCKS } from './transformers-mocks.ts';
import {
  TRANSFORMERS_SCHEMAS,
  type TransformersEmbedding,
  type TransformersLabelling,
  type TransformersLabels,
  type TransformersMessage,
  type TransformersModel,
  type TransformersPiece,
  type TransformersSampling,
} from './transformers-schemas.ts';

/** Options of the adapter. */
export interface TransformersOptions {
  /** How many threads each worker computes with. Default: all cores, which is too many for more than one worker. */
  readonly threads?: number;
}

/** What {@link transformers} adds to its operations. Options of the operation and of the call are given together. */
export interface TransformersMethods {
  /** Load a model by its name on the hub, its directory, or all that there is to say of it. @returns its id. */
  loadModel(
    model: string | TransformersModel,
    options?: Omit<TransformersModel, 'modelName' | 'path'> & CallOptions,
  ): Promise<string>;
  /** Write a text. @returns it; for its end and its cost use `executeOperation('generate', …)`. */
  generate(
    id: string,
    prompt: string | readonly TransformersMessage[],
    options?: TransformersSampling & CallOptions,
  ): Promise<string>;
  /** Write a text piece by piece. Leaving the loop ends it after the token that is in the making. */
  streamGenerate(
    id: string,
    prompt: string | readonly TransformersMessage[],
    options?: TransformersSampling & CallOptions,
  ): CallStream<TransformersPiece>;
  /** The vector of a text, or a row for each of several. */
  embed(
    id: string,
    text: string,
    options?: TransformersEmbedding & CallOptions,
  ): Promise<Float32Array>;
  embed(
    id: string,
    text: readonly string[],
    options?: TransformersEmbedding & CallOptions,
  ): Promise<NdArray>;
  /** The labels of a text, or those of each of several. */
  classify(
    id: string,
    text: string,
    options?: TransformersLabelling & CallOptions,
  ): Promise<TransformersLabels>;
  classify(
    id: string,
    text: readonly string[],
    options?: TransformersLabelling & CallOptions,
  ): Promise<readonly TransformersLabels[]>;
  /** Forget a model, also for every later worker. */
  unload(id: string, options?: CallOptions): Promise<void>;
}

const BATCH = { maxSize: LIMITS.transformersBatchMax, maxWaitMs: 0 };

const OPERATIONS = {
  load_model: {
    ...TRANSFORMERS_SCHEMAS.load_model,
    change: 'create',
    key: (args: Args) => String(args['id']),
    mock: TRANSFORMERS_MOCKS.load_model,
  },
  // All of these compute and leave nothing behind.
  generate: {
    ...TRANSFORMERS_SCHEMAS.generate,
    idempotent: true,
    mock: TRANSFORMERS_MOCKS.generate,
  },
  stream_generate: {
    ...TRANSFORMERS_SCHEMAS.stream_generate,
    stream: true,
    mock: TRANSFORMERS_MOCKS.stream_generate,
  },
  embed: {
    ...TRANSFORMERS_SCHEMAS.embed,
    idempotent: true,
    batch: BATCH,
    mock: TRANSFORMERS_MOCKS.embed,
  },
  classify: {
    ...TRANSFORMERS_SCHEMAS.classify,
    idempotent: true,
    batch: BATCH,
    mock: TRANSFORMERS_MOCKS.classify,
  },
  list_models: {
    ...TRANSFORMERS_SCHEMAS.list_models,
    idempotent: true,
    mock: TRANSFORMERS_MOCKS.list_models,
  },
  unload: {
    ...TRANSFORMERS_SCHEMAS.unload,
    change: 'delete',
    key: (args: Args) => String(args['model_id']),
    mock: TRANSFORMERS_MOCKS.unload,
  },
  forget_session: {},
} as const;

/**
 * The adapter of Transformers 5. Its workers need `transformers`, `torch` and `safetensors`.
 * A model is made by `load_model` (`runtime.ml.createProgram`) and writes by `generate` (`runtime.ml.execute`, `runtime.ml.stream`). Every worker that is asked has it in its own memory.
 */
// The type is that of its operations: written out it would be the schemas once more.
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types
export function transformers({ threads }: TransformersOptions = {}) {
  return defineAdapter({
    framework: 'transformers',
    pythonModule: 'caduceus.bridges.transformers',
    requiredPackages: ['transformers>=5.20,<6', 'torch>=2.13,<3', 'safetensors>=0.6'],
    minPythonVersion: '3.10',
    env: threads === undefined ? {} : { OMP_NUM_THREADS: String(threads) },
    // Only imported there, with one thread: a process that has computed with torch cannot be forked.
    zygote: { preload: ['caduceus.bridges._transformers_preload'] },
    pool: {
      // Each has the models in its own memory, and computes with all cores.
      size: 1,
      startTimeoutMs: LIMITS.transformersStartTimeoutMs,
      callTimeoutMs: LIMITS.transformersCallTimeoutMs,
      checkoutTimeoutMs: LIMITS.transformersCallTimeoutMs,
    },
    operations: OPERATIONS,
    roles: {
      create: 'load_model',
      execute: 'generate',
      stream: 'stream_generate',
      list: 'list_models',
      delete: 'unload',
      forget: 'forget_session',
    },
    transformRequest: (op, args, { newId }) => {
      if (!Object.hasOwn(TRANSFORMERS_SCHEMAS, op)) return args;
      if (op === 'load_model') return loadArgs(args, newId);
      const { id, inputs, ...own } = args;
      const sent = pythonArgs({ ...(inputs as Args | undefined), ...own });
      return id === undefined ? sent : { model_id: id, ...sent };
    },
    transformResponse: (op, result) => {
      if (op === 'load_model') return (result as Args)['model_id'];
      if (!ANSWERS.has(op)) return result;
      return callersAnswer(result as Args);
    },
    methods: methodsOf,
  });
}

/** Those whose answer has names. */
const ANSWERS: ReadonlySet<string> = new Set([
  ...['generate', 'stream_generate', 'list_models', 'unload'],
]);

/** Paths are absolute on their way: a worker need not be where this process is. */
function loadArgs(args: Args, newId: () => string): Args {
  const { id, path, modelName } = args as TransformersModel;
  return pythonArgs({
    ...args,
    id: id ?? newId(),
    path: path === undefined || path.startsWith('~') ? path : resolve(path),
    modelName:
      modelName !== undefined && /^\.\.?\//u.test(modelName) ? resolve(modelName) : modelName,
  });
}

/** `maxLength` → `max_length`. */
function pythonArgs(args: Args): Args {
  const named = Object.entries(args).map(
    ([name, value]) =>
      [name.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`), value] as const,
  );
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

function callersAnswer(answer: Args): Args {
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => {
      if (name === 'model_id') return ['id', value];
      if (name === 'models') return [name, (value as readonly Args[]).map(callersAnswer)];
      return [camelCase(name), name === 'usage' ? callersAnswer(value as Args) : value];
    }),
  );
}

const CALL_OPTIONS: Readonly<Record<keyof CallOptions, true>> = {
  sessionId: true,
  timeoutMs: true,
  checkoutTimeoutMs: true,
  maxRetries: true,
  affinity: true,
  signal: true,
  callbacks: true,
  onProgress: true,
  trace: true,
};

/** The ported design's example gives options of both kinds in one. */
function split(options: object): { readonly call: CallOptions; readonly own: Args } {
  const entries = Object.entries(options);
  const isOfCall = ([name]: readonly [string, unknown]): boolean =>
    Object.hasOwn(CALL_OPTIONS, name);
  return {
    call: Object.fromEntries(entries.filter(isOfCall)),
    own: Object.fromEntries(entries.filter((entry) => !isOfCall(entry))),
  };
}

function methodsOf(self: AdapterCalls): TransformersMethods {
  const run = (op: string, args: Args, options: object): Promise<unknown> => {
    const { call, own } = split(options);
    return self.executeOperation(op, { ...own, ...args }, call);
  };
  const asked = (id: string, prompt: string | readonly TransformersMessage[]): Args =>
    typeof prompt === 'string' ? { id, prompt } : { id, messages: prompt };
  return {
    loadModel: (model, options = {}) => {
      const args = typeof model === 'string' ? { modelName: model } : model;
      return run('load_model', args, options) as Promise<string>;
    },
    generate: async (id, prompt, options = {}) => {
      const written = await run('generate', asked(id, prompt), options);
      return (written as { readonly text: string }).text;
    },
    streamGenerate: (id, prompt, options = {}) => {
      const { call, own } = split(options);
      return self.streamOperation('stream_generate', { ...own, ...asked(id, prompt) }, call);
    },
    // One text and several differ in what comes back, which only the signatures can say.
    embed: ((id: string, text: unknown, options: object = {}) =>
      run('embed', { id, text }, options)) as TransformersMethods['embed'],
    classify: ((id: string, text: unknown, options: object = {}) =>
      run('classify', { id, text }, options)) as TransformersMethods['classify'],
    unload: async (id, options = {}) => {
      await run('unload', { id }, options);
    },
  };
}
