// How does a machine that lacks something come to run workers? A virtual environment here, and in it what the bridges need.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { workerEnv } from '../../actors/port/env.ts';
import { PYTHON_SOURCES } from '../../actors/port/package-root.ts';
import { builtInAdapters } from '../adapters/built-in.ts';
import { isUsable } from '../registry/bridge-report.ts';
import { probePython, type PackageFacts } from '../registry/probe.ts';
import { installPlan, type InstallStep } from './doctor-install.ts';
import { findInterpreters } from './doctor-python.ts';
import { runProgram, type ProgramEnd } from './run-program.ts';
import { withProgress, type Terminal } from './terminal.ts';

export interface FixOrder {
  /** What the environment is made from. Default: what the runtime would take, else the newest that there is. */
  readonly python: string | undefined;
  readonly bridges: readonly string[];
}

/** What came of it. */
export type Fixed =
  | { readonly type: 'done'; readonly python: string }
  | { readonly type: 'failed' | 'interrupted'; readonly why: string; readonly advice: string };

type NotFixed = Exclude<Fixed, { type: 'done' }>;

/** Make `.venv` in the working directory if it is not there, and install what the bridges lack. Says each step on stderr. */
export async function fixEnvironment(terminal: Terminal, order: FixOrder): Promise<Fixed> {
  const made = await makeVenv(terminal, order.python);
  if (made.type !== 'made') return made;
  const { python, isNew } = made;
  const lacking = await lackingOf(terminal, python, order.bridges);
  if (lacking.length === 0) {
    terminal.errors.write(`✓ ${VENV} has all that ${order.bridges.join(', ')} needs\n`);
  }
  const plan = installPlan({
    python,
    lacking,
    // What is in an environment already was chosen by somebody.
    constraints: isNew ? join(PYTHON_SOURCES, '..', 'constraints.txt') : undefined,
    env: process.env,
  });
  for (const step of plan) {
    const ended = await install(terminal, step);
    if (ended.type !== 'done') return ended;
  }
  warnOfOthers(terminal, python);
  return { type: 'done', python };
}

const VENV = '.venv';

/** What makes another environment win over the one that was mended. */
function warnOfOthers({ errors }: Terminal, python: string): void {
  const named = process.env['CADUCEUS_PYTHON'] ?? '';
  const active = process.env['VIRTUAL_ENV'] ?? '';
  if (named !== '' && resolve(named) !== python)
    errors.write(`! CADUCEUS_PYTHON names ${named}, which wins over ${VENV}\n`);
  else if (active !== '' && resolve(active) !== resolve(VENV))
    errors.write(`! ${active} is active, and wins over ${VENV}\n`);
}

type Made = { readonly type: 'made'; readonly python: string; readonly isNew: boolean } | NotFixed;

async function makeVenv(terminal: Terminal, named: string | undefined): Promise<Made> {
  const cwd = process.cwd();
  const python = join(cwd, VENV, 'bin', 'python');
  const found = await findInterpreters({ python: named, env: process.env, cwd });
  if (existsSync(join(cwd, VENV))) {
    const own = found.find(({ command }) => command === python);
    if (own !== undefined && (own.state === 'usable' || own.state === 'chosen'))
      return { type: 'made', python, isNew: false };
    const why =
      own?.state === 'too_old' ? `is of Python ${own.version}` : 'has no Python that runs';
    // It may hold what somebody wants to keep.
    const advice = `Remove it (rm -r ${VENV}) and ask again.`;
    return { type: 'failed', why: `${VENV} is there, but ${why}`, advice };
  }
  const base = found.find(({ state }) => state === 'chosen') ?? newest(named, found);
  if (base === undefined) {
    const advice = 'Install a newer Python, or name one with --python.';
    return { type: 'failed', why: 'there is no Python to make an environment from', advice };
  }
  const step: InstallStep = {
    what: `${VENV} with Python ${base.version} (${base.executable})`,
    ways: [{ command: base.executable, args: ['-m', 'venv', join(cwd, VENV)] }],
    advice: 'On Debian or Ubuntu: apt install python3-venv. Or name another Python with --python.',
  };
  const ended = await install(terminal, step);
  return ended.type !== 'done' ? ended : { type: 'made', python, isNew: true };
}

function newest(
  named: string | undefined,
  found: Awaited<ReturnType<typeof findInterpreters>>,
): (typeof found)[number] | undefined {
  return named === undefined ? found.findLast(({ state }) => state === 'usable') : undefined;
}

async function lackingOf(
  terminal: Terminal,
  executable: string,
  bridges: readonly string[],
): Promise<readonly PackageFacts[]> {
  const adapters = builtInAdapters().filter(([name]) => bridges.includes(name));
  const packages = [...new Set(adapters.flatMap(([, adapter]) => adapter.requiredPackages ?? []))];
  const answer = await withProgress(terminal, `looking into ${VENV}`, () =>
    probePython({ executable, packages, env: workerEnv(process.env, {}) }),
  );
  const facts = answer.type === 'found' ? (answer.found.packages ?? []) : [];
  return facts.filter((each) => !isUsable(each));
}

/** The first of a step's ways that works. */
async function install(
  terminal: Terminal,
  { what, ways, advice }: InstallStep,
): Promise<{ readonly type: 'done' } | NotFixed> {
  let last: Exclude<ProgramEnd, { type: 'done' }> = { type: 'failed', why: what };
  const sinceMs = terminal.clock.nowMs();
  for (const way of ways) {
    const end = await withProgress(terminal, what, () => runProgram(terminal, way));
    if (end.type === 'done') {
      const seconds = Math.round((terminal.clock.nowMs() - sinceMs) / MS_PER_S);
      terminal.errors.write(`✓ ${what}, ${seconds} s\n`);
      return { type: 'done' };
    }
    last = end;
    if (end.type === 'interrupted') break;
  }
  terminal.errors.write(`✗ ${what}\n`);
  return { ...last, advice };
}

const MS_PER_S = 1_000;
