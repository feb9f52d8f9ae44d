// Which interpreters does this machine have, and which of them does the runtime take?
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

import { compareVersions, PYTHON_MIN } from '../../actors/port/handshake.ts';
import { askPython, interpreterCandidates } from '../../actors/port/interpreter.ts';
import type { InterpreterFinding } from './doctor-findings.ts';

/** Where interpreters are looked for. */
export interface Place {
  /** Named by the user: then no other one is taken. */
  readonly python: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Also older Pythons must understand it. */
const QUESTION =
  'import json,sys; print(json.dumps([sys.executable, "%d.%d.%d" % sys.version_info[:3], getattr(sys, "base_prefix", sys.prefix) != sys.prefix]))';
const answerSchema = z.tuple([z.string(), z.string(), z.boolean()]);

/** All that are found, those that the runtime would try first, in its order. Each is really run. */
export async function findInterpreters(place: Place): Promise<readonly InterpreterFinding[]> {
  const tried = interpreterCandidates({ ...place, explicit: place.python });
  const found = await Promise.all(
    commandsOf(place, tried).map((command) => look(command, whyOf(command, place))),
  );
  // The runtime takes the first of its candidates that runs, and refuses it if it is too old.
  const first = found.find(({ command, state }) => tried.includes(command) && state !== 'broken');
  return found.map((each) =>
    each === first && each.state === 'usable' ? { ...each, state: 'chosen' } : each,
  );
}

function commandsOf({ env, cwd, python }: Place, tried: readonly string[]): readonly string[] {
  const unnamed = { env: { ...env, CADUCEUS_PYTHON: '' }, cwd };
  const others = python === undefined ? [] : interpreterCandidates({ env, cwd });
  const commands = [...tried, ...others, ...interpreterCandidates(unnamed), ...managed(env)];
  return [...new Set(commands)];
}

/** Those of pyenv, the newest last. */
function managed(env: Place['env']): readonly string[] {
  const folder = join(env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort(compareVersions)
    .map((name) => join(folder, name, 'bin', 'python'))
    .filter((command) => existsSync(command));
}

async function look(command: string, because: string): Promise<InterpreterFinding> {
  const answer = await askPython(command, ['-c', QUESTION], answerSchema);
  if (answer.type === 'failed') {
    const nothing = { executable: '', version: '', isVenv: false };
    return { command, because, state: 'broken', ...nothing, why: answer.why };
  }
  const [executable, version, isVenv] = answer.found;
  const state = compareVersions(version, PYTHON_MIN) < 0 ? 'too_old' : 'usable';
  return { command, because, state, executable: executable || command, version, isVenv, why: '' };
}

/** What is not in an environment of its own, and may not be installed into. */
export const ON_THE_PATH = 'python3 on the PATH';

const LOCAL = '.venv of this folder';

function whyOf(command: string, { python, env, cwd }: Place): string {
  const isLocal = command === join(cwd, '.venv', 'bin', 'python');
  // Also when it was made just now.
  if (command === python) return isLocal ? LOCAL : 'named with --python';
  if (command === env['CADUCEUS_PYTHON']) return 'named by CADUCEUS_PYTHON';
  const active = env['VIRTUAL_ENV'];
  if (active !== undefined && active !== '' && command === join(active, 'bin', 'python')) {
    return 'of the active virtual environment';
  }
  if (isLocal) return LOCAL;
  return command === 'python3' ? ON_THE_PATH : 'of pyenv';
}
