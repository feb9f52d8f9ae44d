// Which Python on this machine can carry our environment?
// The one that CADUCEUS_PYTHON names, and only that one; else the first that is new enough.

import { run, StepError } from './steps.mjs';

/** The oldest one for which the pinned packages (NumPy, scikit-learn) have releases. */
export const OLDEST_PYTHON = /** @type {const} */ ([3, 11]);

const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python'];

const INSTALL = `install Python ${OLDEST_PYTHON.join('.')} or newer:
  Debian, Ubuntu   apt install python3 python3-venv
  Fedora           dnf install python3
  macOS            brew install python
  anywhere         https://www.python.org/downloads/
If it has another name or place: CADUCEUS_PYTHON=/path/to/python3 npm start`;

/** @param {string} asked the value of CADUCEUS_PYTHON, or an empty string */
export async function findPython(asked) {
  const wanted = OLDEST_PYTHON.join('.');
  /** @type {string[]} */
  const tooOld = [];
  for (const command of asked === '' ? NAMES : [asked]) {
    const found = await pythonVersion(command);
    if (found === undefined) continue;
    if (!found.isTooOld) return { command, version: found.version };
    tooOld.push(`${command} is ${found.version}`);
  }
  if (asked !== '' && tooOld.length === 0) {
    throw new StepError(`CADUCEUS_PYTHON names ${asked}, which does not run as Python`, {
      advice: `give it the path of a Python ${wanted} or newer, or unset it.`,
    });
  }
  const what =
    tooOld.length === 0 ? 'none was found' : `only older was found: ${tooOld.join(', ')}`;
  throw new StepError(`Python ${wanted} or newer is needed, and ${what}`, { advice: INSTALL });
}

/**
 * @param {string} command
 * @returns {Promise<{ version: string, isTooOld: boolean } | undefined>} nothing if it does not run
 */
export async function pythonVersion(command) {
  const ask = 'import sys; print("%d.%d.%d" % sys.version_info[:3])';
  try {
    const version = (await run(command, ['-c', ask])).stdout.trim();
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const [oldestMajor, oldestMinor] = OLDEST_PYTHON;
    return { version, isTooOld: major !== oldestMajor || minor < oldestMinor };
  } catch {
    return undefined;
  }
}
