// How does a test use the command line? As a user does: the program of the build, in a folder of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

import { PYTHON } from './real-runtime.ts';

export const ROOT = path.resolve(import.meta.dirname, '../..');
export const PROGRAM = path.join(ROOT, 'dist/src/cli/caduceus.js');
export const DEADLINE_MS = 60_000;

/** A folder of its own for a test, gone with it. */
export interface Folder {
  readonly path: string;
  write(name: string, ...lines: readonly string[]): void;
  read(name: string): string;
  /** The command, with what it reads from its input. */
  caduceus(args: readonly string[], input?: string): Ran;
}

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of the program, in the folder; none of this process's own settings. */
export function cliEnv(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(?:CADUCEUS|VITEST)/u.test(name));
  return { ...Object.fromEntries(own), CADUCEUS_PYTHON: path.resolve(PYTHON) };
}

export function makeFolder(): Folder {
  const folder = mkdtempSync(path.join(tmpdir(), 'caduceus-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return {
    path: folder,
    write: (name, ...lines) => writeFileSync(path.join(folder, name), lines.join('\n')),
    read: (name) => readFileSync(path.join(folder, name), 'utf8'),
    caduceus: (args, input = '') => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
        encoding: 'utf8',
        cwd: folder,
        env: cliEnv(),
        input,
        timeout: DEADLINE_MS,
        killSignal: 'SIGKILL',
      });
      return { status, stdout, stderr };
    },
  };
}
