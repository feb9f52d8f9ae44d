import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { bodyBytesOf, encodeFrame, FrameDecoder } from '../../../actors/port/frame.ts';

const MAX = 1024;

function frame(bodyBytes: number, headerBytes: number, body: Buffer | string = ''): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32BE(bodyBytes, 0);
  prefix.writeUInt32BE(headerBytes, 4);
  return Buffer.concat([prefix, Buffer.from(body)]);
}

const framed = (body: Buffer | string) =>
  frame(Buffer.byteLength(body), Buffer.byteLength(body), body);

/** Cut at the given places, whatever their order and number. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length];
  const sorted = ends.toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

describe('frames', () => {
  it('decode to the messages that were encoded, under any chunking', () => {
    const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }));
    const messages = fc.array(object, { maxLength: 5 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 20 }), (sent, places) => {
        const bytes = Buffer.concat(sent.map((message) => encodeFrame(message)));
        const decoder = new FrameDecoder(2 ** 24);
        const received = cut(bytes, places).flatMap((chunk) => decoder.push(chunk));
        expect(received.map((one) => JSON.stringify(one))).toEqual(
          sent.map((one) => JSON.stringify(one)),
        );
      }),
    );
  });

  it('have body and header sizes in bytes, not characters, before the header', () => {
    const bytes = encodeFrame({ a: 'é' });
    expect(bytes).toEqual(frame(10, 10, '{"a":"é"}'));
  });

  it('know the size of their body', () => {
    expect(bodyBytesOf(encodeFrame({}))).toBe(2);
  });

  it('may be exactly as large as the limit', () => {
    const body = `{"a":"${'x'.repeat(MAX - 8)}"}`;
    expect(new FrameDecoder(MAX).push(framed(body))).toHaveLength(1);
  });

  it('are complete only with their last byte', () => {
    const decoder = new FrameDecoder(MAX);
    const bytes = encodeFrame({ a: 1 });
    expect(decoder.push(bytes.subarray(0, -1))).toEqual([]);
    expect(decoder.push(bytes.subarray(-1))).toEqual([{ a: 1 }]);
  });
});

describe('a decoder refuses', () => {
  it.each([
    ['a body over the limit', frame(MAX + 1, MAX + 1)],
    ['the largest length that can be written', frame(2 ** 32 - 1, 2 ** 32 - 1)],
    ['a header shorter than the body', frame(10, 8)],
    ['a header longer than the body', frame(10, 12)],
    ['an empty body', frame(0, 0)],
    ['a body too short for an object', frame(1, 1)],
  ])('%s on the first 8 bytes, before any memory is taken', (_what, prefix) => {
    expect(() => new FrameDecoder(MAX).push(prefix)).toThrow(ProtocolError);
  });

  it('nothing on 7 bytes: the sizes are not there yet', () => {
    expect(new FrameDecoder(MAX).push(frame(MAX + 1, 0).subarray(0, 7))).toEqual([]);
  });

  it.each([
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a UTF-8 sequence cut short', Buffer.from([0x22, 0xc3, 0x22])],
    ['invalid JSON', '{"a":}'],
    ['two values', '{}{}'],
    ['an array', '[1]'],
    ['a string', '"ab"'],
    ['a number', '42'],
    ['null', 'null'],
  ])('%s as a header', (_what, body) => {
    expect(() => new FrameDecoder(MAX).push(framed(body))).toThrow(ProtocolError);
  });

  it('a size with the finding and the limit in the message', () => {
    expect(() => new FrameDecoder(MAX).push(frame(2000, 2000))).toThrow(/2000.*1024/u);
  });

  it('any bytes with a protocol error, or takes them: nothing else is ever thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          new FrameDecoder(MAX).push(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});

describe('feeding', () => {
  const both = Buffer.concat([encodeFrame({ a: 1 }), encodeFrame({ b: 2 })]);

  it('hands over what came before a broken frame', () => {
    const taken: object[] = [];
    const feed = () => {
      new FrameDecoder(MAX).feed(Buffer.concat([both, frame(0, 0)]), (message) => {
        taken.push(message);
        return 'more';
      });
    };
    expect(feed).toThrow(ProtocolError);
    expect(taken).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('stops when told to', () => {
    const taken: object[] = [];
    new FrameDecoder(MAX).feed(both, (message) => {
      taken.push(message);
      return 'stop';
    });
    expect(taken).toEqual([{ a: 1 }]);
  });

  it('keeps the bytes behind the message at which it stopped', () => {
    const decoder = new FrameDecoder(MAX);
    decoder.feed(both, () => 'stop');
    expect(decoder.rest()).toEqual(encodeFrame({ b: 2 }));
  });

  it('leaves the decoder empty after rest', () => {
    const decoder = new FrameDecoder(MAX);
    decoder.feed(both, () => 'stop');
    decoder.rest();
    expect([decoder.rest().length, decoder.push(encodeFrame({ c: 3 }))]).toEqual([0, [{ c: 3 }]]);
  });

  it('leaves the decoder empty after rest also when that was half a frame', () => {
    const decoder = new FrameDecoder(MAX);
    decoder.push(frame(500, 500, 'half of it'));
    decoder.rest();
    expect(decoder.push(encodeFrame({ c: 3 }))).toEqual([{ c: 3 }]);
  });
});
