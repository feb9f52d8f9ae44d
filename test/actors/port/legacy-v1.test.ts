import { describe, expect, it } from 'vitest';
import { UnencodableError } from '../../../actors/ground/errors.ts';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { encodeV1, v1Args, V1Decoder } from '../../../actors/port/legacy-v1.ts';
import type { ReplyMessage } from '../../../actors/port/message.ts';

function bytesOf(json: string | Buffer): Buffer {
  const body = Buffer.from(json);
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(body.length);
  return Buffer.concat([prefix, body]);
}

function decode(...chunks: readonly Buffer[]): ReplyMessage[] {
  const replies: ReplyMessage[] = [];
  const decoder = new V1Decoder(1_000);
  for (const chunk of chunks) {
    decoder.feed(chunk, (reply) => {
      replies.push(reply);
      return 'more';
    });
  }
  return replies;
}

const args = (value: unknown, session: string | null = null) =>
  v1Args(encodeValue(value, 'args'), session);

describe('a v1 command', () => {
  it('is its length in four bytes, then JSON', () => {
    const bytes = encodeV1({ id: 7, command: 'echo', args: { text: 'é' } });
    expect(bytes.readUInt32BE(0)).toBe(bytes.length - 4);
    expect(bytes.subarray(4).toString()).toBe('{"id":7,"command":"echo","args":{"text":"é"}}');
  });

  it('carries arguments that JSON has, as they are', () => {
    const given = { text: 'a', deep: [1, -2.5, true, null, { k: [] }], large: 1e300 };
    expect(args(given)).toEqual(given);
  });

  it('carries keys that version 2 would escape, and keys that are names of prototypes', () => {
    const given = JSON.parse(
      '{"$": 1, "$$": 2, "a": {"$type": 3}, "__proto__": {"x": 4}}',
    ) as object;
    expect(JSON.parse(JSON.stringify(args(given)))).toEqual(given);
    expect(Object.keys(args(given))).toEqual(['$', '$$', 'a', '__proto__']);
  });

  it('carries numbers for which version 2 has tags and JSON has a form', () => {
    expect(JSON.stringify(args({ zero: -0, large: 1e21, whole: 2 ** 53 + 2 }))).toBe(
      '{"zero":0,"large":1e+21,"whole":9007199254740994}',
    );
  });

  it.each([
    ['NaN', { rows: [{ score: Number.NaN }] }, 'args.rows[0].score', 'NaN'],
    ['Infinity', { n: Infinity }, 'args.n', 'Infinity'],
    ['-Infinity', { n: -Infinity }, 'args.n', '-Infinity'],
    ['a bigint', { n: 2n ** 60n }, 'args.n', 'bigint'],
    ['bytes', { image: Buffer.from('x') }, 'args.image', 'bytes'],
    ['a typed array', { x: [new Float64Array(2)] }, 'args.x[0]', 'array'],
    ['a date', { at: new Date(0) }, 'args.at', 'date'],
  ])('refuses %s with its path', (_what, value, path, found) => {
    expect(() => args(value)).toThrow(UnencodableError);
    expect(() => args(value)).toThrow(
      new RegExp(`^${path.replaceAll(/[[\].]/gu, '\\$&')} .*${found}`, 'u'),
    );
  });

  it('refuses arguments without names', () => {
    expect(() => args([1])).toThrow(/^args .*an object is expected/u);
  });

  it('carries the session among its arguments, unless they have one', () => {
    expect(args({ a: 1 }, 'alice')).toEqual({ a: 1, session_id: 'alice' });
    expect(args({ session_id: 'own' }, 'alice')).toEqual({ session_id: 'own' });
    expect(args({ a: 1 })).toEqual({ a: 1 });
  });

  it('does not change the arguments that it was given', () => {
    const given = { a: 1 };
    args(given, 'alice');
    expect(given).toEqual({ a: 1 });
  });
});

