import { describe, expect, it } from 'vitest';
import { exceptionIn } from '../../../actors/port/traceback.ts';

const FRAMES = ['  File "/b.py", line 3, in <module>', '    import nothing', '    ^^^^^^^^^^^^^^'];
const HEAD = 'Traceback (most recent call last):';
const text = (...lines: readonly string[]): string => [...lines, ''].join('\n');

describe('the exception that ended a Python', () => {
  it('is read from its traceback', () => {
    const said = "ModuleNotFoundError: No module named 'nothing'";
    expect(exceptionIn(text('loading', HEAD, ...FRAMES, said))).toEqual({
      ...{
        type: 'ModuleNotFoundError',
        message: "No module named 'nothing'",
        code: 'python_error',
      },
      traceback: [HEAD, ...FRAMES, said].join('\n'),
    });
  });

  it('may say nothing, or many lines', () => {
    expect(exceptionIn(text(HEAD, ...FRAMES, 'KeyboardInterrupt'))).toMatchObject({
      ...{ type: 'KeyboardInterrupt', message: '' },
    });
    expect(exceptionIn(text(HEAD, ...FRAMES, 'my.own.Error: one', '  two', 'three'))).toMatchObject(
      {
        ...{ type: 'my.own.Error', message: 'one\n  two\nthree' },
      },
    );
  });

  it('is the last of a chain', () => {
    const during = 'During handling of the above exception, another exception occurred:';
    const chain = text(
      HEAD,
      ...FRAMES,
      'KeyError: 1',
      '',
      during,
      '',
      HEAD,
      ...FRAMES,
      'OSError: 2',
    );
    expect(exceptionIn(chain)).toMatchObject({ type: 'OSError', message: '2' });
  });

  it('is read also where the head is cut off, and of a syntax error, which has none', () => {
    expect(exceptionIn(text(...FRAMES, 'SyntaxError: invalid syntax'))).toMatchObject({
      ...{ type: 'SyntaxError', message: 'invalid syntax' },
    });
  });

  it.each([
    ['nothing', ''],
    ['words', text('usage: bridge.py [-h]', 'bridge.py: error: unrecognized arguments')],
    ['a traceback without an end', text(HEAD, ...FRAMES)],
    ['a warning', text('/b.py:1: UserWarning: old', '  import old')],
  ])('is not in %s', (_what, stderr) => {
    expect(exceptionIn(stderr)).toBeUndefined();
  });
});
