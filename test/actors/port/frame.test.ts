import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnencodableError } from '../../../actors/ground/errors.ts';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import {
  encodeCodedFrame,
  encodeFrame,
  excessOf,
  frameBytesOf,
  FrameDecoder,
} from '../../../actors/port/frame.ts';
import { FRAMES, segmentsOf } from '../../vectors/neutral.ts';

const MAX = 1024;
const LIMITS = { frameBytesMax: 2 ** 28, headerBytesMax: 2 ** 26 };
const SMALL = { frameBytesMax: MAX, headerBytesMax: MAX };

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

interface Message {
  readonly header: object;
  readonly segments: readonly Buffer[];
}

function decoded(chunks: readonly Buffer[], decoder = new FrameDecoder(LIMITS)): Message[] {
  const messages: Message[] = [];
  for (const chunk of chunks) {
    decoder.feed(chunk, (header, segments) => {
      messages.push({ header, segments });
      return 'more';
    });
  }
  return messages;
}

const hexOf = ({ header, segments }: Message) => ({
  header,
  segments: segments.map((segment) => segment.toString('hex')),
});

const ERRORS = {
  size: /bytes/u,
  utf8: /UTF-8/u,
  json: /JSON/u,
  object: /not an object/u,
  segments: /segment/u,
  padding: /padding/u,
};

describe('a vector', () => {
  it.each(FRAMES.valid)('is read, in one chunk and byte by byte: $name', ({ hex, messages }) => {
    const bytes = Buffer.from(hex, 'hex');
    const single = Array.from(bytes, (_byte, index) => bytes.subarray(index, index + 1));
    for (const chunks of [[bytes], single]) {
      const decoder = new FrameDecoder(LIMITS);
      expect(decoded(chunks, decoder).map(hexOf)).toEqual(messages);
      expect(decoder.rest()).toHaveLength(0);
    }
  });

  const encoded = FRAMES.valid.filter(({ isEncodedSo }) => isEncodedSo);
  it.each(encoded)('is what is written: $name', ({ hex, messages, field }) => {
    const { header, segments } = messages[0]!;
    if (field === undefined) {
      expect(encodeFrame(header).toString('hex')).toBe(hex);
      return;
    }
    const { [field]: json, tagged, segments: _lengths, ...head } = header;
    const parts = encodeCodedFrame(head, field, {
      ...{ json, tagged: tagged === true, segments: segmentsOf({ segments }) },
    });
    expect(Buffer.concat(parts).toString('hex')).toBe(hex);
    expect(frameBytesOf(parts)).toBe(hex.length / 2);
  });

  it.each(FRAMES.malformed)('is refused: $name', ({ hex, error, frameBytesMax }) => {
    const bytes = Buffer.from(hex, 'hex');
    const single = Array.from(bytes, (_byte, index) => bytes.subarray(index, index + 1));
    for (const chunks of [[bytes], single]) {
      const limits = { ...LIMITS, ...(frameBytesMax === undefined ? {} : { frameBytesMax }) };
      const decode = () => decoded(chunks, new FrameDecoder(limits));
      expect(decode).toThrow(ProtocolError);
      expect(decode).toThrow(ERRORS[error]);
    }
  });
});

describe('frames', () => {
  it('decode to the messages that were encoded, under any chunking', () => {
    const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }));
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.array(fc.uint8Array(), { maxLength: 4 }),
    );
    const messages = fc.array(fc.tuple(object, value), { maxLength: 5 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 20 }), (sent, places) => {
        const frames = sent.map(([header, result]) =>
          Buffer.concat(encodeCodedFrame(header, 'result', encodeValue(result, 'result'))),
        );
        const bytes = Buffer.concat(frames);
        const received = decoded(cut(bytes, places));
        const written = frames.flatMap((one) => decoded([one]));
        expect(received.map((one) => JSON.stringify(one.header))).toEqual(
          written.map((one) => JSON.stringify(one.header)),
        );
        expect(received.map((one) => one.segments)).toEqual(written.map((one) => one.segments));
        expect(received.map((one) => one.segments)).toEqual(
          sent.map(([, result]) => segmentsIn(result)),
        );
      }),
    );
  });

  it('have body and header sizes in bytes, not characters, before the header', () => {
    const bytes = encodeFrame({ a: 'é' });
    expect(bytes).toEqual(frame(10, 10, '{"a":"é"}'));
  });

  it('may be exactly as large as the limit', () => {
    const body = `{"a":"${'x'.repeat(MAX - 8)}"}`;
    expect(new FrameDecoder(MAX).push(framed(body))).toHaveLength(1);
  });

  it('are complete only with their last byte', () => {
    const decoder = new FrameDecoder(SMALL);
    const bytes = encodeFrame({ a: 1 });
    expect(decoder.push(bytes.subarray(0, -1))).toEqual([]);
    expect(decoder.push(bytes.subarray(-1))).toEqual([{ a: 1 }]);
  });

  it('are one piece when they are small', () => {
    expect(encodeCodedFrame({}, 'v', encodeValue(new Float64Array(3), 'v'))).toHaveLength(1);
  });

  it('take the memory of the value for the segments of a large one', () => {
    const array = new Float64Array(100_000);
    const parts = encodeCodedFrame({}, 'v', encodeValue(array, 'v'));
    expect(parts.some(({ buffer }) => buffer === array.buffer)).toBe(true);
  });

  it('are refused when the value has changed into what JSON does not have', () => {
    const json = { n: 1n as unknown };
    const encode = () => encodeCodedFrame({}, 'args', { json, tagged: false, segments: [] });
    expect(encode).toThrow(UnencodableError);
  });

  it('are refused over 4 GiB, which no length could say', () => {
    // A length is all that is looked at: nothing is copied.
    const huge = { byteLength: 2 ** 32 - 8 } as Uint8Array;
    const encode = () => encodeCodedFrame({}, 'v', { json: 1, tagged: true, segments: [huge] });
    expect(encode).toThrow(/over 4 GiB/u);
  });

  it('say what about them is over a limit', () => {
    const parts = encodeCodedFrame({}, 'v', encodeValue(new Uint8Array(100), 'v'));
    const bodyBytes = frameBytesOf(parts) - 8;
    const headerBytes = Buffer.from(parts[0]!).readUInt32BE(4);
    const within = { frameBytesMax: bodyBytes, headerBytesMax: headerBytes };
    expect(excessOf(parts, within)).toBeUndefined();
    expect(excessOf(parts, { ...within, frameBytesMax: bodyBytes - 1 })).toContain(
      `${bodyBytes} bytes long, a frame holds ${bodyBytes - 1}`,
    );
    expect(excessOf(parts, { ...within, headerBytesMax: headerBytes - 1 })).toContain(
      `${headerBytes} bytes of JSON`,
    );
  });
});

