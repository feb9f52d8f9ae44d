import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { currentCall, currentTrace, withTrace } from '../../src/calls/call-context.ts';
import type { CallbackContext } from '../../src/calls/callbacks.ts';
import { shown } from '../supervisors/pool/calling.ts';
import { scriptedBridge } from './scripted-bridge.ts';

/** What Python was answered. */
const answered = ({ value }: { readonly value?: unknown }) => value;

describe('a function that Python calls', () => {
  it.each([
    ['returns', ({ q }: { readonly q: string }) => `found ${q}`],
    ['promises', async ({ q }: { readonly q: string }) => Promise.resolve(`found ${q}`)],
  ])('is given its arguments, and Python what it %s', async (_what, search) => {
    const { call, rounds } = scriptedBridge({ callbacks: { search } });
    const asked = call('ask', { name: 'search', given: { q: 'x' } });
    await rounds();
    expect(answered(asked)).toEqual({ value: 'found x' });
  });

  it('that returns nothing answers null', async () => {
    const { call, rounds } = scriptedBridge({ callbacks: { note: () => undefined } });
    const asked = call('ask', { name: 'note' });
    await rounds();
    expect(answered(asked)).toEqual({ value: null });
  });

  it('of one call comes before the bridge’s own of the same name', async () => {
    const { call, rounds } = scriptedBridge({ callbacks: { who: () => 'bridge', both: () => 2 } });
    const callbacks = { who: () => 'call' };
    const fates = ['who', 'both'].map((name) => call('ask', { name }, { callbacks }));
    await rounds();
    expect(fates.map(answered)).toEqual([{ value: 'call' }, { value: 2 }]);
  });

  it.each(['search', 'toString', '__proto__'])(
    'must be registered: %s is not, and Python is told which are',
    async (name) => {
      const { call, rounds } = scriptedBridge({ callbacks: { note: () => 1 } });
      const asked = call('ask', { name });
      await rounds();
      const message = `${name} is not registered; known: note`;
      expect(answered(asked)).toMatchObject({ error: { code: 'callback_unknown', message } });
    },
  );

  it('is unknown where its call has none: Python waits for an answer', async () => {
    const { call, rounds } = scriptedBridge();
    const asked = call('ask', { name: 'search' });
    await rounds();
    expect(answered(asked)).toMatchObject({ error: { code: 'callback_unknown' } });
  });

  it('that throws raises in Python, with its type, its stack and its causes', async () => {
    const fail = (): never => {
      throw new TypeError('outer', { cause: new RangeError('inner') });
    };
    const { call, rounds } = scriptedBridge({ callbacks: { fail } });
    const asked = call('ask', { name: 'fail' });
    await rounds();
    const inner = { type: 'RangeError', message: 'inner', code: 'callback_failed' };
    expect(answered(asked)).toMatchObject({
      error: { type: 'TypeError', message: 'outer', code: 'callback_failed', cause: inner },
    });
    expect(JSON.stringify(answered(asked))).toContain('callbacks.test.ts');
  });

  it.each([
    ['no error at all', () => thrown('text'), 'text'],
    ['causes without end', () => Promise.reject(endless()), 'again'],
  ])('may reject with %s', async (_what, fail, message) => {
    const { call, rounds } = scriptedBridge({ callbacks: { fail } });
    const asked = call('ask', { name: 'fail' });
    await rounds();
    expect(JSON.stringify(answered(asked))).toContain(message);
  });

  it('that returns what cannot be sent has failed, and the path is named', async () => {
    const { call, rounds } = scriptedBridge({ callbacks: { bad: () => ({ rows: [new Map()] }) } });
    const asked = call('ask', { name: 'bad' });
    await rounds();
    expect(answered(asked)).toMatchObject({ error: { code: 'callback_failed' } });
    expect(JSON.stringify(answered(asked))).toContain('result of bad.rows[0]');
  });
});

async function thrown(value: unknown): Promise<never> {
  await Promise.resolve();
  throw value;
}

function endless(): Error {
  const error = new Error('again');
  error.cause = error;
  return error;
}

