// Where do names that must not repeat come from? The only file that makes random identifiers.
import { nanoid } from 'nanoid';

/** The port for identifiers. Tests pass a counter, so that a run repeats exactly. */
export interface Ids {
  /** An identifier that is good in logs and in URLs, e.g. `dspy_V1StGXR8_Z5jdHi6B-myT` for prefix `dspy`. */
  next(prefix: string): string;
  /** A one-time secret of at least 120 bits, with which a worker proves that it is ours. */
  nonce(): string;
}

const NONCE_CHARS = 32; // 6 bits each: 192 bits, beyond guessing.

/** Identifiers from the operating system's random source. */
export const systemIds: Ids = {
  next: (prefix) => `${prefix}_${nanoid()}`,
  nonce: () => nanoid(NONCE_CHARS),
};