function segmentsIn(value: unknown): Buffer[] {
  if (value instanceof Uint8Array) return [Buffer.from(value)];
  return Array.isArray(value) ? value.flatMap(segmentsIn) : [];
}

describe('segments', () => {
  const message = Buffer.concat(
    encodeCodedFrame(
      {},
      'v',
      encodeValue([new Uint8Array([1]), new Float64Array([1.5]), Buffer.from('x')], 'v'),
    ),
  );

  it.each([1, 7, 8, 9, 64, 10_000])(
    'lie at multiples of 8 in memory, in chunks of %d bytes behind an odd one',
    (chunkBytes) => {
      const bytes = Buffer.concat([encodeFrame({ odd: 1 }), message]);
      const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
        bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
      );
      const [, { segments } = { segments: [] }] = decoded(chunks);
      expect(segments.map((segment) => segment.byteOffset % 8)).toEqual([0, 0, 0]);
      expect(segments[1]?.readDoubleLE()).toBe(1.5);
    },
  );

  it('do not keep a large chunk alive for the sake of a small message', () => {
    const chunk = Buffer.concat([message, encodeFrame({ a: 'x'.repeat(60_000) })]);
    const [{ segments } = { segments: [] }] = decoded([chunk]);
    expect(segments[0]?.buffer.byteLength).toBeLessThan(message.length);
  });

  it('of a large frame are views of one piece of memory', () => {
    const large = Buffer.concat(
      encodeCodedFrame({}, 'v', encodeValue([new Uint8Array(1e6), new Uint8Array(1e6)], 'v')),
    );
    const chunks = cut(large, [65_536, 700_000, 1_500_000]);
    const [{ segments } = { segments: [] }] = decoded(chunks);
    expect(segments[0]?.buffer).toBe(segments[1]?.buffer);
    expect(segments[0]?.buffer.byteLength).toBe(large.length);
  });
});

describe('a decoder refuses', () => {
  it.each([
    ['a body over the limit', frame(MAX + 1, MAX + 1)],
    ['the largest length that can be written', frame(2 ** 32 - 1, 2)],
    ['a header longer than the body', frame(10, 12)],
    ['an empty body', frame(0, 0)],
    ['a body too short for an object', frame(1, 1)],
  ])('%s on the first 8 bytes, before any memory is taken', (_what, prefix) => {
    expect(() => new FrameDecoder(SMALL).push(prefix)).toThrow(ProtocolError);
  });

  it('a header over its own limit, or over that of a frame if it is smaller', () => {
    const limits = { frameBytesMax: MAX, headerBytesMax: 100 };
    expect(() => new FrameDecoder(limits).push(frame(200, 101))).toThrow(/101.*100/u);
    expect(new FrameDecoder(limits).push(frame(200, 100))).toEqual([]);
  });

  it('nothing on 7 bytes: the sizes are not there yet', () => {
    expect(new FrameDecoder(SMALL).push(frame(MAX + 1, 0).subarray(0, 7))).toEqual([]);
  });

  it('a size with the finding and the limit in the message', () => {
    expect(() => new FrameDecoder(SMALL).push(frame(2000, 2000))).toThrow(/2000.*1024/u);
  });

  it('more segments than it has room for', () => {
    const lengths = Array.from({ length: 65_537 }, () => 0).join(',');
    const body = `{"segments":[${lengths}]}`;
    expect(() => new FrameDecoder(LIMITS).push(framed(body))).toThrow(/65536/u);
  });
});
