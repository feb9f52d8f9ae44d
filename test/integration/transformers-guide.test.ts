// Is the guide to Transformers true? Its code is that of a program that runs from the build.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { guideCode } from '../support/guide-code.ts';
import { PYTHON } from '../support/real-runtime.ts';
import { sentenceModel, tinyModels } from '../support/tiny-models.ts';
import { IMPORT_MS } from '../support/transformers-runtime.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const GUIDE = readFileSync(path.join(ROOT, 'docs/guide/transformers.md'), 'utf8');
const PROGRAM = readFileSync(path.join(ROOT, 'docs/examples/transformers/guide.ts'), 'utf8');
const execute = promisify(execFile);

describe('the guide to Transformers', () => {
  it('shows what its program does', () => {
    const { count, strange } = guideCode(GUIDE, PROGRAM);
    expect(count).toBeGreaterThanOrEqual(10);
    expect(strange).toEqual([]);
  });

  it('has a program that does what the guide says', { timeout: IMPORT_MS }, async () => {
    const program = path.join(ROOT, 'dist/docs/examples/transformers/guide.js');
    const models = tinyModels();
    const folders = [models.llama, sentenceModel(), models.classifier];
    const { stdout } = await execute(process.execPath, [program, ...folders], {
      cwd: ROOT,
      env: {
        ...process.env,
        CADUCEUS_PYTHON: path.resolve(PYTHON),
        CADUCEUS_LOG_LEVEL: 'silent',
      },
      timeout: IMPORT_MS,
      killSignal: 'SIGKILL',
    });
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      ['generate', true],
      ['messages', true],
      ['stream', ['length', 40]],
      ['pieces', true],
      ['embed', ['float32', 2, true]],
      ['classify', 'string'],
      ['kill -9', true],
      ['given up', 'aborted'],
      ['unified', true],
      ['an adapter of your own', true],
    ]);
  });
});
