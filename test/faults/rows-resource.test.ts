// What holds when something runs out, or time is not what it seems? Rows R1 to R5 and T1 to T5 of docs/faults.md, on real processes.
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { LIMITS } from '../../actors/ground/limits.ts';
import type { Runtime } from '../../src/index.ts';
import { isAlive, nextEvent, rejection, until } from '../support/real-runtime.ts';
import { RowsHost } from '../support/rows-host.ts';
import {
  hasOnlyItsOwn,
  isWhole,
  leaveNobody,
  rowsRuntime,
  SOON_MS,
  temporaryFolder,
} from '../support/rows-runtime.ts';

const ON_LINUX = process.platform === 'linux';
const MIB = 2 ** 20;
const DAY_MS = 24 * 3_600_000;

let runtime: Runtime;
let host: RowsHost | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await host?.end();
  host = undefined;
  await leaveNobody();
});

const started = async (...given: Parameters<typeof rowsRuntime>) => {
  runtime = await rowsRuntime(...given);
  await isWhole(runtime);
  return runtime.pool('rows');
};

/** Stop this process where it stands, as a long computation would. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('a worker whose handler finds no more', () => {
  it.each<readonly [what: string, op: string, args: Record<string, unknown>, finding: RegExp]>([
    ['R1 file descriptors', 'open_files', {}, /Too many open files/u],
    ['R2 disk space', 'write', { path: '/dev/full', mebibytes: 1 }, /No space left/u],
  ])('%s has an error of that call, and lives', async (_what, op, args, finding) => {
    const pool = await started({ limits: { openFilesMax: 64 } });
    const pid = await pool.call('pid');
    const error = await rejection(pool.call(op, args));
    expect(error).toMatchObject({ code: 'python_error', pythonType: 'OSError' });
    expect(error.message).toMatch(finding);
    expect(await pool.call('pid')).toBe(pid);
  });

  it('R3 place in a file has an error of that call, and lives', async () => {
    const pool = await started();
    const path = join(temporaryFolder(), 'large');
    await pool.call('limit_file_size', { bytes: MIB / 2 });
    const error = await rejection(pool.call('write', { path, mebibytes: 2 }));
    expect(error).toMatchObject({ code: 'python_error', pythonType: 'OSError' });
    expect(error.message).toContain('File too large');
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
  });
});

describe('a worker that takes', () => {
  it.skipIf(!ON_LINUX)(
    'R3 more CPU time than it may is ended by the kernel, which says so',
    async () => {
      const pool = await started({ limits: { cpuMsMax: 1_000 } });
      const error = await rejection(pool.call('burn'));
      expect(error).toMatchObject({
        ...{ code: 'worker_crashed', outcome: 'maybeExecuted' },
        exitReason: { type: 'signal', signal: 'SIGXCPU' },
      });
      expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
      await hasOnlyItsOwn(runtime);
    },
  );

  it.skipIf(!ON_LINUX)('R4 more memory than it should is told, once, and serves on', async () => {
    const limits = { heartbeatMs: LIMITS.heartbeatMsMin, usageLimits: { rssBytesMax: 200 * MIB } };
    const pool = await started(limits);
    const told: string[] = [];
    runtime.on('worker.over_limit', ({ what, found }) => {
      if (found > 200 * MIB) told.push(what);
    });
    const over = nextEvent(runtime, 'worker.over_limit');
    await pool.call('grow', { mebibytes: 250 });
    expect(await over).toMatchObject({ path: 'rows/0', epoch: 1, limit: 200 * MIB });
    await pool.call('sleep', { seconds: 0.3 });
    expect(told).toEqual(['rssBytesMax']);
  });
});

describe('a worker that gets little', () => {
  it.skipIf(!ON_LINUX)('R5 CPU time is slow, and not taken for dead', async () => {
    const pool = await started({ heartbeatMs: 200 });
    const unresponsive: unknown[] = [];
    runtime.on('worker.unresponsive', (event) => unresponsive.push(event));
    const pid = await pool.call('pid');
    await pool.call('starve', { loops: 4 });
    // Ten beats and more by the wall, in which it gets a small part of one processor.
    await pool.call('sleep', { seconds: 2.5 });
    expect(await pool.call('pid')).toBe(pid);
    expect(unresponsive).toEqual([]);
  });
});

describe('time', () => {
  it('T1 of the wall may jump by a day, on both sides and in both directions: deadlines do not', async () => {
    const pool = await started();
    const wall = vi.spyOn(Date, 'now');
    for (const days of [1, -1]) {
      const jumped = Date.now.bind(Date);
      const atMs = performance.timeOrigin + performance.now();
      wall.mockImplementation(() => atMs + days * DAY_MS);
      expect(jumped).not.toBe(Date.now());
      expect(await pool.call('jump', { seconds: (-days * DAY_MS) / 1_000 })).toBeTypeOf('number');
      expect(await pool.call('sleep', { seconds: 0.2 }, { timeoutMs: SOON_MS })).toBe('slept');
      const late = rejection(pool.call('sleep', { seconds: 60 }, { timeoutMs: 200 }));
      expect(await late).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
    }
  });

  it.skipIf(!ON_LINUX)(
    'T2 in which Node was stopped is nobody’s silence: no worker is killed for it',
    async () => {
      host = await RowsHost.start({ pool: { size: 2, heartbeatMs: LIMITS.heartbeatMsMin } });
      const pid = await host.call('pid');
      host.process?.kill('SIGSTOP');
      await passes(10 * LIMITS.heartbeatMsMin);
      host.process?.kill('SIGCONT');
      expect(await host.call('sleep', { seconds: 1 })).toBe('slept');
      const told = new Set(host.events.map(({ event, epoch }) => `${event} ${epoch ?? ''}`));
      expect([...told].sort()).toEqual(['child.ready 1', 'started ']);
      expect(isAlive(pid as number)).toBe(true);
    },
  );

  it('T3 of a month is a month, and not the millisecond that a timer makes of it', async () => {
    const warnings: string[] = [];
    const warn = (warning: Error): unknown => warnings.push(warning.name);
    process.on('warning', warn);
    const monthMs = 30 * DAY_MS;
    const pool = await started({
      callTimeoutMs: monthMs,
      gilHoldMsMax: monthMs,
      shutdownMs: monthMs,
    });
    const options = { timeoutMs: monthMs, checkoutTimeoutMs: monthMs };
    const calls = [1, 2].map(() => pool.call('sleep', { seconds: 0.2 }, options));
    expect(await Promise.all(calls)).toEqual(['slept', 'slept']);
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });

  it('T4 that is over for 100 000 calls at once costs few timers, and every call is told once', async () => {
    const count = 100_000;
    const pool = await started({ queueLengthMax: count });
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const controller = new AbortController();
    const running = rejection(pool.call('sleep', { seconds: 60 }, { signal: controller.signal }));
    const before = timers();
    const codes = new Map<unknown, number>();
    const options = { timeoutMs: 1_500, checkoutTimeoutMs: DAY_MS };
    const calls = Array.from({ length: count }, () =>
      rejection(pool.call('pid', {}, options)).then(({ code, outcome }) => {
        const what = `${String(code)} ${String(outcome)}`;
        codes.set(what, (codes.get(what) ?? 0) + 1);
      }),
    );
    expect(timers() - before).toBeLessThan(10);
    await Promise.all(calls);
    expect([...codes]).toEqual([['deadline_exceeded notSent', count]]);
    controller.abort();
    expect(await running).toMatchObject({ code: 'aborted' });
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
  });
});

describe('T5: of a reply, an exit, an abort and a deadline that all come while Node is blocked', () => {
  it('T5 the reply is what counts', async () => {
    const pool = await started();
    const pid = (await pool.call('pid')) as number;
    const ready = nextEvent(runtime, 'child.ready', ({ epoch }) => epoch === 2);
    const controller = new AbortController();
    const options = { timeoutMs: 300, signal: controller.signal };
    const call = pool.call('compute', { seconds: 0.05 }, options);
    await new Promise((resolve) => setImmediate(resolve));
    block(250);
    process.kill(pid, 'SIGKILL');
    block(250);
    expect(await call).toBeTypeOf('number');
    controller.abort();
    await ready;
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
    await hasOnlyItsOwn(runtime);
  });

  it('T5 each call of a hundred has one outcome, whichever comes first', async () => {
    const pool = await started({ size: 2, maxRestarts: 1_000 });
    const outcomes: string[] = [];
    for (let round = 0; round < 50; round += 1) {
      const controller = new AbortController();
      const options = { timeoutMs: 20 + (round % 5), signal: controller.signal };
      const calls = [0, 1].map(() => pool.call('compute', { seconds: 0.02 }, options));
      const settled = calls.map((call) =>
        call.then(
          () => outcomes.push('replied'),
          (error: unknown) => outcomes.push((error as { readonly code: string }).code),
        ),
      );
      await passes(20);
      if (round % 3 === 0) controller.abort();
      await Promise.all(settled);
    }
    expect(outcomes).toHaveLength(100);
    const known = ['replied', 'deadline_exceeded', 'aborted'];
    expect(outcomes.filter((outcome) => !known.includes(outcome))).toEqual([]);
    await until(() => pool.statistics().gauges.busy === 0, SOON_MS);
    await isWhole(runtime);
    await hasOnlyItsOwn(runtime);
  });
});
