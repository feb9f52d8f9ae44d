// Does every error that escapes from an owner's code become its crash, and every other what Node makes of it?
// Asked of real processes: the test runner's own listeners would hide what a process does by default.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Escape, Scenario } from './crash-trap-host.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const HOST = 'test/actors/lifecycle/crash-trap-host.ts';
const scratch = mkdtempSync(path.join(tmpdir(), 'caduceus-crash-trap-'));

/** Node 20 runs no types: its files are copied without them. */
beforeAll(() => {
  writeFileSync(path.join(scratch, 'package.json'), '{ "type": "module" }');
  for (const file of ['actors/ground/error-from.ts', 'actors/lifecycle/crash-trap.ts', HOST]) {
    const { outputText } = ts.transpileModule(readFileSync(path.join(ROOT, file), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        rewriteRelativeImportExtensions: true,
      },
    });
    const place = path.join(scratch, file.replace(/ts$/u, 'js'));
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, outputText);
  }
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Ended {
  readonly status: number | string | null;
  readonly facts: readonly unknown[];
  readonly stderr: string;
}

function run(scenario: Escape | Scenario, nodeOptions: readonly string[] = []): Promise<Ended> {
  const args = [...nodeOptions, path.join(scratch, HOST.replace(/ts$/u, 'js')), scenario];
  const env = { PATH: process.env['PATH'] };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, timeout: 15_000 }, (error, stdout, stderr) => {
      const lines = stdout.split('\n').filter((line) => line !== '');
      const facts = lines.map((line) => JSON.parse(line) as unknown);
      resolve({ status: error === null ? 0 : (error.code ?? null), facts, stderr });
    });
  });
}

describe('what escapes from an owner’s code', () => {
  it.concurrent.each<Escape>([
    'timer',
    'interval',
    'immediate',
    'tick',
    'microtask',
    'promise without a handler',
    'then without a catch',
    'async function',
    'async function after a wait',
    'async timer',
    'awaited promise that is rejected from outside',
    'data of a socket',
    'message port',
    'thread without a listener',
    'timer that a timer made',
  ])('is the owner’s crash, and the process lives: %s', async (escape) => {
    expect(await run(escape)).toEqual({
      status: 0,
      facts: [{ owner: 'a', error: 'lost' }],
      stderr: '',
    });
  });

  it('is the owner’s crash when a socket that nobody listens to fails', async () => {
    const { status, facts } = await run('connection that is refused');
    expect({ status, facts }).toEqual({
      status: 0,
      facts: [{ owner: 'a', error: expect.stringContaining('ECONNREFUSED') as string }],
    });
  });

  it('goes to the innermost of several owners', async () => {
    const { status, facts } = await run('two owners');
    expect(status).toBe(0);
    expect(facts).toHaveLength(3);
    expect(facts).toEqual(
      expect.arrayContaining([
        { owner: 'a', error: 'of a' },
        { owner: 'b', error: 'of b' },
      ]),
    );
    expect(facts.filter((fact) => (fact as { owner: string }).owner === 'a')).toHaveLength(1);
  });

  it('is told as an error when it was none', async () => {
    const { status, facts } = await run('non-errors');
    expect(status).toBe(0);
    expect(facts).toHaveLength(3);
    expect(facts).toEqual(
      expect.arrayContaining([
        { owner: 'a', error: 'undefined was thrown' },
        { owner: 'a', error: expect.stringContaining('reason') as string },
        { owner: 'a', error: 'text was thrown', cause: 'text' },
      ]),
    );
  });

  it('reaches the caller when it is thrown at once', async () => {
    const { status, facts } = await run('caught at once');
    expect({ status, facts }).toEqual({ status: 0, facts: [{ caught: 'lost', owner: false }] });
  });

  it('is kept from the listeners of uncaughtException, who hear of nobody’s errors with their origin', async () => {
    const { status, facts } = await run('listener of uncaughtException');
    expect(status).toBe(0);
    expect(facts).toEqual([
      { owner: 'a', error: 'lost' },
      { owner: 'a', error: 'lost' },
      { heard: 'of nobody', origin: 'uncaughtException' },
      { heard: 'of nobody', origin: 'unhandledRejection' },
      { alive: true },
    ]);
  });

  it('is its crash also while somebody listens to unhandledRejection, and both hear of it', async () => {
    const { status, facts, stderr } = await run('listener of unhandledRejection');
    expect(facts).toEqual([
      { owner: 'a', error: 'lost' },
      { heard: 'lost' },
      { heard: 'of nobody' },
      { listeners: 0 },
      { owner: 'a', error: 'lost' },
      { owner: 'b', error: 'lost' },
      { heard: 'lost' },
      { listeners: 0 },
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('Error: at last');
  });

  it('is told in a thread too, whose other errors reach its parent', async () => {
    const { status, facts } = await run('in a thread');
    expect(status).toBe(0);
    expect(facts).toHaveLength(2);
    // What a thread prints and how it ends travel apart.
    expect(facts).toContainEqual({ owner: 'a', error: 'of a' });
    expect(facts).toContainEqual({ parent: 'lost' });
  });
});

describe('what escapes from nobody’s code', () => {
  it.each<[Scenario, Scenario]>([
    ['nobody’s timer', 'untrapped timer'],
    ['nobody’s rejection', 'untrapped rejection'],
    ['nobody’s text', 'untrapped text'],
  ])('ends the process as it does without the trap: %s', async (trapped, untrapped) => {
    const [ours, theirs] = await Promise.all([run(trapped), run(untrapped)]);
    expect(ours).toMatchObject({ status: 1, facts: [] });
    expect(theirs).toMatchObject({ status: 1, facts: [] });
    expect(messageOf(ours.stderr)).toBe(messageOf(theirs.stderr));
  });

  it('is only warned of where Node was told so', async () => {
    const { status, facts, stderr } = await run('nobody’s rejection', [
      '--unhandled-rejections=warn',
    ]);
    expect({ status, facts }).toEqual({ status: 0, facts: [{ alive: true }] });
    expect(stderr).toContain('UnhandledPromiseRejectionWarning');
  });
});

/** The line that names the error, without the place. */
function messageOf(stderr: string): string | undefined {
  return stderr
    .split('\n')
    .find((line) => /Error|Rejection/u.test(line) && !line.includes('throw '));
}

describe('an owner that fails when it is told', () => {
  it('ends the process with the error that it was told', async () => {
    const { status, facts, stderr } = await run('owner that throws');
    expect({ status, facts }).toEqual({ status: 1, facts: [] });
    expect(stderr).toContain('Error: lost');
  });

  it('lets the listeners of uncaughtException hear of both errors', async () => {
    const { status, facts } = await run('owner that throws, with a listener');
    expect({ status, facts }).toEqual({
      status: 0,
      facts: [{ heard: 'lost' }, { heard: 'of the owner' }, { alive: true }],
    });
  });
});

describe('the trap', () => {
  it('is set once, however often it is asked for', async () => {
    const { status, facts } = await run('asked for twice');
    expect(status).toBe(0);
    expect(facts).toEqual([{ installed: [true, true] }, { owner: 'a', error: 'lost' }]);
  });

  it('leaves the place to whoever has it, and takes it when it is free', async () => {
    const { status, facts } = await run('somebody else captures');
    expect(status).toBe(0);
    expect(facts).toEqual([
      { installed: false },
      { captured: 'lost' },
      { installed: true },
      { owner: 'a', error: 'lost' },
    ]);
  });

  it('leaves the place to domains', async () => {
    const { status, facts } = await run('domains are in use');
    expect({ status, facts }).toEqual({ status: 0, facts: [{ installed: false }] });
  });
});
