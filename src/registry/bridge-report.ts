// What is wrong with a bridge, and what can a person do about it? A pure verdict over facts.
import { suggestion } from '../../actors/ground/nearest.ts';
import { compareVersions } from '../../actors/port/handshake.ts';
import { installCommand, lackOf, type MissingPackage } from '../../actors/port/missing-packages.ts';
import type { ImportTrial, PackageFacts, PythonFacts } from './probe.ts';

/** Which part of a bridge is wrong. `package_missing` is absent, of another version than required, or not importable. */
type BridgeProblemCode =
  | 'not_found'
  | 'script_not_found'
  | 'adapter_not_loaded'
  | 'python_not_found'
  | 'python_too_old'
  | 'package_missing';

/** What is wrong, and what to do about it. */
export interface BridgeProblem {
  readonly code: BridgeProblemCode;
  readonly message: string;
  /** A sentence; where a command mends it, with that command. */
  readonly advice: string;
}

/** What was found of one bridge. All problems are listed, not only the first. */
export interface BridgeReport {
  readonly bridge: string;
  readonly ok: boolean;
  /** Undefined when none runs. */
  readonly python: Pick<PythonFacts, 'executable' | 'version' | 'venv'> | undefined;
  /** Empty when none are required, or when no interpreter could be asked. */
  readonly packages: readonly PackageFacts[];
  /** Undefined for a bridge without one. */
  readonly script: { readonly path: string; readonly isThere: boolean } | undefined;
  readonly problems: readonly BridgeProblem[];
}

/** What stands in a bridge's place. */
export type SourceFact =
  | { readonly type: 'script'; readonly path: string; readonly problem: string | undefined }
  | { readonly type: 'module'; readonly name: string }
  /** Nothing says where its Python is. */
  | { readonly type: 'none' };

export type AdapterFact =
  | { readonly type: 'loaded' }
  /** A name that no built-in adapter has, or a value that is no adapter. */
  | { readonly type: 'unknown'; readonly given: string; readonly known: readonly string[] };

export type PythonFact =
  | { readonly type: 'none'; readonly message: string }
  | {
      readonly type: 'mute';
      readonly executable: string;
      readonly version: string;
      readonly why: string;
    }
  | { readonly type: 'found'; readonly facts: PythonFacts };

/** All that is known of a bridge. */
export interface BridgeFacts {
  readonly adapter: AdapterFact;
  readonly source: SourceFact;
  readonly python: PythonFact;
  /** The oldest that will do. */
  readonly pythonWanted: string;
}

/** The report of a bridge that is there. */
export function reportOf(bridge: string, facts: BridgeFacts): BridgeReport {
  const { adapter, source, python, pythonWanted } = facts;
  const problems = [
    ...adapterProblems(bridge, adapter),
    ...sourceProblems(bridge, source, adapter),
    ...pythonProblems(bridge, python, pythonWanted),
    ...(python.type === 'found' ? foundProblems(bridge, python.facts, source) : []),
  ];
  return {
    bridge,
    ok: problems.length === 0,
    python: identityOf(python),
    packages: python.type === 'found' ? (python.facts.packages ?? []) : [],
    script:
      source.type === 'script'
        ? { path: source.path, isThere: source.problem === undefined }
        : undefined,
    problems,
  };
}

/** The report of a name that no bridge has. */
export function unknownBridge(bridge: string, known: readonly string[]): BridgeReport {
  const problem: BridgeProblem = {
    code: 'not_found',
    message: `${bridge} is no bridge; ${suggestion(bridge, known)}`,
    advice: 'Name one that is registered, or register it.',
  };
  return {
    bridge,
    ok: false,
    python: undefined,
    packages: [],
    script: undefined,
    problems: [problem],
  };
}

/** Whether a requirement is met and, as far as that was tried, importable. */
export function isUsable({ isSatisfied, error }: PackageFacts): boolean {
  return isSatisfied && error === null;
}

