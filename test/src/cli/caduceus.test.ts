// Is the command a program, and what does it say to what it does not know?

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const PROGRAM = path.join(ROOT, 'dist/src/cli/caduceus.js');
const DEADLINE_MS = 60_000;

function caduceus(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
  return { status, stdout, stderr };
}

describe('caduceus', () => {
  it('is a program of its own on Unix', () => {
    expect(readFileSync(PROGRAM, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/u);
  });

  it('knows its version', () => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(caduceus(['--version'])).toMatchObject({ status: 0, stdout: `${manifest.version}\n` });
  });

  it('names an option that it does not know', () => {
    const { status, stderr } = caduceus(['doctor', '--frobnicate']);
    expect(status).toBe(2);
    expect(stderr).toContain('--frobnicate');
  });
});
