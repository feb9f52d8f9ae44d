// What is one call to the router, from its acceptance to its one and only outcome? Rows, and how they are made.
import type { Deadline } from '../../actors/ground/deadlines.ts';
import type { Cancellation, WorkerRef } from '../../actors/ground/errors.ts';
import { Heap } from '../../actors/ground/heap.ts';
import type { Trace } from '../../actors/ground/worker-facts.ts';
import type { EncodedValue } from '../../actors/port/codec.ts';
import type { CallbackAnswer, CallbackMessage } from '../../actors/port/message.ts';
import type { CallHandlers } from '../../actors/worker/pending-calls.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import { AppliedMark, type Journal, type StateChange } from './journal.ts';

/** Where a call is made from inside a callback: it runs there, outside queue and order (`docs/protocol.md` §4.3). */
export interface CallSite {
  /** The call that Python works on, and the incarnation that has it. */
  readonly row: CallRow;
  readonly slot: Slot;
  readonly callId: number;
  readonly callback: number;
  /** How deep the call is in which the callback was made; the outermost is 1. */
  readonly depth: number;
}

/** A callback, with where it comes from and how it is answered. */
export interface CallbackRequest {
  readonly message: CallbackMessage;
  readonly site: CallSite;
  readonly answer: (answer: CallbackAnswer) => void;
}

/** One call, as the façade hands it in. */
export interface CallRequest {
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Absent: the anonymous scope. */
  readonly sessionId?: string | undefined;
  /** The whole time of the call: queue, start of a worker, replay and run. */
  readonly timeoutMs: number;
  /** How much of it may pass before a worker is found. */
  readonly checkoutTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Present when the operation changes state that a later incarnation must have; `key` is the thing it is about. */
  readonly change?: { readonly change: StateChange; readonly key: string } | undefined;
  readonly trace?: Trace | undefined;
  /** Present: the values of a generator are wanted one by one. */
  readonly stream?:
    { readonly credit: number; readonly item: (value: unknown) => void } | undefined;
  readonly onProgress?: ((value: unknown) => void) | undefined;
  readonly onCallback?: ((request: CallbackRequest) => void) | undefined;
  /** Present: it is made from inside a callback, in the scope of the call there. */
  readonly site?: CallSite | undefined;
}

export interface CallRow {
  readonly seq: number;
  readonly request: CallRequest;
  /** As they are sent, and journalled. */
  readonly args: EncodedValue;
  readonly session: Session | undefined;
  readonly deadlineAtMs: number;
  /** `ending`: its caller has had enough, and is to be told once it is known whether the call has started. */
  phase: 'queued' | 'replaying' | 'running' | 'ending' | 'settled';
  deadline: Deadline | undefined;
  checkout: Deadline | undefined;
  slot: Slot | undefined;
  /** Its number with the worker, once it is sent there. */
  sentId: number | undefined;
  /** How its end goes on that its caller has ordered. */
  cancellation: Cancellation | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  stopListening: (() => void) | undefined;
}

/** One caller's state, bound to an incarnation while that lives. Its calls run one at a time, in order. */
export interface Session {
  readonly id: string;
  readonly journal: Journal;
  /** The incarnation that holds its state, and how far that has applied the journal. */
  slot: Slot | undefined;
  mark: AppliedMark;
  readonly waiting: CallRow[];
  /** What stands for it in a lane while it is listed; another one that is still there is stale. */
  listed: Source | undefined;
  /** `listed`: it stands in a lane of the queue; `running`: one of its calls is with a worker. */
  phase: 'idle' | 'listed' | 'running';
}

/** What stands in a lane: a call of the anonymous scope, or a session with waiting calls. */
export type Source =
  | { readonly type: 'call'; readonly seq: number; readonly row: CallRow }
  | { readonly type: 'session'; readonly seq: number; readonly session: Session };

/** One incarnation that takes calls. */
export interface Slot {
  readonly worker: Worker;
  readonly epoch: number;
  /** Calls that it has, nested ones apart. */
  readonly rows: Set<CallRow>;
  /** How many it may have: those that run at a time, and those ahead. */
  readonly callsMax: number;
  /** `updating`: told of what it lacks, for one call; `retiring`: finishes what it has, then it is replaced; `gone`: it takes nothing more. */
  phase: 'open' | 'updating' | 'retiring' | 'gone';
  /** Calls that are being ended. */
  endingsCount: number;
  /** What goes on when the last of them is over: bringing it up to date. */
  held: (() => void) | undefined;
  /** Sessions bound to it that have calls waiting. */
  readonly lane: Heap<Source>;
  readonly sessions: Set<Session>;
  readonly bridgeMark: AppliedMark;
  readonly anonymousMark: AppliedMark;
}

type GivenByRouter = Pick<
  CallRow,
  'seq' | 'request' | 'args' | 'session' | 'deadlineAtMs' | 'resolve' | 'reject'
>;

/** Field by field: spreading the given object would cost a call more than all of its routing. */
export function newCallRow(given: GivenByRouter): CallRow {
  const { seq, request, args, session, deadlineAtMs, resolve, reject } = given;
  return {
    seq,
    request,
    args: request.change === undefined ? args : copyOf(args),
    session,
    deadlineAtMs,
    phase: 'queued',
    deadline: undefined,
    checkout: undefined,
    slot: undefined,
    sentId: undefined,
    cancellation: undefined,
    resolve,
    reject,
    stopListening: undefined,
  };
}

/** What is journalled must be what was sent, whatever the caller does with its objects and arrays meanwhile. */
function copyOf({ json, tagged, segments }: EncodedValue): EncodedValue {
  return {
    json: JSON.parse(JSON.stringify(json)) as unknown,
    tagged,
    segments: segments.map((segment) => Uint8Array.from(segment)),
  };
}

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

export function newSlot(worker: Worker, prefetch: number): Slot {
  return {
    worker,
    epoch: worker.epoch,
    rows: new Set(),
    callsMax: (worker.info?.concurrency ?? 1) + prefetch,
    phase: 'open',
    endingsCount: 0,
    held: undefined,
    lane: newLane(),
    sessions: new Set(),
    bridgeMark: new AppliedMark(),
    anonymousMark: new AppliedMark(),
  };
}

/** A queue in order of arrival. */
export function newLane(): Heap<Source> {
  return new Heap<Source>((source) => source.seq);
}

/** The incarnation, as errors name it. */
export function refOf(slot: Slot): WorkerRef {
  return { workerId: slot.worker.workerId, epoch: slot.epoch };
}

/** The incarnation in words. */
export function nameOf(slot: Slot | undefined): string {
  return slot === undefined ? 'no worker' : `worker ${slot.worker.workerId} (epoch ${slot.epoch})`;
}

/** Which session is bound to which incarnation, as the bus tells it. */
export function bindingOf(
  pool: string,
  session: Session,
  slot: Slot,
): {
  readonly pool: string;
  readonly session: string;
  readonly worker: string;
  readonly epoch: number;
} {
  return { pool, session: session.id, worker: slot.worker.workerId, epoch: slot.epoch };
}
