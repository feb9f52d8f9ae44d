// What can Python ask of Node while it works on a call? Real Python, real sockets.
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it } from 'vitest';

import { currentCall, currentTrace, withTrace, type Runtime } from '../../src/index.ts';
import { callsRuntime } from '../support/calls-runtime.ts';
import { rejection } from '../support/real-runtime.ts';

let runtime: Runtime;
afterEach(async () => {
  await runtime.stop();
});
const bridge = () => runtime.pool('calls');
const never = () => new Promise<never>(() => undefined);

describe('a callback', () => {
  it.each(['ask', 'aask'])(
    'calls a function by its name, with values both ways: %s',
    async (op) => {
      runtime = await callsRuntime();
      const callbacks = {
        add: ({ left, right }: { left: number; right: number }) => left + right,
      };
      const args = { name: 'add', args: { left: 1, right: 2 } };
      expect(await bridge().call(op, args, { callbacks })).toBe(3);
    },
  );

  it('may be asynchronous, and be made more than once', async () => {
    runtime = await callsRuntime(
      {},
      { callbacks: { double: async ({ time }: { time: number }) => Promise.resolve(2 * time) } },
    );
    expect(await bridge().call('ask_twice', { name: 'double' })).toEqual([2, 4]);
  });

  it('that throws raises in Python, and its text comes back with the error of the call', async () => {
    runtime = await callsRuntime();
    const callbacks = {
      search: () => {
        throw new RangeError('nothing found');
      },
    };
    const error = await rejection(bridge().call('ask', { name: 'search' }, { callbacks }));
    expect(error).toMatchObject({ code: 'callback_failed', pythonType: 'CallbackError' });
    expect(error.message).toContain('nothing found');
  });

  it('of a name that nobody registered says which names there are', async () => {
    runtime = await callsRuntime({}, { callbacks: { known: () => null } });
    const error = await rejection(bridge().call('ask', { name: 'unknown' }));
    expect(error).toMatchObject({ code: 'callback_unknown' });
    expect(error.message).toContain('known');
  });

  it('has a deadline of its own', async () => {
    runtime = await callsRuntime();
    const aborted: unknown[] = [];
    const callbacks = {
      slow: (_args: unknown, { signal }: { signal: AbortSignal }) => {
        signal.addEventListener('abort', () => aborted.push(signal.reason));
        return never();
      },
    };
    const args = { name: 'slow', timeoutMs: 50 };
    const error = await rejection(bridge().call('ask', args, { callbacks }));
    expect(error).toMatchObject({ code: 'callback_timeout' });
    expect(aborted).toHaveLength(1);
  });

  it('ends with the deadline of its call, which its worker survives', async () => {
    runtime = await callsRuntime();
    const pid = await bridge().call('pid');
    const aborted: unknown[] = [];
    const callbacks = {
      slow: (_args: unknown, { signal }: { signal: AbortSignal }) => {
        signal.addEventListener('abort', () => aborted.push(signal.reason));
        return never();
      },
    };
    const options = { callbacks, timeoutMs: 200 };
    const error = await rejection(bridge().call('ask', { name: 'slow' }, options));
    expect(error).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
    expect(aborted).toHaveLength(1);
    expect(await bridge().call('pid')).toBe(pid);
  });

  it("runs in its caller's async context, and knows the call that it is for", async () => {
    runtime = await callsRuntime();
    const user = new AsyncLocalStorage<string>();
    const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const callbacks = { look: () => [user.getStore(), currentTrace(), currentCall()] };
    const seen = await user.run('ada', () =>
      withTrace(trace, () =>
        bridge().call('ask', { name: 'look' }, { callbacks, sessionId: 'alice' }),
      ),
    );
    expect(seen).toMatchObject([
      'ada',
      trace,
      { bridge: 'calls', op: 'ask', sessionId: 'alice', workerId: 'calls/0', epoch: 1 },
    ]);
  });
});

describe('a call that is made inside a callback', () => {
  it.each([undefined, 'alice'])(
    'in the same session (%s) is run by the worker that waits for it',
    async (sessionId) => {
      runtime = await callsRuntime({ size: 1 });
      const pid = await bridge().call('pid', {}, { sessionId });
      const callbacks = { inner: () => bridge().call('pid', {}, { sessionId }) };
      const args = { name: 'inner' };
      expect(await bridge().call('ask', args, { callbacks, sessionId })).toBe(pid);
    },
  );

  it('can call back in its turn, to a depth of eight, and not beyond', async () => {
    runtime = await callsRuntime({ size: 1 });
    const dive = (depth: number): Promise<unknown> =>
      bridge().call('ask', { name: 'deeper', args: { depth } });
    const callbacks = {
      deeper: async ({ depth }: { depth: number }): Promise<unknown> =>
        depth === 0 ? 'ground' : dive(depth - 1),
    };
    await runtime.stop();
    runtime = await callsRuntime({ size: 1 }, { callbacks });
    expect(await dive(8)).toBe('ground');
    const error = await rejection(dive(9));
    expect(error.message).toContain('nestedDepthMax');
  });
});

describe('the context of a call', () => {
  it('is known to Python: trace, session, operation', async () => {
    runtime = await callsRuntime();
    const trace = { traceparent: '00-aa-bb-01', baggage: 'user=ada' };
    const seen = await bridge().call('context', {}, { trace, sessionId: 'alice' });
    expect(seen).toEqual({ trace, session: 'alice', op: 'context' });
  });

  it('hears of its progress, in order, before its result', async () => {
    runtime = await callsRuntime();
    const steps: unknown[] = [];
    const onProgress = (value: unknown) => steps.push(value);
    expect(await bridge().call('steps', { of: 3 }, { onProgress })).toBe('done');
    expect(steps).toEqual([0, 1, 2].map((step) => ({ step, of: 3 })));
  });
});
