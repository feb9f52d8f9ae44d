// What does a reader of a stream see, and what does its writer? Real Python, real sockets.
import { afterEach, describe, expect, it } from 'vitest';

import type { Runtime } from '../../src/index.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { callsRuntime } from '../support/calls-runtime.ts';
import { rejection, until } from '../support/real-runtime.ts';

let runtime: Runtime;
afterEach(async () => {
  await runtime.stop();
});
const bridge = () => runtime.pool('calls');

describe('a stream', () => {
  it.each(['count', 'acount'])('gives the values of a generator in order: %s', async (op) => {
    runtime = await callsRuntime();
    const seen: unknown[] = [];
    for await (const item of bridge().stream(op, { to: 100 })) seen.push(item);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(await bridge().call('closed')).toEqual([op]);
  });

  it('asks for no more than its reader takes: the writer stops when the reader does', async () => {
    runtime = await callsRuntime({ size: 1 });
    const stream = bridge().stream<number>('count', { to: 10_000 });
    expect(await stream.next()).toEqual({ value: 0, done: false });
    // What the writer has made is told behind it, by the same worker, once the stream is over.
    const stage = await stream.stop();
    expect(stage).toBe('flag');
    expect(await bridge().call('produced')).toBeLessThanOrEqual(LIMITS.streamCredit + 1);
  });

  it.each(['endless', 'acount'])(
    'that is left early closes its generator, whose finally runs, and keeps its worker: %s',
    async (op) => {
      runtime = await callsRuntime();
      const pid = await bridge().call('pid');
      for await (const item of bridge().stream<number>(op, { to: 1_000 })) {
        if (item === 3) break;
      }
      expect(await bridge().call('closed')).toEqual([op]);
      expect(await bridge().call('pid')).toBe(pid);
    },
  );

  it('that fails gives the items before its error', async () => {
    runtime = await callsRuntime();
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const item of bridge().stream('fail_after', { items: 3 })) seen.push(item);
    })();
    expect(await rejection(reading)).toMatchObject({
      code: 'python_error',
      pythonType: 'ValueError',
      traceback: expect.stringContaining('_fail_after') as unknown,
    });
    expect(seen).toEqual([0, 1, 2]);
  });

  it('of an operation that is no generator is its one result', async () => {
    runtime = await callsRuntime();
    const seen: unknown[] = [];
    for await (const item of bridge().stream('echo', { a: 1 })) seen.push(item);
    expect(seen).toEqual([{ a: 1 }]);
  });

  it('that is called as a call is the list of its values', async () => {
    runtime = await callsRuntime();
    expect(await bridge().call('count', { to: 4 })).toEqual([0, 1, 2, 3]);
  });

  it('ends at its deadline, in the middle, and its generator is closed', async () => {
    runtime = await callsRuntime();
    const stream = bridge().stream('endless', {}, { timeoutMs: 1_000 });
    const reading = (async () => {
      for await (const item of stream) expect(item).toBeTypeOf('number');
    })();
    const error = await rejection(reading);
    expect(error).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
    expect(await bridge().call('closed')).toEqual(['endless']);
  });

  it('whose worker is killed gives what had arrived, then the crash', async () => {
    runtime = await callsRuntime();
    const pid = (await bridge().call('pid')) as number;
    const stream = bridge().stream<number>('endless');
    expect(await stream.next()).toEqual({ value: 0, done: false });
    process.kill(pid, 'SIGKILL');
    const last: { seen?: number } = {};
    const error = await rejection(
      (async () => {
        for await (const item of stream) last.seen = item;
      })(),
    );
    expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(await bridge().call('closed')).toEqual([]);
  });

  it('can be aborted by a signal', async () => {
    runtime = await callsRuntime();
    const controller = new AbortController();
    const stream = bridge().stream('endless', {}, { signal: controller.signal });
    await stream.next();
    controller.abort();
    const error = await rejection(
      (async () => {
        for await (const item of stream) expect(item).toBeTypeOf('number');
      })(),
    );
    expect(error).toMatchObject({ code: 'aborted', outcome: 'maybeExecuted' });
    await until(() => runtime.pool('calls').statistics().gauges.busy === 0, 5_000);
    expect(await bridge().call('closed')).toEqual(['endless']);
  });
});
