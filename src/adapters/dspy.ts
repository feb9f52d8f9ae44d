// How does DSPy look from TypeScript? Its operations, names translated to Python's, ids minted here.
import { z } from 'zod';

import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import { secretTextSchema } from './secret-mark.ts';
import { defineAdapter, type Adapter, type Args } from './adapter.ts';

const configSchema = z.strictObject({
  /** As DSPy names it, e.g. `openai/gpt-4.1-mini`. */
  model: z.string().min(1),
  apiBase: z.url().optional(),
  /** Or the name of one: `secret('OPENAI_API_KEY')`. */
  apiKey: secretTextSchema.optional(),
  temperature: z.number().min(0).optional(),
  maxTokens: z.int().positive().optional(),
  /** Time of one request to the model, in ms. */
  timeoutMs: z.number().positive().optional(),
  numRetries: z.int().min(0).optional(),
  cache: z.boolean().optional(),
});

/** Configuration of DSPy's language model, for `runtime.ml.configure('dspy', …)`. */
export type DspyConfig = z.input<typeof configSchema>;

const fieldSchema = z.strictObject({
  name: z.string().min(1),
  type: z.string().optional(),
  description: z.string().optional(),
});

const programSchema = z.strictObject({
  id: z.string().min(1).optional(),
  signature: z.union([
    z.string().min(1),
    z.strictObject({
      inputs: z.array(fieldSchema),
      outputs: z.array(fieldSchema).min(1),
      instructions: z.string().optional(),
    }),
  ]),
  type: z.enum(['predict', 'chain_of_thought']).optional(),
  instructions: z.string().optional(),
});

/** A program, for `runtime.ml.createProgram`. `type` is `predict` by default. */
export type DspyProgram = z.input<typeof programSchema>;

const MS_PER_S = 1000;

/** The adapter of DSPy 3.4. Its workers need the `dspy` package; no global DSPy setting is ever used, so sessions do not meet. */
export function dspy(): Adapter {
  return defineAdapter({
    framework: 'dspy',
    pythonModule: 'caduceus.bridges.dspy',
    requiredPackages: ['dspy'],
    minPythonVersion: '3.10',
    // The ported design's.
    pool: { size: 4, overflow: 2, checkoutTimeoutMs: 5_000 },
    zygote: { preload: ['caduceus.bridges._dspy_preload'] },
    operations: {
      configure_lm: { change: 'configure', secrets: ['api_key'] },
      create_program: { change: 'create', key: (args) => String(args['id']) },
      execute_program: {},
      list_programs: { idempotent: true },
      forget_session: {},
      delete_program: { change: 'delete', key: (args) => String(args['program_id']) },
    },
    roles: {
      configure: 'configure_lm',
      create: 'create_program',
      execute: 'execute_program',
      list: 'list_programs',
      delete: 'delete_program',
      forget: 'forget_session',
    },
    validateConfig: (config) => {
      parse(configSchema, 'config', config);
    },
    transformRequest: (op, args, tools) => {
      switch (op) {
        case 'configure_lm':
          return configureArgs(args);
        case 'create_program':
          return createArgs(args, tools.newId);
        case 'execute_program':
          return { program_id: args['id'] ?? args['program_id'], inputs: args['inputs'] ?? {} };
        case 'delete_program':
          return { program_id: args['id'] ?? args['program_id'] };
        default:
          return args;
      }
    },
    transformResponse: (op, result) => {
      if (op === 'create_program') return (result as { program_id: string }).program_id;
      if (op === 'execute_program') return (result as { outputs: unknown }).outputs;
      return result;
    },
  });
}

function configureArgs(args: Args): Args {
  const config = parse(configSchema, 'config', args);
  return withoutUndefined({
    model: config.model,
    api_base: config.apiBase,
    api_key: config.apiKey,
    temperature: config.temperature,
    max_tokens: config.maxTokens,
    timeout_s: config.timeoutMs === undefined ? undefined : config.timeoutMs / MS_PER_S,
    num_retries: config.numRetries,
    cache: config.cache,
  });
}

function createArgs(args: Args, newId: () => string): Args {
  const program = parse(programSchema, 'program', args);
  return withoutUndefined({
    id: program.id ?? newId(),
    signature: program.signature,
    program_type: program.type ?? 'predict',
    instructions: program.instructions,
  });
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  what: string,
  value: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = [what, ...(issue?.path ?? [])].map(String).join('.');
  throw new InvalidConfigError(field, issue?.message ?? 'is invalid');
}

function withoutUndefined(args: Args): Args {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
}
