// Does a shell get what Python answers, and a status that says whether it did?
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import { cliEnv, DEADLINE_MS, makeFolder, PROGRAM, type Folder } from '../support/cli.ts';
import { isAlive, until } from '../support/processes.ts';

/** A folder with the bridge `tries`. */
function folderOf(): Folder {
  const folder = makeFolder();
  folder.write(
    'tries.py',
    'import os, time',
    'from caduceus import current_call',
    '',
    'def add(a: float, b: float = 1) -> float:',
    '    return a + b',
    '',
    'def letters(text: str):',
    '    print("spelling")',
    '    yield from text',
    '',
    'def whose() -> str:',
    '    return str(current_call().session_id)',
    '',
    'def fail():',
    '    raise LookupError("not here")',
    '',
    'def nap(seconds: float):',
    '    print(f"pid {os.getpid()}", flush=True)',
    '    time.sleep(seconds)',
  );
  folder.write('caduceus.config.json', '{"bridges":{"tries":{"scriptPath":"tries.py"}}}');
  return folder;
}

describe('caduceus call', { timeout: DEADLINE_MS }, () => {
  it('prints what an operation gives, for people and for programs', () => {
    const folder = folderOf();
    const result = (...args: string[]) => folder.caduceus(['call', ...args]);
    expect(result('tries.add', '{"a":1,"b":2}')).toEqual({ status: 0, stdout: '3\n', stderr: '' });
    expect(result('tries.add', '5').stdout).toBe('6\n');
    expect(result('tries.whose', '--session', 'ada', '--json').stdout).toBe('"ada"\n');
    expect(folder.caduceus(['call', 'tries.add', '-'], '{"a":40,"b":2}').stdout).toBe('42\n');
  });

  it('prints what it yields one by one, and what Python prints beside it', () => {
    const streamed = folderOf().caduceus([
      'call',
      'tries.letters',
      '{"text":"ab"}',
      '--stream',
      '--json',
    ]);
    expect(streamed).toEqual({ status: 0, stdout: '"a"\n"b"\n', stderr: 'spelling\n' });
  });

  it("ends with status 1 and Python's own words when it fails", () => {
    const folder = folderOf();
    const failed = folder.caduceus(['call', 'tries.fail']);
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    expect(failed.stderr).toContain('python_error: LookupError: not here');
    expect(failed.stderr).toContain('  |     raise LookupError("not here")');
    const told = folder.caduceus(['call', 'tries.nap', '9', '--timeout-ms', '200', '--json']);
    const [, line = ''] = /^(\{.*\})$/mu.exec(told.stderr) ?? [];
    expect(JSON.parse(line)).toMatchObject({
      error: { code: 'deadline_exceeded', outcome: 'maybeExecuted' },
    });
  });

  it('says which arguments are wrong, and which names', () => {
    const folder = folderOf();
    expect(folder.caduceus(['call', 'tries.add', '{"a":"one"}']).stderr).toContain(
      'invalid_arguments',
    );
    const misspelt = folder.caduceus(['call', 'trise.add']);
    expect(misspelt).toMatchObject({ status: 1 });
    expect(misspelt.stderr).toContain('trise is no bridge; did you mean tries?');
  });

  it('says why a bridge does not start', () => {
    const folder = folderOf();
    folder.write('tries.py', 'raise RuntimeError("broken on purpose")');
    const { status, stderr } = folder.caduceus(['call', 'tries.add']);
    expect(status).toBe(1);
    expect(stderr).toContain('because of bridge_start_failed');
    expect(stderr).toContain('  | RuntimeError: broken on purpose');
  });

  it.each([
    [['call', 'tries'], 'tries is no <bridge>.<operation>'],
    [['call', 'tries.add', '{a:1}'], 'the arguments are no JSON'],
    [['call', 'tries.add', '{}', '--timeout-ms', '0'], 'It must be above 0'],
    [['call'], 'missing required argument'],
  ])('ends with status 2 when it cannot be understood: %j', (args, problem) => {
    const { status, stderr } = folderOf().caduceus(args);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining(problem) as unknown,
    });
  });

  it('ends the call and its worker when it is interrupted', async () => {
    const folder = folderOf();
    const child = spawn(process.execPath, [PROGRAM, 'call', 'tries.nap', '60'], {
      ...{ cwd: folder.path, env: cliEnv(), timeout: DEADLINE_MS },
    });
    const [chunk] = (await once(child.stderr, 'data')) as [Buffer];
    const worker = Number(/pid (\d+)/u.exec(chunk.toString())?.[1]);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    await until(() => !isAlive(worker), 5_000);
  });
});

describe('caduceus list and validate', { timeout: DEADLINE_MS }, () => {
  it('show where a bridge is, and what keeps one from starting', () => {
    const folder = folderOf();
    folder.write(
      'caduceus.config.json',
      '{"bridges":{"tries":{"scriptPath":"tries.py"},"gone":{"scriptPath":"gone.py","requiredPackages":["surely-not-there>=1"]}}}',
    );
    const listed = folder.caduceus(['list']);
    expect(listed.stdout).toMatch(/^tries \* +caduceus\.config\.json +tries\.py$/mu);
    expect(listed.stdout).toMatch(
      /^gone +caduceus\.config\.json +gone\.py \(missing\) +needs surely-not-there>=1$/mu,
    );
    expect(listed.stdout).toMatch(/^dspy +built in +caduceus\.bridges\.dspy/mu);

    const validated = folder.caduceus(['validate']);
    expect(validated.status).toBe(1);
    expect(validated.stdout).toMatch(/^✓ tries, Python 3\.\d+/mu);
    expect(validated.stdout).toMatch(/^✗ gone/mu);
    expect(validated.stdout).toContain('script_not_found');
    expect(validated.stdout).toContain('package_missing');
    expect(validated.stdout).toContain('What to do:');

    const one = folder.caduceus(['validate', 'tries', '--json']);
    expect(one.status).toBe(0);
    expect(JSON.parse(one.stdout)).toMatchObject({
      ok: true,
      bridges: [{ bridge: 'tries', ok: true }],
    });
    expect(folder.caduceus(['validate', 'trise']).stdout).toContain('did you mean tries?');
  });
});
