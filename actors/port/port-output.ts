// What did a process print: line by line, as the tail of its report, and as the dump that it was asked for?
import { LIMITS } from '../ground/limits.ts';
import type { OutputStream } from '../ground/worker-facts.ts';
import { OutputLines } from './output-lines.ts';

export class PortOutput {
  readonly #lines: Readonly<Record<OutputStream, OutputLines>>;
  /** What came on stderr since a dump was asked for. */
  #dump: Buffer[] | undefined;
  #dumpBytes = 0;

  constructor(emit: (stream: OutputStream, line: string) => void) {
    const of = (stream: OutputStream): OutputLines => new OutputLines((line) => emit(stream, line));
    this.#lines = { stdout: of('stdout'), stderr: of('stderr') };
  }

  push(stream: OutputStream, bytes: Buffer): void {
    this.#lines[stream].push(bytes);
    if (stream === 'stdout' || this.#dump === undefined) return;
    const part = Buffer.from(bytes.subarray(0, LIMITS.dumpBytesMax - this.#dumpBytes));
    this.#dump.push(part);
    this.#dumpBytes += part.length;
  }

  /** What stderr says from now on belongs to the dump too. */
  expectDump(): void {
    this.#dump ??= [];
  }

  /** That stream is over. */
  flush(stream: OutputStream): void {
    this.#lines[stream].flush();
  }

  /** All of it is over: what the report says of it. */
  end(): { readonly stderrTail: string; readonly dump?: string } {
    this.flush('stdout');
    this.flush('stderr');
    const dump = Buffer.concat(this.#dump ?? []).toString('utf8');
    return { stderrTail: this.#lines.stderr.tail(), ...(dump === '' ? {} : { dump }) };
  }
}
