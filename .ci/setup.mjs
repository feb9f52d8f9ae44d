// What must be there before a command can run, and what is still missing?
// `setUp` is called by every script of this folder. By hand: node .ci/setup.mjs [build] [dspy] [ml] [dev]
// It changes nothing when nothing is missing, and then costs some tens of milliseconds.

import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, buildIsCurrent } from './compile.mjs';
import { withLock } from './lock.mjs';
import { installNodePackages, nodePackagesAreCurrent, requireNode } from './node-packages.mjs';
import { installPythonPackages, pythonPackagesAreCurrent, venvPython } from './python.mjs';
import { endChildrenOnSignals, showFailure, StepError } from './steps.mjs';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** @typedef {{ build?: boolean, python?: readonly string[] }} Needs */

/**
 * Provide what a command needs, or say what is in the way and end with status 1.
 * @param {Needs} needs
 */
export async function setUp({ build: needsBuild = false, python = [] }) {
  const signals = endChildrenOnSignals();
  try {
    requireNode(root);
    if (isDone({ build: needsBuild, python })) return;
    await withLock(path.join(root, '.cache/setup.lock'), async () => {
      await installNodePackages(root);
      if (needsBuild) await build(root);
      await installPythonPackages(root, python);
    });
    process.stderr.write('\n');
  } catch (error) {
    showFailure(error);
    process.exit(1);
  } finally {
    signals.stop();
  }
}

/** @param {Required<Needs>} needs */
function isDone(needs) {
  return (
    nodePackagesAreCurrent(root) &&
    pythonPackagesAreCurrent(root, needs.python) &&
    (!needs.build || buildIsCurrent(root))
  );
}

/**
 * Go on as a built program: this process becomes it, so that its terminal, arguments, exit status
 * and signals are the real ones.
 * @param {string} program a path below dist/
 */
export async function become(program) {
  const file = path.join(root, 'dist', program);
  if (!existsSync(file)) {
    showFailure(new StepError(`dist/${program} is missing: the sources have no such program`));
    process.exit(1);
  }
  process.argv[1] = file;
  process.env['CADUCEUS_PYTHON'] = venvPython(root);
  await import(pathToFileURL(file).href);
}

if (realpathSync(process.argv[1] ?? '.') === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2);
  await setUp({
    build: wanted.includes('build'),
    python: wanted.filter((name) => name !== 'build'),
  });
}
