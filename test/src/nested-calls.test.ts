import { describe, expect, it } from 'vitest';
import { shown } from '../supervisors/pool/calling.ts';
import { scriptedBridge } from './scripted-bridge.ts';

/** What Python was answered. */
const answered = ({ value }: { readonly value?: unknown }) => value;
const never = (): Promise<never> => new Promise(() => undefined);

describe('a call that a callback makes', () => {
  /** A function that calls the same bridge, as the test says. */
  const nesting = (options: Parameters<typeof scriptedBridge>[0] = {}) => {
    const inner: { call: () => Promise<unknown> } = { call: never };
    const again = async (): Promise<unknown> => inner.call();
    return { ...scriptedBridge({ ...options, callbacks: { again } }), inner };
  };

  it.each([undefined, 's'])(
    'in the same scope is nested: it goes to the worker that waits, past queue and order, session %s',
    async (sessionId) => {
      const { call, handle, inner, rounds, world } = nesting({ options: { size: 2 } });
      inner.call = () => handle.call('echo', { inner: true }, { sessionId });
      const asked = call('ask', { name: 'again' }, { sessionId });
      await rounds();
      expect(answered(asked)).toMatchObject({ value: { args: { inner: true } } });
      expect(world.processes.map(({ calls }) => calls.length).sort()).toEqual([0, 2]);
      expect(world.callsWritten).toMatchObject([
        { op: 'ask', id: 1, session: sessionId ?? null },
        { op: 'echo', id: 2, session: sessionId ?? null, parent: 1, callback: 1 },
      ]);
    },
  );

  it('does not wait for a queue that is full of others', async () => {
    const { call, handle, inner, rounds, python } = nesting();
    inner.call = () => handle.call('echo');
    call('hang');
    const asked = call('ask', { name: 'again' });
    call('hang');
    await rounds();
    python(1).finish(1, 'done');
    await rounds();
    expect(asked.state).toBe('resolved');
  });

  it('in another session is an ordinary one', async () => {
    const { call, handle, inner, rounds, world } = nesting({ options: { size: 2 } });
    inner.call = () => handle.call('echo', {}, { sessionId: 'other' });
    const asked = call('ask', { name: 'again' }, { sessionId: 's' });
    await rounds();
    expect(asked.state).toBe('resolved');
    expect(world.callsWritten.map(({ op, session, parent }) => [op, session, parent])).toEqual([
      ['ask', 's', undefined],
      ['echo', 'other', undefined],
    ]);
  });

  it('whose call is over is refused: nobody would run it', async () => {
    const { call, handle, inner, rounds, pass, world } = nesting();
    const late: unknown[] = [];
    const release: (() => void)[] = [];
    inner.call = async () => {
      await new Promise<void>((resolve) => release.push(resolve));
      return handle.call('echo').catch((error: unknown) => late.push(error));
    };
    call('ask', { name: 'again' }, { timeoutMs: 100 });
    await pass(100);
    release[0]?.();
    await rounds();
    expect(late).toMatchObject([{ code: 'aborted', outcome: 'notSent' }]);
    expect(world.callsWritten.map(({ op }) => op)).toEqual(['ask']);
  });

  it('dies with the worker that runs it: it may have been executed', async () => {
    const { call, handle, inner, rounds } = nesting();
    const fates: unknown[] = [];
    inner.call = () => handle.call('exit').catch((error: unknown) => fates.push(error));
    const asked = call('ask', { name: 'again' });
    await rounds();
    expect(shown(asked)).toBe('worker_crashed maybeExecuted');
    expect(fates).toMatchObject([{ code: 'worker_crashed', outcome: 'maybeExecuted' }]);
  });

  it('is nested eight times at the most', async () => {
    const { call, handle, inner, rounds, world } = nesting();
    inner.call = () => handle.call('ask', { name: 'again' });
    const asked = call('ask', { name: 'again' });
    await rounds();
    await rounds();
    // The outermost, and eight in it; the ninth was refused, and its error is what each of them returned.
    expect(world.callsWritten).toHaveLength(9);
    expect(asked.state).toBe('resolved');
    const found = JSON.stringify(answered(asked));
    expect(found).toContain('"code":"overloaded"');
    expect(found).toContain('nestedDepthMax');
  });
});
