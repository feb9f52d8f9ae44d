// Where in a frame do its raw segments lie? At multiples of 8, one behind the other: `docs/protocol.md` §2.
import { LIMITS } from '../ground/limits.ts';
import { ProtocolError } from '../ground/start-errors.ts';

const ALIGNMENT_BYTES = 8;
const ZEROS = Buffer.alloc(ALIGNMENT_BYTES);

/** What to write behind a header that ends at `headerEnd`, counted from the start of the frame. */
export function padded(segments: readonly Uint8Array[], headerEnd: number): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  let offset = headerEnd;
  for (const segment of segments) {
    const padding = paddingAfter(offset);
    if (padding > 0) parts.push(ZEROS.subarray(0, padding));
    if (segment.byteLength > 0) parts.push(segment);
    offset += padding + segment.byteLength;
  }
  return parts;
}

/**
 * The segments of a whole frame, whose header ends at `headerEnd` and lists these lengths.
 * @throws {@link ProtocolError} when they do not add up.
 */
export function segmentsOf(frame: Buffer, headerEnd: number, lengths: unknown): readonly Buffer[] {
  if (!Array.isArray(lengths) || lengths.length > LIMITS.segmentsMax) {
    throw new ProtocolError(
      `frame whose segments are no list of at most ${LIMITS.segmentsMax} lengths`,
    );
  }
  const places: { start: number; end: number }[] = [];
  let offset = headerEnd;
  for (const length of lengths as readonly unknown[]) {
    const start = offset + paddingAfter(offset);
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) {
      throw new ProtocolError('frame with a segment whose length is no length');
    }
    if (start + length > frame.length) {
      throw new ProtocolError(`frame whose ${lengths.length} segments are longer than its body`);
    }
    for (let index = offset; index < start; index += 1) {
      if (frame[index] !== 0) throw new ProtocolError('frame whose padding is not zero');
    }
    offset = start + length;
    places.push({ start, end: offset });
  }
  if (offset !== frame.length) {
    throw new ProtocolError(
      `frame whose ${lengths.length} segments end ${frame.length - offset} bytes before its body`,
    );
  }
  const first = places[0]?.start ?? offset;
  const memory = ownMemory(frame, first);
  return places.map(({ start, end }) => memory.subarray(start - first, end - first));
}

/**
 * The bytes from `first` on, in memory in which they lie at multiples of 8 and that they do not keep alive for the sake of a small part:
 * a chunk of the socket is up to 64 KiB.
 */
function ownMemory(frame: Buffer, first: number): Buffer {
  const { buffer, byteOffset, length } = frame;
  const isPlaced = (byteOffset + first) % ALIGNMENT_BYTES === 0;
  if (isPlaced && length * 2 >= buffer.byteLength) return frame.subarray(first);
  const memory = Buffer.allocUnsafeSlow(length - first);
  frame.copy(memory, 0, first);
  return memory;
}

function paddingAfter(offset: number): number {
  // Not by bits: an offset may be beyond 32 of them.
  return (ALIGNMENT_BYTES - (offset % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES;
}
