// Could a bridge start here? Real interpreters and environments, with distributions made by hand.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { validateBridge, type BridgeToValidate } from '../../../src/registry/validate-bridge.ts';
import { makeEnvironment, type MadeEnvironment } from '../../support/python-environments.ts';
import { pythonOf } from '../../support/pythons.ts';

const PYTHON = path.resolve(process.env['CADUCEUS_PYTHON'] ?? '.venv/bin/python');
const SHORT_MS = 2_000;

const scratch = mkdtempSync(path.join(tmpdir(), 'caduceus-validate-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let environment: MadeEnvironment;
let script: string;
beforeAll(() => {
  environment = makeEnvironment(PYTHON, path.join(scratch, 'environment'));
  environment.install('good', '1.2.0');
  environment.install('broken', '1.0', 'raise RuntimeError("broken on purpose")\n');
  environment.install('hanging', '1.0', 'import time\nwhile True: time.sleep(1)\n');
  environment.install('crashing', '1.0', 'import os, signal\nos.kill(os.getpid(), 11)\n');
  script = path.join(scratch, 'mine.py');
  writeFileSync(script, 'raise AssertionError("a validation runs no script")\n');
});

/** Where the probe may put what it needs for a moment. */
const temporary = path.join(scratch, 'temporary');
mkdirSync(temporary);
afterEach(() => {
  expect(readdirSync(temporary)).toEqual([]);
});

const validate = (bridge: BridgeToValidate, python = environment.python) =>
  validateBridge(
    'mine',
    { scriptPath: script, ...bridge },
    { python, importTimeoutMs: SHORT_MS, env: { ...process.env, TMPDIR: temporary } },
  );

describe('a bridge that could start', () => {
  it('is well, and the report says by what', async () => {
    const report = await validate({ requiredPackages: ['good>=1.2,<2'] });
    expect(report).toMatchObject({
      ...{ bridge: 'mine', ok: true, problems: [] },
      script: { path: script, isThere: true },
      python: { executable: environment.python, venv: path.join(scratch, 'environment') },
    });
    expect(report.packages).toMatchObject([{ found: '1.2.0', modules: ['good'], error: null }]);
  });

  it('may be a built-in one, by the name of its adapter or by its adapter', async () => {
    const report = await validateBridge('dspy', { adapter: 'dspy' }, { python: PYTHON });
    expect(report).toMatchObject({ ok: true, problems: [], script: undefined });
    expect(report.packages[0]).toMatchObject({ name: 'dspy', isSatisfied: true });
    expect(report.packages[0]!.importMs).toBeGreaterThan(0);
  });

  it('may be a module that is on the path of its workers', async () => {
    const folder = path.join(scratch, 'modules');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'lonely_module.py'), 'raise AssertionError("never run")\n');
    const bridge = { scriptPath: undefined, pythonModule: 'lonely_module' };
    expect((await validate(bridge)).problems).toMatchObject([{ code: 'adapter_not_loaded' }]);
    expect(await validate({ ...bridge, env: { PYTHONPATH: folder } })).toMatchObject({ ok: true });
  });
});

describe('a bridge that could not start', () => {
  it('is one that nobody knows', async () => {
    const report = await validateBridge('dpsy', undefined, { known: ['dspy'] });
    expect(report.problems).toMatchObject([
      { code: 'not_found', message: 'dpsy is no bridge; did you mean dspy?' },
    ]);
  });

  it('has all that is wrong with it listed', async () => {
    const report = await validate({
      adapter: 'dpsy',
      scriptPath: path.join(scratch, 'nowhere.py'),
      minPythonVersion: '3.99',
      requiredPackages: ['nothing-of-this-name', 'good>=2', 'broken', 'crashing', 'hanging', 'a b'],
    });
    expect(report.ok).toBe(false);
    expect(report.problems.map(({ code }) => code)).toEqual([
      ...['adapter_not_loaded', 'script_not_found', 'python_too_old'],
      ...Array.from({ length: 6 }, () => 'package_missing'),
    ]);
    const [absent, other, broken, crashing, hanging, unreadable] = report.problems.slice(3);
    expect(absent!.advice).toBe(
      `Install it: ${environment.python} -m pip install nothing-of-this-name`,
    );
    expect(other!.message).toContain('needs good>=2, of which 1.2.0 is installed for');
    expect(other!.advice).toBe(`Install it: ${environment.python} -m pip install 'good>=2'`);
    expect(broken!.message).toMatch(/cannot be imported for .*: RuntimeError: broken on purpose$/u);
    expect(crashing!.message).toMatch(/the import ended its process: SIGSEGV$/u);
    expect(hanging!.message).toMatch(/did not end within 2000 ms, and was killed$/u);
    expect(unreadable!.message).toContain("'a b' is no requirement");
  });

  it('has a folder where its script should be', async () => {
    const { problems } = await validate({ scriptPath: scratch });
    expect(problems).toMatchObject([{ code: 'script_not_found' }]);
    expect(problems[0]!.message).toContain('it is not a file');
  });

  it('says nowhere where its Python is', async () => {
    const report = await validate({ scriptPath: undefined });
    expect(report.problems).toMatchObject([{ code: 'adapter_not_loaded' }]);
  });

  it('has no interpreter', async () => {
    const report = await validate({ python: '/nowhere/python', scriptPath: '/nowhere/a.py' });
    expect(report.python).toBeUndefined();
    expect(report.problems.map(({ code }) => code)).toEqual([
      'script_not_found',
      'python_not_found',
    ]);
    expect(report.problems[1]!.message).toContain('/nowhere/python');
  });
});

describe.each(['3.6', '3.8', '3.9', '3.10', '3.12', '3.13'])('Python %s', (version) => {
  const python = pythonOf(version);
  const isOld = Number(version.split('.')[1]) < 10;

  it.skipIf(python === undefined)('is judged by what the bridge is', async () => {
    const bridge = { requiredPackages: ['pip>=1', 'nothing-of-this-name'] };
    const canTell = version !== '3.6';
    const missing = canTell ? ['package_missing'] : [];
    const modern = await validate(bridge, python);
    expect(modern.python!.version.startsWith(`${version}.`)).toBe(true);
    expect(modern.problems.map(({ code }) => code)).toEqual([
      ...(isOld ? ['python_too_old'] : []),
      ...missing,
    ]);
    const legacy = await validate({ ...bridge, protocol: 'v1' }, python);
    expect(legacy.problems.map(({ code }) => code)).toEqual([
      ...(canTell ? [] : ['python_too_old']),
      ...missing,
    ]);
  });
});
