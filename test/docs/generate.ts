// What does `npm run docs [-- --check]` write, or find out of date? docs/lifecycles.md, and the picture in README.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

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
  return [
    { file: 'docs/lifecycles.md', found: lifecycles, wanted: lifecyclesDocument() },
    { file: 'README.md', found: readme, wanted: withLifecyclePicture(readme) },
  ].filter(({ found, wanted }) => found !== wanted);
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
  process.stdout.write('The machines have changed: run `npm run docs`.\n');
  process.exitCode = EXIT_DRIFT;
}

function write(): void {
  for (const { file, wanted } of pages()) {
    writeFileSync(join(root(), file), wanted);
    process.stdout.write(`written: ${file}\n`);
  }
}

const args = process.argv.slice(2).filter((argument) => argument !== '--');
if (args.length === 0) write();
else if (args.length === 1 && args[0] === '--check') check();
else {
  process.stderr.write(`docs: only --check is known, found ${args.join(' ')}\n`);
  process.exitCode = EXIT_USAGE;
}
