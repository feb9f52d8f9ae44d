// Is the guide to scikit-learn true? Its code is that of a program that runs from the build.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { guideCode } from '../support/guide-code.ts';
import { PYTHON } from '../support/real-runtime.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const GUIDE = readFileSync(path.join(ROOT, 'docs/guide/sklearn.md'), 'utf8');
const PROGRAM = readFileSync(path.join(ROOT, 'docs/examples/sklearn/sklearn.ts'), 'utf8');
const execute = promisify(execFile);

describe('the guide to scikit-learn', () => {
  it('shows what its program does', () => {
    const { count, strange } = guideCode(GUIDE, PROGRAM);
    expect(count).toBeGreaterThanOrEqual(8);
    expect(strange).toEqual([]);
  });

  it('has a program that does what the guide says', { timeout: 60_000 }, async () => {
    const program = path.join(ROOT, 'dist/docs/examples/sklearn/sklearn.js');
    const folder = mkdtempSync(path.join(tmpdir(), 'caduceus-test-'));
    try {
      const { stdout } = await execute(process.execPath, [program, folder], {
        cwd: ROOT,
        env: {
          ...process.env,
          CADUCEUS_PYTHON: path.resolve(PYTHON),
          CADUCEUS_LOG_LEVEL: 'silent',
        },
        timeout: 60_000,
        killSignal: 'SIGKILL',
      });
      const lines = stdout.trim().split('\n');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        ['train', ['classification', 1347, []]],
        ['predict', ['float64', [1797, 64], 1797, [0, 1, 2, 3, 4]]],
        ['evaluate', true],
        ['kill -9', true],
        ['save', [1797, 10]],
        ['pickles', 'unsafe_format'],
        ['epochs', [5, true]],
        ['given up', 'aborted'],
        ['unified', [21]],
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
