// How do a call and the answer to a callback become the buffers that are written? `docs/protocol.md` §4; sans I/O.
import { LIMITS } from '../ground/limits.ts';
import { encodeCodedFrame, encodeFrame, frameBytesOf } from './frame.ts';
import type { CallbackAnswer, CallMessage } from './message.ts';

/** One call as the parts of its frame, and how large its body is. */
export function encodeCall(message: CallMessage): {
  readonly parts: readonly Uint8Array[];
  readonly bodyBytes: number;
} {
  const { id, op, args, session, deadlineMs, stream, nested, trace } = message;
  // Field by field: a spread of what is mostly absent costs more than all the rest.
  const header: Record<string, unknown> = { type: 'call', id, op, session, deadlineMs };
  if (stream !== undefined) header['stream'] = stream;
  if (nested !== undefined) {
    header['parent'] = nested.parent;
    header['callback'] = nested.callback;
  }
  if (trace !== undefined) header['trace'] = trace;
  const parts = encodeCodedFrame(header, 'args', args);
  return { parts, bodyBytes: frameBytesOf(parts) };
}

/** The answer to a callback; one that is larger than a frame becomes an error that says so, since Python waits for it. */
export function encodeCallbackAnswer(message: CallbackAnswer): readonly Uint8Array[] {
  const { callback } = message;
  const type = 'callback_result';
  if (!message.ok) return [encodeFrame({ type, callback, ok: false, error: message.error })];
  const parts = encodeCodedFrame({ type, callback, ok: true }, 'value', message.value);
  const bodyBytes = frameBytesOf(parts);
  if (bodyBytes <= LIMITS.frameBytesMax) return parts;
  const error = {
    type: 'UnencodableError',
    message: `the answer is ${bodyBytes} bytes long, a frame holds ${LIMITS.frameBytesMax}`,
    traceback: '',
    code: 'callback_failed',
  };
  return [encodeFrame({ type, callback, ok: false, error })];
}
