// Does the tree keep to its floors and rooms, and would the rules notice if it did not?

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  emptyFolders,
  filesWithoutQuestion,
  importCycles,
  importsOf,
  importsWithoutExtension,
  longFiles,
  readModules,
  strayPackageImports,
  topLevelDifferences,
  upwardImports,
  type Floors,
  type Module,
} from './support/architecture.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/** From the ground up; a file imports its own row or one above it in this table, never below. */
const FLOORS: Floors = [
  ['actors', [['ground'], ['lifecycle'], ['port', 'breaker'], ['worker']]],
  ['supervisors', [['.'], ['pool']]],
  [
    'src',
    [
      ['calls'],
      ['adapters', 'telemetry', 'stores'],
      ['registry'],
      ['.'],
      ['index.ts', 'otp.ts'],
      ['testing', 'cli'],
    ],
  ],
];
const CODE = FLOORS.map(([floor]) => floor);

const TOP_LEVEL = [
  ...['actors', 'docs', 'package.json', 'python', 'src', 'supervisors', 'test', 'tsconfig.json'],
  ...['CHANGELOG.md', 'LICENSE', 'README.md', 'package-lock.json'],
  ...['.ci', '.config', '.editorconfig', '.gitignore', '.npmrc'],
  ...['.prettierignore', '.prettierrc.json'],
];

const module = (file: string, ...lines: string[]): Module => ({
  path: file,
  text: lines.join('\n'),
});

describe('the tree', () => {
  const modules = readModules(ROOT, CODE);

  it('has code on every floor', () => {
    const floors = new Set(modules.map(({ path: file }) => file.split('/')[0]));
    expect([...floors].sort()).toEqual([...CODE].sort());
  });

  it('imports downward only', () => {
    expect(upwardImports(modules, FLOORS)).toEqual([]);
  });

  it('imports xstate in actors and supervisors only', () => {
    expect(strayPackageImports(modules, 'xstate', ['actors', 'supervisors'])).toEqual([]);
  });

  it('has no import cycle', () => {
    expect(importCycles(modules)).toEqual([]);
  });

  it('names imported files with their extension', () => {
    expect(importsWithoutExtension(modules)).toEqual([]);
  });

  it('opens every file with the question that it answers', () => {
    expect(filesWithoutQuestion(modules)).toEqual([]);
  });

  it('has no file over 300 lines without a reason', () => {
    expect(longFiles(modules)).toEqual([]);
  });

  it('has no empty folder', () => {
    const folders = [...CODE, 'docs', 'python', 'test'];
    expect(emptyFolders(ROOT, folders)).toEqual([]);
  });

  it.skipIf(!existsSync(path.join(ROOT, '.git')))('has the agreed top level', () => {
    const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
    const listed = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 });
    const files = listed.split('\n').filter((file) => file !== '');
    expect(topLevelDifferences(files, TOP_LEVEL)).toEqual([]);
  });
});

describe('the rules notice', () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'caduceus-architecture-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('every form of import', () => {
    const all = module(
      'actors/ground/a.ts',
      `import { b } from './b.ts';`,
      `import type { C } from './c.ts';`,
      `export { d } from './d.ts';`,
      `export type * from './e.ts';`,
      `import './f.ts';`,
      `const g = await import('./g.ts');`,
      `const text = "import x from './never.ts'"; // import y from './never.ts'`,
    );
    expect(importsOf(all).sort()).toEqual(
      ['b', 'c', 'd', 'e', 'f', 'g'].map((name) => `./${name}.ts`),
    );
  });

  it.each([
    ['a floor above', 'actors/port/a.ts', '../../supervisors/b.ts', 'upward'],
    ['a room above', 'actors/ground/a.ts', '../port/b.ts', 'upward'],
    ['a type of a room above', 'supervisors/a.ts', './pool/b.ts', 'upward'],
    ['the façade, from below', 'src/runtime.ts', './index.ts', 'upward'],
    ['a sibling at the top', 'src/cli/a.ts', '../testing/b.ts', 'sideways'],
    ['what is on no floor', 'src/a.ts', '../test/b.ts', 'no floor'],
  ])('an import of %s', (_what, from, to, how) => {
    const found = upwardImports([module(from, `import type { X } from '${to}';`)], FLOORS);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(how);
  });

  it('a room that the table does not know', () => {
    expect(upwardImports([module('actors/attic/a.ts')], FLOORS)).toHaveLength(1);
  });

  it('and allow imports downward and within a room', () => {
    const modules = [
      module('src/cli/a.ts', `import '../index.ts'; import '../../actors/ground/b.ts';`),
      module('supervisors/pool/a.ts', `import './b.ts'; import '../c.ts';`),
    ];
    expect(upwardImports(modules, FLOORS)).toEqual([]);
  });

  it.each(['xstate', 'xstate/graph', '@xstate/store'])('an import of %s in src', (name) => {
    const modules = [
      module('src/a.ts', `import '${name}';`),
      module('actors/a.ts', `import '${name}';`),
    ];
    const found = strayPackageImports(modules, 'xstate', ['actors', 'supervisors']);
    expect(found).toEqual(['src/a.ts: imports xstate']);
  });

  it('a cycle, also one that only types close', () => {
    const modules = [
      module('actors/ground/a.ts', `import { b } from './b.ts';`),
      module('actors/ground/b.ts', `import { c } from './c.ts';`),
      module('actors/ground/c.ts', `import type { A } from './a.ts';`),
    ];
    expect(importCycles(modules)).toHaveLength(1);
    expect(importCycles(modules.slice(0, 2))).toEqual([]);
  });

  it('an import without its extension', () => {
    expect(importsWithoutExtension([module('src/a.ts', `import './b.js';`)])).toHaveLength(1);
  });

  it('a file that opens with code', () => {
    const modules = [
      module('src/a.ts', `import './b.ts';`),
      module('src/b.ts', '#!/usr/bin/env node', '// What is it?'),
    ];
    expect(filesWithoutQuestion(modules)).toHaveLength(1);
  });

  it('a long file, unless it gives its reason', () => {
    const long = Array.from({ length: 301 }, () => '//');
    const reason = '/* eslint-disable max-lines -- Over 300 lines because it is a table. */';
    expect(longFiles([module('src/a.ts', ...long)])).toHaveLength(1);
    expect(longFiles([module('src/a.ts', reason, ...long)])).toEqual([]);
  });

  it('an empty folder', () => {
    mkdirSync(path.join(scratch, 'src/full'), { recursive: true });
    mkdirSync(path.join(scratch, 'src/empty/__pycache__'), { recursive: true });
    writeFileSync(path.join(scratch, 'src/full/a.ts'), '');
    expect(emptyFolders(scratch, ['src'])).toEqual(['src/empty: is an empty folder']);
  });

  it('a stranger and a gap at the top level', () => {
    const found = topLevelDifferences(['src/a.ts', 'notes.txt'], ['src', 'docs']);
    expect(found).toEqual(['notes.txt: unexpected', 'docs: missing']);
  });
});
