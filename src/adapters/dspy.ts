// How does DSPy look from TypeScript? Its operations, names translated to Python's, ids minted here.
import { z } from 'zod';

import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import { defineAdapter, type Adapter, type Args } from './adapter.ts';
import { dspyMethods, type DspyMethods } from './dspy-methods.ts';
import { DSPY_MOCKS as mocks } from './dspy-mocks.ts';
import { dspyRequest, dspyResponse } from './dspy-requests.ts';
import * as schemas from './dspy-schemas.ts';
import { fieldOf, findingOf } from './explain.ts';

export type {
  DspyEvaluated,
  DspyEvaluateOptions,
  DspyExecuted,
  DspyMethods,
  DspyMetric,
  DspyOptimized,
  DspyOptimizeOptions,
} from './dspy-methods.ts';

/** Configuration of DSPy's language model, for `runtime.ml.configure('dspy', …)`. */
export type DspyConfig = z.input<typeof schemas.configSchema>;

/** A program, for `runtime.ml.createProgram`. `type` is `predict` by default. */
export type DspyProgram = z.input<typeof schemas.programSchema>;

/** A program written down: what it was made from, and what optimisation has made of it. JSON, without any key. */
export type DspyDump = z.output<typeof schemas.dumpSchema>;

/** What `stream_program` gives: pieces of text, and at the end everything. */
export type DspyStreamItem = z.output<typeof schemas.streamItemSchema>;

const byId = (args: Args): string => String(args['id'] ?? args['program_id']);

const OPERATIONS = {
  configure_lm: {
    args: schemas.configSchema,
    result: schemas.configuredSchema,
    change: 'configure',
    secrets: ['api_key'],
    description: 'Set the language model of a session, or of the whole bridge.',
    mock: mocks.configureLm,
  },
  create_program: {
    args: schemas.programSchema,
    result: z.string(),
    change: 'create',
    key: byId,
    description: 'Make a program from a signature.',
    mock: mocks.createProgram,
  },
  execute_program: {
    args: schemas.executeSchema,
    result: schemas.executedSchema,
    description: 'Run a program.',
    mock: mocks.executeProgram,
  },
  stream_program: {
    args: schemas.streamSchema,
    item: schemas.streamItemSchema,
    stream: true,
    description: 'Run a program and read its text outputs as they come.',
    mock: mocks.streamProgram,
  },
  list_programs: {
    args: schemas.noArgsSchema,
    result: schemas.listSchema,
    idempotent: true,
    description: 'The programs of a scope.',
    mock: mocks.listPrograms,
  },
  get_program_info: {
    args: schemas.idSchema,
    result: schemas.infoSchema,
    idempotent: true,
    description: 'All that is known of a program.',
    mock: mocks.getProgramInfo,
  },
  delete_program: {
    args: schemas.idSchema,
    result: schemas.deletedSchema,
    change: 'delete',
    key: byId,
    description: 'Forget a program.',
    mock: mocks.deleteProgram,
  },
  dump_program: {
    args: schemas.idSchema,
    result: schemas.dumpSchema,
    idempotent: true,
    description: 'Write a program down, with what optimisation has made of it.',
    mock: mocks.dumpProgram,
  },
  load_program: {
    args: schemas.loadSchema,
    result: z.string(),
    // Not an update: what was written down is the whole program, so the journal needs nothing before it.
    change: 'create',
    key: byId,
    description: 'Make a program from what was written down.',
    mock: mocks.loadProgram,
  },
  optimize_program: {
    args: schemas.optimizeSchema,
    result: schemas.optimizedSchema,
    // Changes nothing by itself: a journal that had it would ask the model everything again on each new worker.
    description: 'Find demonstrations that make a program better; load_program puts them in place.',
    mock: mocks.optimizeProgram,
  },
  evaluate_program: {
    args: schemas.evaluateSchema,
    result: schemas.evaluatedSchema,
    description: 'Run a program on examples and compare.',
    mock: mocks.evaluateProgram,
  },
  forget_session: {
    args: schemas.forgetSchema,
    result: schemas.forgottenSchema,
    description: 'Drop what a session has made; endSession of the pool does it.',
    mock: mocks.forgetSession,
  },
} as const;

/** DSPy's operations, by name. */
export type DspyOperations = typeof OPERATIONS;

/** The adapter of DSPy 3.4. Its workers need the `dspy` package; no global DSPy setting is ever used, so sessions do not meet. */
export function dspy(): Adapter<DspyOperations, DspyMethods> {
  return defineAdapter({
    framework: 'dspy',
    pythonModule: 'caduceus.bridges.dspy',
    requiredPackages: ['dspy>=3.4.1,<3.5'],
    minPythonVersion: '3.10',
    // The ported design's.
    pool: { size: 4, overflow: 2, checkoutTimeoutMs: 5_000 },
    zygote: { preload: ['caduceus.bridges._dspy_preload'] },
    operations: OPERATIONS,
    roles: {
      configure: 'configure_lm',
      create: 'create_program',
      execute: 'execute_program',
      stream: 'stream_program',
      list: 'list_programs',
      delete: 'delete_program',
      forget: 'forget_session',
    },
    validateConfig: (config) => {
      const finding = findingOf(schemas.configSchema, config);
      if (finding === undefined) return;
      throw new InvalidConfigError(fieldOf('config', finding.path), finding.problem);
    },
    transformRequest: dspyRequest,
    transformResponse: dspyResponse,
    methods: dspyMethods,
  });
}
