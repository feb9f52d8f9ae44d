// Where does a text lie among others? Hashed words and letter groups: no meaning, but like texts lie close.
import { createHash } from 'node:crypto';
import { termsOf } from './text.ts';

/** Whole words say most; their letter groups let "worker" and "workers" meet. */
const WORD_WEIGHT = 1;
const GROUP_WEIGHT = 0.3;
const GROUP_CHARS = 3;

/** A vector of length 1 for a text; the same text always has the same one. A text without words has the first axis. */
export function embedText(text: string, dimensions: number): Float32Array {
  const sums = new Float64Array(dimensions);
  for (const term of termsOf(text)) {
    addFeature(sums, `word:${term}`, WORD_WEIGHT);
    const padded = ` ${term} `;
    for (let at = 0; at + GROUP_CHARS <= padded.length; at += 1) {
      addFeature(sums, `group:${padded.slice(at, at + GROUP_CHARS)}`, GROUP_WEIGHT);
    }
  }
  const length = Math.hypot(...sums);
  if (length === 0) sums[0] = 1;
  return Float32Array.from(sums, (sum) => sum / (length || 1));
}

/** OpenAI's base64 form: 32-bit floats, little endian. */
export function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
  vector.forEach((value, index) =>
    bytes.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT),
  );
  return bytes.toString('base64');
}

const SIGN_BYTE = 4;

/** The hash picks the axis and the direction, so that collisions cancel as often as they add. */
function addFeature(sums: Float64Array, feature: string, weight: number): void {
  const hash = createHash('sha1').update(feature).digest();
  const axis = hash.readUInt32LE(0) % sums.length;
  const direction = (hash[SIGN_BYTE] ?? 0) % 2 === 0 ? 1 : -1;
  sums[axis] = (sums[axis] ?? 0) + direction * weight;
}