describe('a v1 reply', () => {
  it('is a success with its result', () => {
    expect(
      decode(bytesOf('{"id": 1, "success": true, "result": {"a": [1]}, "timestamp": 1.5}')),
    ).toEqual([{ type: 'reply', id: 1, ok: true, result: { a: [1] } }]);
  });

  it('without a result has the result null', () => {
    expect(decode(bytesOf('{"id": 1, "success": true}'))).toMatchObject([{ result: null }]);
  });

  it('is a failure with its text', () => {
    expect(decode(bytesOf('{"id": 2, "success": false, "error": "no luck"}'))).toEqual([
      {
        ...{ type: 'reply', id: 2, ok: false },
        error: { type: 'Error', message: 'no luck', traceback: '', code: 'python_error' },
      },
    ]);
  });

  it('tells type, code and traceback of a failure where the script does', () => {
    const text =
      '{"id": 2, "success": false, "error": "no luck", "error_type": "ValueError", "error_code": "unlucky", "traceback": "Traceback"}';
    expect(decode(bytesOf(text))).toMatchObject([
      {
        error: { type: 'ValueError', message: 'no luck', code: 'unlucky', traceback: 'Traceback' },
      },
    ]);
  });

  it('that holds NaN, as Python writes it, fails its call and not the wire', () => {
    const replies = decode(
      bytesOf('{"id": 3, "success": true, "result": [NaN, -Infinity, "NaN \\" Infinity"]}'),
      bytesOf('{"id": 4, "success": true, "result": "NaN"}'),
    );
    expect(replies).toMatchObject([
      { id: 3, ok: false, error: { code: 'unencodable' } },
      { id: 4, ok: true, result: 'NaN' },
    ]);
  });

  it('never becomes a prototype', () => {
    const [reply] = decode(
      bytesOf('{"id": 1, "success": true, "result": {"__proto__": {"x": 1}}}'),
    );
    const { result } = reply as { result: object };
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(Object.keys(result)).toEqual(['__proto__']);
  });

  it('comes out the same however the bytes are cut', () => {
    const bytes = Buffer.concat(
      [1, 2, 3].map((id) => bytesOf(JSON.stringify({ id, success: true, result: 'é'.repeat(id) }))),
    );
    const whole = decode(bytes);
    expect(whole).toHaveLength(3);
    for (let size = 1; size < bytes.length; size += 1) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(decode(...chunks)).toEqual(whole);
    }
  });

  it('is not asked for behind a stop', () => {
    const decoder = new V1Decoder();
    const taken: number[] = [];
    const two = [1, 2].map((id) => bytesOf(`{"id": ${id}, "success": true}`));
    decoder.feed(Buffer.concat(two), ({ id }) => {
      taken.push(id);
      return 'stop';
    });
    expect(taken).toEqual([1]);
  });
});

describe('what is no v1 reply', () => {
  it.each([
    [
      'a print',
      Buffer.from('loading the model\n'),
      /begins "loading the model\\n".*may not print/u,
    ],
    ['no JSON behind a length', bytesOf('loading'), /no JSON object/u],
    ['a length over the limit', bytesOf(Buffer.alloc(1_001, '{')), /1001 bytes, at most 1000/u],
    ['the largest length', Buffer.from('ffffffff7b7d', 'hex'), /4294967295 bytes/u],
    ['a length of nothing', Buffer.alloc(4), /length of 0 bytes/u],
    ['invalid UTF-8', bytesOf(Buffer.from('7b22ff7d', 'hex')), /invalid UTF-8/u],
    ['invalid JSON', bytesOf('{no}'), /invalid JSON/u],
    ['invalid JSON with NaN in it', bytesOf('{NaN: NaN}'), /invalid JSON/u],
    ['an array', bytesOf(' [1]'), /no JSON object/u],
    ['no id', bytesOf('{"success": true}'), /id is no integer/u],
    ['a fraction as id', bytesOf('{"id": 1.5, "success": true}'), /id is no integer/u],
    ['no success', bytesOf('{"id": 1, "result": 1}'), /reply 1 is neither/u],
    ['a failure without text', bytesOf('{"id": 1, "success": false}'), /reply 1 is neither/u],
  ])('breaks the wire: %s', (_what, bytes, text) => {
    expect(() => decode(bytes)).toThrow(ProtocolError);
    expect(() => decode(bytes)).toThrow(text);
  });

  it('is found by its first five bytes, before the length that it claims is there', () => {
    // A `print()` in front of a reply claims 160 MiB.
    const decoder = new V1Decoder();
    decoder.feed(Buffer.from('\n\0\0\0'), () => 'more');
    expect(() => decoder.feed(Buffer.from('\x2f'), () => 'more')).toThrow(/no JSON object/u);
  });

  it('takes no memory for the length that it claims', () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoder = new V1Decoder();
    const claim = Buffer.from('0fffffff7b', 'hex');
    decoder.feed(claim, () => 'more');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});
