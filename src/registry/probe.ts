// What does an interpreter really have? Runs the probe of the Python package in it, which tries every import in a process of its own.
import { z } from 'zod';

import { LIMITS } from '../../actors/ground/limits.ts';
import { askPython, type PythonAnswer } from '../../actors/port/interpreter.ts';
import { PROBE_SCRIPT } from '../../actors/port/package-root.ts';

const trialSchema = z.object({
  /** One line of why it cannot be imported; null when it can, or when that was not tried. */
  error: z.string().nullable(),
  /** Null when nothing was imported. */
  importMs: z.number().nullable(),
  /** Of the process after the import; null where the system does not tell. */
  threads: z.number().nullable(),
  /** Why a process that has imported it could not be forked; null when it can. */
  hazard: z.string().nullable(),
  memoryBytes: z.number().nullable(),
});

const packageSchema = trialSchema.extend({
  /** As it was asked for, e.g. `dspy>=3.4.1,<3.5`. */
  requirement: z.string(),
  /** The distribution, e.g. `dspy` also where `dspy-ai` was asked for. */
  name: z.string(),
  /** The version that is installed. */
  found: z.string().nullable(),
  /** Whether that is one of those required. */
  isSatisfied: z.boolean(),
  /** What it is imported by. */
  modules: z.array(z.string()),
});

const factsSchema = z.object({
  version: z.string(),
  executable: z.string(),
  /** The folder of its virtual environment. */
  venv: z.string().nullable(),
  /** Null before Python 3.8, where there is no telling. */
  packages: z.array(packageSchema).nullable(),
  /** What a zygote would do, in one process; null when it was not asked for. */
  preload: trialSchema.nullable(),
  /** Whether the module of a bridge is there; null when it was not asked for. */
  module: trialSchema.pick({ error: true }).nullable(),
});

/** What an import did to a process that did nothing else. */
export type ImportTrial = Readonly<z.output<typeof trialSchema>>;

/** One requirement, and what there is of it. */
export type PackageFacts = Readonly<z.output<typeof packageSchema>>;

/** What an interpreter told. */
export type PythonFacts = Readonly<z.output<typeof factsSchema>>;

export interface ProbeRequest {
  readonly executable: string;
  /** Distributions with an optional range of versions. */
  readonly packages: readonly string[];
  /** The whole environment of the probe: that of a worker, which sees no more. */
  readonly env: Readonly<Record<string, string>>;
  /** Modules that a zygote imports. */
  readonly preload?: readonly string[] | undefined;
  /** A module that must be there; only its packages are imported. */
  readonly module?: string | undefined;
  /** For each import. `none`: nothing is imported, and metadata alone is read. Default: {@link LIMITS.importTrialTimeoutMs}. */
  readonly importTimeoutMs?: number | 'none' | undefined;
}

/** Ask an interpreter. Never rejects: one that does not answer is an answer. */
export function probePython(request: ProbeRequest): Promise<PythonAnswer<PythonFacts>> {
  const { executable, packages, preload = [], module, env } = request;
  const { importTimeoutMs = LIMITS.importTrialTimeoutMs } = request;
  const trialMs = importTimeoutMs === 'none' ? 0 : importTimeoutMs;
  const trials = packages.length + (preload.length > 0 ? 1 : 0) + (module === undefined ? 0 : 1);
  const order = {
    packages,
    ...(preload.length > 0 ? { preload } : {}),
    ...(module === undefined ? {} : { find: module }),
    ...(importTimeoutMs === 'none' ? {} : { importTimeoutMs }),
  };
  // Each trial is ended by the probe itself; this is for a probe that does not come so far.
  const timeoutMs = LIMITS.interpreterProbeTimeoutMs + 2 * trials * trialMs;
  return askPython(executable, [PROBE_SCRIPT, JSON.stringify(order)], factsSchema, {
    timeoutMs,
    env,
  });
}
