// What is one call to the router, from its acceptance to its one and only outcome? Rows, and how they are made.
import type { Permit } from '../../actors/breaker/breaker.ts';
import type { Deadline } from '../../actors/ground/deadlines.ts';
import type { Cancellation, Outcome, WorkerRef } from '../../actors/ground/errors.ts';
import { Heap } from '../../actors/ground/heap.ts';
import type { Trace } from '../../actors/ground/worker-facts.ts';
import type { EncodedValue } from '../../actors/port/codec.ts';
import type { CallbackAnswer, CallbackMessage } from '../../actors/port/message.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import { ownCopy } from './journal-entry.ts';
import type { Leaving } from './leaving.ts';
import type { RowKind, RowPhase, SentReplay } from './row-phase.ts';
import { AppliedMark, type Journal, type StateChange } from './journal.ts';
import type { Affinity } from './pool-options.ts';

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
  /** How much of it may pass before a worker is found; 0: now or not at all. */
  readonly checkoutTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Default: the pool's. */
  readonly affinity?: Affinity | undefined;
  /** How often it may be tried again by itself (default 0), and whether also when it can have run (default false). */
  readonly maxRetries?: number | undefined;
  readonly isIdempotent?: boolean | undefined;
  /** Present when the operation changes state that a later incarnation must have; `key` is the thing it is about. */
  readonly change?: { readonly change: StateChange; readonly key: string } | undefined;
  /** Arguments that no store may have, by the names that stand for them. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Present: it may travel together with others of its operation. */
  readonly batch?: { readonly maxSize: number; readonly maxWaitMs: number } | undefined;
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
  readonly kind: RowKind;
  readonly seq: number;
  readonly request: CallRequest;
  /** As they are sent, and journalled. */
  readonly args: EncodedValue;
  readonly session: Session | undefined;
  readonly affinity: Affinity;
  readonly acceptedAtMs: number;
  readonly deadlineAtMs: number;
  phase: RowPhase;
  /** Estimated size of its arguments, once it waits. */
  bytes: number;
  /** Its place among those that wait; kept for its next try. */
  turn: number;
  /** When it was sent, the last time. */
  sentAtMs: number;
  /** How often its worker had been told of the bridge's configuration when it was sent. */
  toldBefore: number;
  /** How often it has failed. */
  failures: number;
  /** Whether one of its tries so far can have run. */
  triedSoFar: Outcome;
  deadline: Deadline | undefined;
  checkout: Deadline | undefined;
  /** Its next try. */
  retry: Deadline | undefined;
  slot: Slot | undefined;
  /** Its number with the worker, once it is sent there. */
  sentId: number | undefined;
  /** What its worker is told before it, while that is on its way. */
  replay: SentReplay | undefined;
  /** How its end goes on that its caller has ordered. */
  cancellation: Cancellation | undefined;
  permit: Permit | undefined;
  /** The checkout that it is a call of. */
  holder: Holder | undefined;
  /** Of a carrier: the calls that travel with it. */
  calls: readonly CallRow[] | undefined;
  /** What it travels with, from its turn on. */
  carrier: CallRow | undefined;
  /** Present while it is held back so that others may join it, and not given to any worker. */
  heldUntilMs: number | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  stopListening: (() => void) | undefined;
}

/** One caller's state. Its calls run one at a time, in order. */
export interface Session {
  readonly id: string;
  journal: Journal;
  /** `loading`: the store is asked what it was; `lost`: its state is gone and could not be made again; `ended`: a row that nobody leads to any more. */
  stage: 'loading' | 'live' | 'lost' | 'ended';
  /** Why it is lost, in words. */
  lostBecause: string;
  /** The incarnation that it is bound to. */
  slot: Slot | undefined;
  /** How far each incarnation that has state of it has applied the journal. */
  readonly marks: Map<Slot, AppliedMark>;
  /** Calls that its incarnation has had of it, without which nothing can be lost there. */
  ranCount: number;
  /** Calls, and among them updates, since its state was last put into a snapshot. */
  callsSinceSnapshot: number;
  updatesSinceSnapshot: number;
  /** Replays in a row that have failed. */
  replayFailuresCount: number;
  lastUsedAtMs: number;
  /** When that is looked at next. */
  expiry: Deadline | undefined;
  /** When the store was last told that it is used. */
  touchedAtMs: number;
  readonly waiting: CallRow[];
  /** Its place in turn. */
  turn: number;
  /** What stands for it in a lane while it is listed; another one that is still there is stale. */
  listed: Source | undefined;
  /** `listed`: it stands in a lane of the queue; `running`: one of its calls is with a worker, waits for its next try, or is being stored. */
  phase: 'idle' | 'listed' | 'running';
}

