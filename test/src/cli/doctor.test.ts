// Does the doctor tell the truth about this machine, and about one that cannot run workers? Real runs of the command.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Findings } from '../../../src/cli/doctor-findings.ts';
import { doctorText } from '../../../src/cli/doctor-text.ts';
import { makeEnvironment, makeWheel } from '../../support/python-environments.ts';
import { pythonOf } from '../../support/pythons.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const PROGRAM = path.join(ROOT, 'dist/src/cli/caduceus.js');
const PYTHON = path.resolve(ROOT, process.env['CADUCEUS_PYTHON'] ?? '.venv/bin/python');
/** The imports of all frameworks, on a machine that does something else as well. */
const DEADLINE_MS = 180_000;

const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'caduceus-cli-')));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function doctor(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = process.cwd(),
) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'doctor', ...args], {
    encoding: 'utf8',
    cwd,
    env: { ...process.env, CADUCEUS_PYTHON: PYTHON, ...env },
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
  return { status, stdout, stderr };
}

const bare = (name: string) => makeEnvironment(PYTHON, path.join(scratch, name));

describe('caduceus doctor, where workers can run', { timeout: DEADLINE_MS }, () => {
  let status: number | null;
  let findings: Findings;
  beforeAll(() => {
    const told = doctor(['--json']);
    ({ status } = told);
    findings = JSON.parse(told.stdout) as Findings;
  }, DEADLINE_MS);

  it('starts a worker of the DSPy bridge and says so', () => {
    expect(findings.problems).toEqual([]);
    expect(status).toBe(0);
    expect(findings).toMatchObject({
      ok: true,
      node: { version: process.versions.node, ok: true },
      python: { because: 'named by CADUCEUS_PYTHON', state: 'chosen', isVenv: true },
      workers: [
        {
          ...{ bridge: 'dspy', framework: 'dspy' },
          operations: expect.arrayContaining(['configure_lm']) as unknown,
        },
      ],
    });
  });

  it('says what each built-in bridge needs, what is there, and how long it takes to import', () => {
    expect(findings.bridges.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['dspy', 'langchain', 'transformers', 'sklearn']),
    );
    for (const { packages } of findings.bridges) {
      expect(packages.length).toBeGreaterThan(0);
      for (const each of packages) {
        expect(each).toMatchObject({ isSatisfied: true, error: null });
        expect(each.importMs).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it('has tried what the zygote of the bridge imports, and whether one may fork after it', () => {
    const { trial, preload } = findings.bridges.find(({ name }) => name === 'dspy')!;
    expect(preload).toEqual(['caduceus.bridges._dspy_preload']);
    expect(trial).toMatchObject({ error: null });
    if (process.platform === 'linux') expect(trial).toMatchObject({ hazard: null, threads: 1 });
  });

  it('has made a socket, and knows the limits', () => {
    const { socketFolder, limits } = findings;
    expect(socketFolder).toMatchObject({ path: tmpdir(), error: null, socketPathBytesMax: 100 });
    expect(limits.cores).toBeGreaterThan(0);
    expect(limits.memoryBytes).toBeGreaterThan(0);
    if (process.platform === 'linux') expect(limits.openFiles).toBeGreaterThan(0);
  });

  it('lists other interpreters than the one that is chosen', () => {
    const chosen = findings.interpreters.filter(({ state }) => state === 'chosen');
    expect(chosen).toEqual([findings.python]);
    const old = pythonOf('3.8');
    if (old === undefined || !path.isAbsolute(old)) return;
    expect(findings.interpreters).toContainEqual(
      expect.objectContaining({ command: old, state: 'too_old', because: 'of pyenv' }),
    );
  });

  it('says the same in words', () => {
    const text = doctorText(findings);
    expect(text).toMatch(/✓ Node +\d+\./u);
    expect(text).toMatch(/✓ Python +3\.\d+/u);
    expect(text).toContain('named by CADUCEUS_PYTHON');
    expect(text).toMatch(/✓ Packages +dspy: all that it needs is here/u);
    expect(text).toMatch(/dspy>=.*: 3\.\d+\.\d+, imported in \d+ ms/u);
    expect(text).toMatch(/preload caduceus\.bridges\._dspy_preload saves each worker \d+ ms/u);
    expect(text).toMatch(/✓ Worker +dspy 3\.\d+\.\d+, a worker was ready after \d+ ms/u);
    expect(text).toContain('execute_program');
    expect(text).toMatch(/✓ Socket folder/u);
    expect(text).toMatch(/All is well: workers can run here\.$/u);
  });
});

describe('caduceus doctor, where workers cannot run', { timeout: DEADLINE_MS }, () => {
  it('says what to do when there is no interpreter', () => {
    const { status, stdout } = doctor(['--python', '/nowhere/python']);
    expect(status).toBe(1);
    expect(stdout).toContain('python_not_found');
    expect(stdout).toContain('tried /nowhere/python');
    expect(stdout).toContain('What to do: Install a newer Python');
  });

  const old = pythonOf('3.9');
  it.skipIf(old === undefined)('says that an interpreter is too old, and which one is not', () => {
    const { status, stdout } = doctor(['--python', old!]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/python_too_old: .* is Python 3\.9\.\d+, but 3\.10 or newer is needed/u);
    expect(stdout).toMatch(/There is Python 3\.1\d/u);
  });

  it('says which package is missing and how to install it', () => {
    const { python } = bare('without-dspy');
    const { status, stdout } = doctor(['--python', python]);
    expect(status).toBe(1);
    expect(stdout).toContain('package_missing: the dspy bridge needs dspy');
    expect(stdout).toMatch(
      new RegExp(`What to do: Install it: ${python} -m pip install '?dspy`, 'u'),
    );
    expect(stdout).toMatch(/– Packages +sklearn: packages are missing \(it is not asked for\)/u);
  });

  it('says all that the bridges lack that are asked for', () => {
    const environment = bare('with-old-numpy');
    environment.install('scikit-learn', '0.24');
    const args = ['--python', environment.python, '--bridge', 'sklearn', '--bridge', 'langchain'];
    const { status, stdout } = doctor([...args, '--json']);
    expect(status).toBe(1);
    const { problems } = JSON.parse(stdout) as Findings;
    expect(problems.map(({ code }) => code)).toEqual(['package_missing', 'package_missing']);
    const told = problems.map(({ message }) => message).join('\n');
    expect(told).toMatch(/scikit-learn>=\S+, of which 0\.24 is installed/u);
    expect(told).toMatch(/langchain-openai>=\S+, which is not installed/u);
  });

  it("does not advise to install into the system's own Python", () => {
    const { python } = bare('as-system');
    const env = { CADUCEUS_PYTHON: '', VIRTUAL_ENV: '', PATH: path.dirname(python) };
    const { status, stdout } = doctor([], env, scratch);
    expect(status).toBe(1);
    expect(stdout).toContain('python3 on the PATH');
    expect(stdout).toContain('caduceus doctor --fix --bridge dspy');
    expect(stdout).toMatch(/-m venv \.venv && \.venv\/bin\/python -m pip install '?dspy/u);
  });

  it("shows Python's own words when the framework cannot be imported", () => {
    const environment = bare('with-broken-dspy');
    environment.install('dspy', '3.4.1', 'raise RuntimeError("broken on purpose")\n');
    const { status, stdout } = doctor(['--python', environment.python]);
    expect(status).toBe(1);
    expect(stdout).toContain('3.4.1, cannot be imported: RuntimeError: broken on purpose');
    expect(stdout).toContain('bridge_start_failed');
    expect(stdout).toContain('  | RuntimeError: broken on purpose');
    expect(stdout).toContain('--force-reinstall');
  });

  it('says that no socket can be made, and starts no worker then', () => {
    const env = { TMPDIR: path.join(scratch, 'a-folder-with-a-long-name'.repeat(4)) };
    mkdirSync(env.TMPDIR);
    const { python } = bare('for-sockets');
    const { status, stdout } = doctor(['--python', python, '--json'], env);
    expect(status).toBe(1);
    const { problems, workers } = JSON.parse(stdout) as Findings;
    expect(workers).toEqual([]);
    expect(problems[0]).toMatchObject({ code: 'socket_folder_unusable' });
    expect(problems[0]!.message).toContain('at most 100 are allowed');
  });

  it('refuses a bridge that is not built in', () => {
    const { status, stderr } = doctor(['--bridge', 'dpsy']);
    expect(status).toBe(2);
    expect(stderr).toContain('dpsy is no built-in bridge; did you mean dspy?');
  });
});

describe('caduceus doctor --fix', { timeout: DEADLINE_MS }, () => {
  const folder = path.join(scratch, 'project');
  const wheels = path.join(scratch, 'wheels');
  // Pip looks nowhere but here.
  const env = {
    ...{ CADUCEUS_PYTHON: '', VIRTUAL_ENV: '' },
    ...{ PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels, PIP_CONFIG_FILE: '/dev/null' },
  };
  beforeAll(() => {
    mkdirSync(folder);
    mkdirSync(wheels);
  });

  it('makes an environment, and says why what is needed cannot be installed', () => {
    const { status, stderr } = doctor(['--fix', '--python', PYTHON], env, folder);
    expect(status).toBe(1);
    expect(stderr).toMatch(/✓ \.venv with Python 3\.\d+\.\d+ \(.*\), \d+ s\n✗ installing dspy/u);
    expect(stderr).toMatch(/ERROR: .*dspy/u);
    expect(stderr).toContain('What to do: Look whether pip reaches its registry');
    expect(existsSync(path.join(folder, '.venv/bin/python'))).toBe(true);
  });

  it('installs into an environment that is there, then looks at it', () => {
    const code = 'raise RuntimeError("this one came from the folder")\n';
    makeWheel(wheels, 'dspy', '3.4.1', { python: PYTHON, code });
    const { status, stderr, stdout } = doctor(['--fix', '--json'], env, folder);
    expect(stderr).toMatch(/^✓ installing dspy>=\S+, \d+ s\n/u);
    const findings = JSON.parse(stdout) as Findings;
    expect(findings.python).toMatchObject({
      ...{ command: path.join(folder, '.venv/bin/python'), because: '.venv of this folder' },
    });
    expect(findings.bridges[0]!.packages[0]).toMatchObject({
      ...{ name: 'dspy', found: '3.4.1', error: 'RuntimeError: this one came from the folder' },
    });
    // The environment is what was asked for; that package is not.
    expect(status).toBe(1);
  });

  it('installs anew what cannot be imported, and nothing when nothing is lacking', () => {
    makeWheel(wheels, 'dspy', '3.4.1', { python: PYTHON });
    expect(doctor(['--fix'], env, folder).stderr).toMatch(/^✓ installing dspy/u);
    expect(doctor(['--fix'], env, folder).stderr).toBe('✓ .venv has all that dspy needs\n');
  });

  it('leaves alone an environment that has no Python any more', () => {
    const ruin = path.join(scratch, 'ruin');
    mkdirSync(path.join(ruin, '.venv/bin'), { recursive: true });
    writeFileSync(path.join(ruin, '.venv/keep.txt'), 'mine');
    const { status, stderr } = doctor(['--fix', '--python', PYTHON], env, ruin);
    expect(status).toBe(1);
    expect(stderr).toContain('.venv is there, but has no Python that runs');
    expect(stderr).toContain('What to do: Remove it (rm -r .venv) and ask again.');
    expect(existsSync(path.join(ruin, '.venv/keep.txt'))).toBe(true);
  });
});
