// What can one do with DSPy beyond single operations? What takes two of them, and metrics that are functions.
import type { z } from 'zod';

import type { CallOptions } from '../calls/call-options.ts';
import type { Callbacks } from '../calls/callbacks.ts';
import type { AdapterCalls, Args } from './adapter.ts';
import type {
  evaluatedSchema,
  evaluateSchema,
  listSchema,
  optimizedSchema,
  optimizeSchema,
} from './dspy-schemas.ts';

/** How good these outputs are for this example: from 0 to 1, or whether they are good. */
export type DspyMetric = (
  example: Record<string, unknown>,
  outputs: Record<string, unknown>,
) => number | boolean | Promise<number | boolean>;

type WithMetric<Options> = Omit<Options, 'id' | 'program_id' | 'metric'> & {
  readonly metric?: DspyMetric | Extract<Options, { metric?: unknown }>['metric'];
};

/** Of `optimize`. */
export type DspyOptimizeOptions = WithMetric<z.input<typeof optimizeSchema>>;
/** Of `evaluate`. */
export type DspyEvaluateOptions = WithMetric<z.input<typeof evaluateSchema>>;
/** What `optimize` found. */
export type DspyOptimized = z.output<typeof optimizedSchema>;
/** What `evaluate` found. */
export type DspyEvaluated = z.output<typeof evaluatedSchema>;

/** What `executeWithUsage` gives. */
export interface DspyExecuted {
  readonly program_id: string;
  readonly outputs: Record<string, unknown>;
  /** By model. */
  readonly usage: Record<string, Record<string, unknown>>;
  readonly execution_time_ms: number;
}

/** Methods of DSPy's bound adapter, on top of those of its operations. */
export interface DspyMethods {
  /**
   * Make a program better and put the better one in its place, for every worker and every later one. It takes many requests: give it `timeoutMs`, and `onProgress` to see how far it is.
   * The run itself changes nothing, so that an end in its middle, by anyone's hand, leaves the program as it was.
   */
  optimize(
    id: string,
    options: DspyOptimizeOptions,
    callOptions?: CallOptions,
  ): Promise<DspyOptimized>;
  /** Run a program on examples and compare. */
  evaluate(
    id: string,
    options: DspyEvaluateOptions,
    callOptions?: CallOptions,
  ): Promise<DspyEvaluated>;
  /** Like `executeProgram`, and with what it cost. */
  executeWithUsage(
    id: string,
    inputs: Record<string, unknown>,
    callOptions?: CallOptions,
  ): Promise<DspyExecuted>;
  /** Delete all programs of a scope. */
  cleanup(
    callOptions?: CallOptions,
  ): Promise<{ readonly status: 'cleaned'; readonly programs_removed: number }>;
}

/** The callback that a metric given as a function becomes. */
const METRIC = 'caduceus_metric';

/** The methods, over the calls of one bridge. */
export function dspyMethods(calls: AdapterCalls): DspyMethods {
  return {
    async optimize(id, { metric, ...options }, callOptions = {}) {
      const judged = withMetric(metric, callOptions);
      const args = { id, ...options, ...judged.args };
      const found = (await calls.executeOperation(
        'optimize_program',
        args,
        judged.options,
      )) as DspyOptimized;
      await calls.executeOperation('load_program', { id, program: found.program }, callOptions);
      return found;
    },
    async evaluate(id, { metric, ...options }, callOptions = {}) {
      const judged = withMetric(metric, callOptions);
      const args = { id, ...options, ...judged.args };
      return (await calls.executeOperation(
        'evaluate_program',
        args,
        judged.options,
      )) as DspyEvaluated;
    },
    async executeWithUsage(id, inputs, callOptions) {
      const args = { id, inputs, usage: true };
      return (await calls.executeOperation('execute_program', args, callOptions)) as DspyExecuted;
    },
    async cleanup(callOptions) {
      const { programs } = (await calls.executeOperation(
        'list_programs',
        {},
        callOptions,
      )) as z.output<typeof listSchema>;
      // One after the other: each deletion is journalled by itself.
      for (const { id } of programs)
        await calls.executeOperation('delete_program', { id }, callOptions);
      return { status: 'cleaned', programs_removed: programs.length };
    },
  };
}

function withMetric(
  metric: unknown,
  options: CallOptions,
): { readonly args: Args; readonly options: CallOptions } {
  if (typeof metric !== 'function')
    return { args: metric === undefined ? {} : { metric }, options };
  const judge = metric as DspyMetric;
  const callbacks: Callbacks = {
    ...options.callbacks,
    [METRIC]: ({ example, outputs }: Readonly<Record<string, Record<string, unknown>>>) =>
      judge(example ?? {}, outputs ?? {}),
  };
  return { args: { metric: { callback: METRIC } }, options: { ...options, callbacks } };
}
