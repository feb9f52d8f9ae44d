// Do log lines arrive in order, and are they lost without harm where they cannot?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import { LogLines } from '../../../src/telemetry/stderr-lines.ts';

type Done = (error: NodeJS.ErrnoException | null, written: number) => void;

/** A descriptor whose writes are answered by the test. */
function written() {
  const writes: { readonly text: string; readonly done: Done }[] = [];
  const sync: string[] = [];
  const timers: (() => void)[] = [];
  const descriptor = {
    write: (bytes: Buffer, done: Done) => void writes.push({ text: String(bytes), done }),
    writeSync: (bytes: Buffer) => sync.push(String(bytes)) && bytes.length,
  };
  const lines = new LogLines(descriptor, { setTimeout: (fn) => timers.push(fn) });
  const texts = () => writes.map(({ text }) => text);
  const answer = (error: NodeJS.ErrnoException | null = null, bytes?: number) => {
    const { text, done } = writes.at(-1)!;
    done(error, bytes ?? Buffer.byteLength(text));
  };
  return { lines, descriptor, texts, answer, sync, timers };
}

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

describe('the lines of a log', () => {
  it('are written one write after the other, those that waited together, in order', () => {
    const { lines, texts, answer } = written();
    for (const line of ['é\n', 'b\n', 'c\n']) lines.write(line);
    expect(texts()).toEqual(['é\n']);
    answer();
    expect(texts()).toEqual(['é\n', 'b\nc\n']);
    answer();
    lines.write('d\n');
    expect(texts()).toEqual(['é\n', 'b\nc\n', 'd\n']);
  });

  it('go on where a write stopped', () => {
    const { lines, texts, answer } = written();
    lines.write('abcd\n');
    answer(null, 2);
    expect(texts()).toEqual(['abcd\n', 'cd\n']);
  });

  it.each(['ENOSPC', 'EPIPE', 'EIO'])('are lost at %s, and the next ones are tried', (code) => {
    const { lines, texts, answer } = written();
    lines.write('a\n');
    answer(failure(code));
    lines.write('b\n');
    expect(texts()).toEqual(['a\n', 'b\n']);
  });

  it('wait while a pipe is full, up to a bound', () => {
    const { lines, texts, answer, timers } = written();
    lines.write('a\n');
    answer(failure('EAGAIN'));
    lines.write('b\n');
    lines.write('x'.repeat(LIMITS.logBacklogBytesMax));
    expect(texts()).toEqual(['a\n']);
    timers[0]!();
    answer();
    expect(texts()).toEqual(['a\n', 'a\n', 'b\n']);
  });

  it('are written at once at the end, and what fails then is lost without a word', () => {
    const { lines, descriptor, sync } = written();
    for (const line of ['a\n', 'b\n', 'c\n']) lines.write(line);
    lines.flush();
    expect(sync).toEqual(['b\nc\n']);
    lines.write('d\n');
    descriptor.writeSync = () => {
      throw failure('ENOSPC');
    };
    expect(() => lines.flush()).not.toThrow();
  });
});
