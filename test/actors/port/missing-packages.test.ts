// Which words does one find for packages that are missing? Those of the Python side, which says the same of the same.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { installCommand, lackOf } from '../../../actors/port/missing-packages.ts';

const PYTHON = resolve(process.env['CADUCEUS_PYTHON'] ?? '.venv/bin/python');
const DEADLINE_MS = 20_000;

/** What Python says of packages that its own environment lacks, has of another version, or has. */
function inPython(...packages: string[]): { text: string; executable: string; pip: string } {
  const code = [
    'import sys, json; sys.path.insert(0, "python/src")',
    'from importlib.metadata import version',
    'from caduceus._packages import package_missing',
    'told = {"text": str(package_missing("mine", sys.argv[1:]))}',
    'print(json.dumps({**told, "executable": sys.executable, "pip": version("pip")}))',
  ];
  const told = execFileSync(PYTHON, ['-c', code.join('\n'), ...packages], { timeout: DEADLINE_MS });
  return JSON.parse(told.toString()) as ReturnType<typeof inPython>;
}

describe('missing packages', () => {
  const absent = { requirement: 'no-such-package', found: null };
  const other = { requirement: 'pip>=9999,!=3', found: '24.0' };
  const broken = { requirement: 'pip', found: '24.0', isBroken: true };

  it('are said to be absent, of another version or broken, in one sentence', () => {
    expect(lackOf('mine', '/python', [absent, { ...absent, requirement: 'b' }])).toBe(
      'the mine bridge needs no-such-package, b, which are not installed for /python',
    );
    expect(lackOf('mine', '/python', [other])).toBe(
      'the mine bridge needs pip>=9999,!=3, of which 24.0 is installed for /python',
    );
    expect(lackOf('mine', '/python', [broken, absent])).toBe(
      'the mine bridge needs no-such-package, which is not installed, and pip, which cannot be imported for /python',
    );
  });

  it('have a command that a shell takes as it stands', () => {
    expect(installCommand('/my python', [absent])).toBe(
      "'/my python' -m pip install no-such-package",
    );
    const words = installCommand('echo', [other, { ...absent, requirement: "it's" }]);
    const said = execFileSync('sh', ['-c', words], { timeout: DEADLINE_MS }).toString();
    expect(said).toBe("-m pip install pip>=9999,!=3 it's\n");
  });

  it.each([
    ['one that is absent', [absent]],
    ['another version', [other]],
    ['one that is broken', [broken]],
    ['all of these', [absent, other, broken]],
  ])('are told of as Python tells of them: %s', (_what, missing) => {
    const { text, executable, pip } = inPython(...missing.map(({ requirement }) => requirement));
    const found = missing.map((each) => (each.found === null ? each : { ...each, found: pip }));
    expect(text).toBe(
      `${lackOf('mine', executable, found)}; install with: ${installCommand(executable, found)}`,
    );
  });
});
