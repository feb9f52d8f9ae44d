import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { OutputLines } from '../../../actors/port/output-lines.ts';

function linesOf(...chunks: readonly string[]): string[] {
  const lines: string[] = [];
  const output = new OutputLines((line) => lines.push(line));
  for (const chunk of chunks) output.push(Buffer.from(chunk));
  return lines;
}

function flushed(...chunks: readonly string[]): string[] {
  const lines: string[] = [];
  const output = new OutputLines((line) => lines.push(line));
  for (const chunk of chunks) output.push(Buffer.from(chunk));
  output.flush();
  return lines;
}

const MAX = LIMITS.outputLineBytesMax;

describe('output', () => {
  it.each([
    ['nothing', [''], []],
    ['a line', ['a\n'], ['a']],
    ['several lines in one chunk', ['a\nb\n'], ['a', 'b']],
    ['a line in several chunks', ['a', 'b', 'c\n'], ['abc']],
    ['a newline in a chunk of its own', ['a', '\n'], ['a']],
    ['empty lines', ['\n\na\n'], ['', '', 'a']],
    ['carriage returns before the newline', ['a\r\nb\r', '\n'], ['a', 'b']],
    ['a line that is not complete', ['a\nb'], ['a']],
  ])('is told as lines: %s', (_what, chunks, lines) => {
    expect(linesOf(...chunks)).toEqual(lines);
  });

  it('is told the same way under any chunking', () => {
    const text = fc.array(fc.constantFrom('a', 'é', '💡', '\n'), { maxLength: 40 });
    fc.assert(
      fc.property(text, (parts) => {
        const whole = Buffer.from(parts.join(''));
        const lines: string[] = [];
        const output = new OutputLines((line) => lines.push(line));
        for (const byte of whole) output.push(Buffer.from([byte]));
        output.flush();
        expect(lines).toEqual(flushed(parts.join('')));
      }),
    );
  });

  it('ends with a last line that has no newline', () => {
    expect(flushed('a\nb')).toEqual(['a', 'b']);
  });

  it('ends with no empty line after a newline', () => {
    expect(flushed('a\n')).toEqual(['a']);
  });

  it('cuts a line that is longer than the limit', () => {
    const lines = linesOf(`${'x'.repeat(MAX + 10)}\n`);
    expect(lines.map((line) => line.length)).toEqual([MAX, 10]);
  });

  it('does not wait for the end of a line that is longer than the limit', () => {
    expect(linesOf('x'.repeat(MAX + 1))).toEqual(['x'.repeat(MAX)]);
  });

  it('tells a line of exactly the limit as one line', () => {
    expect(linesOf(`${'x'.repeat(MAX)}\n`)).toEqual(['x'.repeat(MAX)]);
  });
});

describe('the tail of the output', () => {
  const tailOf = (...chunks: readonly string[]) => {
    const output = new OutputLines(() => undefined);
    for (const chunk of chunks) output.push(Buffer.from(chunk));
    return output.tail();
  };

  it('is all of it as long as that is short', () => {
    expect(tailOf('a\n', 'b')).toBe('a\nb');
  });

  it.each([
    ['one chunk', [`${'x'.repeat(LIMITS.stderrTailBytesMax)}the end`]],
    ['many chunks', [...Array<string>(LIMITS.stderrTailBytesMax).fill('x'), 'the end']],
  ])('is bounded, and the last of it: %s', (_what, chunks) => {
    const tail = tailOf(...chunks);
    expect([tail.length, tail.endsWith('xthe end')]).toEqual([LIMITS.stderrTailBytesMax, true]);
  });
});
