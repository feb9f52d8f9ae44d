// Does the package that a user would install hold what it needs, and does the README's example run on it?

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
const DEADLINE_MS = 60_000;

const execute = promisify(execFile);
const scratch = mkdtempSync(path.join(tmpdir(), 'caduceus-package-'));
const home = path.join(scratch, 'user');

/** A user's npm knows nothing of the npm that runs this suite, which tells its children a lot. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$|^VITEST/u.test(name)),
);

function command(program: string, args: readonly string[], cwd: string) {
  return execute(program, [...args], { cwd, env, timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
}

/** The first ts block below the first heading that speaks of an example. */
function exampleOf(readme: string): string {
  const [, below] = /^#+ [^\n]*example[^\n]*\n([\s\S]*)/imu.exec(readme) ?? [];
  const [, code] = /^```ts\n([\s\S]*?)^```$/mu.exec(below ?? '') ?? [];
  if (code === undefined) throw new Error('the README has no ts block below an "Example" heading');
  return code;
}

function withoutTypes(code: string): string {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

describe('the package', () => {
  let tarball = '';
  let files: string[] = [];

  beforeAll(async () => {
    const packed = await command('npm', ['pack', '--json', '--pack-destination', scratch], ROOT);
    const [entry] = JSON.parse(packed.stdout.slice(packed.stdout.search(/^\[/mu))) as [
      { filename: string; files: { path: string }[] },
    ];
    tarball = path.join(scratch, entry.filename);
    files = entry.files.map((file) => file.path);
  }, DEADLINE_MS);

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it.each([
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'python/src/caduceus/worker.py',
    'python/constraints.txt',
    'LICENSE',
    'package.json',
  ])('holds %s', (file) => {
    expect(files).toContain(file);
  });

  it('holds nothing that only its developers need', () => {
    const foreign =
      /(?:^|\/)(?:tests?|__pycache__|\.ci|\.config|\.cache|\.venv)\/|\.test\.|\.pyc$|_cache\//u;
    expect(files.filter((file) => foreign.test(file))).toEqual([]);
  });

  it(
    'runs the example of the README where it is installed',
    { timeout: 2 * DEADLINE_MS },
    async () => {
      const example = exampleOf(readFileSync(path.join(ROOT, 'README.md'), 'utf8'));
      await command('mkdir', [home], scratch);
      await command('npm', ['init', '-y'], home);
      const quiet = ['--no-save', '--prefer-offline', '--no-audit', '--no-fund'];
      await command('npm', ['install', ...quiet, tarball], home);
      writeFileSync(path.join(home, 'example.mjs'), withoutTypes(example));
      const python = path.join(ROOT, '.venv/bin/python');
      const ran = await execute(process.execPath, ['example.mjs'], {
        cwd: home,
        env: { ...env, CADUCEUS_PYTHON: python },
        timeout: DEADLINE_MS,
        killSignal: 'SIGKILL',
      });
      expect(ran.stdout.trim()).not.toBe('');
    },
  );
});

describe('the example of a README', () => {
  it('is the first ts block below the heading, without its types', () => {
    const readme = [
      '# Name',
      '```ts\nfirst();\n```',
      '## An example',
      '```sh\nnpm install\n```',
      '```ts\nimport { two } from "two";\nconst second: number = two;\n```',
      '```ts\nthird();\n```',
    ].join('\n\n');
    const expected = 'import { two } from "two";\nconst second = two;';
    expect(withoutTypes(exampleOf(readme)).trim()).toBe(expected);
  });

  it('is an error when it is missing', () => {
    expect(() => exampleOf('# Name\n')).toThrow('Example');
  });
});
