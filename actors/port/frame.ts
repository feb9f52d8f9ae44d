// How do messages become bytes, and bytes messages? Sans I/O; `docs/protocol.md` §2 is the law.
import { isUtf8 } from 'node:buffer';

import { UnencodableError } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';
import { ProtocolError } from '../ground/start-errors.ts';
import type { EncodedValue } from './codec.ts';
import { padded, segmentsOf } from './segments.ts';

const PREFIX_BYTES = 8; // u32 bodyBytes, u32 headerBytes
const HEADER_BYTES_MIN = 2; // "{}"
const U32_MAX = 2 ** 32 - 1;
/** Measured: up to here a frame in one piece is written faster than in several. */
const JOINED_BYTES_MAX = 32 * 1024;
const EMPTY: Buffer = Buffer.alloc(0);
const NO_SEGMENTS: readonly Buffer[] = [];

/** What a decoder accepts, in bytes. */
export interface FrameLimits {
  readonly frameBytesMax: number;
  readonly headerBytesMax: number;
}

/** Takes one message and the segments behind it, which are views of memory that nobody else writes to; `'stop'` keeps the bytes behind for `rest()`. */
export type TakeFrame = (
  header: Record<string, unknown>,
  segments: readonly Buffer[],
) => 'more' | 'stop';

/** One message without a coded value as a frame. The caller has made `header` of what JSON carries. */
export function encodeFrame(header: object): Buffer {
  return frameOf(JSON.stringify(header), 0);
}

/**
 * One message with a coded value in `field`, as the buffers to write, in order. Segments of a large message are the caller's memory, not copies of it.
 * @param header made for this message alone: the value is put into it, since a copy would cost more than the rest.
 * @throws {@link UnencodableError} when the value has become one that JSON has no form for, or is larger than any frame.
 */
export function encodeCodedFrame(
  header: Record<string, unknown>,
  field: string,
  encoded: EncodedValue,
): readonly Uint8Array[] {
  const { segments } = encoded;
  header[field] = encoded.json;
  if (encoded.tagged) header['tagged'] = true;
  if (segments.length > 0) header['segments'] = segments.map(({ byteLength }) => byteLength);
  const json = jsonOf(header, field);
  if (segments.length === 0) return [frameOf(json, 0)];
  return withSegments(json, field, segments);
}

/** Bytes that a message has on the wire, prefix included. */
export function frameBytesOf(parts: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const { byteLength } of parts) bytes += byteLength;
  return bytes;
}

/** What about a message of these parts is over a limit, for the one who wants to send it; undefined when nothing is. */
export function excessOf(parts: readonly Uint8Array[], limits: FrameLimits): string | undefined {
  const head = parts[0];
  if (head === undefined) return undefined;
  const bodyBytes = frameBytesOf(parts) - PREFIX_BYTES;
  if (bodyBytes > limits.frameBytesMax) {
    return `its message is ${bodyBytes} bytes long, a frame holds ${limits.frameBytesMax}`;
  }
  const headerBytes = new DataView(head.buffer, head.byteOffset).getUint32(4);
  const headerBytesMax = Math.min(limits.headerBytesMax, limits.frameBytesMax);
  if (headerBytes <= headerBytesMax) return undefined;
  return `its message has ${headerBytes} bytes of JSON, a frame holds ${headerBytesMax}; bytes and typed arrays are sent beside it`;
}

function jsonOf(message: object, field: string): string {
  try {
    return JSON.stringify(message);
  } catch (error) {
    // Longer than a string can be, or changed since it was looked at.
    throw new UnencodableError(field, error instanceof Error ? error.message : 'no JSON form');
  }
}

function frameOf(json: string, behindBytes: number): Buffer {
  const headerBytes = Buffer.byteLength(json);
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + headerBytes);
  frame.writeUInt32BE(headerBytes + behindBytes, 0);
  frame.writeUInt32BE(headerBytes, 4);
  frame.write(json, PREFIX_BYTES);
  return frame;
}

function withSegments(
  json: string,
  field: string,
  segments: readonly Uint8Array[],
): readonly Uint8Array[] {
  const headBytes = PREFIX_BYTES + Buffer.byteLength(json);
  const behind = padded(segments, headBytes);
  const behindBytes = frameBytesOf(behind);
  if (headBytes + behindBytes > U32_MAX) {
    const bytes = headBytes + behindBytes;
    throw new UnencodableError(field, `${bytes} bytes, and no frame can have over 4 GiB`);
  }
  const parts = [frameOf(json, behindBytes), ...behind];
  // Several parts cost the socket more than copying a few kilobytes into one.
  return headBytes + behindBytes <= JOINED_BYTES_MAX ? [Buffer.concat(parts)] : parts;
}

/**
 * Collects chunks of any size and gives back whole messages. After the first error it must be thrown away: there is no resynchronisation.
 */
export class FrameDecoder {
  readonly #frameBytesMax: number;
  readonly #headerBytesMax: number;
  /** The beginning of a frame of which less than its sizes has arrived. */
  #start = EMPTY;
  /** A frame whose sizes are known and good, `#filledBytes` of it; undefined between frames. */
  #frame: Buffer | undefined;
  #filledBytes = 0;
  /** What came behind the message at which the taker stopped. */
  #kept = EMPTY;

