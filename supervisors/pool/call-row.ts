// What is one call to the router, from its acceptance to its one and only outcome? Rows, no behaviour.
import type { Deadline } from '../../actors/ground/deadlines.ts';
import type { Heap } from '../../actors/ground/heap.ts';
import type { Worker } from '../../actors/worker/worker.ts';
import type { AppliedMark, Journal, StateChange } from './journal.ts';

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
