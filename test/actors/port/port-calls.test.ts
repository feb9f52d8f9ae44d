import { describe, expect, it } from 'vitest';
import { UnencodableError } from '../../../actors/ground/errors.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { combineCalls } from '../../../actors/port/batch.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { encodeCodedFrame, frameBytesOf } from '../../../actors/port/frame.ts';
import { CALL, REPLY, wire as setUp } from './wire.ts';

describe('what a handler says', () => {
  it.each([
    ['item', { type: 'item', id: 1, seq: 0, value: [1] }],
    ['progress', { type: 'progress', id: 1, value: 0.5 }],
    ['callback', { type: 'callback', id: 1, callback: 2, name: 'f', args: {}, timeoutMs: null }],
    ['reply', REPLY],
  ])('tells what a handler says: %s', (_what, said) => {
    const { message, facts } = setUp();
    message('replies', said);
    expect(facts).toEqual([said]);
  });

  it('tells a value with its raw segment as what it is', () => {
    const { bytes, facts } = setUp();
    const value = encodeValue(Float64Array.of(1, Number.NaN), 'value');
    const reply = { type: 'reply', id: 1, ok: true };
    bytes('replies', Buffer.concat(encodeCodedFrame({ ...reply }, 'result', value)));
    expect(facts).toEqual([{ ...reply, result: Float64Array.of(1, Number.NaN) }]);
  });
});

describe('what a worker is told about calls', () => {
  it('writes a call to the calls lane', () => {
    const { port, written } = setUp();
    port.call(1, CALL, 'now');
    expect(written()).toEqual([['calls', { ...CALL, args: {} }]]);
  });

  it('writes with a call what it streams, what it is nested in, and the trace', () => {
    const { port, written } = setUp();
    const [stream, trace] = [{ credit: 4 }, { traceparent: '00-1-2-01' }];
    port.call(1, { ...CALL, stream, trace, nested: { parent: 3, callback: 9 } }, 'now');
    const message = { ...CALL, args: {}, stream, trace, parent: 3, callback: 9 };
    expect(written()).toEqual([['calls', message]]);
  });

  it('writes of a batch how many calls it is, and hears of each how it ended', () => {
    const { port, written, message, facts } = setUp();
    const args = combineCalls([{ n: 1 }, { n: 2 }].map((one) => encodeValue(one, 'args')));
    port.call(7, { ...CALL, args, batch: 2 }, 'now');
    const calls = [{ n: 1 }, { n: 2 }];
    expect(written()).toEqual([['calls', { ...CALL, id: 7, args: { calls }, batch: 2 }]]);
    const error = { type: 'E', message: 'm', traceback: 't', code: 'python_error' };
    const outcomes = [
      { ok: true, result: 'one' },
      { ok: false, error },
    ];
    message('replies', { type: 'reply', id: 7, ok: true, result: outcomes });
    expect(facts).toEqual([{ type: 'reply', id: 7, ok: true, result: null, outcomes }]);
  });

  it('hears that a batch has failed as a whole', () => {
    const { port, message, facts } = setUp();
    const args = combineCalls([encodeValue({}, 'args'), encodeValue({}, 'args')]);
    port.call(1, { ...CALL, args, batch: 2 }, 'now');
    const error = { type: 'E', message: 'm', traceback: 't', code: 'invalid_batch' };
    message('replies', { type: 'reply', id: 1, ok: false, error });
    expect(facts).toEqual([{ type: 'reply', id: 1, ok: false, error }]);
  });

  it('takes the answer to a batch that has not one outcome for each call for a broken wire', () => {
    const { port, message, types } = setUp();
    const args = combineCalls([encodeValue({}, 'args'), encodeValue({}, 'args')]);
    port.call(1, { ...CALL, args, batch: 2 }, 'now');
    message('replies', { ...REPLY, result: [{ ok: true, result: 1 }] });
    expect(types()).toEqual(['broken']);
  });

  it('writes the segments of a call as parts of one write, without a copy', () => {
    const { port, written, parts } = setUp();
    const data = new Float64Array(100_000);
    port.call(1, { ...CALL, args: encodeValue({ data }, 'args') }, 'now');
    expect(written()).toMatchObject([['calls', { tagged: true, segments: [800_000] }]]);
    expect(parts()[0]?.at(-1)?.buffer === data.buffer).toBe(true);
  });

  it('writes a small call in one piece', () => {
    const { port, parts } = setUp();
    const data = Float64Array.of(1, 2);
    port.call(1, { ...CALL, args: encodeValue({ data }, 'args') }, 'now');
    expect(parts()[0]).toHaveLength(1);
  });

  it.each([
    ['segments', { data: new Uint8Array(LIMITS.frameBytesMax) }],
    ['JSON', { text: 'x'.repeat(LIMITS.headerBytesMax) }],
  ])(
    'refuses a call whose %s exceeds a frame, which the worker would die of, and writes nothing',
    (_what, args) => {
      const { port, written } = setUp();
      const call = { ...CALL, args: encodeValue(args, 'args') };
      expect(() => port.call(1, call, 'now')).toThrow(UnencodableError);
      expect(written()).toEqual([]);
    },
  );

  it('writes a call of exactly the size that a frame holds', () => {
    const { port, parts } = setUp();
    port.call(1, { ...CALL, args: encodeValue({ data: new Uint8Array(8) }, 'args') }, 'now');
    const without = frameBytesOf(parts()[0] ?? []) - 8;
    const grown = String(LIMITS.frameBytesMax).length - 1;
    // The length stands in the header too, which is padded to a multiple of 8.
    const room = LIMITS.frameBytesMax - 8 - without;
    const data = new Uint8Array(room - grown - ((room - grown) % 8));
    port.call(1, { ...CALL, args: encodeValue({ data }, 'args') }, 'now');
    expect(parts()).toHaveLength(2);
    expect(frameBytesOf(parts()[1] ?? [])).toBeGreaterThan(LIMITS.frameBytesMax - 64);
  });

  it('writes the answer to a callback', () => {
    const { port, written } = setUp();
    const error = { type: 'E', message: 'm', traceback: '', code: 'callback_failed' };
    port.answer({ callback: 2, ok: true, value: encodeValue([1], 'value') });
    port.answer({ callback: 3, ok: false, error });
    expect(written()).toEqual([
      ['calls', { type: 'callback_result', callback: 2, ok: true, value: [1] }],
      ['calls', { type: 'callback_result', callback: 3, ok: false, error }],
    ]);
  });

  it.each([
    ['segments', new Uint8Array(LIMITS.frameBytesMax)],
    ['JSON', 'x'.repeat(LIMITS.headerBytesMax)],
  ])(
    'answers a callback whose answer has %s beyond a frame with an error: Python waits for it',
    (_what, value) => {
      const { port, written } = setUp();
      port.answer({ callback: 2, ok: true, value: encodeValue(value, 'value') });
      expect(written()).toMatchObject([
        ['calls', { callback: 2, ok: false, error: { code: 'callback_failed' } }],
      ]);
    },
  );

  it('says on the control lane what a running worker is told', () => {
    const { port, written } = setUp();
    const orders = [
      { type: 'ping', seq: 1 },
      { type: 'credit', id: 1, n: 8 },
      { type: 'cancel', id: 1, stage: 'raise' },
      { type: 'withdraw', id: 2 },
    ] as const;
    for (const order of orders) port.control(order);
    expect(written()).toEqual(orders.map((order) => ['control', order]));
  });
});
