// Which other Pythons are there? Those of the PATH and of a version manager; asked by running them, since a shim is there whether its version is or not.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const ASK_MS = 10_000;

/** A Python of this version, e.g. `3.8`; undefined where there is none. */
export function pythonOf(version: string): string | undefined {
  return [`python${version}`, ...managed(version)].find((command) => isOf(command, version));
}

function managed(version: string): string[] {
  const folder = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${version}.`))
    .map((name) => join(folder, name, 'bin', 'python'));
}

function isOf(command: string, version: string): boolean {
  try {
    const options = { encoding: 'utf8', stdio: 'pipe', timeout: ASK_MS } as const;
    return execFileSync(command, ['-V'], options).startsWith(`Python ${version}.`);
  } catch {
    return false;
  }
}
