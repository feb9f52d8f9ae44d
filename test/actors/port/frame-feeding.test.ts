import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { encodeFrame, FrameDecoder } from '../../../actors/port/frame.ts';

const SMALL = { frameBytesMax: 1024, headerBytesMax: 1024 };

function frame(bodyBytes: number, headerBytes: number, body = ''): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32BE(bodyBytes, 0);
  prefix.writeUInt32BE(headerBytes, 4);
  return Buffer.concat([prefix, Buffer.from(body)]);
}

describe('feeding', () => {
  const both = Buffer.concat([encodeFrame({ a: 1 }), encodeFrame({ b: 2 })]);

  it('hands over what came before a broken frame', () => {
    const taken: object[] = [];
    const feed = () => {
      new FrameDecoder(SMALL).feed(Buffer.concat([both, frame(0, 0)]), (message) => {
        taken.push(message);
        return 'more';
      });
    };
    expect(feed).toThrow(ProtocolError);
    expect(taken).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('stops when told to', () => {
    const taken: object[] = [];
    new FrameDecoder(SMALL).feed(both, (message) => {
      taken.push(message);
      return 'stop';
    });
    expect(taken).toEqual([{ a: 1 }]);
  });

  it('goes on with the bytes behind the message at which it stopped', () => {
    const decoder = new FrameDecoder(SMALL);
    decoder.feed(both, () => 'stop');
    expect(decoder.push(encodeFrame({ c: 3 }))).toEqual([{ b: 2 }, { c: 3 }]);
  });

  it('keeps the bytes behind the message at which it stopped', () => {
    const decoder = new FrameDecoder(SMALL);
    decoder.feed(both, () => 'stop');
    expect(decoder.rest()).toEqual(encodeFrame({ b: 2 }));
  });

  it('gives the bytes behind a message to whoever asks while it takes that message', () => {
    const decoder = new FrameDecoder(SMALL);
    const rests: Buffer[] = [];
    decoder.feed(both, () => {
      rests.push(decoder.rest());
      return 'stop';
    });
    expect([rests, decoder.rest().length]).toEqual([[encodeFrame({ b: 2 })], 0]);
  });

  it('leaves the decoder empty after rest', () => {
    const decoder = new FrameDecoder(SMALL);
    decoder.feed(both, () => 'stop');
    decoder.rest();
    expect([decoder.rest().length, decoder.push(encodeFrame({ c: 3 }))]).toEqual([0, [{ c: 3 }]]);
  });

  it.each([3, 8, 12])('gives back the %d bytes of a frame that has begun', (bytes) => {
    const decoder = new FrameDecoder(SMALL);
    const begun = frame(500, 500, 'half of it').subarray(0, bytes);
    decoder.push(begun);
    expect(decoder.rest()).toEqual(begun);
    expect(decoder.push(encodeFrame({ c: 3 }))).toEqual([{ c: 3 }]);
  });
});
