// How do log lines reach stderr? One write after the other; what cannot be written is lost, and harms nobody.
import fs from 'node:fs';

import { systemClock, type Clock } from '../../actors/ground/clock.ts';
import { LIMITS } from '../../actors/ground/limits.ts';

const STDERR = 2;

/** Where the bytes go. `write` answers later, `writeSync` throws. */
export interface Descriptor {
  write(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
  writeSync(bytes: Buffer): number;
}

const stderr: Descriptor = {
  write: (bytes, done) => {
    fs.write(STDERR, bytes, done);
  },
  writeSync: (bytes) => fs.writeSync(STDERR, bytes),
};

/**
 * A destination for pino, whose own ends the program when a disk is full, and then never lets it exit: it tries for ever. Here such lines are lost, and the first that can be written again is. While
 * nobody reads a pipe, lines wait up to a bound.
 */
export class LogLines {
  readonly #descriptor: Descriptor;
  readonly #clock: Pick<Clock, 'setTimeout'>;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #state: 'idle' | 'writing' = 'idle';

  constructor(descriptor: Descriptor, clock: Pick<Clock, 'setTimeout'>) {
    this.#descriptor = descriptor;
    this.#clock = clock;
  }

  /** Take a line; it is written before the event loop is done with its next round, unless others wait before it. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > LIMITS.logBacklogBytesMax) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#state === 'idle') this.#next();
  }

  /** Write what waits, at once, as far as that can be done. */
  flush(): void {
    let rest = this.#takeAll();
    try {
      while (rest.length > 0) rest = rest.subarray(this.#descriptor.writeSync(rest));
    } catch {
      // The program ends; there is nowhere to say it.
    }
  }

  #takeAll(): Buffer {
    const all = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return all;
  }

  #next(): void {
    this.#state = this.#waiting.length === 0 ? 'idle' : 'writing';
    if (this.#state === 'writing') this.#write(this.#takeAll());
  }

  #write(bytes: Buffer): void {
    this.#descriptor.write(bytes, (error, written) => {
      if (error?.code === 'EAGAIN') {
        this.#clock.setTimeout(() => {
          this.#write(bytes);
        }, LIMITS.logRetryMs);
        return;
      }
      // No disk space, nobody who reads: these lines are lost, the next ones are tried.
      const rest = error === null ? bytes.subarray(written) : Buffer.alloc(0);
      if (rest.length > 0) this.#write(rest);
      else this.#next();
    });
  }
}

let lines: LogLines | undefined;

/** The one of this process: loggers share it, so that their lines do not mix. */
export function stderrLines(): LogLines {
  if (lines !== undefined) return lines;
  const made = new LogLines(stderr, systemClock);
  process.once('exit', () => {
    made.flush();
  });
  lines = made;
  return made;
}
