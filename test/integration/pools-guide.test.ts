// Is the guide to pools true? Its code is that of a program that runs from the build.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { PYTHON } from '../support/real-runtime.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const GUIDE = readFileSync(path.join(ROOT, 'docs/guide/pools.md'), 'utf8');
const PROGRAM = readFileSync(path.join(ROOT, 'docs/examples/pools/pools.ts'), 'utf8');
const execute = promisify(execFile);

/** What is done, without how it is laid out and what is imported. */
const statements = (text: string): readonly string[] =>
  text
    .replaceAll("scriptPath: 'notebook_bridge.py'", 'scriptPath')
    .replaceAll("sqliteStore('sessions.db')", 'sqliteStore(file)')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('import'));

describe('the guide to pools', () => {
  it('shows what its program does', () => {
    const program = new Set(statements(PROGRAM));
    const snippets = [...GUIDE.matchAll(/^```ts\n([\s\S]*?)\n```$/gmu)].map(
      ([, code = '']) => code,
    );
    expect(snippets.length).toBeGreaterThanOrEqual(10);
    expect(snippets.flatMap(statements).filter((line) => !program.has(line))).toEqual([]);
  });

  it('has a program that does what the guide says', { timeout: 60_000 }, async () => {
    const program = path.join(ROOT, 'dist/docs/examples/pools/pools.js');
    const folder = mkdtempSync(path.join(tmpdir(), 'caduceus-test-'));
    try {
      const { stdout } = await execute(process.execPath, [program, path.join(folder, 's.db')], {
        cwd: ROOT,
        env: {
          ...process.env,
          CADUCEUS_PYTHON: path.resolve(PYTHON),
          NOTEBOOK_TOKEN: 'a token of nobody',
          CADUCEUS_LOG_LEVEL: 'silent',
        },
        timeout: 60_000,
        killSignal: 'SIGKILL',
      });
      const lines = stdout.trim().split('\n');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        ['now or not at all', ['done', 'done', 'checkout_timeout', 'checkout_timeout']],
        ['sessions', 'a machine that weaves'],
        ['secrets', 'signed in'],
        ['workers', [3, 'a machine that weaves']],
        ['failures', ['worker_crashed', 'maybeExecuted', true]],
        ['checkouts', 'punched cards'],
        ['batches', [2, 2, 6]],
        ['statistics', [true, true]],
        ['states', ['serving', 'punched cards']],
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
