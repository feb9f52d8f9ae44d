// What becomes of calls, workers and pools when a process ends, hangs or cannot be started? Rows P1 to P18 of docs/faults.md, on real processes and real signals.
import { chmodSync, existsSync, renameSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { LIMITS } from '../../actors/ground/limits.ts';
import type { Runtime } from '../../src/index.ts';
import { processesOf } from '../support/processes.ts';
import { isAlive, nextEvent, rejection, until, workersOf } from '../support/real-runtime.ts';
import {
  hasOnlyItsOwn,
  isWhole,
  leaveNobody,
  PROMISE_MS,
  pythonThat,
  rowsRuntime,
  SOON_MS,
  tokenOfRun,
} from '../support/rows-runtime.ts';

const ON_LINUX = process.platform === 'linux';
const MIB = 2 ** 20;

let runtime: Runtime;
afterEach(leaveNobody);

const started = async (...given: Parameters<typeof rowsRuntime>) => {
  runtime = await rowsRuntime(...given);
  await isWhole(runtime);
  return runtime.pool('rows');
};

/** Forked from the zygote, and started by itself: the exit of the first is told by its zygote. */
const BOTH = [true, false];

describe.each(BOTH)('a process that ends (zygote: %s)', (zygote) => {
  it('P1 with status 0 while idle is there again, and no call notices', async () => {
    const pool = await started({}, { zygote });
    const pid = await pool.call('pid');
    const crashed = nextEvent(runtime, 'child.crashed');
    const ready = nextEvent(runtime, 'child.ready', ({ epoch }) => epoch === 2);
    await pool.call('exit_soon', { status: 0 });
    expect(await crashed).toMatchObject({
      ...{ reason: { type: 'normal' }, crashCause: 'clean_exit', inFlightCalls: 0 },
    });
    await ready;
    expect(await pool.call('pid')).not.toBe(pid);
  });

  it.each([
    ['P1 with status 0 while busy', 0, { type: 'normal' }],
    ['P2 with status 1 while busy', 1, { type: 'exit_status', status: 1 }],
  ])('%s has lost its call: no status means success', async (_what, status, exitReason) => {
    const pool = await started({}, { zygote });
    const error = await rejection(pool.call('exit', { status }));
    expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted', exitReason });
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
    await hasOnlyItsOwn(runtime);
  });

  it('P3 by SIGKILL has lost its own call and no other, and the pool is back to its size', async () => {
    const pool = await started({ size: 2 }, { zygote });
    const sessions = ['a', 'b'];
    const pids = await Promise.all(
      sessions.map((sessionId) => pool.call('pid', {}, { sessionId })),
    );
    const lost = rejection(pool.call('sleep', { seconds: 60 }, { sessionId: 'a' }));
    const kept = pool.call('sleep', { seconds: 0.3 }, { sessionId: 'b' });
    process.kill(pids[0] as number, 'SIGKILL');
    expect(await lost).toMatchObject({
      ...{ code: 'worker_crashed', outcome: 'maybeExecuted', epoch: 1 },
      exitReason: { type: 'signal', signal: 'SIGKILL' },
      crashCause: 'killed',
    });
    expect(await kept).toBe('slept');
    await isWhole(runtime);
    await hasOnlyItsOwn(runtime);
  });

  it.each([
    ['segv', 'SIGSEGV'],
    ['abort', 'SIGABRT'],
  ])('P4 by a fault of its own (%s) says by which, and where it was', async (op, signal) => {
    const pool = await started({}, { zygote });
    const error = await rejection(pool.call(op));
    expect(error).toMatchObject({
      ...{ code: 'worker_crashed', outcome: 'maybeExecuted' },
      exitReason: { type: 'signal', signal },
      crashCause: 'segfault',
      stderrTail: expect.stringContaining(`in op_${op}`) as string,
    });
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
  });

  it('P8 while a grandchild keeps its output open settles its call all the same, and ends that one', async () => {
    const pool = await started({}, { zygote });
    const told = nextEvent(runtime, 'worker.output', ({ line }) => line.startsWith('pid '));
    const error = await rejection(pool.call('leave_holder', {}, { timeoutMs: SOON_MS }));
    expect(error).toMatchObject({ code: 'worker_crashed', exitReason: { type: 'normal' } });
    const holder = Number((await told).line.split(' ')[1]);
    await until(() => !isAlive(holder), PROMISE_MS);
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
  });

  it.skipIf(!ON_LINUX)('P9 is reaped: no zombie is left', async () => {
    const pool = await started({}, { zygote });
    const pid = (await pool.call('pid')) as number;
    process.kill(pid, 'SIGKILL');
    await until(() => !existsSync(`/proc/${pid}`), PROMISE_MS);
    await isWhole(runtime);
  });
});

describe('the report of a process that ends', () => {
  it('P2 after many words has the last of them in its report, and no more than a report keeps', async () => {
    const pool = await started();
    const error = await rejection(pool.call('leave', { lines: 2_000, status: 7 }));
    expect(error).toMatchObject({ exitReason: { type: 'exit_status', status: 7 } });
    const tail = String(error['stderrTail']);
    expect(tail).toMatch(/line 1999\n$/u);
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(LIMITS.stderrTailBytesMax);
  });

  it('P4 by a fault of its own again and again takes its pool with it', async () => {
    const pool = await started({ maxRestarts: 1 });
    for (let time = 0; time < 2; time += 1) await rejection(pool.call('segv'));
    const error = await rejection(pool.call('echo'));
    expect(error).toMatchObject({ code: 'pool_failed', outcome: 'notSent' });
    expect(error.message).toContain('last exit: signal SIGSEGV');
  });
});

describe('memory that is not there', () => {
  it.skipIf(!ON_LINUX)(
    'P6 is an error of the call that asked for it, and its worker lives',
    async () => {
      const pool = await started({ limits: { addressSpaceBytesMax: 1_024 * MIB } });
      const pid = await pool.call('pid');
      const error = await rejection(pool.call('allocate', { bytes: 2_048 * MIB }));
      expect(error).toMatchObject({ code: 'python_error', pythonType: 'MemoryError' });
      expect(await pool.call('allocate', { bytes: MIB })).toBe(MIB);
      expect(await pool.call('pid')).toBe(pid);
    },
  );
});

describe('processes without end', () => {
  it.skipIf(!ON_LINUX)(
    'P7 go with the worker that began them, sessions of their own and all',
    async () => {
      const pool = await started();
      const token = tokenOfRun(runtime);
      const before = processesOf(token).length;
      const call = rejection(pool.call('bomb', { depth: 6 }));
      await until(() => processesOf(token).length === before + 2 ** 6 - 1, SOON_MS);
      process.kill(workersOf(runtime)[0]?.pid ?? 0, 'SIGKILL');
      expect(await call).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
      await isWhole(runtime);
      await until(() => processesOf(token).length === before, PROMISE_MS);
    },
  );
});

describe('a start', () => {
  it.each(['ENOENT', 'EACCES'])(
    'P18 that the system refuses (%s) is a failed start with its reason, and the next one serves',
    async (code) => {
      const python = pythonThat('');
      const pool = await started({}, { python, zygote: false });
      const failed = nextEvent(runtime, 'child.crashed', ({ epoch }) => epoch === 2);
      // Told from inside the crash: what is put back here is there for the start after it.
      runtime.on('child.crashed', ({ epoch }) => {
        if (epoch === 2) restore();
      });
      const restore = take(python, code);
      process.kill((await pool.call('pid')) as number, 'SIGKILL');
      const { reason } = await failed;
      expect(reason).toMatchObject({ type: 'error', error: { code: 'spawn_failed' } });
      expect(String(reason.type === 'error' && reason.error.message)).toContain(code);
      expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
      expect(workersOf(runtime)).toMatchObject([{ epoch: 3, state: 'ready' }]);
    },
  );
});

/** Make the interpreter one that cannot be started. @returns the way back. */
function take(python: string, code: string): () => void {
  if (code === 'ENOENT') renameSync(python, `${python}.away`);
  else chmodSync(python, 0o600);
  return () => {
    if (code === 'ENOENT') renameSync(`${python}.away`, python);
    else chmodSync(python, 0o700);
  };
}
