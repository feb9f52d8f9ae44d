// What must hold of real workers, since it once did not? Each test is a row of docs/lessons.md.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import pino, { type Logger } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';

import { createRuntime, type BridgeConfig, type Runtime } from '../../src/index.ts';
import { callsRuntime } from '../support/calls-runtime.ts';
import {
  echoAdapter,
  echoRuntime,
  fixture,
  nextEvent,
  PYTHON,
  rejection,
  workersOf,
} from '../support/real-runtime.ts';

const SECRET = 'sk-canary-5c0ffee5';
const SOON_MS = 10_000;

let runtime: Runtime | undefined;
const folders: string[] = [];
const { TMPDIR } = process.env;
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
  if (TMPDIR === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = TMPDIR;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder in which this process, its runs and their workers keep whatever they keep. */
function ownTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'l-'));
  folders.push(folder);
  process.env['TMPDIR'] = folder;
  return folder;
}

function filesWith(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}

function keptLog(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  return { logger: pino({ level: 'trace' }, { write }), lines };
}

function echoBridge(pool: BridgeConfig['pool'] = {}): BridgeConfig {
  return {
    adapter: echoAdapter,
    scriptPath: fixture('echo_bridge.py'),
    pool: { size: 1, ...pool },
  };
}

/** The only worker of a pool. */
function pidOf(of: Runtime, pool: string): number {
  return workersOf(of).find(({ path }) => path.includes(pool))?.pid ?? 0;
}

describe('what a caller sends', () => {
  it('stands in no log line, event, error or file, however its call ends (B4)', async () => {
    const folder = ownTemporaryFolder();
    const { logger, lines } = keptLog();
    runtime = await createRuntime({ python: PYTHON, logger, bridges: { echo: echoBridge() } });
    const told: string[] = [];
    runtime.on('*', (event, name) => told.push(inspect([name, event], { depth: null })));
    const pool = runtime.pool('echo');
    const args = { api_key: SECRET, id: 'a', value: 1, seconds: 30, message: 'no', status: 3 };
    expect(await pool.call('echo', args)).toEqual(args);
    await pool.call('remember', args);
    const ends = [
      await rejection(pool.call('raise', args)),
      await rejection(pool.call('sleep', args, { timeoutMs: 50 })),
      await rejection(pool.call('echo', { ...args, value: () => 1 })),
      await rejection(pool.call('exit', args)),
    ];
    // What is replayed to the next incarnation is of no interest to its log either.
    expect(await pool.call('recall', { id: 'a' })).toBe(1);
    expect(filesWith(folder, SECRET)).toEqual([]);
    await runtime.stop();
    expect(ends.map((error) => error['code'])).toEqual([
      'python_error',
      'deadline_exceeded',
      'unencodable',
      'worker_crashed',
    ]);
    for (const text of [...lines, ...told, ...ends.map((end) => inspect(end, { depth: null }))]) {
      expect(text).not.toContain(SECRET);
    }
    expect(lines.length).toBeGreaterThan(0);
    expect(told.some((text) => text.includes('scope.replayed'))).toBe(true);
    expect(filesWith(folder, SECRET)).toEqual([]);
  });
});

describe('the start of a worker', () => {
  it('has no more time for being noisy (B13)', async () => {
    const scriptPath = join(import.meta.dirname, 'noisy_bridge.py');
    const pool = { size: 1, startTimeoutMs: 500, maxConsecutiveStartFailures: 1 };
    const bridges = { noisy: { adapter: echoAdapter, scriptPath, pool } };
    const startedMs = performance.now();
    const error = await rejection(createRuntime({ python: PYTHON, logger: false, bridges }));
    expect(error).toMatchObject({ code: 'pool_failed' });
    expect(error.message).toContain('timeout of start');
    expect(performance.now() - startedMs).toBeLessThan(SOON_MS);
  });
});

describe('a worker that has died', () => {
  it('is never given a call: one that is made at that very moment goes to another (B31, S5)', async () => {
    runtime = await echoRuntime({ size: 2, maxRestarts: 50 });
    const pool = runtime.pool('echo');
    const killed = new Set<unknown>();
    const answers: Promise<boolean>[] = [];
    runtime.on('child.crashed', () => {
      const dead = new Set(killed);
      const isOfTheDead = (pid: unknown): boolean => dead.has(pid);
      for (let n = 0; n < 4; n += 1) answers.push(pool.call('pid').then(isOfTheDead));
    });
    for (let round = 0; round < 6; round += 1) {
      const pid = (await pool.call('pid')) as number;
      killed.add(pid);
      const crashed = nextEvent(runtime, 'child.crashed');
      process.kill(pid, 'SIGKILL');
      await crashed;
    }
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 24 }, () => false));
  });

  it('takes no other bridge with it, and no other answers for it, though its pool has given up (B24, S2)', async () => {
    const bridges = { good: echoBridge(), bad: echoBridge({ maxRestarts: 0 }) };
    runtime = await createRuntime({ python: PYTHON, logger: false, bridges });
    const [good, bad] = [runtime.pool('good'), runtime.pool('bad')];
    const pid = await good.call('pid');
    const running = good.call('sleep', { seconds: 0.3 });
    const lost = rejection(bad.call('sleep', { seconds: 30 }));
    const waiting = rejection(bad.call('echo', { a: 1 }));
    const failed = nextEvent(runtime, 'pool.failed');
    process.kill(pidOf(runtime, 'bad'), 'SIGKILL');
    await failed;
    expect(await lost).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(await waiting).toMatchObject({ code: 'pool_failed' });
    expect(await rejection(bad.call('echo', { a: 1 }))).toMatchObject({ code: 'pool_failed' });
    expect(await running).toBe('slept');
    expect(await good.call('pid')).toBe(pid);
  });
});

describe('a bridge', () => {
  it('is built once for each incarnation, not for each call (S16)', async () => {
    runtime = await callsRuntime();
    const pool = runtime.pool('calls');
    expect(await pool.call('count', { to: 3 })).toEqual([0, 1, 2]);
    expect(await pool.call('count', { to: 3 }, { sessionId: 'a' })).toEqual([0, 1, 2]);
    expect(await pool.call('produced')).toBe(6);
  });
});

describe('a stream', () => {
  it('waits in the same queue as a call, in its order and within its bound (S1, A9)', async () => {
    runtime = await callsRuntime({ queueLengthMax: 2 });
    const pool = runtime.pool('calls');
    const running = pool.call('wait', { seconds: 0.3 });
    const items: unknown[] = [];
    const read = (async () => {
      for await (const item of pool.stream('count', { to: 3 })) items.push(item);
    })();
    const behind = pool.call('produced');
    expect(await rejection(pool.call('echo', {}))).toMatchObject({ code: 'overloaded' });
    await running;
    await read;
    expect(items).toEqual([0, 1, 2]);
    // It ran behind the stream, which was there before it.
    expect(await behind).toBe(3);
  });
});
