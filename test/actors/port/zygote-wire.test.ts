// Are messages of a zygote what they say, and everything else refused?
import { describe, expect, it } from 'vitest';

import { FrameDecoder } from '../../../actors/port/frame.ts';
import { encodeOrder, parseZygote } from '../../../actors/port/zygote-wire.ts';
import { ZYGOTE_HELLO } from '../../support/scripted-zygote.ts';

const ERROR = { type: 'ImportError', message: 'no', traceback: 'T', code: 'python_error' };

describe('messages of a zygote', () => {
  it.each([
    [ZYGOTE_HELLO],
    [{ type: 'ready', modules: 812, importMs: 1432, hazard: null }],
    [{ type: 'ready', modules: 812, importMs: 1432, hazard: '2 threads: MainThread, warmer' }],
    [{ type: 'failed', error: ERROR }],
    [{ type: 'forked', fork: 1, pid: 4712 }],
    [{ type: 'refused', fork: 1, hazard: 'an open connection' }],
    [{ type: 'exited', pid: 4712, status: 3, signal: null }],
    [{ type: 'pong', seq: 1 }],
  ])('are taken as they are: %j', (message) => {
    expect(parseZygote({ ...message, unknown: 'key' })).toEqual(message);
  });

  it.each([
    [9, 'SIGKILL'],
    [11, 'SIGSEGV'],
    [15, 'SIGTERM'],
    [6, 'SIGABRT'],
    [64, 'SIG64'],
  ])('name signal %i as Node does', (signal, name) => {
    const exited = { type: 'exited', pid: 4712, status: null, signal };
    expect(parseZygote(exited)).toEqual({ ...exited, signal: name });
  });

  it.each([
    [{ type: 'dance' }, 'message of type dance'],
    [{}, 'zygote lane: message:'],
    [{ type: 'forked', fork: 1 }, 'message of type forked'],
    [{ type: 'forked', fork: 1, pid: 0 }, 'message of type forked'],
    [{ type: 'forked', fork: 1, pid: -1 }, 'message of type forked'],
    [{ type: 'exited', pid: 1, status: 'done', signal: null }, 'message of type exited'],
    [{ type: 'ready', modules: 1, importMs: 1 }, 'message of type ready'],
    [{ type: 'x'.repeat(1_000) }, `message of type ${'x'.repeat(64)}:`],
  ])('are refused when they are none: %j', (message, said) => {
    expect(() => parseZygote(message)).toThrow(said);
  });

  it('are cut where a text is for people', () => {
    const long = parseZygote({ type: 'refused', fork: 1, hazard: 'x'.repeat(100_000) });
    expect((long as { readonly hazard: string }).hazard.length).toBeLessThan(10_000);
  });

  it('go to it as frames', () => {
    const order = { type: 'fork', fork: 1, env: { A: 'ä' }, cwd: null } as const;
    const decoder = new FrameDecoder({ frameBytesMax: 1000, headerBytesMax: 1000 });
    expect(decoder.push(encodeOrder(order))).toEqual([order]);
  });
});
