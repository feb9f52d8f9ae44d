// How do the words of a caller become those of DSPy's bridge? Names, units, and the id of what is new.
import { z } from 'zod';

import type { Args, RequestTools } from './adapter.ts';

const MS_PER_S = 1000;

/** The original's provider names that DSPy calls otherwise. */
const PROVIDERS: Readonly<Record<string, string>> = { google: 'gemini' };

/** The arguments of this operation as Python takes them. */
export function dspyRequest(op: string, args: Args, tools: RequestTools): Args {
  switch (op) {
    case 'configure_lm':
      return configureArgs(args);
    case 'create_program':
      return createArgs(args, tools.newId);
    case 'load_program': {
      const program = args['program'] as Args | undefined;
      return { id: args['id'] ?? program?.['id'], program };
    }
    case 'execute_program':
    case 'stream_program':
      return withoutUndefined({
        ...programId(args),
        inputs: args['inputs'] ?? {},
        usage: args['usage'],
      });
    case 'optimize_program':
      return withoutUndefined({
        ...programId(args),
        optimizer: args['optimizer'],
        trainset: args['trainset'],
        metric: args['metric'],
        metric_threshold: args['metricThreshold'],
        max_bootstrapped_demos: args['maxBootstrappedDemos'],
        max_labeled_demos: args['maxLabeledDemos'],
        max_rounds: args['maxRounds'],
        max_errors: args['maxErrors'],
      });
    case 'evaluate_program':
      return withoutUndefined({
        ...programId(args),
        devset: args['devset'],
        metric: args['metric'],
        max_errors: args['maxErrors'],
      });
    case 'get_program_info':
    case 'dump_program':
    case 'delete_program':
      return programId(args);
    default:
      return args;
  }
}

/** What the caller gets for what Python answered. */
export function dspyResponse(op: string, result: unknown): unknown {
  if (op === 'create_program' || op === 'load_program') {
    return (result as { readonly program_id: string }).program_id;
  }
  if (op !== 'execute_program') return result;
  const executed = result as { readonly outputs: unknown; readonly usage?: unknown };
  return executed.usage === undefined ? executed.outputs : executed;
}

function programId(args: Args): Args {
  return { program_id: args['id'] ?? args['program_id'] };
}

function configureArgs(config: Args): Args {
  const { timeoutMs, cache } = config as { readonly timeoutMs?: number; readonly cache?: unknown };
  return withoutUndefined({
    model: modelOf(String(config['model']), config['provider'] as string | undefined),
    api_base: config['apiBase'],
    api_key: config['apiKey'],
    temperature: config['temperature'],
    max_tokens: config['maxTokens'],
    timeout_s: timeoutMs === undefined ? undefined : timeoutMs / MS_PER_S,
    num_retries: config['numRetries'],
    engine: config['engine'],
    ...cacheArgs(cache),
  });
}

function modelOf(model: string, provider: string | undefined): string {
  if (provider === undefined) return model;
  const prefix = `${PROVIDERS[provider] ?? provider}/`;
  return model.startsWith(prefix) ? model : prefix + model;
}

function cacheArgs(cache: unknown): Args {
  if (typeof cache !== 'object' || cache === null) return { cache };
  return { cache: 'disk', cache_dir: (cache as { readonly dir: string }).dir };
}

function createArgs(program: Args, newId: () => string): Args {
  const tools = program['tools'] as readonly Args[] | undefined;
  return withoutUndefined({
    id: program['id'] ?? newId(),
    signature: program['signature'],
    program_type: program['type'] ?? 'predict',
    instructions: program['instructions'],
    tools: tools?.map(toolArgs),
    max_iters: program['maxIters'],
  });
}

function toolArgs(tool: Args): Args {
  const { args } = tool;
  if (typeof args !== 'object' || args === null || !('_zod' in args)) return tool;
  return { ...tool, args: z.toJSONSchema(args as z.ZodType, { io: 'input' }) };
}

function withoutUndefined(args: Args): Args {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
}
