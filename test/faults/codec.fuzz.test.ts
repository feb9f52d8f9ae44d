import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ProtocolError } from '../../actors/ground/start-errors.ts';
import { decodeValue, encodeValue } from '../../actors/port/codec.ts';
import { encodeCodedFrame, FrameDecoder } from '../../actors/port/frame.ts';
import { arbitraryValues, WITH_NUMPY } from '../support/arbitrary-values.ts';
import { CodecPeer } from '../support/codec-peer.ts';
import { FRAMES } from '../vectors/neutral.ts';

const MIB = 2 ** 20;
const LIMITS = { frameBytesMax: MIB, headerBytesMax: MIB };
const TIMEOUT_MS = 60_000;

type Mutation =
  | { readonly type: 'set' | 'cut'; readonly at: number; readonly n: number }
  | { readonly type: 'insert'; readonly at: number; readonly bytes: Uint8Array };

const place = fc.nat({ max: 2 ** 16 });
/** What leads further into a parser than any other byte. */
const json = fc
  .array(fc.constantFrom(...'{}[]",:$0123456789-.eE\\unvids'.split('')), {
    minLength: 1,
    maxLength: 3,
  })
  .map((characters) => Buffer.from(characters.join('')));

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ type: fc.constant('set' as const), at: place, n: fc.nat({ max: 255 }) }),
  fc.record({ type: fc.constant('cut' as const), at: place, n: fc.integer({ min: 1, max: 9 }) }),
  fc.record({
    type: fc.constant('insert' as const),
    at: place,
    bytes: fc.oneof(json, fc.uint8Array({ minLength: 1, maxLength: 9 })),
  }),
);

function mutated(stream: Buffer, mutations: readonly Mutation[]): Buffer {
  let bytes = Buffer.from(stream);
  for (const change of mutations) {
    const at = change.at % (bytes.length + 1);
    if (change.type === 'set') bytes[at] = change.n;
    else {
      const middle = change.type === 'insert' ? change.bytes : new Uint8Array(0);
      const behind = bytes.subarray(change.type === 'cut' ? at + change.n : at);
      bytes = Buffer.concat([bytes.subarray(0, at), middle, behind]);
    }
  }
  return bytes;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((one) => one % (bytes.length + 1)), 0, bytes.length];
  const sorted = ends.toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

const frame = fc.oneof(
  fc.constantFrom(...FRAMES.valid.map(({ hex }) => Buffer.from(hex, 'hex'))),
  arbitraryValues(WITH_NUMPY).map((value) =>
    Buffer.concat(encodeCodedFrame({ id: 1 }, 'value', encodeValue(value, 'value'))),
  ),
);

/** Valid streams that something has happened to, and what never was one. */
const stream = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.array(frame, { minLength: 1, maxLength: 3 }), fc.array(mutation, { maxLength: 3 }))
      .map(([frames, mutations]) => mutated(Buffer.concat(frames), mutations)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
);
const places = fc.array(fc.nat(), { maxLength: 8 });

interface Outcome {
  readonly messages: readonly string[];
  readonly finding: string | undefined;
}

function outcomeOf(chunks: readonly Buffer[]): Outcome {
  const messages: string[] = [];
  const decoder = new FrameDecoder(LIMITS);
  try {
    for (const chunk of chunks) {
      decoder.feed(chunk, (header, segments) => {
        const raw = segments.map((segment) => segment.toString('hex'));
        const text = JSON.stringify(header);
        decodeValue(header['value'], header['tagged'] === true, segments);
        messages.push(`${text} ${raw.join()}`);
        return 'more';
      });
    }
    return { messages, finding: undefined };
  } catch (error) {
    // Anything else is a defect, and fails the test as it is.
    if (!(error instanceof ProtocolError)) throw error;
    return { messages, finding: error.message };
  }
}

describe('any stream of bytes', () => {
  it(
    'is decoded or refused as a protocol error, the same in any chunks',
    () => {
      let refused = 0;
      fc.assert(
        fc.property(stream, places, (bytes, ends) => {
          const whole = outcomeOf([bytes]);
          if (whole.finding !== undefined) refused += 1;
          expect(outcomeOf(cut(bytes, ends))).toEqual(whole);
          const single = Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1));
          expect(outcomeOf(single)).toEqual(whole);
        }),
        { numRuns: 3_000 },
      );
      expect(refused).toBeGreaterThan(500);
    },
    TIMEOUT_MS,
  );
});

describe('both sides', () => {
  const peer = new CodecPeer();
  afterAll(() => peer.close());

  it(
    'accept and refuse the same streams, after as many messages',
    async () => {
      await fc.assert(
        fc.asyncProperty(stream, places, async (bytes, ends) => {
          const here = outcomeOf([bytes]);
          const { value } = await peer.ask({ type: 'decode' }, cut(bytes, ends));
          const there = value as { refused: boolean; count: number; finding: string | null };
          const verdict = { refused: there.refused, finding: [here.finding, there.finding] };
          expect(verdict).toEqual({
            refused: here.finding !== undefined,
            finding: verdict.finding,
          });
          // Python decodes a whole chunk before it hands anything over: an error hides what was in it.
          expect(there.count).toBeLessThanOrEqual(here.messages.length);
          if (!there.refused) expect(there.count).toBe(here.messages.length);
        }),
        { numRuns: 3_000 },
      );
    },
    TIMEOUT_MS,
  );
});

describe('memory', () => {
  const prefix = (bodyBytes: number, headerBytes: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(bodyBytes, 0);
    bytes.writeUInt32BE(headerBytes, 4);
    return bytes;
  };
  const takenBy = (work: () => void): number => {
    const before = process.memoryUsage().arrayBuffers;
    work();
    return process.memoryUsage().arrayBuffers - before;
  };

  it.each([
    ['4 GiB', prefix(2 ** 32 - 1, 2)],
    ['one byte over the limit', prefix(MIB + 1, 2)],
    ['a header over the limit', prefix(MIB, 2 ** 31)],
  ])('is not taken for a frame that announces %s', (_what, bytes) => {
    const taken = takenBy(() => {
      expect(() => new FrameDecoder(LIMITS).push(bytes)).toThrow(ProtocolError);
    });
    expect(taken).toBeLessThan(MIB / 2);
  });

  it('is taken for no more than the frame itself, whatever its chunks', () => {
    const decoder = new FrameDecoder(LIMITS);
    const chunk = Buffer.alloc(64, ' ');
    const taken = takenBy(() => {
      decoder.push(prefix(MIB, MIB));
      for (let sent = 0; sent + chunk.length < MIB; sent += chunk.length) decoder.push(chunk);
    });
    expect(taken).toBeLessThan(1.5 * MIB);
  });

  it('is not copied for each of very many chunks', () => {
    // 8 MiB in pieces of 32 bytes: copied for each, it would be a terabyte.
    const value = encodeValue(new Uint8Array(8 * MIB), 'value');
    const bytes = Buffer.concat(encodeCodedFrame({}, 'value', value));
    const decoder = new FrameDecoder({ frameBytesMax: 9 * MIB, headerBytesMax: MIB });
    let messages = 0;
    for (let at = 0; at < bytes.length; at += 32) {
      messages += decoder.push(bytes.subarray(at, at + 32)).length;
    }
    expect(messages).toBe(1);
  });
});
