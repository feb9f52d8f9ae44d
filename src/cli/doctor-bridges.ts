// What do the built-in bridges need, what is there of it, and what should a zygote import?
import { workerEnv } from '../../actors/port/env.ts';
import { installCommand } from '../../actors/port/missing-packages.ts';
import { builtInAdapters } from '../adapters/built-in.ts';
import { preloadOf } from '../adapters/zygote-option.ts';
import { isUsable, packageProblem } from '../registry/bridge-report.ts';
import { probePython } from '../registry/probe.ts';
import type { BridgeFinding, InterpreterFinding, Problem } from './doctor-findings.ts';
import { ON_THE_PATH } from './doctor-python.ts';

/** Shows a person what is being done while it is. */
export type During = <Result>(what: string, act: () => Promise<Result>) => Promise<Result>;

/** The names of the built-in bridges. */
export function builtInNames(): readonly string[] {
  return builtInAdapters().map(([name]) => name);
}

/**
 * Look for the packages of all built-in bridges and try their imports, in the order of the bridges.
 * @param during shows what it is at.
 */
export async function lookAtBridges(
  executable: string,
  wanted: readonly string[],
  during: During,
): Promise<readonly BridgeFinding[]> {
  const found: BridgeFinding[] = [];
  for (const [name, adapter] of builtInAdapters()) {
    const { requiredPackages = [], zygote, env = {} } = adapter;
    const isWanted = wanted.includes(name);
    const option = preloadOf({ bridge: undefined, adapter: zygote, platform: process.platform });
    const preload = option === 'no zygote' ? [] : option;
    // One after the other: together they would take each other's time.
    const answer = await during(`importing what the ${name} bridge needs`, () =>
      probePython({
        ...{ executable, packages: requiredPackages },
        // All of it once more, which takes as long again.
        preload: isWanted ? preload : [],
        env: workerEnv(process.env, env),
      }),
    );
    const facts = answer.type === 'found' ? answer.found : undefined;
    const packages =
      facts?.packages ?? requiredPackages.map((each) => unknownPackage(each, answer));
    const trial = packages.every(isUsable) ? (facts?.preload ?? null) : null;
    found.push({ name, isWanted, packages, preload, trial });
  }
  return found;
}

/** Of an interpreter that did not answer. */
function unknownPackage(
  requirement: string,
  answer: { readonly type: string; readonly why?: string },
): BridgeFinding['packages'][number] {
  const nothing = { importMs: null, threads: null, hazard: null, memoryBytes: null };
  const why = answer.why ?? 'it did not answer';
  const found = { found: null, isSatisfied: false, modules: [], error: why };
  return { requirement, name: requirement, ...found, ...nothing };
}

/** What a bridge lacks, all of it at once; undefined when nothing. */
export function lackProblem(
  { name, packages }: BridgeFinding,
  { executable, because }: InterpreterFinding,
): Problem | undefined {
  const problems = packages.flatMap((each) => packageProblem(name, executable, each) ?? []);
  if (problems.length === 0) return undefined;
  const missing = packages
    .filter((each) => !isUsable(each))
    .map((each) => ({
      ...{ requirement: each.requirement, found: each.found, isBroken: each.isSatisfied },
    }));
  const doctor = `caduceus doctor --fix --bridge ${name}`;
  // Many systems refuse to install into their own Python, and a .venv here is found by itself.
  const advice =
    because === ON_THE_PATH
      ? `Install it here: ${doctor}, or by hand: ${executable} -m venv .venv && ${installCommand('.venv/bin/python', missing)}`
      : `Install it: ${installCommand(executable, missing)}`;
  const message = problems.map((each) => each.message).join('; ');
  return { code: 'package_missing', message, traceback: [], advice };
}

const MEGABYTE = 1024 * 1024;

/** How the workers of a bridge come up, and what a zygote is good for there. */
export function preloadAdvice({ preload, trial, packages }: BridgeFinding): string | undefined {
  if (!packages.every(isUsable)) return undefined;
  const hazards = packages.flatMap(({ name, hazard }) =>
    hazard === null ? [] : [`${name}: ${hazard}`],
  );
  if (preload.length === 0) {
    const why = hazards.length === 0 ? 'it names no preload' : hazards.join('; ');
    return `workers are started one by one (${why})`;
  }
  const modules = preload.join(', ');
  const oneByOne = (why: string): string =>
    `after preload ${modules} no fork is safe (${why}): workers are started one by one`;
  if (trial === null) {
    if (hazards.length > 0) return oneByOne(hazards.join('; '));
    const importMs = packages.reduce((sum, each) => sum + (each.importMs ?? 0), 0);
    return `preload ${modules} saves each worker about ${importMs} ms`;
  }
  if (trial.error !== null) return `preload ${modules} fails: ${trial.error}`;
  if (trial.hazard !== null) return oneByOne(trial.hazard);
  const { importMs, memoryBytes } = trial;
  const memory = memoryBytes === null ? '' : ` and shares ${Math.round(memoryBytes / MEGABYTE)} MB`;
  return `preload ${modules} saves each worker ${importMs ?? 0} ms${memory}`;
}
