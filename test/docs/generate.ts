// What does `npm run docs [-- --check]` write, or find out of date? docs/lifecycles.md, the tables in docs/conformance.md, and the picture in README.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  CONFORMANCE,
  conformanceProblems,
  withConformanceTables,
} from '../conformance/conformance-document.ts';
import { scenariosIn, type Found } from '../conformance/scenarios-in.ts';
import { lifecyclesDocument } from './lifecycles.ts';
import { withLifecyclePicture } from './readme-picture.ts';

const EXIT_DRIFT = 1;
const EXIT_USAGE = 2;

/** The file's text as it is and as it should be. */
interface Page {
  readonly file: string;
  readonly found: string;
  readonly wanted: string;
}

function pages(): readonly Page[] {
  const lifecycles = read('docs/lifecycles.md');
  const readme = read('README.md');
  const conformance = read('docs/conformance.md');
  return [
    { file: 'docs/lifecycles.md', found: lifecycles, wanted: lifecyclesDocument() },
    {
      file: 'docs/conformance.md',
      found: conformance,
      wanted: withConformanceTables(conformance, CONFORMANCE, cases().scenarios),
    },
    { file: 'README.md', found: readme, wanted: withLifecyclePicture(readme) },
  ].filter(({ found, wanted }) => found !== wanted);
}

/** From the sources, also when the built program runs: what a test file says is in its text. */
function cases(): Found {
  return scenariosIn(join(root(), 'test/conformance'));
}

function root(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

function read(file: string): string {
  const path = join(root(), file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** The lines that differ: what both have at the beginning and at the end is left out. */
function difference({ file, found, wanted }: Page): string {
  const [old, fresh] = [found.split('\n'), wanted.split('\n')];
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1;
  let end = 0;
  const shorter = Math.min(old.length, fresh.length) - start;
  while (end < shorter && old.at(-1 - end) === fresh.at(-1 - end)) end += 1;
  return [
    `${file}:${start + 1}`,
    ...old.slice(start, old.length - end).map((line) => `- ${line}`),
    ...fresh.slice(start, fresh.length - end).map((line) => `+ ${line}`),
  ].join('\n');
}

function check(): void {
  const stale = pages();
  for (const page of stale) process.stdout.write(`${difference(page)}\n\n`);
  if (stale.length === 0) return;
  process.stdout.write('The machines or the scenarios have changed: run `npm run docs`.\n');
  process.exitCode = EXIT_DRIFT;
}

/** What the document cannot be put right for: cases without a test. */
function judgeCases(): void {
  const problems = conformanceProblems(CONFORMANCE, cases());
  for (const problem of problems) process.stdout.write(`test/conformance: ${problem}\n`);
  if (problems.length > 0) process.exitCode = EXIT_DRIFT;
}

function write(): void {
  for (const { file, wanted } of pages()) {
    writeFileSync(join(root(), file), wanted);
    process.stdout.write(`written: ${file}\n`);
  }
}

const args = process.argv.slice(2).filter((argument) => argument !== '--');
if (args.length === 0) {
  write();
  judgeCases();
} else if (args.length === 1 && args[0] === '--check') {
  check();
  judgeCases();
} else {
  process.stderr.write(`docs: only --check is known, found ${args.join(' ')}\n`);
  process.exitCode = EXIT_USAGE;
}
