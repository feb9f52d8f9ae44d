// Which exception ended this Python, going by what it wrote to stderr? Pure.
import type { RemoteError } from '../ground/worker-facts.ts';

const HEAD = 'Traceback (most recent call last):';
/** A frame of a traceback; a syntax error has one and no head. */
const FRAME = /^ {2}File "/u;
/** `ValueError: what it says`, or the bare name of an exception without text. */
const EXCEPTION = /^([A-Za-z_][\w.]*)(?:: ?(.*))?$/su;

/**
 * The last exception of a traceback that reaches to the end of the text, as a worker would have told it.
 * @param stderrTail the end of stderr; its beginning may be cut.
 * @returns undefined when it ends otherwise.
 */
export function exceptionIn(stderrTail: string): RemoteError | undefined {
  const lines = stderrTail.trimEnd().split(/\r?\n/u);
  const head = lines.lastIndexOf(HEAD);
  const frame = lines.findIndex((line, index) => index > head && FRAME.test(line));
  if (frame < 0) return undefined;
  // Behind the frames, which are indented; a message may have further lines.
  const said = lines.findIndex((line, index) => index > frame && /^[A-Za-z_]/u.test(line));
  if (said < 0) return undefined;
  const [, type, message = ''] = EXCEPTION.exec(lines.slice(said).join('\n')) ?? [];
  if (type === undefined) return undefined;
  return {
    type,
    message,
    traceback: lines.slice(head < 0 ? frame : head).join('\n'),
    code: 'python_error',
  };
}
