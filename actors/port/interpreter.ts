// Which Python runs our workers? Asked once per runtime, by running the candidate.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { LIMITS } from '../ground/limits.ts';
import {
  BridgeStartError,
  PythonNotFoundError,
  PythonTooOldError,
} from '../ground/start-errors.ts';
import { compareVersions, PYTHON_MIN } from './handshake.ts';

/** The oldest Python that a v1 script is taken to run on when nobody says: the ported design's `min_python_version`. */
const LEGACY_PYTHON_MIN = '3.8';

/** An interpreter that has answered. */
export interface Interpreter {
  /** Its own `sys.executable`: starting it directly saves a version manager's shim, and keeps its virtual environment. */
  readonly executable: string;
  readonly version: string;
}

export interface InterpreterQuery {
  /** Named by the user: then no other is tried. */
  readonly explicit?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** At least {@link PYTHON_MIN}; a bridge may need newer. */
  readonly minVersion?: string | undefined;
  /** A v1 script will run there, and none of our own code: 3.8 or what `minVersion` says, and nobody else looks for its packages. */
  readonly legacy?: LegacyNeeds | undefined;
}

/** What a v1 script needs, and who it is in the error. */
export interface LegacyNeeds {
  readonly framework: string;
  /** Names of distributions. */
  readonly requiredPackages: readonly string[];
}

const PROBE =
  'import json,sys; print(json.dumps([sys.executable, "%d.%d.%d" % sys.version_info[:3]]))';

/** The candidates in order: explicit, `CADUCEUS_PYTHON`, the active virtual environment, `.venv` of the working directory, `python3`. */
export function interpreterCandidates(query: InterpreterQuery): readonly string[] {
  const { explicit, env, cwd } = query;
  if (explicit !== undefined) return [explicit];
  const named = env['CADUCEUS_PYTHON'];
  if (named !== undefined && named !== '') return [named];
  const found: string[] = [];
  const active = env['VIRTUAL_ENV'];
  if (active !== undefined && active !== '') found.push(join(active, 'bin', 'python'));
  const local = join(cwd, '.venv', 'bin', 'python');
  if (existsSync(local)) found.push(local);
  return [...found, 'python3'];
}

/**
 * The first candidate that runs.
 * @throws {@link PythonNotFoundError} listing what was tried; {@link PythonTooOldError} when the first that runs is too old; for a v1 script
 *   {@link BridgeStartError} (`package_missing`) when that has not all it needs.
 */
export async function resolveInterpreter(query: InterpreterQuery): Promise<Interpreter> {
  const tried: string[] = [];
  for (const command of interpreterCandidates(query)) {
    const answer = await ask(command, [PROBE], answerSchema);
    if (answer.type === 'failed') {
      tried.push(`${command} (${answer.why})`);
      continue;
    }
    const [named, version] = answer.found;
    const executable = named || command;
    const wanted = wantedVersion(query);
    if (compareVersions(version, wanted) < 0) {
      throw new PythonTooOldError(executable, version, wanted);
    }
    const interpreter = { executable, version };
    if (query.legacy !== undefined) await assertPackages(interpreter, query.legacy);
    return interpreter;
  }
  throw new PythonNotFoundError(tried);
}

function wantedVersion({ minVersion, legacy }: InterpreterQuery): string {
  if (legacy !== undefined) return minVersion ?? LEGACY_PYTHON_MIN;
  const wanted = minVersion ?? PYTHON_MIN;
  return compareVersions(wanted, PYTHON_MIN) >= 0 ? wanted : PYTHON_MIN;
}

/** Before 3.8 there is no telling; the script's own import does. A half removed distribution has no version. */
const PACKAGES_PROBE = `
import json, sys
missing = []
try:
    from importlib.metadata import version
except ImportError:
    sys.argv[1:] = []
for name in sys.argv[1:]:
    try:
        found = version(name)
    except Exception:
        found = None
    if found is None:
        missing.append(name)
print(json.dumps(missing))
`;
const missingSchema = z.array(z.string());

async function assertPackages({ executable }: Interpreter, needs: LegacyNeeds): Promise<void> {
  const { framework, requiredPackages } = needs;
  if (requiredPackages.length === 0) return;
  const answer = await ask(executable, [PACKAGES_PROBE, ...requiredPackages], missingSchema);
  if (answer.type === 'failed') {
    throw new PythonNotFoundError([`${executable} for its packages (${answer.why})`]);
  }
  const { found: missing } = answer;
  if (missing.length === 0) return;
  const verb = missing.length === 1 ? 'is' : 'are';
  const message = `the ${framework} bridge needs ${missing.join(', ')}, which ${verb} not installed for ${executable}; install with: ${executable} -m pip install ${missing.join(' ')}`;
  throw new BridgeStartError({
    ...{ type: 'BridgeError', message, traceback: '', code: 'package_missing' },
  });
}

const answerSchema = z.tuple([z.string(), z.string()]);

type Answer<Found> =
  | { readonly type: 'found'; readonly found: Found }
  | { readonly type: 'failed'; readonly why: string };

/** Run a few lines of Python that print one line of JSON. */
function ask<Found>(
  command: string,
  args: readonly string[],
  schema: z.ZodType<Found>,
): Promise<Answer<Found>> {
  return new Promise((resolve) => {
    const options = { timeout: LIMITS.interpreterProbeTimeoutMs, killSignal: 'SIGKILL' as const };
    execFile(command, ['-c', ...args], options, (error, stdout) => {
      if (error !== null) {
        resolve({ type: 'failed', why: error.message.split('\n')[0] ?? 'it failed' });
        return;
      }
      try {
        resolve({ type: 'found', found: schema.parse(JSON.parse(stdout)) });
      } catch {
        resolve({ type: 'failed', why: 'it did not answer as Python does' });
      }
    });
  });
}
