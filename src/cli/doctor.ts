// Can this machine run our workers? Looks at Node and Python, then starts one real worker of the DSPy bridge.
import { systemClock } from '../../actors/ground/clock.ts';
import { isCaduceusError, type CaduceusError } from '../../actors/ground/errors.ts';
import { BridgeStartError, PythonNotFoundError } from '../../actors/ground/start-errors.ts';
import { compareVersions } from '../../actors/port/handshake.ts';
import {
  interpreterCandidates,
  resolveInterpreter,
  type Interpreter,
} from '../../actors/port/interpreter.ts';
import { PYTHON_SOURCES } from '../../actors/port/package-root.ts';
import { dspy } from '../adapters/dspy.ts';
import { createRuntime } from '../runtime.ts';

const TRACEBACK_LINES = 8;

export interface Examination {
  readonly version: string;
  /** As `engines` has it, e.g. `>=20.19`. */
  readonly nodeWanted: string;
  /** Named by the user: then no other interpreter is tried. */
  readonly python: string | undefined;
}

/** What is wrong, and what a person can do about it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  /** The last lines of Python's traceback; empty when Python raised nothing. */
  readonly traceback: readonly string[];
  readonly advice: string;
}

/** What the doctor found. A part is null when the one before it is broken. */
export interface Findings {
  readonly ok: boolean;
  readonly version: string;
  readonly node: { readonly version: string; readonly wanted: string; readonly ok: boolean };
  readonly python: (Interpreter & { readonly because: string }) | null;
  readonly sources: string;
  readonly bridge: {
    readonly framework: string;
    readonly version: string;
    readonly operations: readonly string[];
    readonly readyMs: number;
  } | null;
  readonly problem: Problem | null;
}

/** Never rejects for what it looks for: a broken part is a finding. */
export async function examine({ version, nodeWanted, python }: Examination): Promise<Findings> {
  const nodeVersion = process.versions.node;
  const isNodeNew = compareVersions(nodeVersion, nodeWanted.replace(/[^\d.]/gu, '')) >= 0;
  const node = { version: nodeVersion, wanted: nodeWanted, ok: isNodeNew };
  const found = { version, node, sources: PYTHON_SOURCES };
  let interpreter: Findings['python'] = null;
  try {
    interpreter = await chosenInterpreter(python);
    const bridge = await tryBridge(python);
    const problem = isNodeNew ? null : nodeTooOld(nodeVersion, nodeWanted);
    return { ok: isNodeNew, ...found, python: interpreter, bridge, problem };
  } catch (error) {
    if (!isCaduceusError(error)) throw error;
    const problem = problemOf(error, interpreter);
    return { ok: false, ...found, python: interpreter, bridge: null, problem };
  }
}

/** The interpreter that the runtime would take, and which rule chose it. */
async function chosenInterpreter(
  explicit: string | undefined,
): Promise<Interpreter & { readonly because: string }> {
  const { minPythonVersion: minVersion } = dspy();
  const query = { explicit, env: process.env, cwd: process.cwd(), minVersion };
  const chosen = await resolveInterpreter(query);
  for (const candidate of interpreterCandidates(query)) {
    const one = await resolveInterpreter({ ...query, explicit: candidate }).catch(() => undefined);
    if (one?.executable === chosen.executable) {
      return { ...chosen, because: whyChosen(candidate, explicit) };
    }
  }
  // It ran a moment ago and runs no more.
  throw new PythonNotFoundError([chosen.executable]);
}

const ON_THE_PATH = 'python3 on the PATH';

function whyChosen(candidate: string, explicit: string | undefined): string {
  if (candidate === explicit) return 'named with --python';
  if (candidate === process.env['CADUCEUS_PYTHON']) return 'named by CADUCEUS_PYTHON';
  const active = process.env['VIRTUAL_ENV'];
  if (active !== undefined && active !== '' && candidate.startsWith(active)) {
    return 'of the active virtual environment';
  }
  return candidate === 'python3' ? ON_THE_PATH : '.venv of this folder';
}

async function tryBridge(python: string | undefined): Promise<NonNullable<Findings['bridge']>> {
  const startedAtMs = systemClock.nowMs();
  await using runtime = await createRuntime({
    bridges: { dspy: { adapter: dspy(), pool: { size: 1, maxConsecutiveStartFailures: 1 } } },
    logger: false,
    ...(python === undefined ? {} : { python }),
  });
  const readyMs = Math.round(systemClock.nowMs() - startedAtMs);
  const { framework, supported_operations: operations } = (await runtime
    .pool('dspy')
    .call('get_capabilities')) as Capabilities;
  return { framework: framework.name, version: framework.version, operations, readyMs };
}

/** What every bridge answers to `get_capabilities`, as far as it is shown. */
interface Capabilities {
  readonly framework: { readonly name: string; readonly version: string };
  readonly supported_operations: readonly string[];
}

function nodeTooOld(version: string, wanted: string): Problem {
  return {
    code: 'node_too_old',
    message: `Node ${version} runs this, but ${wanted} is needed`,
    traceback: [],
    advice: `Install Node ${wanted}.`,
  };
}

/** The error that lies deepest is the one to act on: a pool that has failed says only that. */
function problemOf(error: CaduceusError, python: Findings['python']): Problem {
  if (isCaduceusError(error.cause)) return problemOf(error.cause, python);
  const { code, message } = error;
  const traceback = error instanceof BridgeStartError ? tailOf(error.traceback) : [];
  return { code, message, traceback, advice: adviceFor(code, python) };
}

function tailOf(traceback: string): readonly string[] {
  return traceback.trimEnd().split('\n').slice(-TRACEBACK_LINES);
}

function adviceFor(code: string, python: Findings['python']): string {
  const executable = python?.executable ?? 'python3';
  switch (code) {
    case 'python_not_found':
    case 'python_too_old':
      return 'Install a newer Python, or name another one with --python or CADUCEUS_PYTHON.';
    case 'package_missing': {
      const install = `-m pip install ${(dspy().requiredPackages ?? []).join(' ')}`;
      // Many systems refuse to install into their own Python, and a .venv here is found by itself.
      return python?.because === ON_THE_PATH
        ? `Install it here: ${executable} -m venv .venv && .venv/bin/python ${install}`
        : `Install it: ${executable} ${install}`;
    }
    case 'bridge_start_failed':
      return `The framework cannot be imported. Try ${executable} -c "import dspy", and install it anew if that fails too.`;
    default:
      return 'Set CADUCEUS_LOG_LEVEL=debug in your own program to see what the worker says.';
  }
}
