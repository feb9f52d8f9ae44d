import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PythonNotFoundError, PythonTooOldError } from '../../../actors/ground/start-errors.ts';
import { interpreterCandidates, resolveInterpreter } from '../../../actors/port/interpreter.ts';

const PYTHON = process.env['CADUCEUS_PYTHON'] ?? resolve('.venv/bin/python');

const scratch = mkdtempSync(join(tmpdir(), 'caduceus-interpreter-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const bare = join(scratch, 'bare');
const project = join(scratch, 'project');
const local = join(project, '.venv', 'bin', 'python');
mkdirSync(bare);
mkdirSync(join(project, '.venv', 'bin'), { recursive: true });
writeFileSync(local, '');

function fakePython(name: string, ...lines: readonly string[]): string {
  const file = join(scratch, name);
  writeFileSync(file, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  return file;
}

const answering = (name: string, answer: string) => fakePython(name, `echo '${answer}'`);

describe('the candidates', () => {
  it.each([
    ['nothing is known', bare, {}, ['python3']],
    ['a variable names one', project, { CADUCEUS_PYTHON: '/c', VIRTUAL_ENV: '/v' }, ['/c']],
    ['an environment is active', bare, { VIRTUAL_ENV: '/v' }, ['/v/bin/python', 'python3']],
    ['the folder has a .venv', project, {}, [local, 'python3']],
    ['both are there', project, { VIRTUAL_ENV: '/v' }, ['/v/bin/python', local, 'python3']],
    ['variables are empty', bare, { CADUCEUS_PYTHON: '', VIRTUAL_ENV: '' }, ['python3']],
  ])('are in order when %s', (_what, cwd, env, candidates) => {
    expect(interpreterCandidates({ cwd, env })).toEqual(candidates);
  });

  it('are only the one that the user names', () => {
    const env = { CADUCEUS_PYTHON: '/c', VIRTUAL_ENV: '/v' };
    expect(interpreterCandidates({ explicit: '/x', cwd: project, env })).toEqual(['/x']);
  });
});

describe('resolving an interpreter', () => {
  const query = { env: {}, cwd: bare };

  it('asks a real Python for its executable and version', async () => {
    const found = await resolveInterpreter({ ...query, explicit: PYTHON });
    expect(found.version).toMatch(/^3\.\d+\.\d+$/u);
    expect(existsSync(found.executable)).toBe(true);
  });

  it('uses the executable that the interpreter names, not the shim that was run', async () => {
    const shim = answering('shim', '["/opt/python/bin/python3", "3.12.1"]');
    const found = await resolveInterpreter({ ...query, explicit: shim });
    expect(found).toEqual({ executable: '/opt/python/bin/python3', version: '3.12.1' });
  });

  it('uses the command when the interpreter cannot name its executable', async () => {
    const nameless = answering('nameless', '["", "3.12.1"]');
    const found = await resolveInterpreter({ ...query, explicit: nameless });
    expect(found.executable).toBe(nameless);
  });

  it('goes on to the next candidate when one does not run', async () => {
    const env = { VIRTUAL_ENV: join(scratch, 'deleted') };
    const folder = join(scratch, 'working');
    mkdirSync(join(folder, '.venv', 'bin'), { recursive: true });
    const python = answering('working/.venv/bin/python', '["", "3.12.1"]');
    expect(await resolveInterpreter({ env, cwd: folder })).toMatchObject({ executable: python });
  });

  it('lists what was tried when nothing runs', async () => {
    const missing = join(scratch, 'missing');
    const failure = resolveInterpreter({ ...query, explicit: missing });
    await expect(failure).rejects.toThrow(PythonNotFoundError);
    await expect(failure).rejects.toThrow(missing);
  });

  it.each([
    ['text', 'hello'],
    ['nothing', ''],
    ['an object', '{}'],
    ['null', 'null'],
    ['an empty list', '[]'],
    ['a list of numbers', '[3, 11]'],
  ])('does not take for Python what answers with %s', async (what, answer) => {
    const explicit = answering(`garbage-${what.replaceAll(' ', '-')}`, answer);
    await expect(resolveInterpreter({ ...query, explicit })).rejects.toThrow(PythonNotFoundError);
  });

  it('does not take for Python what exits with an error', async () => {
    const explicit = fakePython('failing', `echo '["/x", "3.12.1"]'`, 'exit 3');
    await expect(resolveInterpreter({ ...query, explicit })).rejects.toThrow(PythonNotFoundError);
  });

  it('refuses one that is older than the bridge needs, with what was found and wanted', async () => {
    const old = answering('old', '["/old", "3.11.2"]');
    const failure = resolveInterpreter({ ...query, explicit: old, minVersion: '99.0' });
    await expect(failure).rejects.toMatchObject({ found: '3.11.2', wanted: '99.0' });
  });

  it('refuses one that is older than the worker needs, whatever the bridge says', async () => {
    const old = answering('ancient', '["/old", "3.8.1"]');
    const failure = resolveInterpreter({ ...query, explicit: old, minVersion: '3.6' });
    await expect(failure).rejects.toThrow(PythonTooOldError);
  });
});
