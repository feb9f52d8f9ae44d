// Does the main job, as a user starts it, do what it promises, and leave nothing behind?

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MAIN_JOB = path.join(ROOT, 'dist/docs/examples/main-job.js');
const PYTHON = path.resolve(ROOT, process.env['CADUCEUS_PYTHON'] ?? '.venv/bin/python');
/** Three starts of Python at 0.7 s each on a machine that runs other suites too. */
const DEADLINE_MS = 60_000;

const scratch = mkdtempSync(path.join(tmpdir(), 'caduceus-main-job-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  /** Called with all that stdout has said so far, each time it says more. */
  readonly onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** The developer's own model and key must not decide what these tests see. */
const quiet = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('OPENAI_')),
);

function mainJob(args: readonly string[], { env = {}, onOutput }: Options = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN_JOB, ...args], {
      cwd: ROOT,
      env: { ...quiet, CADUCEUS_PYTHON: PYTHON, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      onOutput?.(stdout, (signal) => child.kill(signal));
    });
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}

interface Line {
  readonly type: string;
  readonly [key: string]: unknown;
}

function linesOf({ stdout }: Ended): Line[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

function answersOf(lines: readonly Line[]): Map<unknown, unknown> {
  const answers = lines.filter(({ type }) => type === 'answer');
  return new Map(answers.map(({ question, answer }) => [question, answer]));
}

/** Every number that is called a pid, wherever it stands. */
function pidsOf(value: unknown): number[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    /pid$/iu.test(key) && typeof inner === 'number' ? [inner] : pidsOf(inner),
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the main job', { timeout: DEADLINE_MS }, () => {
  let ended: Ended;
  let lines: Line[];
  const only = (type: string): Line => {
    const found = lines.filter((line) => line.type === type);
    expect(found).toHaveLength(1);
    return found[0]!;
  };

  beforeAll(async () => {
    ended = await mainJob(['--json']);
    lines = linesOf(ended);
  }, DEADLINE_MS);

  it('succeeds, with its log switched off', () => {
    expect(ended).toMatchObject({ status: 0, stderr: '' });
  });

  it('ends with a summary of exactly these fields', () => {
    expect(lines.at(-1)).toEqual({
      type: 'summary',
      ok: true,
      sessions: 2,
      answers: 9,
      killedPid: expect.any(Number) as unknown,
      newPid: expect.any(Number) as unknown,
      epoch: 2,
      programId: expect.stringMatching(/^dspy_/u) as unknown,
      recoveryMs: expect.any(Number) as unknown,
      processesLeft: 0,
    });
  });

  it('answers questions about the passage from the passage, and says what that does not say', () => {
    const answers = answersOf(lines);
    expect(answers.get('When were pipes added to Unix?')).toMatch(
      /1973 Ken Thompson added the pipe/u,
    );
    expect(answers.get('How many bytes does a pipe hold on Linux?')).toMatch(/65,536 bytes/u);
    expect(answers.get('Who invented the telephone?')).toBe('The passage does not say.');
  });

  it('answers sums with numbers', () => {
    const answers = answersOf(lines);
    expect(answers.get('What is 1973 - 1964?')).toBe(9);
    expect(answers.get('What is 65536 / 4096?')).toBe(16);
  });

  it('runs its two sessions on two workers', () => {
    const seats = lines.filter(({ type }) => type === 'session');
    expect(new Set(seats.map(({ workerId }) => workerId)).size).toBe(2);
    expect(new Set(seats.map(({ pid }) => pid)).size).toBe(2);
  });

  it('kills the worker of a session once the model has been asked', () => {
    const seat = lines.find(({ type, session }) => type === 'session' && session === 'reader');
    expect(only('in_flight')).toMatchObject({ seen: 'model_was_asked', pid: seat!['pid'] });
    expect(only('killed')).toMatchObject({
      session: 'reader',
      signal: 'SIGKILL',
      pid: seat!['pid'],
    });
  });

  it('gives the call in flight its typed error', () => {
    expect(only('error')).toMatchObject({
      code: 'worker_crashed',
      outcome: 'maybeExecuted',
      exitReason: { type: 'signal', signal: 'SIGKILL' },
    });
  });

  it('restarts the worker and replays the session before the next call', () => {
    const types = lines.map(({ type }) => type);
    expect(only('decision')).toMatchObject({ verdict: 'restart', epoch: 1 });
    expect(only('restarted')).toMatchObject({ epoch: 2 });
    expect(only('replayed')).toMatchObject({ operations: ['configure_lm', 'create_program'] });
    expect(types.indexOf('replayed')).toBeGreaterThan(types.indexOf('restarted'));
  });

  it('answers the same question in the new process, with the same program', () => {
    const summary = only('summary');
    const last = lines.filter(({ type }) => type === 'answer').at(-1);
    expect(last).toMatchObject({ session: 'reader', epoch: 2, pid: summary['newPid'] });
    expect(last!['question']).toBe(only('in_flight')['question']);
    expect(last!['answer']).toMatch(/SIGPIPE/u);
    expect(summary['newPid']).not.toBe(summary['killedPid']);
  });

  it('leaves the other session where it was', () => {
    const ofCalculator = lines.filter(({ session }) => session === 'calculator');
    expect(new Set(ofCalculator.map(({ pid }) => pid)).size).toBe(1);
    expect(ofCalculator.every(({ epoch }) => epoch === 1)).toBe(true);
  });

  it('leaves no process that it has named', () => {
    const pids = new Set(lines.flatMap(pidsOf));
    // Two workers, the one after the kill, and where there are zygotes theirs.
    expect(pids.size).toBe(process.platform === 'linux' ? 4 : 3);
    expect([...pids].filter(isAlive)).toEqual([]);
  });
});