  constructor(limits: FrameLimits | number) {
    const { frameBytesMax, headerBytesMax } =
      typeof limits === 'number'
        ? { frameBytesMax: limits, headerBytesMax: LIMITS.headerBytesMax }
        : limits;
    this.#frameBytesMax = frameBytesMax;
    this.#headerBytesMax = Math.min(headerBytesMax, frameBytesMax);
  }

  /**
   * Take bytes, give the headers of the messages that they complete.
   * @throws {@link ProtocolError} as `feed` does.
   */
  push(chunk: Buffer): Record<string, unknown>[] {
    const headers: Record<string, unknown>[] = [];
    this.feed(chunk, (header) => {
      headers.push(header);
      return 'more';
    });
    return headers;
  }

  /**
   * Take bytes and hand over each message that they complete, at once. The chunk must not be written to afterwards.
   * @throws {@link ProtocolError} on sizes over a limit (before memory is taken), segments that do not add up, invalid UTF-8 or JSON, or a header that is no object.
   */
  feed(chunk: Buffer, take: TakeFrame): void {
    let bytes = chunk;
    if (this.#kept.length > 0) {
      bytes = Buffer.concat([this.#kept, chunk]);
      this.#kept = EMPTY;
    }
    if (this.#start.length > 0) {
      bytes = Buffer.concat([this.#start, bytes]);
      this.#start = EMPTY;
    }
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#frame === undefined && bytes.length - offset < PREFIX_BYTES) {
        this.#start = Buffer.from(bytes.subarray(offset));
        return;
      }
      const begun = this.#frame;
      const start = offset;
      const end = begun === undefined ? this.#begin(bytes, start) : this.#goOn(begun, bytes, start);
      if (end === undefined) return;
      offset = end;
      // Before it is handed over: whoever takes it may ask for the rest from inside.
      this.#kept = offset < bytes.length ? bytes.subarray(offset) : EMPTY;
      const verdict =
        begun === undefined ? hand(bytes, start, end, take) : hand(begun, 0, begun.length, take);
      if (verdict === 'stop') return;
      this.#kept = EMPTY;
    }
  }

  /** The bytes that no message has used yet; the decoder is empty afterwards. */
  rest(): Buffer {
    const begun = this.#frame?.subarray(0, this.#filledBytes) ?? this.#start;
    const rest = begun.length === 0 ? this.#kept : Buffer.concat([begun, this.#kept]);
    this.#frame = undefined;
    this.#filledBytes = 0;
    this.#start = EMPTY;
    this.#kept = EMPTY;
    return rest;
  }

  /** Where the frame at `offset` ends; undefined when its rest is still to come, for which it now has memory. */
  #begin(bytes: Buffer, offset: number): number | undefined {
    const frameBytes = PREFIX_BYTES + this.#checkedBodyBytes(bytes, offset);
    const end = offset + frameBytes;
    if (end <= bytes.length) return end;
    // Not from the pool: segments start at multiples of 8 of this memory, as they do in the frame.
    this.#frame = Buffer.allocUnsafeSlow(frameBytes);
    this.#filledBytes = bytes.copy(this.#frame, 0, offset);
    return undefined;
  }

  /** Where the frame that has begun ends in `bytes`; undefined when it needs more than there are. */
  #goOn(frame: Buffer, bytes: Buffer, offset: number): number | undefined {
    const copiedBytes = bytes.copy(frame, this.#filledBytes, offset);
    this.#filledBytes += copiedBytes;
    if (this.#filledBytes < frame.length) return undefined;
    this.#frame = undefined;
    this.#filledBytes = 0;
    return offset + copiedBytes;
  }

  #checkedBodyBytes(bytes: Buffer, offset: number): number {
    const bodyBytes = bytes.readUInt32BE(offset);
    const headerBytes = bytes.readUInt32BE(offset + 4);
    if (bodyBytes > this.#frameBytesMax) {
      throw new ProtocolError(
        `frame of ${bodyBytes} bytes, at most ${this.#frameBytesMax} are allowed`,
      );
    }
    if (headerBytes > this.#headerBytesMax) {
      throw new ProtocolError(
        `frame with a header of ${headerBytes} bytes, at most ${this.#headerBytesMax} are allowed`,
      );
    }
    if (headerBytes < HEADER_BYTES_MIN || headerBytes > bodyBytes) {
      throw new ProtocolError(
        `frame with a header of ${headerBytes} and a body of ${bodyBytes} bytes`,
      );
    }
    return bodyBytes;
  }
}

/** The frame from `start` to `end` of `bytes`, to the one who takes it. */
function hand(bytes: Buffer, start: number, end: number, take: TakeFrame): 'more' | 'stop' {
  const headerEnd = start + PREFIX_BYTES + bytes.readUInt32BE(start + 4);
  const header = parseHeader(bytes, start + PREFIX_BYTES, headerEnd);
  // Every message without segments comes this way, so that one which lists some must lie.
  if (headerEnd === end && header['segments'] === undefined) return take(header, NO_SEGMENTS);
  return take(
    header,
    segmentsOf(bytes.subarray(start, end), headerEnd - start, header['segments']),
  );
}

function parseHeader(bytes: Buffer, start: number, end: number): Record<string, unknown> {
  const text = bytes.toString('utf8', start, end);
  // What is no UTF-8 has become this character, which is looked for faster than every byte is.
  if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) {
    throw new ProtocolError('frame header is not valid UTF-8');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError('frame header is not valid JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('frame header is not an object');
  }
  return value as Record<string, unknown>;
}
