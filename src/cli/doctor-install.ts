// With which commands are packages installed? By uv where it may be used, else by pip; a pure plan.
import type { PackageFacts } from '../registry/probe.ts';

/** A program to run. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** On top of ours. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** One thing to do, and the ways to do it: the next is tried when one fails. */
export interface InstallStep {
  readonly what: string;
  readonly ways: readonly Program[];
  /** What a person can do when none works. */
  readonly advice: string;
}

export interface InstallOrder {
  /** Of the environment. */
  readonly python: string;
  readonly lacking: readonly Pick<PackageFacts, 'requirement' | 'name' | 'isSatisfied'>[];
  /** A file with versions that were tried together. */
  readonly constraints: string | undefined;
  /** How pip is configured. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Installed by pip before uv has its turn: where pip's configuration offers a build for the CPU (its version ends in `+cpu`), pip prefers it, and uv, which looks at the registry first, would
 * bring gigabytes of CUDA. What pip has installed satisfies uv.
 */
const BY_PIP_FIRST = new Set(['torch']);

/** Where one of these is set, packages come from where uv does not look. */
const PIP_ONLY = ['PIP_NO_INDEX', 'PIP_FIND_LINKS', 'PIP_EXTRA_INDEX_URL'];

/** The steps that install what is lacking. */
export function installPlan(order: InstallOrder): readonly InstallStep[] {
  const { lacking, env } = order;
  if (lacking.length === 0) return [];
  const early = lacking.filter(({ name }) => BY_PIP_FIRST.has(name));
  const isForPipAlone = PIP_ONLY.some((name) => (env[name] ?? '') !== '');
  return [
    ...(early.length === 0 ? [] : [stepOf(early, [pip(order, early)])]),
    stepOf(lacking, [...(isForPipAlone ? [] : [uv(order)]), pip(order, lacking)]),
  ];
}

function stepOf(packages: InstallOrder['lacking'], ways: readonly Program[]): InstallStep {
  const names = packages.map(({ requirement }) => requirement).join(', ');
  const advice = 'Look whether pip reaches its registry from here (a proxy, PIP_INDEX_URL).';
  return { what: `installing ${names}`, ways, advice };
}

function pip({ python, constraints }: InstallOrder, packages: InstallOrder['lacking']): Program {
  const args = ['-m', 'pip', '--disable-pip-version-check', 'install', '--no-input'];
  return { command: python, args: [...args, ...wanted(packages, constraints)] };
}

/** uv is several times faster than pip. */
function uv({ python, constraints, lacking, env }: InstallOrder): Program {
  const index = env['PIP_INDEX_URL'];
  const args = ['-m', 'uv', 'pip', 'install', '--python', python];
  return {
    command: python,
    args: ['-c', UV_AFTER_PIP, ...args, ...wanted(lacking, constraints)],
    env: {
      UV_NO_PROGRESS: '1',
      UV_PYTHON_DOWNLOADS: 'never',
      ...(index === undefined || env['UV_DEFAULT_INDEX'] !== undefined
        ? {}
        : { UV_DEFAULT_INDEX: index }),
    },
  };
}

/** Has pip install uv, then runs it; the first that fails ends it. */
const UV_AFTER_PIP = `
import subprocess, sys
pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-input", "-q"]
sys.exit(subprocess.call(pip + ["uv"]) or subprocess.call([sys.executable] + sys.argv[1:]))
`;

function wanted(
  packages: InstallOrder['lacking'],
  constraints: string | undefined,
): readonly string[] {
  // What is there by its metadata would be left as it is.
  const force = packages.some(({ isSatisfied }) => isSatisfied);
  return [
    ...packages.map(({ requirement }) => requirement),
    ...(constraints === undefined ? [] : ['-c', constraints]),
    ...(force ? [FORCE] : []),
  ];
}

/** The same for pip and for uv. */
const FORCE = '--force-reinstall';
