// Does .venv hold the Python packages that a command needs, and if not, how do they get there?
// What was installed is written down in .venv itself, so that a second run need not start Python,
// and removing the folder is all it takes to begin anew.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findPython, OLDEST_PYTHON } from './find-python.mjs';
import { notice, run, step, StepError } from './steps.mjs';

const RECORD = '.venv/caduceus.json';

/**
 * Installed by pip before uv has its turn: where pip's configuration offers a build for the CPU
 * (its version ends in `+cpu`), pip prefers it, and uv, which looks at the registry first, would
 * bring gigabytes of CUDA. What pip has installed satisfies uv.
 */
const BY_PIP_FIRST = ['torch'];

/** The sets that the suites need: every bridge's framework, and the packages that hold a model. */
export const BRIDGE_SETS = ['dspy', 'langchain', 'transformers', 'sklearn', 'models', 'chat'];

/** @typedef {{ asked: string, sets: Record<string, string> }} VenvRecord */

/** @param {string} root */
export function venvPython(root) {
  return path.join(root, '.venv/bin/python');
}

/**
 * @param {string} root
 * @param {readonly string[]} sets names of files in python/requirements, without `.txt`
 */
export function pythonPackagesAreCurrent(root, sets) {
  return sets.length === 0 || missingSets(root, sets).length === 0;
}

/**
 * @param {string} root
 * @param {readonly string[]} sets
 */
export async function installPythonPackages(root, sets) {
  const missing = missingSets(root, sets);
  if (missing.length === 0) return;
  if (readRecord(root) === undefined) await makeEnvironment(root);
  await step(`Python packages (${missing.join(', ')})`, () => installSets(root, missing));
  const hash = requirementsHash(root);
  const record = readRecord(root);
  const installed = Object.fromEntries(missing.map((set) => [set, hash]));
  writeRecord(root, { asked: record?.asked ?? '', sets: { ...record?.sets, ...installed } });
}

/**
 * @param {string} root
 * @param {readonly string[]} sets
 */
function missingSets(root, sets) {
  if (sets.length === 0) return [];
  const record = readRecord(root);
  if (record === undefined) return [...sets];
  const hash = requirementsHash(root);
  return sets.filter((set) => record.sets[set] !== hash);
}

/** @param {string} root */
async function makeEnvironment(root) {
  const asked = askedPython(root);
  const python = await findPython(asked);
  await step(`Python environment (.venv, Python ${python.version})`, () =>
    createVenv(root, python.command),
  );
  writeRecord(root, { asked, sets: {} });
}

/**
 * @param {string} root
 * @param {string} python
 */
async function createVenv(root, python) {
  try {
    await run(python, ['-m', 'venv', '--clear', '.venv'], { cwd: root });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    const hasNoVenv = /ensurepip|No module named venv/u.test(error.why);
    throw new StepError(`${python} could not make a virtual environment`, {
      why: error.why,
      advice: hasNoVenv
        ? 'its venv module is missing. On Debian or Ubuntu: `apt install python3-venv`.\nOr name another Python: `CADUCEUS_PYTHON=/path/to/python3 npm start`.'
        : error.advice,
    });
  }
}

/**
 * uv is several times faster than pip; pip is always there.
 * @param {string} root
 * @param {readonly string[]} sets
 */
async function installSets(root, sets) {
  const python = venvPython(root);
  const wanted = sets.flatMap((set) => ['-r', `python/requirements/${set}.txt`]);
  const constraints = ['-c', 'python/constraints.txt'];
  const env = installEnv();
  const pip = ['-m', 'pip', '--disable-pip-version-check', 'install', '--no-input'];
  try {
    await run(python, [...pip, ...constraints, 'uv'], { cwd: root, env });
    const first = BY_PIP_FIRST.filter((name) => isWanted(root, sets, name));
    if (first.length > 0) await run(python, [...pip, ...constraints, ...first], { cwd: root, env });
    const uv = ['-m', 'uv', 'pip', 'install', '--python', python];
    await run(python, [...uv, ...wanted, ...constraints], { cwd: root, env });
  } catch (error) {
    const why = error instanceof StepError ? lastLine(error.why) : String(error);
    process.stderr.write('\n');
    notice(`uv could not do it, going on with pip, which takes longer (${why})`);
    await run(python, [...pip, ...wanted, ...constraints], { cwd: root, env });
  }
}

/**
 * Whether one of the sets names this package.
 * @param {string} root
 * @param {readonly string[]} sets
 * @param {string} name
 */
function isWanted(root, sets, name) {
  return sets.some((set) => {
    const lines = readFileSync(path.join(root, `python/requirements/${set}.txt`), 'utf8');
    return lines.split('\n').some((line) => new RegExp(`^${name}\\b`, 'u').test(line));
  });
}

function installEnv() {
  const env = { ...process.env, UV_NO_PROGRESS: '1', UV_PYTHON_DOWNLOADS: 'never' };
  // A Python that was set up for something else must not leak its modules into ours.
  delete env['PYTHONPATH'];
  delete env['PYTHONHOME'];
  delete env['VIRTUAL_ENV'];
  const index = env['PIP_INDEX_URL'];
  return index === undefined ? env : { UV_DEFAULT_INDEX: index, ...env };
}

/** @param {string} why */
function lastLine(why) {
  const lines = why.split('\n').filter((line) => !/^\(|^\s*$/u.test(line));
  return (lines.at(-1) ?? why).trim().slice(0, 120);
}

/**
 * CADUCEUS_PYTHON, unless it names our own environment, which cannot be made from itself.
 * @param {string} root
 */
function askedPython(root) {
  const asked = process.env['CADUCEUS_PYTHON'] ?? '';
  const isOurs = path.resolve(asked).startsWith(path.join(root, '.venv') + path.sep);
  return isOurs ? '' : asked;
}

/**
 * @param {string} root
 * @returns {VenvRecord | undefined}
 */
function readRecord(root) {
  // existsSync follows links: a Python that was uninstalled below the environment counts as none.
  if (!existsSync(venvPython(root))) return undefined;
  try {
    const record = JSON.parse(readFileSync(path.join(root, RECORD), 'utf8'));
    const asked = askedPython(root);
    return asked === '' || asked === record.asked ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} root
 * @param {VenvRecord} record
 */
function writeRecord(root, record) {
  writeFileSync(path.join(root, RECORD), `${JSON.stringify(record)}\n`);
}

/**
 * Of all the requirement files, since one may include another.
 * @param {string} root
 */
function requirementsHash(root) {
  const folder = path.join(root, 'python/requirements');
  if (!existsSync(folder)) throw new StepError('python/requirements is missing in this checkout');
  const files = readdirSync(folder)
    .sort()
    .map((name) => path.join(folder, name));
  const hash = createHash('sha256').update(OLDEST_PYTHON.join('.'));
  for (const file of [...files, path.join(root, 'python/constraints.txt')]) {
    hash
      .update(`${path.basename(file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}
