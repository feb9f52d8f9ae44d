import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compareVersions } from '../../../actors/port/handshake.ts';
import { resolveInterpreter } from '../../../actors/port/interpreter.ts';

const PYTHON = process.env['CADUCEUS_PYTHON'] ?? resolve('.venv/bin/python');

const scratch = mkdtempSync(join(tmpdir(), 'caduceus-interpreter-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Something that says it is a Python of this version, and that the packages `missing` are not there. */
function pythonOf(version: string, ...missing: string[]): string {
  const file = join(scratch, `python-${version}-${missing.length}`);
  const packages = missing.map((requirement) => ({
    ...{ requirement, found: null, isSatisfied: false, error: null },
  }));
  const answers = [
    `  *version_info*) echo '["${file}", "${version}"]' ;;`,
    `  *) echo '${JSON.stringify({ packages })}' ;;`,
  ];
  writeFileSync(file, ['#!/bin/sh', 'case "$2" in', ...answers, 'esac', ''].join('\n'), {
    mode: 0o755,
  });
  return file;
}

function ofScript(explicit: string, minVersion?: string, ...requiredPackages: string[]) {
  const legacy = { framework: 'mine', requiredPackages };
  return resolveInterpreter({ explicit, minVersion, env: {}, cwd: scratch, legacy });
}

describe('the interpreter of a v1 script', () => {
  it.each([
    ['3.8.0', undefined],
    ['3.8.18', '3.8'],
    ['3.9.1', '3.9.0'],
    ['3.9.0', '3.9'],
    ['3.6.15', '3.6'],
    ['3.10.0', '3.9.99'],
  ])('may be %s where %s is the oldest', async (version, minVersion) => {
    expect(await ofScript(pythonOf(version), minVersion)).toMatchObject({ version });
  });

  it.each([
    ['3.7.16', undefined, '3.8'],
    ['3.9.1', '3.9.2', '3.9.2'],
    ['3.9.18', '3.10', '3.10'],
    ['3.9.18', '3.10.0', '3.10.0'],
  ])('may not be %s where %s is the oldest', async (found, minVersion, wanted) => {
    await expect(ofScript(pythonOf(found), minVersion)).rejects.toMatchObject({
      ...{ code: 'python_too_old', found, wanted },
    });
  });

  it('is asked for the packages that the script needs, since no code of ours looks in its process', async () => {
    const lacking = pythonOf('3.8.18', 'dspy-ai');
    await expect(ofScript(lacking, '3.8.0', 'dspy-ai', 'numpy')).rejects.toMatchObject({
      code: 'package_missing',
      message: expect.stringMatching(
        /the mine bridge needs dspy-ai, which is not installed for .*-m pip install dspy-ai/u,
      ) as string,
    });
  });

  it('knows its packages, really', async () => {
    expect(await ofScript(PYTHON, '3.8', 'pip')).toMatchObject({
      executable: expect.any(String) as string,
    });
    await expect(ofScript(PYTHON, '3.8', 'pip', 'caduceus-no-such-package')).rejects.toMatchObject({
      message: expect.stringContaining('needs caduceus-no-such-package, which is not') as string,
    });
  });

  it('asks for a range of versions, and says which one is there instead', async () => {
    await expect(ofScript(PYTHON, '3.8', 'pip>=1,<9999')).resolves.toMatchObject({});
    await expect(ofScript(PYTHON, '3.8', 'pip>=9999')).rejects.toMatchObject({
      code: 'package_missing',
      message: expect.stringMatching(
        /needs pip>=9999, of which [\d.]+ is installed for .*; install with: .* -m pip install 'pip>=9999'$/u,
      ) as string,
    });
    await expect(ofScript(PYTHON, '3.8', 'pip=1')).rejects.toMatchObject({
      message: expect.stringContaining("'pip=1' is no requirement such as") as string,
    });
  });
});

describe('versions', () => {
  it.each([
    ['3.8', '3.8.0', 0],
    ['3.8.18', '3.8', 1],
    ['3.10', '3.9', 1],
    ['3.10.0', '3.9.18', 1],
    ['3.9', '3.9.1', -1],
    ['3.14.0rc1', '3.14', 0],
  ])('of two and of three parts compare: %s and %s', (left, right, sign) => {
    expect(Math.sign(compareVersions(left, right))).toBe(sign);
    expect(Math.sign(compareVersions(right, left))).toBe(sign === 0 ? 0 : -sign);
  });
});
