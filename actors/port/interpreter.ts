// Which Python runs our workers? Asked once per runtime, by running the candidate.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { LIMITS } from '../ground/limits.ts';
import { PythonNotFoundError, PythonTooOldError } from '../ground/start-errors.ts';
import { compareVersions, PYTHON_MIN } from './handshake.ts';

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
 * @throws {@link PythonNotFoundError} listing what was tried; {@link PythonTooOldError} when the first that runs is too old.
 */
export async function resolveInterpreter(query: InterpreterQuery): Promise<Interpreter> {
  const tried: string[] = [];
  for (const command of interpreterCandidates(query)) {
    const answer = await probe(command);
    if (answer.type === 'failed') {
      tried.push(`${command} (${answer.why})`);
      continue;
    }
    const wanted = newest(query.minVersion ?? PYTHON_MIN, PYTHON_MIN);
    if (compareVersions(answer.interpreter.version, wanted) < 0) {
      throw new PythonTooOldError(
        answer.interpreter.executable,
        answer.interpreter.version,
        wanted,
      );
    }
    return answer.interpreter;
  }
  throw new PythonNotFoundError(tried);
}

function newest(left: string, right: string): string {
  return compareVersions(left, right) >= 0 ? left : right;
}

const answerSchema = z.tuple([z.string(), z.string()]);

type Answer =
  | { readonly type: 'found'; readonly interpreter: Interpreter }
  | { readonly type: 'failed'; readonly why: string };

function probe(command: string): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { timeout: LIMITS.interpreterProbeTimeoutMs, killSignal: 'SIGKILL' as const };
    execFile(command, ['-c', PROBE], options, (error, stdout) => {
      if (error !== null) {
        resolve({ type: 'failed', why: error.message.split('\n')[0] ?? 'it failed' });
        return;
      }
      try {
        const [executable, version] = answerSchema.parse(JSON.parse(stdout));
        resolve({ type: 'found', interpreter: { executable: executable || command, version } });
      } catch {
        resolve({ type: 'failed', why: 'it did not answer as Python does' });
      }
    });
  });
}
