// Does the command tell the truth about this machine, and about one that cannot run workers?

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const PROGRAM = path.join(ROOT, 'dist/src/cli/caduceus.js');
const PYTHON = path.resolve(ROOT, process.env['CADUCEUS_PYTHON'] ?? '.venv/bin/python');
const DEADLINE_MS = 60_000;

const scratch = mkdtempSync(path.join(tmpdir(), 'caduceus-cli-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function caduceus(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = process.cwd(),
) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    cwd,
    env: { ...process.env, CADUCEUS_PYTHON: PYTHON, ...env },
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

describe('caduceus doctor', { timeout: DEADLINE_MS }, () => {
  it('starts a worker of the DSPy bridge and says so', () => {
    const { status, stdout } = caduceus(['doctor']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/✓ Node +\d+\./u);
    expect(stdout).toMatch(/✓ Python +3\.\d+/u);
    expect(stdout).toContain('named by CADUCEUS_PYTHON');
    expect(stdout).toMatch(/✓ Bridge +dspy 3\.\d+\.\d+, a worker was ready after \d+ ms/u);
    expect(stdout).toContain('execute_program');
  });

  it('gives the same as JSON', () => {
    const { status, stdout } = caduceus(['doctor', '--json', '--python', PYTHON]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      node: { version: process.versions.node, ok: true },
      python: { because: 'named with --python' },
      bridge: {
        framework: 'dspy',
        operations: expect.arrayContaining(['configure_lm']) as unknown,
      },
      problem: null,
    });
  });

  it('says what to do when there is no interpreter', () => {
    const { status, stdout } = caduceus(['doctor', '--python', '/nowhere/python']);
    expect(status).toBe(1);
    expect(stdout).toContain('python_not_found');
    expect(stdout).toContain('/nowhere/python');
    expect(stdout).toContain('What to do: Install a newer Python');
  });

  it('says which package is missing and how to install it', () => {
    const python = bareEnvironment('without-dspy');
    const { status, stdout } = caduceus(['doctor', '--python', python]);
    expect(status).toBe(1);
    expect(stdout).toContain('package_missing');
    expect(stdout).toContain(`What to do: Install it: ${python} -m pip install dspy`);
  });

  it("does not advise to install into the system's own Python", () => {
    const python = bareEnvironment('as-system');
    const env = { CADUCEUS_PYTHON: '', VIRTUAL_ENV: '', PATH: path.dirname(python) };
    const { status, stdout } = caduceus(['doctor'], env, scratch);
    expect(status).toBe(1);
    expect(stdout).toContain('python3 on the PATH');
    expect(stdout).toContain('-m venv .venv && .venv/bin/python -m pip install dspy');
  });

  it("shows Python's own words when the framework cannot be imported", () => {
    const python = bareEnvironment('with-broken-dspy');
    installBrokenDspy(python);
    const { status, stdout } = caduceus(['doctor', '--python', python]);
    expect(status).toBe(1);
    expect(stdout).toContain('bridge_start_failed');
    expect(stdout).toContain('  | RuntimeError: broken on purpose');
    expect(stdout).toContain('What to do: The framework cannot be imported.');
  });
});

/** A virtual environment that holds the standard library alone. */
function bareEnvironment(name: string): string {
  const folder = path.join(scratch, name);
  const made = spawnSync(PYTHON, ['-m', 'venv', '--without-pip', folder], {
    encoding: 'utf8',
    timeout: DEADLINE_MS,
  });
  expect(made.stderr).toBe('');
  return path.join(folder, 'bin/python');
}

function installBrokenDspy(python: string): void {
  const code = 'import sysconfig; print(sysconfig.get_path("purelib"))';
  const asked = spawnSync(python, ['-c', code], { encoding: 'utf8', timeout: DEADLINE_MS });
  const packages = asked.stdout.trim();
  writeFileSync(path.join(packages, 'dspy.py'), 'raise RuntimeError("broken on purpose")\n');
  mkdirSync(path.join(packages, 'dspy-3.4.1.dist-info'));
  writeFileSync(
    path.join(packages, 'dspy-3.4.1.dist-info/METADATA'),
    'Metadata-Version: 2.1\nName: dspy\nVersion: 3.4.1\n',
  );
}
