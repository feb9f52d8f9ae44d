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
import { installCommand, lackOf } from './missing-packages.ts';
import { PROBE_SCRIPT } from './package-root.ts';

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
    const answer = await askPython(command, ['-c', PROBE], answerSchema);
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

/** The oldest version that will do. */
export function wantedVersion({
  minVersion,
  legacy,
}: Pick<InterpreterQuery, 'minVersion' | 'legacy'>): string {
  if (legacy !== undefined) return minVersion ?? LEGACY_PYTHON_MIN;
  const wanted = minVersion ?? PYTHON_MIN;
  return compareVersions(wanted, PYTHON_MIN) >= 0 ? wanted : PYTHON_MIN;
}

const packagesSchema = z.object({
  /** Before 3.8 there is no telling; the script's own import does. */
  packages: z
    .array(
      z.object({
        requirement: z.string(),
        found: z.string().nullable(),
        isSatisfied: z.boolean(),
        error: z.string().nullable(),
      }),
    )
    .nullable(),
});

async function assertPackages({ executable }: Interpreter, needs: LegacyNeeds): Promise<void> {
  const { framework, requiredPackages } = needs;
  if (requiredPackages.length === 0) return;
  const args = [PROBE_SCRIPT, JSON.stringify({ packages: requiredPackages })];
  const answer = await askPython(executable, args, packagesSchema);
  if (answer.type === 'failed') {
    throw new PythonNotFoundError([`${executable} for its packages (${answer.why})`]);
  }
  const missing = (answer.found.packages ?? []).filter(({ isSatisfied }) => !isSatisfied);
  if (missing.length === 0) return;
  const unreadable = missing.find(({ error }) => error !== null)?.error;
  const message =
    unreadable ??
    `${lackOf(framework, executable, missing)}; install with: ${installCommand(executable, missing)}`;
  throw new BridgeStartError({
    ...{ type: 'BridgeError', message, traceback: '', code: 'package_missing' },
  });
}

const answerSchema = z.tuple([z.string(), z.string()]);

/** What Python said, or why it said nothing. */
export type PythonAnswer<Found> =
  | { readonly type: 'found'; readonly found: Found }
  | { readonly type: 'failed'; readonly why: string };

export interface AskOptions {
  readonly timeoutMs?: number | undefined;
  /** The whole environment. Default: our own. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Run Python that prints one JSON value. Never rejects. */
export function askPython<Found>(
  command: string,
  args: readonly string[],
  schema: z.ZodType<Found>,
  { timeoutMs = LIMITS.interpreterProbeTimeoutMs, env }: AskOptions = {},
): Promise<PythonAnswer<Found>> {
  return new Promise((resolve) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL' as const, env };
    execFile(command, args, options, (error, stdout) => {
      if (error !== null) {
        const [first = 'it failed'] = error.message.split('\n');
        const isLate = error.killed === true && error.signal === options.killSignal;
        resolve({ type: 'failed', why: isLate ? `no answer within ${timeoutMs} ms` : first });
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
