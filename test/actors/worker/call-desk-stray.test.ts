import { describe, expect, it } from 'vitest';
import { encodeValue } from '../../../actors/port/codec.ts';
import { scriptedPython } from '../../support/scripted-python.ts';
import { readyWorker } from './one-worker.ts';

const setUp = () => readyWorker({ world: scriptedPython() });

describe('what belongs to no call in flight', () => {
  it('is dropped and told of: a late item, progress, a second reply', () => {
    const { send, settle, process, dropped } = setUp();
    const id = send('echo');
    settle();
    process().emit('replies', { type: 'item', id, seq: 0, value: 1 });
    process().emit('replies', { type: 'progress', id, value: 1 });
    process().reply(id, 'again');
    settle();
    expect(dropped).toEqual(Array(3).fill({ path: 'p/0', epoch: 1, callId: id }));
  });

  it('is an item out of its turn', () => {
    const { send, settle, process, dropped } = setUp();
    const items: unknown[] = [];
    const id = send('hang', {}, { item: (value) => items.push(value) });
    for (const seq of [0, 0, 2, 1])
      process().emit('replies', { type: 'item', id, seq, value: seq });
    settle();
    expect([items, dropped.length]).toEqual([[0, 1], 2]);
  });

  it('is a callback, which is answered: Python waits for it', () => {
    const { settle, process, dropped } = setUp();
    const callback = { type: 'callback', id: 5, callback: 8, name: 'f', args: {} };
    process().emit('replies', callback);
    settle();
    expect(process().answers).toMatchObject([
      { callback: 8, ok: false, error: { code: 'cancelled' } },
    ]);
    expect(dropped).toHaveLength(1);
  });

  it('is a callback of a call that was made without any, and is answered so', () => {
    const { send, settle, process } = setUp();
    const id = send('hang');
    settle();
    process().emit('replies', { type: 'callback', id, callback: 9, name: 'f', args: {} });
    settle();
    expect(process().answers).toMatchObject([
      { callback: 9, ok: false, error: { code: 'callback_unknown' } },
    ]);
  });

  it('is given neither credit nor an answer', () => {
    const { worker, send, settle, process } = setUp();
    const id = send('echo');
    settle();
    worker.credit(id, 8);
    worker.answer(id, { callback: 1, ok: true, value: encodeValue(1, 'value') });
    settle();
    expect([process().said, process().answers]).toEqual([[], []]);
  });
});
