// How are cases run on a real Erlang VM? One VM for all of them: many at a time, answers in whatever order they come.
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { Case } from './case.ts';
import { caseTerm } from './terms.ts';
import type { StepTrace, Trace, TraceEvent } from './trace.ts';

/** What to say where there is no Erlang. */
export const NO_ERLANG =
  'no Erlang VM here (`erl`, `compiler`): install it with `apt-get install erlang-base` (Debian) or from https://www.erlang.org/downloads';

const MODULES = ['_log', '_tree', '_case', '_text', ''].map((part) => `differential${part}`);
const HEADER_BYTES = 4;

/** A case as the VM saw it. */
export interface ErlangRun {
  readonly trace: Trace;
  /** How long the busiest stretch without a long wait took. From a period on, the VM's clock has disturbed the case. */
  readonly longestMs: number;
}

interface Answer {
  readonly number: number;
  readonly failure?: string;
  readonly longestMs: number;
  readonly records: readonly Omit<StepTrace, 'events'>[];
  readonly events: readonly (readonly (string | number)[])[];
}

/** The VM's release, e.g. `25`; nothing where none can be started. */
export function erlangRelease(): string | undefined {
  const ask =
    'io:put_chars(erlang:system_info(otp_release)), {module, _} = code:ensure_loaded(compile), halt(0).';
  const { status, stdout } = spawnSync('erl', ['-noshell', '-eval', ask], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

export class ErlangVm {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (answer: Answer | Error) => void>();
  #nextNumber = 1;
  #read = Buffer.alloc(0);
  #errors = '';

  constructor() {
    // The modules are compiled into the VM's memory: no file is left behind.
    const files = MODULES.map((name) => JSON.stringify(join(sources(), name))).join(',');
    const load =
      `[begin {ok, M, Code} = compile:file(F, [binary, return_errors]), {module, M} = code:load_binary(M, F, Code) end || F <- [${files}]], ` +
      'differential:main().';
    // Ctrl-C is this program's to handle: the VM goes when its standard input does.
    this.#process = spawn('erl', ['+Bi', '-noinput', '-eval', load], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process.stdout.on('data', (bytes: Buffer) => this.#onBytes(bytes));
    this.#process.stderr.on('data', (bytes: Buffer) => {
      this.#errors += bytes.toString();
    });
    this.#process.once('error', (error) => this.#onEnd(error));
    this.#process.once('exit', (status) => {
      this.#onEnd(new Error(`the Erlang VM ended with status ${status}: ${this.#errors}`));
    });
    // A write to a VM that has just ended: its exit tells the rest.
    this.#process.stdin.on('error', () => undefined);
  }

  async run(given: Case): Promise<ErlangRun> {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(number, (told) => {
        if (told instanceof Error) reject(told);
        else resolve(told);
      });
      this.#write(caseTerm(number, given));
    });
    if (answer.failure !== undefined) {
      throw new Error(`the Erlang side failed: ${answer.failure}\nin ${caseTerm(number, given)}`);
    }
    return { trace: traceOf(answer), longestMs: answer.longestMs };
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#process.once('exit', () => resolve());
    });
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await ended;
  }

  #write(text: string): void {
    const body = Buffer.from(text, 'latin1');
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(body.length);
    this.#process.stdin.write(Buffer.concat([header, body]));
  }

  #onBytes(bytes: Buffer): void {
    this.#read = Buffer.concat([this.#read, bytes]);
    let at = 0;
    while (this.#read.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + this.#read.readUInt32BE(at);
      if (this.#read.length < end) break;
      this.#onAnswer(JSON.parse(this.#read.toString('latin1', at + HEADER_BYTES, end)) as Answer);
      at = end;
    }
    this.#read = this.#read.subarray(at);
  }

  #onAnswer(answer: Answer): void {
    const tell = this.#waiting.get(answer.number);
    this.#waiting.delete(answer.number);
    tell?.(answer);
  }

  #onEnd(error: Error): void {
    for (const tell of this.#waiting.values()) tell(error);
    this.#waiting.clear();
  }
}

/** The events between two marks belong to the record of that step. */
function traceOf({ records, events }: Answer): Trace {
  const ofStep: TraceEvent[][] = [[]];
  for (const [kind, path, n, what] of events) {
    if (kind === 'mark') ofStep.push([]);
    else ofStep.at(-1)?.push(eventOf([kind, path, n, what]));
  }
  return records.map((record, index) => ({ ...record, events: ofStep[index] ?? [] }));
}

function eventOf([kind, path, n, what]: readonly unknown[]): TraceEvent {
  const of = { path: String(path), n: Number(n) };
  return kind === 'exit'
    ? { type: 'exit', ...of, reason: String(what) }
    : { type: 'start', ...of, outcome: what as 'ok' };
}

/** The Erlang sources: beside this file, or, when this runs as built code, where its source is. */
function sources(): string {
  const here = import.meta.dirname;
  const folders = [here, join(here, '../../../test/differential')];
  const found = folders.find((folder) => existsSync(join(folder, 'differential.erl')));
  if (found === undefined) throw new Error(`differential.erl is in none of ${folders.join(', ')}`);
  return found;
}
