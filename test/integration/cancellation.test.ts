// How does a call end of which its caller has had enough, and what becomes of its worker? Real Python, real signals.
import { afterEach, describe, expect, it } from 'vitest';

import type { Cancellation, Runtime } from '../../src/index.ts';
import { callsRuntime } from '../support/calls-runtime.ts';
import { nextEvent, rejection } from '../support/real-runtime.ts';

let runtime: Runtime;
afterEach(async () => {
  await runtime.stop();
});
const bridge = () => runtime.pool('calls');

/** Start `op`, abort it once it says that it has started, and give its error with the stage that was needed. */
async function aborted(op: string) {
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  const { signal } = controller;
  const error = await rejection(bridge().call(op, {}, { signal, onProgress }));
  const stage = await (error['cancellation'] as Cancellation).settled;
  return { error, stage };
}

describe('a running call that is aborted', () => {
  it('and looks whether it is cancelled ends by the flag', async () => {
    runtime = await callsRuntime();
    const pid = await bridge().call('pid');
    const { error, stage } = await aborted('obedient');
    expect(error).toMatchObject({ code: 'aborted', outcome: 'maybeExecuted' });
    expect(stage).toBe('flag');
    expect(await bridge().call('ends')).toEqual(['obedient']);
    expect(await bridge().call('pid')).toBe(pid);
  });

  it('and computes in Python ends by an exception that it can clean up after', async () => {
    runtime = await callsRuntime();
    const pid = await bridge().call('pid');
    expect((await aborted('stubborn')).stage).toBe('raise');
    expect(await bridge().call('ends')).toEqual(['stubborn']);
    expect(await bridge().call('pid')).toBe(pid);
  });

  it('and swallows the exception is answered to nobody, and its worker goes on', async () => {
    runtime = await callsRuntime();
    const pid = await bridge().call('pid');
    expect((await aborted('swallows')).stage).toBe('raise');
    expect(await bridge().call('pid')).toBe(pid);
  });

  it('and sleeps in C ends by SIGINT', async () => {
    runtime = await callsRuntime();
    const pid = await bridge().call('pid');
    const error = await rejection(bridge().call('sleeper', {}, { timeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
    expect(await (error['cancellation'] as Cancellation).settled).toBe('interrupt');
    expect(await bridge().call('pid')).toBe(pid);
  });

  it('and is deaf in C is ended by replacement, which spends no restart', async () => {
    runtime = await callsRuntime({ size: 1, maxRestarts: 0 });
    const pid = await bridge().call('pid');
    const decided = nextEvent(
      runtime,
      'supervisor.decided',
      ({ verdict }) => verdict === 'replace',
    );
    const { stage } = await aborted('blocked');
    expect(stage).toBe('kill');
    expect(await decided).toMatchObject({ because: 'aborted' });
    expect(await bridge().call('pid')).not.toBe(pid);
  });

  it('takes no other call before it is over', async () => {
    runtime = await callsRuntime({ size: 1 });
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const { signal } = controller;
    const stubborn = rejection(bridge().call('stubborn', {}, { signal, onProgress }));
    const behind = bridge().call('ends');
    await stubborn;
    // Whoever comes next finds the ended one behind it, never beside it.
    expect(await behind).toEqual(['stubborn']);
  });
});

describe('a call that waits at its worker', () => {
  it('and is aborted is taken back: it was not sent, and nobody is harmed', async () => {
    runtime = await callsRuntime({ size: 1, prefetch: 4 });
    const pid = await bridge().call('pid');
    const running = bridge().call('compute', { seconds: 0.5 });
    const controller = new AbortController();
    const waiting = rejection(bridge().call('endless', {}, { signal: controller.signal }));
    const behind = bridge().call('pid');
    controller.abort();
    const error = await waiting;
    expect(error).toMatchObject({ code: 'aborted', outcome: 'notSent' });
    expect((error['cancellation'] as Cancellation).stage).toBe('withdrawn');
    expect(await running).toBeTypeOf('number');
    expect(await behind).toBe(pid);
  });

  it('fails as notSent when the one before it takes the worker along', async () => {
    runtime = await callsRuntime({ size: 1, prefetch: 4 });
    const pid = (await bridge().call('pid')) as number;
    const running = rejection(
      bridge().call('compute', { seconds: 60 }, { onProgress: () => undefined }),
    );
    const waiting = [1, 2].map(() => rejection(bridge().call('pid', {}, { maxRetries: 0 })));
    process.kill(pid, 'SIGKILL');
    expect(await running).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    for (const error of await Promise.all(waiting))
      expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'notSent' });
  });
});

describe('a deadline', () => {
  it('does not fail a reply that had arrived while the event loop was blocked (R6)', async () => {
    runtime = await callsRuntime({ size: 1 });
    await bridge().call('pid');
    const call = bridge().call('compute', { seconds: 0.05 }, { timeoutMs: 150 });
    // Written first, then blocked beyond both: the reply lies in the socket when the timer is due.
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    expect(await call).toBeTypeOf('number');
  });
});