/** Who holds a worker alone, as the rows know it. */
export interface Holder {
  /** The checkout itself. */
  row: CallRow;
  /** Nobody else's call is there any more. */
  readonly granted: (slot: Slot) => void;
  /** One of its calls is over there. */
  readonly callOver: (row: CallRow) => void;
  /** One of its calls that waits has been settled otherwise. */
  readonly drop: (row: CallRow) => void;
  /** The worker has ended. */
  readonly lost: (slot: Slot) => void;
}

/** What stands in a lane: a call of the anonymous scope, or a session with waiting calls. */
export type Source =
  | { readonly type: 'call'; readonly turn: number; readonly row: CallRow }
  | {
      readonly type: 'session';
      readonly turn: number;
      readonly session: Session;
      /** Its worker's, or the one of all. */
      readonly lane: 'own' | 'shared';
    };

/** One incarnation that takes calls. */
export interface Slot {
  readonly worker: Worker;
  readonly epoch: number;
  /** Calls that it has, nested ones apart. */
  readonly rows: Set<CallRow>;
  /** How many it may have: those that run at a time, and those ahead. */
  readonly callsMax: number;
  /** How many it has had. */
  callsCount: number;
  /** `updating`: told of what it lacks, for one call; `retiring`: finishes what it has, then it is replaced; `gone`: it takes nothing more. */
  phase: 'open' | 'updating' | 'retiring' | 'gone';
  leaving: Leaving | undefined;
  /** The session that it gives a snapshot of, before that moves. */
  moving: Session | undefined;
  /** Its end was ordered, by whom and why: nobody's failure then. */
  ordered: string | undefined;
  /** `counted`: its crash has been, however many calls it took along. */
  fault: 'none' | 'counted';
  /** Whose it is alone. */
  holder: Holder | undefined;
  /** Calls that are being ended. */
  endingsCount: number;
  /** What goes on when the last of them is over: bringing it up to date. */
  held: (() => void) | undefined;
  /** Sessions bound to it that have calls waiting. */
  readonly lane: Heap<Source>;
  /** Sessions that it has state of; those bound to it are among them. */
  readonly sessions: Set<Session>;
  readonly bridgeMark: AppliedMark;
  readonly anonymousMark: AppliedMark;
}

type GivenByRouter = Pick<
  CallRow,
  | 'kind'
  | 'seq'
  | 'request'
  | 'args'
  | 'session'
  | 'affinity'
  | 'acceptedAtMs'
  | 'deadlineAtMs'
  | 'resolve'
  | 'reject'
>;

/** Field by field: spreading would cost a call more than all of its routing. */
export function newCallRow(given: GivenByRouter): CallRow {
  const { kind, seq, request, args, session, affinity, acceptedAtMs, deadlineAtMs } = given;
  return {
    kind,
    seq,
    request,
    // What is journalled must be what was sent, whatever the caller does with its objects and arrays meanwhile.
    args: request.change === undefined ? args : ownCopy(args).args,
    session,
    affinity,
    acceptedAtMs,
    deadlineAtMs,
    phase: 'queued',
    bytes: 0,
    turn: 0,
    sentAtMs: 0,
    toldBefore: 0,
    failures: 0,
    triedSoFar: 'notSent',
    deadline: undefined,
    checkout: undefined,
    retry: undefined,
    slot: undefined,
    sentId: undefined,
    replay: undefined,
    cancellation: undefined,
    permit: undefined,
    holder: undefined,
    calls: undefined,
    carrier: undefined,
    heldUntilMs: undefined,
    resolve: given.resolve,
    reject: given.reject,
    stopListening: undefined,
  };
}

export function newSlot(worker: Worker, prefetch: number): Slot {
  return {
    worker,
    epoch: worker.epoch,
    rows: new Set(),
    callsMax: (worker.info?.concurrency ?? 1) + prefetch,
    callsCount: 0,
    phase: 'open',
    leaving: undefined,
    moving: undefined,
    ordered: undefined,
    fault: 'none',
    holder: undefined,
    endingsCount: 0,
    held: undefined,
    lane: newLane(),
    sessions: new Set(),
    bridgeMark: new AppliedMark(),
    anonymousMark: new AppliedMark(),
  };
}

/** A queue in order of turns. */
export function newLane(): Heap<Source> {
  return new Heap<Source>((source) => source.turn);
}

/** The incarnation, as errors name it. */
export function refOf(slot: Slot): WorkerRef {
  return { workerId: slot.worker.workerId, epoch: slot.epoch };
}

/** The incarnation in words. */
export function nameOf(slot: Slot | undefined): string {
  return slot === undefined ? 'no worker' : `worker ${slot.worker.workerId} (epoch ${slot.epoch})`;
}
