// What does a call hear before its end, from its worker and from its caller?
import type { CallHandlers } from '../../actors/worker/pending-calls.ts';
import type { CallbackAnswer } from '../../actors/port/message.ts';
import type { CallRow, Slot } from './call-row.ts';

/** What the call hears from its worker before its end; nothing to hear for most. */
export function handlersOf(row: CallRow, slot: Slot, depth: number): CallHandlers | undefined {
  const { stream, onProgress, onCallback } = row.request;
  if (stream === undefined && onProgress === undefined && onCallback === undefined)
    return undefined;
  // Whoever was told that the call is over hears nothing more of it.
  const ifOpen =
    <Given>(tell: ((given: Given) => void) | undefined) =>
    (given: Given): void => {
      if (row.phase === 'running') tell?.(given);
    };
  return {
    item: stream && ifOpen(stream.item),
    progress: ifOpen(onProgress),
    callback:
      onCallback &&
      ((message) => {
        const { id: callId, callback } = message;
        const answer = (given: CallbackAnswer): void => slot.worker.answer(callId, given);
        if (row.phase === 'running') {
          onCallback({ message, site: { row, slot, callId, callback, depth }, answer });
          return;
        }
        // Python waits for it all the same.
        const what = `the caller of call ${callId} waits no longer`;
        const error = { type: 'CallbackError', message: what, traceback: '', code: 'cancelled' };
        answer({ callback, ok: false, error });
      }),
  };
}

/** Listen to the caller's signal for as long as the row is not settled. */
export function onAbort(row: CallRow, abort: (reason: unknown) => void): void {
  const { signal } = row.request;
  if (signal === undefined) return;
  const listener = (): void => {
    abort(signal.reason);
  };
  signal.addEventListener('abort', listener, { once: true });
  row.stopListening = () => {
    signal.removeEventListener('abort', listener);
  };
}
