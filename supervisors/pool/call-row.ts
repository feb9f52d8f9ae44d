// What is one call to the router, from its acceptance to its one and only outcome? Rows, and how they are made.
import type { Deadline } from '../../actors/ground/deadlines.ts';
import type { WorkerRef } from '../../actors/ground/errors.ts';
import { Heap } from '../../actors/ground/heap.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import { AppliedMark, type Journal, type StateChange } from './journal.ts';

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
}

export interface CallRow {
  readonly seq: number;
  readonly request: CallRequest;
  readonly session: Session | undefined;
  readonly deadlineAtMs: number;
  phase: 'queued' | 'replaying' | 'running' | 'settled';
  deadline: Deadline | undefined;
  checkout: Deadline | undefined;
  slot: Slot | undefined;
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
  row: CallRow | undefined;
  /** Sessions bound to it that have calls waiting. */
  readonly lane: Heap<Source>;
  readonly sessions: Set<Session>;
  readonly bridgeMark: AppliedMark;
  readonly anonymousMark: AppliedMark;
}

type GivenByRouter = Pick<
  CallRow,
  'seq' | 'request' | 'session' | 'deadlineAtMs' | 'resolve' | 'reject'
>;

/** Field by field: spreading the given object would cost a call more than all of its routing. */
export function newCallRow(given: GivenByRouter): CallRow {
  const { seq, request, session, deadlineAtMs, resolve, reject } = given;
  return {
    seq,
    request: request.change === undefined ? request : { ...request, args: copyOf(request.args) },
    session,
    deadlineAtMs,
    phase: 'queued',
    deadline: undefined,
    checkout: undefined,
    slot: undefined,
    resolve,
    reject,
    stopListening: undefined,
  };
}

/**
 * What is journalled must be what was sent, whatever the caller does with its object meanwhile. As the wire has it: a structured clone would refuse a proxy, which the
 * wire does not.
 */
function copyOf(args: CallRequest['args']): CallRequest['args'] {
  return JSON.parse(JSON.stringify(args)) as CallRequest['args'];
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

export function newSlot(worker: Worker): Slot {
  return {
    worker,
    epoch: worker.epoch,
    row: undefined,
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
