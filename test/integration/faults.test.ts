// What happens when real workers are killed, print, or lose their host? Real processes, real signals.
import { afterEach, describe, expect, it } from 'vitest';

import type { Runtime } from '../../src/index.ts';
import { echoRuntime, nextEvent, rejection, until, workersOf } from '../support/real-runtime.ts';

let runtime: Runtime;
afterEach(async () => {
  await runtime.stop();
});

function workers(): readonly { readonly pid: number | undefined; readonly epoch: number }[] {
  return workersOf(runtime);
}

describe('a worker that is killed', () => {
  it('while idle is restarted with the next epoch, and no call notices', async () => {
    runtime = await echoRuntime({ size: 1 });
    const pid = (await runtime.pool('echo').call('pid')) as number;
    const crashed = nextEvent(runtime, 'child.crashed');
    const ready = nextEvent(runtime, 'child.ready', ({ epoch }) => epoch === 2);
    process.kill(pid, 'SIGKILL');
    expect(await crashed).toMatchObject({
      reason: { type: 'signal', signal: 'SIGKILL' },
      inFlightCalls: 0,
    });
    expect((await ready).pid).not.toBe(pid);
    expect(await runtime.pool('echo').call('pid')).not.toBe(pid);
  });

  it('while busy fails its call with a typed error, and loses no waiting call', async () => {
    runtime = await echoRuntime({ size: 1 });
    const pid = (await runtime.pool('echo').call('pid')) as number;
    const inFlight = rejection(runtime.pool('echo').call('sleep', { seconds: 60 }));
    const waiting = runtime.pool('echo').call('pid');
    process.kill(pid, 'SIGKILL');
    expect(await inFlight).toMatchObject({
      code: 'worker_crashed',
      outcome: 'maybeExecuted',
      retryable: true,
      workerId: 'echo/0',
      epoch: 1,
      exitReason: { type: 'signal', signal: 'SIGKILL' },
    });
    expect(await waiting).not.toBe(pid);
  });

  it('during its start is started again', async () => {
    const starting = echoRuntime({ size: 1 }, { env: { CADUCEUS_TEST: '1' } });
    runtime = await starting;
    const launched = nextEvent(runtime, 'child.launched', ({ epoch }) => epoch === 2);
    process.kill((await runtime.pool('echo').call('pid')) as number, 'SIGKILL');
    process.kill((await launched).pid, 'SIGKILL');
    const call = runtime.pool('echo').call('echo', { served: true });
    expect(await call).toEqual({ served: true });
    expect(workers()[0]?.epoch).toBe(3);
  });

  it('more often than the window allows takes its pool with it, and says so to every caller (P12)', async () => {
    runtime = await echoRuntime({ size: 1, maxRestarts: 1 });
    for (const epoch of [1, 2]) {
      const pid = (await runtime.pool('echo').call('pid')) as number;
      const crashed = nextEvent(runtime, 'child.crashed', (event) => event.epoch === epoch);
      process.kill(pid, 'SIGKILL');
      await crashed;
    }
    const error = await rejection(runtime.pool('echo').call('echo'));
    expect(error).toMatchObject({ code: 'pool_failed', outcome: 'notSent' });
    expect(error.message).toContain('reached max restart intensity');
    expect(runtime.pool('echo').statistics().state).toBe('failed');
  });
});

describe('a call that outlives its deadline', () => {
  it('fails as maybeExecuted, and is ended in its worker, which goes on', async () => {
    runtime = await echoRuntime({ size: 1, maxRestarts: 0 });
    const pid = (await runtime.pool('echo').call('pid')) as number;
    const error = await rejection(
      runtime.pool('echo').call('sleep', { seconds: 60 }, { timeoutMs: 100 }),
    );
    expect(error).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
    expect(await runtime.pool('echo').call('pid')).toBe(pid);
  });

  it('by its caller’s signal ends in its worker too, which goes on', async () => {
    runtime = await echoRuntime({ size: 1 });
    const pid = await runtime.pool('echo').call('pid');
    const controller = new AbortController();
    const busy = nextEvent(runtime, 'worker.output', ({ line }) => line.startsWith('grandchild'));
    const aborted = rejection(runtime.pool('echo').call('spin', {}, { signal: controller.signal }));
    await busy;
    controller.abort(new Error('enough'));
    expect(await aborted).toMatchObject({ code: 'aborted', outcome: 'maybeExecuted' });
    expect(await runtime.pool('echo').call('pid')).toBe(pid);
  });
});

describe('user code that prints', () => {
  it('from Python, C, a thread, a descriptor or a grandchild reaches the log and never the wire (W4)', async () => {
    runtime = await echoRuntime({ size: 1 });
    const lines: string[] = [];
    runtime.on('worker.output', ({ stream, line, path, epoch }) => {
      lines.push(`${path}#${epoch} ${stream}: ${line}`);
    });
    expect(await runtime.pool('echo').call('print')).toBe('printed');
    expect(await runtime.pool('echo').call('echo', { still: 'framed' })).toEqual({
      still: 'framed',
    });
    await until(() => lines.length >= 6, 5_000);
    expect(lines.sort()).toEqual([
      'echo/0#1 stderr: to stderr',
      'echo/0#1 stdout: from C',
      'echo/0#1 stdout: from a grandchild',
      'echo/0#1 stdout: from a thread',
      'echo/0#1 stdout: from print',
      'echo/0#1 stdout: from the descriptor',
    ]);
  });
});

describe('the environment of a worker', () => {
  it('is an allow-list: secrets of the host stay with the host', async () => {
    process.env['CADUCEUS_TEST_SECRET'] = 'canary';
    runtime = await echoRuntime({ size: 1 }, { env: { GIVEN: 'yes' } });
    delete process.env['CADUCEUS_TEST_SECRET'];
    const environ = (await runtime.pool('echo').call('environ')) as Record<string, string>;
    expect(environ).toMatchObject({ GIVEN: 'yes', PYTHONUTF8: '1' });
    expect(environ).not.toHaveProperty('CADUCEUS_TEST_SECRET');
    expect(environ).not.toHaveProperty('CADUCEUS_WORKER');
  });
});

describe('sessions', () => {
  it('keep to one worker while it lives, and are rebuilt on another when it dies', async () => {
    runtime = await echoRuntime({ size: 2 });
    const pool = runtime.pool('echo');
    const alice = { sessionId: 'alice' };
    await pool.call('remember', { id: 'x', value: 42 }, alice);
    const pid = (await pool.call('pid', {}, alice)) as number;
    expect(await pool.call('pid', {}, alice)).toBe(pid);
    const crashed = nextEvent(runtime, 'child.crashed');
    process.kill(pid, 'SIGKILL');
    await crashed;
    expect(await pool.call('recall', { id: 'x' }, alice)).toBe(42);
    expect(await pool.call('pid', {}, alice)).not.toBe(pid);
  });
});
