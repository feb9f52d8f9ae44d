// What do the operations of DSPy take and give? Schemas, by which arguments are checked before anything is sent.
import { z } from 'zod';

import { secretTextSchema } from './secret-mark.ts';

const text = z.string().min(1);
const record = z.record(z.string(), z.unknown());

/** Answers that are kept: for one worker in its memory, or in a folder for all workers that name it. */
const cacheSchema = z.union(
  [z.boolean(), z.enum(['off', 'memory']), z.strictObject({ dir: z.string().startsWith('/') })],
  'must be true, false, off, memory or { dir: an absolute path }',
);

/** Configuration of the language model. */
export const configSchema = z.strictObject({
  /** As DSPy names it, e.g. `openai/gpt-4.1-mini`; without the provider, if `provider` says it. */
  model: text,
  provider: text.optional(),
  apiBase: z.url().optional(),
  /** Or the name of one: `secret('OPENAI_API_KEY')`. */
  apiKey: secretTextSchema.optional(),
  temperature: z.number().min(0).optional(),
  maxTokens: z.int().positive().optional(),
  /** Time of one request to the model, in ms. */
  timeoutMs: z.number().positive().optional(),
  /** How often DSPy itself repeats a request that failed. Default 0: the caller decides. */
  numRetries: z.int().min(0).optional(),
  cache: cacheSchema.optional(),
  engine: z.enum(['auto', 'lm15', 'litellm']).optional(),
});

const fieldSchema = z.strictObject({
  name: text,
  type: z.string().optional(),
  description: z.string().optional(),
});

const signatureSchema = z.strictObject({
  name: text.optional(),
  description: z.string().optional(),
  inputs: z.array(fieldSchema),
  outputs: z.array(fieldSchema).min(1),
  instructions: z.string().optional(),
});

function isZodSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '_zod' in value;
}

const toolSchema = z.strictObject({
  /** What the model calls it, and, unless `callback` says otherwise, the callback that it is. */
  name: text,
  description: z.string().optional(),
  /** A zod schema of an object, a JSON Schema of one, or a JSON Schema for each argument by name. */
  args: z.union([z.custom<z.ZodType>(isZodSchema), record]).optional(),
  callback: text.optional(),
});

/** A program, as it is created. */
export const programSchema = z.strictObject({
  id: text.optional(),
  signature: z.union([text, signatureSchema], 'must be a text or { inputs, outputs }'),
  type: z.enum(['predict', 'chain_of_thought', 'react']).optional(),
  instructions: z.string().optional(),
  tools: z.array(toolSchema).optional(),
  maxIters: z.int().min(1).optional(),
});

const id = { id: text.optional(), program_id: text.optional() };
const hasId = (args: { readonly id?: unknown; readonly program_id?: unknown }): boolean =>
  (args.id ?? args.program_id) !== undefined;
const NEEDS_ID = 'needs id, the program’s';

/** Only which program. */
export const idSchema = z.strictObject(id).refine(hasId, NEEDS_ID);

export const executeSchema = z
  .strictObject({ ...id, inputs: record.optional(), usage: z.boolean().optional() })
  .refine(hasId, NEEDS_ID);

export const streamSchema = z
  .strictObject({ ...id, inputs: record.optional() })
  .refine(hasId, NEEDS_ID);

/** How good an answer is: all outputs equal, these outputs equal, or what a callback says of `{ example, outputs }`. */
const metricSchema = z.union(
  [
    z.literal('exact_match'),
    z.strictObject({ exact_match: z.array(text).min(1) }),
    z.strictObject({ callback: text }),
  ],
  'must be exact_match, { exact_match: [outputs] } or { callback }',
);
const examples = z.array(record).min(1);
const metric = { metric: metricSchema.optional(), maxErrors: z.int().min(0).optional() };

const optimizing = {
  optimizer: z.enum(['bootstrap_few_shot', 'labeled_few_shot']).optional(),
  trainset: examples,
  metricThreshold: z.number().optional(),
  maxBootstrappedDemos: z.int().min(0).optional(),
  maxLabeledDemos: z.int().min(0).optional(),
  maxRounds: z.int().min(1).optional(),
};

export const optimizeSchema = z
  .strictObject({ ...id, ...optimizing, ...metric })
  .refine(hasId, NEEDS_ID);

export const evaluateSchema = z
  .strictObject({ ...id, devset: examples, ...metric })
  .refine(hasId, NEEDS_ID);

/** A program written down, JSON through and through: `load_program` makes it again. */
export const dumpSchema = z.looseObject({
  format: z.int(),
  id: text.optional(),
  signature: z.union([text, record]),
  state: record,
});

export const loadSchema = z
  .strictObject({ id: text.optional(), program: dumpSchema })
  .refine((args) => (args.id ?? args.program.id) !== undefined, 'needs id, or a program with one');

export const noArgsSchema = z.strictObject({});
export const forgetSchema = z.strictObject({ session_id: text.optional() });

export const configuredSchema = z.looseObject({
  status: z.string(),
  model: z.string(),
  scope: z.enum(['bridge', 'session']),
  cache: z.enum(['off', 'memory', 'disk']),
});

const usage = z.record(z.string(), record);

/** The outputs by name; with `usage: true` an object of them and of what they cost. */
export const executedSchema = record;

/** What a stream gives: pieces of text fields, and at the end everything. */
export const streamItemSchema = z.union([
  z.strictObject({ field: z.string(), text: z.string() }),
  z.strictObject({
    program_id: z.string(),
    outputs: record,
    usage,
    execution_time_ms: z.number(),
  }),
]);

const listed = {
  id: z.string(),
  program_type: z.string(),
  signature: z.string(),
  inputs: z.array(z.string()),
  outputs: z.array(z.string()),
  created_at: z.number(),
  execution_count: z.number(),
  last_executed: z.number().nullable(),
};

export const listSchema = z.looseObject({
  programs: z.array(z.looseObject(listed)),
  total_count: z.number(),
});

export const infoSchema = z.looseObject({
  program_id: z.string(),
  ...listed,
  signature_def: record,
  tools: z.array(record),
  max_iters: z.number().nullable(),
  demos_count: z.number(),
});

export const deletedSchema = z.looseObject({ program_id: z.string(), status: z.string() });
export const forgottenSchema = z.looseObject({ session_id: z.string(), status: z.string() });

export const optimizedSchema = z.looseObject({
  program: dumpSchema,
  demos_count: z.number(),
  bootstrapped_count: z.number(),
  errors_count: z.number(),
  execution_time_ms: z.number(),
});

export const evaluatedSchema = z.looseObject({
  score: z.number(),
  total_count: z.number(),
  errors_count: z.number(),
  results: z.array(
    z.looseObject({
      score: z.number(),
      outputs: record.optional(),
      error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
    }),
  ),
  execution_time_ms: z.number(),
});