describe('the main job with a text of the user', { timeout: DEADLINE_MS }, () => {
  it('answers from that text, also the question that was cut off', async () => {
    const file = path.join(scratch, 'bees.txt');
    writeFileSync(file, 'Karl von Frisch decoded the waggle dance. Bees see ultraviolet light.\n');
    const asks = ['Who decoded the waggle dance?', 'What light do bees see?'];
    const args = asks.flatMap((question) => ['--ask', question]);
    const ended = await mainJob(['--text', file, ...args, '--json']);
    const lines = linesOf(ended);
    expect(lines.at(-1)).toMatchObject({ type: 'summary', ok: true, epoch: 2, processesLeft: 0 });
    expect(answersOf(lines).get(asks[0])).toBe('Karl von Frisch decoded the waggle dance.');
    const again = lines.filter(({ question }) => question === asks[1]);
    expect(again.map(({ type, epoch }) => [type, epoch])).toEqual([
      ['answer', 1],
      ['in_flight', 1],
      ['answer', 2],
    ]);
    expect(again.at(-1)!['answer']).toBe('Bees see ultraviolet light.');
  });
});

describe('the main job for people', { timeout: DEADLINE_MS }, () => {
  it('fits 96 columns, has no colour in a pipe, and ends with the recovery', async () => {
    const { status, stdout } = await mainJob([]);
    expect(status).toBe(0);
    expect(stdout.split('\n').filter((line) => line.length > 96)).toEqual([]);
    expect(stdout).not.toContain('\u001B');
    expect(stdout.trimEnd()).toMatch(/^✓ The session went on \d+ ms after the SIGKILL/mu);
    expect(stdout.trimEnd()).toMatch(/Processes left: 0\.$/u);
  });

  it.each([
    ['--frobnicate', ['--frobnicate']],
    ['--text', ['--text', path.join(scratch, 'missing.txt')]],
    ['--text', ['--text', scratch]],
    ['--ask', ['--ask', ' ']],
    ['--model', ['--model', 'openai/some']],
    ['--api-base', ['--api-base', 'somewhere']],
  ])('names %s when it is wrong', async (option, args) => {
    const { status, stdout, stderr } = await mainJob(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(option);
  });

  it('shows its options', async () => {
    const { status, stdout } = await mainJob(['--help']);
    expect(status).toBe(0);
    for (const option of ['--text', '--ask', '--model', '--api-base', '--json', '--verbose']) {
      expect(stdout).toContain(option);
    }
  });
});

describe('the main job, disturbed', { timeout: DEADLINE_MS }, () => {
  it.each([
    ['a worker starts', 'start'],
    ['its sessions ask', 'session'],
    ['a worker is on its way back', 'killed'],
  ])('leaves no process when Ctrl-C comes while %s', async (_when, type) => {
    let isSent = false;
    const ended = await mainJob(['--json'], {
      onOutput: (stdout, kill) => {
        if (isSent || !stdout.includes(`{"type":"${type}"`)) return;
        isSent = true;
        kill('SIGINT');
        // npm sends a second one by itself.
        kill('SIGINT');
      },
    });
    expect(ended.status).toBe(130);
    expect(ended.stderr).toContain('processes left: 0');
    const pids = ended.stdout.match(/(?<="pid":)\d+/gu) ?? [];
    expect(pids.map(Number).filter(isAlive)).toEqual([]);
  });

  it('says why it fails without an interpreter, and still ends with a summary', async () => {
    const ended = await mainJob(['--json'], { env: { CADUCEUS_PYTHON: '/nowhere/python' } });
    const [failure, summary] = linesOf(ended).slice(-2);
    expect(ended.status).toBe(1);
    expect(failure).toMatchObject({ type: 'failure', code: 'python_not_found' });
    expect(summary).toMatchObject({ type: 'summary', ok: false, newPid: null, processesLeft: 0 });
  });

  it('says that a model cannot be reached', async () => {
    // Port 9 discards what it is sent, where it is served at all.
    const ended = await mainJob(['--json', '--api-base', 'http://127.0.0.1:9/v1']);
    expect(ended.status).toBe(1);
    expect(linesOf(ended).at(-2)).toMatchObject({ type: 'failure', code: 'connection_error' });
    expect(linesOf(ended).at(-1)).toMatchObject({ ok: false, processesLeft: 0 });
  });
});
