// Is the guide to testing true? Its code is that of a program that runs from the build.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { PYTHON } from '../support/real-runtime.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const GUIDE = readFileSync(path.join(ROOT, 'docs/guide/testing.md'), 'utf8');
const PROGRAM = readFileSync(path.join(ROOT, 'docs/examples/testing/testing.ts'), 'utf8');
const DEADLINE_MS = 60_000;
const execute = promisify(execFile);

/** What is done, without how it is laid out. */
const statements = (text: string): readonly string[] =>
  text
    .replaceAll(/\s+/gu, ' ')
    .split(/(?<=[;{}]) /u)
    .map((line) => line.trim())
    .filter((line) => line !== '');

describe('the guide to testing', () => {
  it('shows what its program does', () => {
    const program = new Set(statements(PROGRAM));
    const snippets = [...GUIDE.matchAll(/^```ts\n([\s\S]*?)\n```$/gmu)].map(
      ([, code = '']) => code,
    );
    expect(snippets).toHaveLength(4);
    expect(snippets.flatMap(statements).filter((line) => !program.has(line))).toEqual([]);
  });

  it('has a program that does what the guide says', { timeout: DEADLINE_MS }, async () => {
    const program = path.join(ROOT, 'dist/docs/examples/testing/testing.js');
    const { stdout, stderr } = await execute(process.execPath, [program], {
      cwd: ROOT,
      env: { ...process.env, CADUCEUS_PYTHON: path.resolve(PYTHON) },
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
    const shown = stdout.trim().split('\n');
    const suite = [
      'has every operation of its adapter',
      'answers a ping in the name of its framework',
      'refuses an operation that it does not have',
      'counts what is added',
    ];
    expect(stderr).toBe('');
    expect(shown.map((line) => JSON.parse(line) as unknown)).toEqual([
      ...[1, 2, 3].map((layer) => [`layer ${layer}`, ['bread', 'milk']]),
      ['lost', 'worker_crashed'],
      ['next', 3],
      ...[1, 2, 3].flatMap((layer) => suite.map((name) => [`layer ${layer}`, name])),
    ]);
  });
});
