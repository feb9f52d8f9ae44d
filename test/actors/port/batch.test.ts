import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnencodableError } from '../../../actors/ground/errors.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { combineCalls, OpenBatches, splitBatch } from '../../../actors/port/batch.ts';
import { encodeValue, type EncodedValue } from '../../../actors/port/codec.ts';
import { decodeEach } from '../../../actors/port/decode-value.ts';
import { encodeCodedFrame, FrameDecoder } from '../../../actors/port/frame.ts';
import { arbitraryValues, WITH_NUMPY } from '../../support/arbitrary-values.ts';
import { areEqual } from '../../vectors/equality.ts';

const ERROR = { type: 'ValueError', message: 'bad', traceback: 'Traceback', code: 'python_error' };

interface Received {
  readonly header: Readonly<Record<string, unknown>>;
  readonly segments: readonly Buffer[];
}

/** As the other side gets it. */
function sent(field: string, value: EncodedValue): Received {
  const received: Received[] = [];
  const parts = encodeCodedFrame({ type: 'call' }, field, value);
  const decoder = new FrameDecoder(LIMITS.frameBytesMax);
  decoder.feed(Buffer.concat(parts), (header, segments) => {
    received.push({ header, segments });
    return 'more';
  });
  const [only] = received;
  if (only === undefined) throw new Error('no frame');
  return only;
}

function callsIn({ header, segments }: Received): readonly unknown[] {
  const { calls } = header['args'] as { readonly calls: readonly unknown[] };
  return decodeEach(calls, header['tagged'] === true, segments);
}

const encode = (value: unknown): EncodedValue => encodeValue(value, 'args');

describe('the arguments of several calls as those of one', () => {
  it('are what each of them was, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(arbitraryValues(WITH_NUMPY), { maxLength: 6 }), (values) => {
        const found = callsIn(sent('args', combineCalls(values.map(encode))));
        expect(found).toHaveLength(values.length);
        for (const [index, value] of values.entries())
          expect(areEqual(value, found[index])).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('stay as they are when all of them are ordinary', () => {
    const values = [{ n: 1 }, { text: 'two' }];
    expect(combineCalls(values.map(encode))).toEqual({
      json: { calls: values },
      tagged: false,
      segments: [],
    });
  });

  it('have their segments numbered through, and none is copied', () => {
    const [first, second] = [Buffer.from('first'), new Float64Array(3)];
    const values = [{ a: first }, { plain: { deep: [1] } }, { b: [second], $: 1 }];
    const encoded = values.map(encode);
    const { json, tagged, segments } = combineCalls(encoded);
    expect(json).toEqual({
      calls: [
        { a: { $: 'bytes', i: 0 } },
        { plain: { deep: [1] } },
        { b: [{ $: 'nd', d: 'float64', s: [3], i: 1 }], $$: 1 },
      ],
    });
    expect(tagged).toBe(true);
    expect(segments[0]?.buffer).toBe(first.buffer);
    expect(segments[1]?.buffer).toBe(second.buffer);
    // What a call alone would be sent as is as it was.
    expect(encoded[2]?.json).toMatchObject({ b: [{ i: 0 }] });
  });

  it('keep the own key __proto__', () => {
    const value = JSON.parse('{"__proto__": {"x": 1}}') as object;
    const calls = [{ a: Buffer.from('a') }, { b: Buffer.from('b'), value }];
    const found = callsIn(sent('args', combineCalls(calls.map(encode))));
    expect(areEqual(calls[1], found[1])).toBe(true);
  });

  it('are refused when one of them has become a cycle meanwhile', () => {
    const inner: Record<string, unknown> = {};
    const values = [{ a: Buffer.from('a') }, { b: Buffer.from('b'), inner }].map(encode);
    inner['self'] = inner;
    expect(() => combineCalls(values)).toThrow(UnencodableError);
  });

  it('are refused when looking at one of them throws', () => {
    const inner = {};
    const values = [{ a: Buffer.from('a') }, { b: Buffer.from('b'), inner }].map(encode);
    Object.defineProperty(inner, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('not now');
      },
    });
    expect(() => combineCalls(values)).toThrow(/looking at it threw: not now/u);
  });
});

describe('what a reply says of each call', () => {
  it('is the value that each would have got alone', () => {
    fc.assert(
      fc.property(fc.array(arbitraryValues(WITH_NUMPY), { maxLength: 6 }), (values) => {
        // Python numbers segments as it meets them, as this does.
        const { json, tagged, segments } = combineCalls(values.map(encode));
        const { calls } = json as { readonly calls: readonly unknown[] };
        const results = calls.map((result) => ({ ok: true, result }));
        const { header, segments: got } = sent('result', { json: results, tagged, segments });
        const isTagged = header['tagged'] === true;
        const outcomes = splitBatch(header['result'], isTagged, got, values.length);
        for (const [index, value] of values.entries()) {
          const outcome = outcomes[index];
          expect(outcome?.ok === true && areEqual(value, outcome.result)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is its own error, with the causes', () => {
    const error = { ...ERROR, cause: ERROR };
    const given = [
      { ok: false, error },
      { ok: true, result: null },
    ];
    expect(splitBatch(given, false, [], 2)).toEqual(given);
  });

  it('may be as deep as the result of a single call, and no deeper', () => {
    const nested = (depth: number): unknown =>
      JSON.parse('['.repeat(depth) + '{"$":"nan"}' + ']'.repeat(depth));
    const reply = (depth: number): unknown => [{ ok: true, result: nested(depth) }];
    expect(splitBatch(reply(LIMITS.valueDepthMax), true, [], 1)).toMatchObject([{ ok: true }]);
    const tooDeep = reply(LIMITS.valueDepthMax + 1);
    expect(() => splitBatch(tooDeep, true, [], 1)).toThrow(ProtocolError);
  });

  it.each<[what: string, result: unknown, tagged?: boolean, segments?: readonly Buffer[]]>([
    ['no list', { 0: { ok: true, result: 1 } }],
    ['too few', [{ ok: true, result: 1 }]],
    ['too many', [1, 2, 3].map((result) => ({ ok: true, result }))],
    ['no outcome', [{ ok: true, result: 1 }, null]],
    ['a text', [{ ok: true, result: 1 }, 'x']],
    ['without a result', [{ ok: true, result: 1 }, { ok: true }]],
    ['without an error', [{ ok: true, result: 1 }, { ok: false }]],
    [
      'with half an error',
      [
        { ok: true, result: 1 },
        { ok: false, error: { type: 'x' } },
      ],
    ],
    [
      'that is neither',
      [
        { ok: true, result: 1 },
        { ok: 1, result: 2 },
      ],
    ],
    [
      'with a segment that nobody names',
      [
        { ok: true, result: 1 },
        { ok: true, result: 2 },
      ],
      false,
      [Buffer.from('x')],
    ],
    [
      'with one segment for two',
      [
        { ok: true, result: { $: 'bytes', i: 0 } },
        { ok: true, result: { $: 'bytes', i: 0 } },
      ],
      true,
      [Buffer.from('x')],
    ],
  ])('breaks the wire: %s', (_what, result, tagged = false, segments = []) => {
    expect(() => splitBatch(result, tagged, segments, 2)).toThrow(ProtocolError);
  });
});

describe('the batches that are open', () => {
  it('are known by their number until they are answered', () => {
    const open = new OpenBatches();
    expect(open.answered(1)).toBeUndefined();
    open.sent(1, 3);
    open.sent(2, 4);
    expect([1, 1, 3, 2].map((id) => open.answered(id))).toEqual([3, undefined, undefined, 4]);
  });
});
