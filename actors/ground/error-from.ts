// What was thrown, as an error that anybody can read? JavaScript throws whatever it is told to, and an error's own fields may throw.
import { inspect, types } from 'node:util';

/** Deeper than this what was thrown is not shown: a crash is no dump. */
const SHOWN_DEPTH = 1;

/** The error itself where it is one that says what it is, of whatever realm; else one that says what was thrown, and has it as its cause. Never throws. */
export function errorFrom(thrown: unknown): Error {
  return isReadableError(thrown) ? thrown : new Error(textOf(thrown), { cause: thrown });
}

/** Whether it is an error whose name and message are texts. Its stack is not looked at: Node makes it when it is first read, which takes longer than all the rest. */
export function isReadableError(thrown: unknown): thrown is Error {
  try {
    // An error of another realm is one by its nature only, a thread's by its prototype only.
    if (!types.isNativeError(thrown) && !(thrown instanceof Error)) return false;
    return typeof thrown.name === 'string' && typeof thrown.message === 'string';
  } catch {
    // A field that throws, or a proxy that does or that is revoked.
    return false;
  }
}

function textOf(thrown: unknown): string {
  try {
    if (typeof thrown !== 'object' || thrown === null) return String(thrown);
    return inspect(thrown, { depth: SHOWN_DEPTH, customInspect: false });
  } catch {
    return 'an object that cannot be shown';
  }
}
