// Can this machine run our workers? Looks at Node, Python, packages and the system, then starts a real worker of each bridge that is wanted.
import { systemClock } from '../../actors/ground/clock.ts';
import { isCaduceusError, type CaduceusError } from '../../actors/ground/errors.ts';
import { BridgeStartError, PythonNotFoundError } from '../../actors/ground/start-errors.ts';
import { compareVersions, PYTHON_MIN } from '../../actors/port/handshake.ts';
import { PYTHON_SOURCES } from '../../actors/port/package-root.ts';
import { isBuiltIn } from '../adapters/built-in.ts';
import { createRuntime } from '../runtime.ts';
import { lackProblem, lookAtBridges, type During } from './doctor-bridges.ts';
import type {
  BridgeFinding,
  Findings,
  InterpreterFinding,
  Problem,
  WorkerFinding,
} from './doctor-findings.ts';
import { findInterpreters } from './doctor-python.ts';
import {
  lookAtLimits,
  lookAtSocketFolder,
  socketProblems,
  systemWarnings,
} from './doctor-system.ts';

const TRACEBACK_LINES = 8;

export interface Examination {
  readonly version: string;
  /** As `engines` has it, e.g. `>=20.19`. */
  readonly nodeWanted: string;
  /** Named by the user: then no other interpreter is tried. */
  readonly python: string | undefined;
  /** Built-in bridges: what these lack is a problem, and a worker of each is started. */
  readonly bridges: readonly string[];
  /** Shows what it is at. */
  readonly during: During;
}

/** Never rejects for what it looks for: a broken part is a finding. */
export async function examine(examination: Examination): Promise<Findings> {
  const { version, nodeWanted, during } = examination;
  const node = lookAtNode(nodeWanted);
  const place = { python: examination.python, env: process.env, cwd: process.cwd() };
  const interpreters = await during('looking for interpreters', () => findInterpreters(place));
  const python = interpreters.find(({ state }) => state === 'chosen') ?? null;
  const socketFolder = await lookAtSocketFolder();
  const limits = lookAtLimits();
  const problems: Problem[] = [
    ...(node.ok ? [] : [nodeTooOld(node)]),
    ...socketProblems(socketFolder),
    ...(python === null ? [noPython(examination.python, interpreters)] : []),
  ];
  const bridges =
    python === null ? [] : await lookAtBridges(python.executable, examination.bridges, during);
  const workers: WorkerFinding[] = [];
  for (const bridge of bridges.filter(({ isWanted }) => isWanted)) {
    // Without a folder for sockets none gets ready, which has been said.
    if (python === null || socketFolder.error !== null) break;
    const what = `starting a worker of the ${bridge.name} bridge`;
    const tried = await during(what, () => tryBridge(bridge, python));
    if ('readyMs' in tried) workers.push(tried);
    else problems.push(tried);
  }
  return {
    ok: problems.length === 0,
    ...{ version, node, python, interpreters, sources: PYTHON_SOURCES },
    ...{ bridges, workers, socketFolder, limits, problems },
    warnings: systemWarnings(socketFolder, limits),
  };
}

function lookAtNode(wanted: string): Findings['node'] {
  const version = process.versions.node;
  return { version, wanted, ok: compareVersions(version, wanted.replace(/[^\d.]/gu, '')) >= 0 };
}

async function tryBridge(
  bridge: BridgeFinding,
  python: InterpreterFinding,
): Promise<WorkerFinding | Problem> {
  const lack = lackProblem(bridge, python);
  // Where all is there by its metadata, a worker shows more of what is broken than a trial.
  if (lack !== undefined && bridge.packages.some(({ isSatisfied }) => !isSatisfied)) return lack;
  try {
    return await startWorker(bridge.name, python.executable);
  } catch (error) {
    if (!isCaduceusError(error)) throw error;
    return startProblem(error, bridge, python);
  }
}

async function startWorker(bridge: string, python: string): Promise<WorkerFinding> {
  if (!isBuiltIn(bridge)) throw new TypeError(`${bridge} is no built-in bridge`);
  const startedAtMs = systemClock.nowMs();
  await using runtime = await createRuntime({
    bridges: { [bridge]: { adapter: bridge, pool: { size: 1, maxConsecutiveStartFailures: 1 } } },
    logger: false,
    python,
  });
  const readyMs = Math.round(systemClock.nowMs() - startedAtMs);
  const { framework, supported_operations: operations } = (await runtime
    .pool(bridge)
    .call('get_capabilities')) as Capabilities;
  return { bridge, framework: framework.name, version: framework.version, operations, readyMs };
}

/** What every bridge answers to `get_capabilities`, as far as it is shown. */
interface Capabilities {
  readonly framework: { readonly name: string; readonly version: string };
  readonly supported_operations: readonly string[];
}

function nodeTooOld({ version, wanted }: Findings['node']): Problem {
  return {
    code: 'node_too_old',
    message: `Node ${version} runs this, but ${wanted} is needed`,
    traceback: [],
    advice: `Install Node ${wanted}.`,
  };
}

/** Nothing is chosen: none of those that the runtime tries runs, or the first that does is too old. */
function noPython(named: string | undefined, found: readonly InterpreterFinding[]): Problem {
  const old = found.find(({ state, because }) => state === 'too_old' && because !== 'of pyenv');
  const usable = found.findLast(({ state }) => state === 'usable');
  const other =
    usable === undefined ? '' : ` There is Python ${usable.version}: ${usable.executable}.`;
  const advice = `Install a newer Python, or name another one with --python or CADUCEUS_PYTHON.${other}`;
  if (old !== undefined && (named === undefined || old.command === named)) {
    const message = `${old.executable} is Python ${old.version}, but ${PYTHON_MIN} or newer is needed`;
    return { code: 'python_too_old', message, traceback: [], advice };
  }
  const tried = found.filter(
    ({ command, because, state }) =>
      state === 'broken' && (named === undefined ? because !== 'of pyenv' : command === named),
  );
  const { code, message } = new PythonNotFoundError(
    tried.map(({ command, why }) => `${command} (${why})`),
  );
  return { code, message, traceback: [], advice };
}

/** The error that lies deepest is the one to act on: a pool that has failed says only that. */
function startProblem(
  error: CaduceusError,
  bridge: BridgeFinding,
  python: InterpreterFinding,
): Problem {
  if (isCaduceusError(error.cause)) return startProblem(error.cause, bridge, python);
  const { code, message } = error;
  const traceback = error instanceof BridgeStartError ? tailOf(error.traceback) : [];
  const lack = lackProblem(bridge, python);
  return { code, message, traceback, advice: lack?.advice ?? adviceFor(code, bridge, python) };
}

function tailOf(traceback: string): readonly string[] {
  return traceback.trimEnd().split('\n').slice(-TRACEBACK_LINES);
}

function adviceFor(
  code: string,
  { packages }: BridgeFinding,
  { executable }: InterpreterFinding,
): string {
  const modules = packages.flatMap((each) => each.modules).join(', ');
  return code === 'bridge_start_failed' && modules !== ''
    ? `The framework cannot be imported. Try ${executable} -c "import ${modules}", and install it anew if that fails too.`
    : 'Set CADUCEUS_LOG_LEVEL=debug in your own program to see what the worker says.';
}
