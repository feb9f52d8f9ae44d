// How do messages become bytes, and bytes messages? Sans I/O; `docs/protocol.md` §2 is the law.
import { ProtocolError } from '../ground/start-errors.ts';

const PREFIX_BYTES = 8; // u32 bodyBytes, u32 headerBytes
const HEADER_BYTES_MIN = 2; // "{}"

/** One message as a frame. The caller has checked that `header` can be encoded (`values.ts`). */
export function encodeFrame(header: object): Buffer {
  const json = JSON.stringify(header);
  const headerBytes = Buffer.byteLength(json);
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + headerBytes);
  frame.writeUInt32BE(headerBytes, 0);
  frame.writeUInt32BE(headerBytes, 4);
  frame.write(json, PREFIX_BYTES);
  return frame;
}

/** Bytes that a frame's body has, for a check against the limit before it is written. */
export function bodyBytesOf(frame: Buffer): number {
  return frame.length - PREFIX_BYTES;
}

/**
 * Collects chunks of any size and gives back whole messages. After the first error it must be thrown away: there is no resynchronisation.
 */
export class FrameDecoder {
  readonly #bodyBytesMax: number;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true });
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  #wantedBytes = PREFIX_BYTES;

  constructor(bodyBytesMax: number) {
    this.#bodyBytesMax = bodyBytesMax;
  }

  /**
   * Take bytes, give the messages that they complete.
   * @throws {@link ProtocolError} on a size over the limit (before memory is taken), a segment, invalid UTF-8 or JSON, or a header that is no object.
   */
  push(chunk: Buffer): Record<string, unknown>[] {
    const messages: Record<string, unknown>[] = [];
    this.feed(chunk, (message) => {
      messages.push(message);
      return 'more';
    });
    return messages;
  }

  /** Like `push`, but each message is handed over at once, and `'stop'` keeps the bytes behind it for `rest()`. */
  feed(chunk: Buffer, take: (message: Record<string, unknown>) => 'more' | 'stop'): void {
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    while (this.#bufferedBytes >= this.#wantedBytes) {
      const bytes = this.#joined();
      const bodyBytes = this.#checkedBodyBytes(bytes);
      const frameBytes = PREFIX_BYTES + bodyBytes;
      if (bytes.length < frameBytes) {
        this.#wantedBytes = frameBytes;
        return;
      }
      const message = this.#parse(bytes.subarray(PREFIX_BYTES, frameBytes));
      this.#chunks = bytes.length > frameBytes ? [bytes.subarray(frameBytes)] : [];
      this.#bufferedBytes = bytes.length - frameBytes;
      this.#wantedBytes = PREFIX_BYTES;
      if (take(message) === 'stop') return;
    }
  }

  /** The bytes that no message has used yet; the decoder is empty afterwards. */
  rest(): Buffer {
    const rest = this.#joined();
    this.#chunks = [];
    this.#bufferedBytes = 0;
    this.#wantedBytes = PREFIX_BYTES;
    return rest;
  }

  #joined(): Buffer {
    const first = this.#chunks[0];
    if (first !== undefined && this.#chunks.length === 1) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #checkedBodyBytes(bytes: Buffer): number {
    const bodyBytes = bytes.readUInt32BE(0);
    const headerBytes = bytes.readUInt32BE(4);
    if (bodyBytes > this.#bodyBytesMax) {
      throw new ProtocolError(
        `frame of ${bodyBytes} bytes, at most ${this.#bodyBytesMax} are allowed`,
      );
    }
    if (headerBytes < HEADER_BYTES_MIN || headerBytes !== bodyBytes) {
      throw new ProtocolError(
        `frame with a header of ${headerBytes} and a body of ${bodyBytes} bytes; this version has no segments`,
      );
    }
    return bodyBytes;
  }

  #parse(body: Buffer): Record<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(this.#utf8.decode(body));
    } catch (cause) {
      throw new ProtocolError('frame header is not valid UTF-8 JSON', { cause });
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ProtocolError('frame header is not an object');
    }
    return value as Record<string, unknown>;
  }
}
