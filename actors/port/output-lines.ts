// Which lines did user code print, and what did it say last? Bounded on both counts.
import { LIMITS } from '../ground/limits.ts';

/** Splits a stream of bytes into lines of at most `outputLineBytesMax`, and keeps the tail of all that passed. */
export class OutputLines {
  readonly #emit: (line: string) => void;
  #partial: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(bytes: Buffer): void {
    this.#remember(bytes);
    let rest = this.#partial.length === 0 ? bytes : Buffer.concat([this.#partial, bytes]);
    for (let end = lineEnd(rest); end > 0; end = lineEnd(rest)) {
      this.#emitLine(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    this.#partial = Buffer.from(rest);
  }

  /** The stream is over: a last line without an end is a line too. */
  flush(): void {
    if (this.#partial.length > 0) this.#emitLine(this.#partial);
    this.#partial = Buffer.alloc(0);
  }

  /** The last `stderrTailBytesMax` bytes, as text. */
  tail(): string {
    return this.#tail.toString('utf8');
  }

  #emitLine(bytes: Buffer): void {
    this.#emit(bytes.toString('utf8').replace(/\r?\n$/u, ''));
  }

  #remember(bytes: Buffer): void {
    const joined = Buffer.concat([this.#tail, bytes.subarray(-LIMITS.stderrTailBytesMax)]);
    this.#tail = joined.subarray(-LIMITS.stderrTailBytesMax);
  }
}

/** Where the first line ends (after its newline, or at the limit); 0 when it is not complete yet. */
function lineEnd(bytes: Buffer): number {
  const newline = bytes.indexOf(10);
  if (newline >= 0 && newline <= LIMITS.outputLineBytesMax) return newline + 1;
  return bytes.length > LIMITS.outputLineBytesMax ? LIMITS.outputLineBytesMax : 0;
}