describe('a function that takes its time', () => {
  const slow = () => {
    const contexts: CallbackContext[] = [];
    const finish: ((value: unknown) => void)[] = [];
    const wait = (_args: unknown, context: CallbackContext): Promise<unknown> => {
      contexts.push(context);
      return new Promise((resolve) => finish.push(resolve));
    };
    return { ...scriptedBridge({ callbacks: { wait } }), contexts, finish };
  };

  it('is given up when Python waits no longer: its signal says so, and what it returns is dropped', async () => {
    const { call, pass, rounds, contexts, finish, process } = slow();
    const asked = call('ask', { name: 'wait', timeoutMs: 100 });
    await pass(99);
    const before = [asked.state, contexts[0]?.signal.aborted];
    await pass(1);
    finish[0]?.('late');
    await rounds();
    expect(before).toEqual(['pending', false]);
    expect(contexts[0]?.signal.aborted).toBe(true);
    expect(answered(asked)).toMatchObject({ error: { code: 'callback_timeout' } });
    expect(process().answers).toHaveLength(1);
  });

  it('leaves no timer when it returns in time', async () => {
    const { call, rounds, finish, clock } = slow();
    call('echo');
    await rounds();
    const timers = clock.pending;
    call('ask', { name: 'wait', timeoutMs: 100 });
    await rounds();
    finish[0]?.('soon');
    await rounds();
    expect(clock.pending).toBe(timers);
  });

  it('is cancelled with the deadline of its call', async () => {
    const { call, pass, contexts, process } = slow();
    const late = call('ask', { name: 'wait', endedBy: 'kill' }, { timeoutMs: 100 });
    await pass(100);
    expect([shown(late), contexts[0]?.signal.aborted]).toEqual([
      ...['deadline_exceeded maybeExecuted', true],
    ]);
    expect(process().answers).toMatchObject([{ ok: false, error: { code: 'cancelled' } }]);
  });

  it('is cancelled when its caller aborts, and when its worker dies', async () => {
    const { call, rounds, contexts, process } = slow();
    const controller = new AbortController();
    call('ask', { name: 'wait' }, { signal: controller.signal });
    await rounds();
    controller.abort();
    await rounds();
    call('ask', { name: 'wait' });
    await rounds();
    process().exit(null, 'SIGKILL');
    await rounds();
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });

  it('is not begun any more once its call is being ended', async () => {
    const { call, rounds, pass, contexts, process } = slow();
    const late = call('hang', { endedBy: 'kill' }, { timeoutMs: 100 });
    await pass(100);
    const callback = { type: 'callback', id: 1, callback: 9, name: 'wait', args: {} };
    process().emit('replies', callback);
    await rounds();
    expect([late.state, contexts]).toEqual(['rejected', []]);
    expect(process().answers).toMatchObject([{ callback: 9, error: { code: 'cancelled' } }]);
  });
});

describe('inside a function that Python calls', () => {
  it('the async context is that of whoever made the call', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const look = async (): Promise<void> => {
      seen.push(storage.getStore());
      await Promise.resolve();
      seen.push(storage.getStore());
    };
    const { call, rounds } = scriptedBridge({ callbacks: { look } });
    for (const name of ['one', 'two']) storage.run(name, () => call('ask', { name: 'look' }));
    await rounds();
    expect(seen).toEqual(['one', 'one', 'two', 'two']);
  });

  it('one knows the call that it is for, and the trace of its caller', async () => {
    const seen: unknown[] = [];
    const look = async (_args: unknown, context: CallbackContext): Promise<void> => {
      await Promise.resolve();
      const { signal: _, ...call } = context;
      seen.push(call, currentCall(), currentTrace());
    };
    const { call, rounds, process } = scriptedBridge({ callbacks: { look } });
    const trace = { traceparent: '00-1-2-01', baggage: 'a=b' };
    withTrace(trace, () => call('ask', { name: 'look' }, { sessionId: 's' }));
    await rounds();
    const known = { bridge: 'p', op: 'ask', sessionId: 's', workerId: 'p/0', epoch: 1, callId: 1 };
    expect(seen).toEqual([known, known, trace]);
    expect(process().calls[0]).toMatchObject({ trace });
  });

  it('one knows nothing of it any more outside', () => {
    expect([currentCall(), currentTrace()]).toEqual([undefined, undefined]);
  });

  it('the options of a call name another trace than that of `withTrace`', async () => {
    const { call, rounds, process } = scriptedBridge();
    const trace = { traceparent: 'own' };
    withTrace({ traceparent: 'outer' }, () => call('echo', {}, { trace }));
    await rounds();
    expect(process().calls[0]).toMatchObject({ trace });
  });
});
