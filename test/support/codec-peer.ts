// How does a test reach Python's codec and nothing else? A program that answers frames on its standard streams.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import { decodeValue, encodeValue } from '../../actors/port/codec.ts';
import { encodeCodedFrame, FrameDecoder } from '../../actors/port/frame.ts';

const ROOT = process.cwd();
const PYTHON = process.env['CADUCEUS_PYTHON'] ?? join(ROOT, '.venv/bin/python');
const LIMITS = { frameBytesMax: 2 ** 28, headerBytesMax: 2 ** 26 };
const ANSWER_TIMEOUT_MS = 10_000;

/** `value`, or why there is none: `malformed` for a FrameError, `refused` with the code of a BridgeError. */
export interface Answer {
  readonly type: 'value' | 'malformed' | 'refused';
  readonly value: unknown;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** One Python process; its answers come in the order of the questions. */
export class CodecPeer {
  readonly #process: ChildProcess;
  readonly #waiting: Waiting[] = [];
  #stderr = '';

  constructor(...args: readonly string[]) {
    const script = join(ROOT, 'python/tests/support/codec_peer.py');
    const path = [join(ROOT, 'python/src'), join(ROOT, 'python/tests/support')].join(':');
    this.#process = spawn(PYTHON, [script, ...args], {
      env: { ...process.env, PYTHONPATH: path },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const decoder = new FrameDecoder(LIMITS);
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      decoder.feed(chunk, (header, segments) => {
        const value = decodeValue(header['value'], header['tagged'] === true, segments);
        this.#waiting.shift()?.resolve({ type: header['type'] as Answer['type'], value });
        return 'more';
      });
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#process.stdin?.on('error', () => undefined);
    this.#process.on('close', (status) => {
      const error = new Error(`the peer ended with status ${String(status)}: ${this.#stderr}`);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  /** Send one message with a coded value, and wait for its answer. */
  ask(header: Readonly<Record<string, unknown>>, value: unknown): Promise<Answer> {
    const parts = encodeCodedFrame(header, 'value', encodeValue(value, 'value'));
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
    for (const part of parts) this.#process.stdin?.write(part);
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), ANSWER_TIMEOUT_MS);
    return answer.finally(() => clearTimeout(timer));
  }

  /** The answer to a value that goes there and back. */
  echo(value: unknown): Promise<Answer> {
    return this.ask({ type: 'echo' }, value);
  }

  /** End the process, and wait until it is gone. */
  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const closed = new Promise((resolve) => this.#process.once('close', resolve));
    this.#process.kill('SIGKILL');
    await closed;
  }
}
