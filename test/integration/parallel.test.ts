// How do bridges that run several calls at a time behave? Threads and asyncio, in real Python.
import { afterEach, describe, expect, it } from 'vitest';

import {
  createRuntime,
  defineAdapter,
  type Cancellation,
  type PoolOptions,
  type Runtime,
} from '../../src/index.ts';
import { fixture, nextEvent, PYTHON, rejection } from '../support/real-runtime.ts';

let runtime: Runtime;
afterEach(async () => {
  await runtime.stop();
});

async function start(pythonClass: string, pool: PoolOptions = {}): Promise<void> {
  const adapter = defineAdapter({ framework: 'p', operations: {} });
  const scriptPath = fixture('parallel_bridge.py');
  runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    bridges: { p: { adapter, scriptPath, pythonClass, pool: { size: 1, ...pool } } },
  });
}
const bridge = () => runtime.pool('p');

describe('a bridge on threads', () => {
  it('runs as many calls at a time as it declares', async () => {
    await start('ThreadsBridge');
    const names = Array.from({ length: 8 }, (_, index) => `call ${index}`);
    const meeting = names.map((name) => bridge().call('meet', { name }));
    expect(await Promise.all(meeting)).toEqual(names);
  });

  it('runs fewer when its pool says so', async () => {
    await start('ThreadsBridge', { concurrency: 2 });
    const calls = Array.from({ length: 8 }, () => rejection(bridge().call('meet', { name: 'x' })));
    // The third waits for a place, so eight never meet.
    expect(runtime.pool('p').statistics().gauges).toMatchObject({ busy: 1, queued: 6 });
    await runtime.stop();
    for (const error of await Promise.all(calls)) expect(error).toBeInstanceOf(Error);
  });

  it('knows in each thread for which session it works', async () => {
    await start('ThreadsBridge');
    const sessions = ['a', 'b', 'c'];
    const asked = sessions.map((sessionId) => bridge().call('who', {}, { sessionId }));
    expect(await Promise.all(asked)).toEqual(sessions);
  });

  it(
    'drains, and is replaced at the bound, when one of its calls does not end',
    { timeout: 20_000 },
    async () => {
      await start('ThreadsBridge');
      const decided = nextEvent(
        runtime,
        'supervisor.decided',
        ({ verdict }) => verdict === 'replace',
      );
      const deaf = rejection(bridge().call('deaf', {}, { timeoutMs: 100 }));
      const neighbour = rejection(bridge().call('deaf'));
      const error = await deaf;
      expect(error).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
      expect(await (error['cancellation'] as Cancellation).settled).toBe('kill');
      expect(await neighbour).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
      expect(await decided).toMatchObject({ because: 'deadline' });
    },
  );
});

describe('a bridge on an event loop', () => {
  it('runs as many calls at a time as it declares', async () => {
    await start('AsyncBridge');
    const names = Array.from({ length: 64 }, (_, index) => `call ${index}`);
    const meeting = names.map((name) => bridge().call('meet', { name, of: 64 }));
    expect(await Promise.all(meeting)).toEqual(names);
  });

  it('has the task of an abandoned call cancelled, and its neighbours live', async () => {
    await start('AsyncBridge');
    const neighbour = bridge().call('meet', { name: 'neighbour', of: 2 });
    const error = await rejection(bridge().call('forever', {}, { timeoutMs: 100 }));
    expect(await (error['cancellation'] as Cancellation).settled).toBe('raise');
    expect(await bridge().call('ends')).toEqual(['forever']);
    expect(await bridge().call('meet', { name: 'other', of: 2 })).toBe('other');
    expect(await neighbour).toBe('neighbour');
  });
});
