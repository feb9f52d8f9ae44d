// Which chance does a mock have? One that the operation and its arguments decide, so that the same call is answered alike in every run and on every layer.
import { createHash } from 'node:crypto';

import { encodeValue } from '../../../actors/port/codec.ts';
import type { Args } from '../../adapters/adapter.ts';

const TWO_TO_32 = 2 ** 32;
/** The first numbers of the generator still show their seed. */
const WARM_UP_ROUNDS = 12;

/** Numbers from 0 (included) to 1 (excluded), the same ones for the same operation and arguments, in whatever order their keys come. */
export function randomOf(op: string, args: Args): () => number {
  const { json, segments } = encodeValue(args, 'args');
  const hash = createHash('sha256').update(JSON.stringify([op, sorted(json)]));
  for (const segment of segments) hash.update(segment);
  const seed = hash.digest();
  return smallFastCounter([0, 4, 8, 12].map((offset) => seed.readUInt32LE(offset)));
}

/** sfc32: four words of state, and no period short enough to be met. */
function smallFastCounter([first = 0, second = 0, third = 0, start = 0]: number[]): () => number {
  let [a, b, c, counter] = [first, second, third, start];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / TWO_TO_32;
  };
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) next();
  return next;
}

function sorted(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(sorted);
  const entries = Object.entries(json).sort(([left], [right]) => (left < right ? -1 : 1));
  return entries.map(([key, value]) => [key, sorted(value)]);
}
