// What does a report say of which facts? Pure: nothing is looked for.
import { describe, expect, it } from 'vitest';

import {
  packageProblem,
  reportOf,
  unknownBridge,
  type BridgeFacts,
  type BridgeReport,
} from '../../../src/registry/bridge-report.ts';
import type { PackageFacts, PythonFacts } from '../../../src/registry/probe.ts';

const PACKAGE: PackageFacts = {
  ...{ requirement: 'numpy>=2', name: 'numpy', found: '2.2.0', isSatisfied: true },
  ...{ modules: ['numpy'], error: null, importMs: 80 },
  ...{ threads: 1, hazard: null, memoryBytes: 1 },
};

const PYTHON: PythonFacts = {
  ...{ version: '3.11.7', executable: '/venv/bin/python', venv: '/venv' },
  ...{ packages: [PACKAGE], preload: null, module: null },
};

const WELL: BridgeFacts = {
  adapter: { type: 'loaded' },
  source: { type: 'script', path: '/mine.py', problem: undefined },
  python: { type: 'found', facts: PYTHON },
  pythonWanted: '3.10',
};

const codes = ({ problems }: BridgeReport) => problems.map(({ code }) => code);
const withPackages = (...packages: PackageFacts[]): BridgeFacts => ({
  ...WELL,
  python: { type: 'found', facts: { ...PYTHON, packages } },
});

describe('a report', () => {
  it('is well when nothing is wrong, and says what was found', () => {
    expect(reportOf('mine', WELL)).toEqual({
      ...{ bridge: 'mine', ok: true, problems: [] },
      python: { executable: '/venv/bin/python', version: '3.11.7', venv: '/venv' },
      packages: [PACKAGE],
      script: { path: '/mine.py', isThere: true },
    });
  });

  it('lists all that is wrong, not only the first', () => {
    const absent = { ...PACKAGE, requirement: 'a', found: null, isSatisfied: false };
    const broken = { ...PACKAGE, requirement: 'b', error: 'RuntimeError: no' };
    const report = reportOf('mine', {
      adapter: { type: 'unknown', given: 'dpsy', known: ['dspy', 'sklearn'] },
      source: { type: 'script', path: '/mine.py', problem: 'there is no such file' },
      python: {
        type: 'found',
        facts: { ...PYTHON, version: '3.9.1', packages: [absent, PACKAGE, broken] },
      },
      pythonWanted: '3.10',
    });
    expect(report.ok).toBe(false);
    expect(codes(report)).toEqual([
      ...['adapter_not_loaded', 'script_not_found', 'python_too_old'],
      ...['package_missing', 'package_missing'],
    ]);
    expect(report.problems[0]!.message).toContain('did you mean dspy?');
    expect(report.script).toEqual({ path: '/mine.py', isThere: false });
    for (const { message, advice } of report.problems) {
      expect(message.length).toBeGreaterThan(0);
      expect(advice).toMatch(/[.\w]$/u);
    }
  });

  it('of a name that no bridge has says which was meant', () => {
    const report = unknownBridge('dpsy', ['dspy', 'mine']);
    expect(codes(report)).toEqual(['not_found']);
    expect(report.problems[0]!.message).toBe('dpsy is no bridge; did you mean dspy?');
  });

  it('says that no interpreter runs, or that one does not answer', () => {
    const none = reportOf('mine', {
      ...WELL,
      python: { type: 'none', message: 'no Python interpreter could be run; tried x' },
    });
    expect(codes(none)).toEqual(['python_not_found']);
    expect(none.python).toBeUndefined();
    const mute = reportOf('mine', {
      ...WELL,
      python: { type: 'mute', executable: '/p', version: '3.11.7', why: 'no answer within 5 ms' },
    });
    expect(codes(mute)).toEqual(['python_not_found']);
    expect(mute.problems[0]!.message).toBe(
      '/p did not say which packages it has: no answer within 5 ms',
    );
    expect(mute.python).toMatchObject({ version: '3.11.7' });
  });

  it('says when nothing tells where the Python of the bridge is, once', () => {
    expect(codes(reportOf('mine', { ...WELL, source: { type: 'none' } }))).toEqual([
      'adapter_not_loaded',
    ]);
    const unknown = { type: 'unknown', given: 'x', known: [] } as const;
    const report = reportOf('mine', { ...WELL, adapter: unknown, source: { type: 'none' } });
    expect(codes(report)).toEqual(['adapter_not_loaded']);
  });

  it('says that the module of the bridge is not there', () => {
    const module = { error: 'there is no module a.b' };
    const report = reportOf('mine', {
      ...WELL,
      source: { type: 'module', name: 'a.b' },
      python: { type: 'found', facts: { ...PYTHON, module } },
    });
    expect(codes(report)).toEqual(['adapter_not_loaded']);
    expect(report.problems[0]!.advice).toContain('PYTHONPATH');
  });

  it('knows nothing of packages where Python cannot tell', () => {
    const facts = { ...PYTHON, version: '3.7.1', packages: null };
    const report = reportOf('mine', {
      ...WELL,
      pythonWanted: '3.7',
      python: { type: 'found', facts },
    });
    expect(report).toMatchObject({ ok: true, packages: [] });
  });
});

describe('a package', () => {
  const problemOf = (facts: Partial<PackageFacts>) =>
    reportOf('mine', withPackages({ ...PACKAGE, ...facts })).problems[0];

  it('that is absent comes with the command that installs it', () => {
    expect(problemOf({ found: null, isSatisfied: false })).toEqual({
      code: 'package_missing',
      message: 'the mine bridge needs numpy>=2, which is not installed for /venv/bin/python',
      advice: "Install it: /venv/bin/python -m pip install 'numpy>=2'",
    });
  });

  it('of another version says which one is there', () => {
    expect(problemOf({ found: '1.26.4', isSatisfied: false })!.message).toBe(
      'the mine bridge needs numpy>=2, of which 1.26.4 is installed for /venv/bin/python',
    );
  });

  it('that cannot be imported says why, and is installed anew', () => {
    expect(problemOf({ error: 'ImportError: no libm' })).toEqual({
      code: 'package_missing',
      message:
        'the mine bridge needs numpy>=2, which cannot be imported for /venv/bin/python: ImportError: no libm',
      advice: "Install it anew: /venv/bin/python -m pip install 'numpy>=2' --force-reinstall",
    });
  });

  it('whose requirement cannot be read is not to be installed', () => {
    const problem = problemOf({
      found: null,
      isSatisfied: false,
      error: "'a b' is no requirement",
    });
    expect(problem!.message).toContain("cannot be read: 'a b' is no requirement");
    expect(problem!.advice).not.toContain('pip');
  });

  it('that is well is no problem', () => {
    expect(packageProblem('mine', '/p', PACKAGE)).toBeUndefined();
  });
});
