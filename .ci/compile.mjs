// Is dist/ what the sources say, and if not, how is it made anew?
// The stamp is a hash of the sources' contents, so neither a fresh checkout nor a touched file
// fools it. A build is made aside and moved into place: a failed one leaves the last good one, and
// nothing of a deleted source stays behind.

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { run, step } from './steps.mjs';

const SOURCES = [
  'actors',
  'docs/examples',
  'src',
  'supervisors',
  'test',
  'package.json',
  'tsconfig.json',
];
const STAMP = 'dist/.stamp';

/** @param {string} root */
export function buildIsCurrent(root) {
  return readText(path.join(root, STAMP)) === sourcesHash(root);
}

/** @param {string} root */
export async function build(root) {
  const hash = sourcesHash(root);
  if (readText(path.join(root, STAMP)) === hash) return;
  await step('Build (tsc)', async () => {
    const made = path.join(root, '.cache/build');
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc, '-p', 'tsconfig.json', '--outDir', made], { cwd: root });
    writeFileSync(path.join(made, '.stamp'), hash);
    moveIntoPlace(made, path.join(root, 'dist'));
  });
}

/**
 * @param {string} made
 * @param {string} place
 */
function moveIntoPlace(made, place) {
  const old = `${made}-old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(place)) renameSync(place, old);
  renameSync(made, place);
  rmSync(old, { recursive: true, force: true });
}

/** @param {string} root */
function sourcesHash(root) {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    for (const file of filesUnder(root, source)) {
      hash
        .update(`${file}\0`)
        .update(readFileSync(path.join(root, file)))
        .update('\0');
    }
  }
  // Another compiler makes another dist/.
  return hash
    .update(readText(path.join(root, 'node_modules/typescript/package.json')))
    .digest('hex');
}

/**
 * @param {string} root
 * @param {string} relative
 * @returns {string[]}
 */
function filesUnder(root, relative) {
  if (/\.(?:ts|mts|json)$/u.test(relative)) return [relative];
  if (path.extname(relative) !== '' || !existsSync(path.join(root, relative))) return [];
  const entries = readdirSync(path.join(root, relative), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() || /\.(?:ts|mts|json)$/u.test(entry.name))
    .map((entry) => `${relative}/${entry.name}`)
    .sort()
    .flatMap((name) => filesUnder(root, name));
}

/** @param {string} file */
function readText(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
