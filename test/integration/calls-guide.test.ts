// Is the guide to calls true? Its code is that of a program that runs from the build.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { PYTHON } from '../support/real-runtime.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const GUIDE = readFileSync(path.join(ROOT, 'docs/guide/calls.md'), 'utf8');
const PROGRAM = readFileSync(path.join(ROOT, 'docs/examples/calls/calls.ts'), 'utf8');
const execute = promisify(execFile);

/** What is done, without how it is laid out and what is imported. */
const statements = (text: string): readonly string[] =>
  text
    .replaceAll('(error as DeadlineExceededError)', 'error')
    .replaceAll("scriptPath: 'guide_bridge.py'", 'scriptPath')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('import'));

describe('the guide to calls', () => {
  it('shows what its program does', () => {
    const program = new Set(statements(PROGRAM));
    const snippets = [...GUIDE.matchAll(/^```ts\n([\s\S]*?)\n```$/gmu)].map(
      ([, code = '']) => code,
    );
    expect(snippets.length).toBeGreaterThanOrEqual(6);
    expect(snippets.flatMap(statements).filter((line) => !program.has(line))).toEqual([]);
  });

  it('has a program that does what the guide says', { timeout: 60_000 }, async () => {
    const program = path.join(ROOT, 'dist/docs/examples/calls/calls.js');
    const { stdout } = await execute(process.execPath, [program], {
      cwd: ROOT,
      env: { ...process.env, CADUCEUS_PYTHON: path.resolve(PYTHON) },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    const shown = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as [string, unknown]),
    );
    expect(shown).toEqual({
      values: ['float64', [2, 3], [10, 20, 30, 40, 50, 60]],
      streams: [['to', 'be', 'or', 'not'], 1],
      callbacks: 'staff (seen by look_up)',
      progress: [0, 1, 2].map((epoch) => ({ epoch, for: 'ada' })),
      cancellation: 'interrupt',
    });
  });
});
