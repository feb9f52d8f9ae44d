// How do a call and the answer to a callback become the buffers that are written? `docs/protocol.md` §4; sans I/O.
import { UnencodableError } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';
import { encodeCodedFrame, encodeFrame, excessOf } from './frame.ts';
import type { CallbackAnswer, CallMessage } from './message.ts';

/**
 * One call as the parts of its frame.
 * @throws {@link UnencodableError} when a worker would take it for a broken wire: it is larger than a frame, or its JSON than a header.
 */
export function encodeCall(id: number, message: CallMessage): readonly Uint8Array[] {
  const { op, args, session, deadlineMs, stream, nested, trace, batch } = message;
  // Field by field: a spread of what is mostly absent costs more than all the rest.
  const header: Record<string, unknown> = { type: 'call', id, op, session, deadlineMs };
  if (stream !== undefined) header['stream'] = stream;
  if (nested !== undefined) {
    header['parent'] = nested.parent;
    header['callback'] = nested.callback;
  }
  if (trace !== undefined) header['trace'] = trace;
  if (batch !== undefined) header['batch'] = batch;
  const parts = encodeCodedFrame(header, 'args', args);
  const excess = excessOf(parts, LIMITS);
  if (excess !== undefined) throw new UnencodableError('args', excess);
  return parts;
}

/** The answer to a callback; one that is larger than a frame becomes an error that says so, since Python waits for it. */
export function encodeCallbackAnswer(message: CallbackAnswer): readonly Uint8Array[] {
  const { callback } = message;
  const type = 'callback_result';
  if (!message.ok) return [encodeFrame({ type, callback, ok: false, error: message.error })];
  const parts = encodeCodedFrame({ type, callback, ok: true }, 'value', message.value);
  const excess = excessOf(parts, LIMITS);
  if (excess === undefined) return parts;
  const error = {
    type: 'UnencodableError',
    message: `the answer cannot be sent: ${excess}`,
    traceback: '',
    code: 'callback_failed',
  };
  return [encodeFrame({ type, callback, ok: false, error })];
}