/** What is wrong with one package of a bridge; undefined when nothing is. */
export function packageProblem(
  bridge: string,
  executable: string,
  facts: PackageFacts,
): BridgeProblem | undefined {
  if (isUsable(facts)) return undefined;
  const code = 'package_missing';
  const { requirement, found, isSatisfied, error } = facts;
  // What is no requirement at all was not looked for.
  if (!isSatisfied && error !== null) {
    const message = `the ${bridge} bridge needs something that cannot be read: ${error}`;
    return { code, message, advice: 'Write a distribution with an optional range of versions.' };
  }
  const missing: MissingPackage = { requirement, found, isBroken: isSatisfied };
  const lack = lackOf(bridge, executable, [missing]);
  const command = installCommand(executable, [missing]);
  return isSatisfied
    ? { code, message: `${lack}: ${error ?? ''}`, advice: `Install it anew: ${command}` }
    : { code, message: lack, advice: `Install it: ${command}` };
}

function identityOf(python: PythonFact): BridgeReport['python'] {
  switch (python.type) {
    case 'none':
      return undefined;
    case 'mute':
      return { executable: python.executable, version: python.version, venv: null };
    case 'found': {
      const { executable, version, venv } = python.facts;
      return { executable, version, venv };
    }
  }
}

function adapterProblems(bridge: string, adapter: AdapterFact): readonly BridgeProblem[] {
  if (adapter.type === 'loaded') return [];
  return [
    {
      code: 'adapter_not_loaded',
      message: `the adapter of ${bridge}, ${adapter.given}, is none; ${suggestion(adapter.given, adapter.known)}`,
      advice: 'Name a built-in adapter, make one with defineAdapter(), or leave it out.',
    },
  ];
}

function sourceProblems(
  bridge: string,
  source: SourceFact,
  adapter: AdapterFact,
): readonly BridgeProblem[] {
  if (source.type === 'script' && source.problem !== undefined) {
    const message = `bridge script ${source.path}: ${source.problem}`;
    return [{ code: 'script_not_found', message, advice: 'Create it, or correct scriptPath.' }];
  }
  // An adapter that is not there cannot say where its module is: that is one problem, not two.
  if (source.type !== 'none' || adapter.type !== 'loaded') return [];
  const message = `nothing says where the Python of ${bridge} is`;
  const advice = 'Give the bridge a scriptPath or a pythonModule.';
  return [{ code: 'adapter_not_loaded', message, advice }];
}

const ANOTHER_PYTHON = 'or name another one with the option python or with CADUCEUS_PYTHON';

function pythonProblems(
  bridge: string,
  python: PythonFact,
  wanted: string,
): readonly BridgeProblem[] {
  if (python.type === 'none') {
    const advice = `Install Python ${wanted} or newer, ${ANOTHER_PYTHON}.`;
    return [{ code: 'python_not_found', message: python.message, advice }];
  }
  const { executable, version } = python.type === 'found' ? python.facts : python;
  const problems: BridgeProblem[] = [];
  if (compareVersions(version, wanted) < 0) {
    const message = `${executable} is Python ${version}, but ${wanted} or newer is needed for the ${bridge} bridge`;
    const advice = `Install Python ${wanted} or newer, ${ANOTHER_PYTHON}.`;
    problems.push({ code: 'python_too_old', message, advice });
  }
  if (python.type === 'mute') {
    const message = `${executable} did not say which packages it has: ${python.why}`;
    const advice = `Mend that Python, ${ANOTHER_PYTHON}.`;
    problems.push({ code: 'python_not_found', message, advice });
  }
  return problems;
}

function foundProblems(
  bridge: string,
  { executable, packages, module }: PythonFacts,
  source: SourceFact,
): readonly BridgeProblem[] {
  const problems = (packages ?? []).flatMap(
    (each) => packageProblem(bridge, executable, each) ?? [],
  );
  return source.type === 'module'
    ? [...problems, ...moduleProblems(bridge, source.name, module)]
    : problems;
}

function moduleProblems(
  bridge: string,
  name: string,
  trial: Pick<ImportTrial, 'error'> | null,
): readonly BridgeProblem[] {
  const error = trial?.error ?? null;
  if (error === null) return [];
  const message = `the module ${name} of ${bridge} cannot be found: ${error}`;
  const advice =
    'Correct pythonModule, install the distribution that has it, or put its folder on the path with env: { PYTHONPATH }.';
  return [{ code: 'adapter_not_loaded', message, advice }];
}
