// Is what ended a real worker told for what it was, and does the pool act on it?
import { afterEach, describe, expect, it } from 'vitest';

import type { BusEvents, Runtime } from '../../src/index.ts';
import { echoRuntime, nextEvent, rejection } from '../support/real-runtime.ts';

let runtime: Runtime | undefined;
afterEach(async () => {
  await runtime?.stop();
});

const BROKEN = 'CUDA error: device-side assert triggered';

async function crashOf(op: string, args: object): Promise<BusEvents['child.crashed']> {
  runtime = await echoRuntime({ size: 1 });
  const crashed = nextEvent(runtime, 'child.crashed');
  const error = await rejection(runtime.pool('echo').call(op, args));
  const event = await crashed;
  expect(error).toMatchObject({ code: 'worker_crashed', crashCause: event.crashCause });
  return event;
}

describe('the cause of a crash', () => {
  it('is a clean exit where the handler has ended its process', async () => {
    expect((await crashOf('exit', { status: 0 })).crashCause).toBe('clean_exit');
  });

  it('is an import error where the bridge cannot be loaded, which is tried once', async () => {
    const error = await rejection(echoRuntime({ size: 1 }, { script: 'import_raises.py' }));
    expect(error).toMatchObject({ code: 'pool_failed' });
    expect(error.message).toContain('not retryable');
    expect((error.cause as Error).message).toContain('broken by design');
  });
});

describe('a worker whose GPU context is broken', () => {
  it('answers with what Python said, and is replaced before anybody else meets it', async () => {
    runtime = await echoRuntime({ size: 1 });
    const pool = runtime.pool('echo');
    const pid = await pool.call('pid');
    const error = await rejection(pool.call('raise', { message: BROKEN }));
    expect(error).toMatchObject({ code: 'python_error', outcome: 'maybeExecuted' });
    expect(await pool.call('pid')).not.toBe(pid);
  });

  it('is kept where the error is of the call alone', async () => {
    runtime = await echoRuntime({ size: 1 });
    const pool = runtime.pool('echo');
    const pid = await pool.call('pid');
    await rejection(pool.call('raise', { message: 'CUDA out of memory' }));
    expect(await pool.call('pid')).toBe(pid);
  });
});
