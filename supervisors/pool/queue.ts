// Which waiting call is next for this worker? In turns between sessions, and one that waits for its own worker holds up nobody else.
import type { Heap } from '../../actors/ground/heap.ts';
import { OverloadedError } from '../../actors/ground/errors.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import type { EncodedValue } from '../../actors/port/codec.ts';
import { BatchIndex, isHeld } from './batch-index.ts';
import { newLane, type CallRow, type Slot, type Source } from './call-row.ts';
import type { RouterOptions } from './router-types.ts';
import { isPinned, type Session } from './session.ts';

/** Below this, sweeping out what is stale costs more than it does. */
const SWEEP_MIN = 64;

/** The waiting calls of one pool. The caller bounds `length` and `bytes`. */
export class CallQueue {
  /** Those that could travel together. */
  readonly batches = new BatchIndex();
  readonly #onLoss: 'rebuild' | 'fail';
  readonly #shared = newLane();
  #length = 0;
  #bytes = 0;
  #turns = 0;
  /** Places in the shared lane that are not stale. */
  #open = 0;

  constructor(onLoss: 'rebuild' | 'fail' = 'rebuild') {
    this.#onLoss = onLoss;
  }

  /** Calls that wait. */
  get length(): number {
    return this.#length;
  }

  /** Their arguments, estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Places at which any worker would do: calls without a session, and sessions that wait for none of their own. One more worker is of use to these. */
  get open(): number {
    return this.#open;
  }

  add(row: CallRow): void {
    this.#count(row, 1);
    const { session } = row;
    if (session === undefined) {
      row.turn = this.#nextTurn();
      this.#share({ type: 'call', turn: row.turn, row });
      return;
    }
    session.waiting.push(row);
    this.relist(session);
  }

  /** It waits, and is given to no worker before it is released. */
  hold(row: CallRow): void {
    row.turn = this.#nextTurn();
    this.#count(row, 1);
  }

  /** It has waited long enough for company: it keeps its turn. */
  release(row: CallRow): void {
    row.heldUntilMs = undefined;
    this.#share({ type: 'call', turn: row.turn, row });
  }

  /** It is to be tried again: before whatever came after it. */
  addAgain(row: CallRow): void {
    this.#count(row, 1);
    const { session } = row;
    if (session === undefined) {
      this.#share({ type: 'call', turn: row.turn, row });
      return;
    }
    session.waiting.unshift(row);
    session.phase = 'idle';
    this.#list(session, session.turn);
  }

  /** A waiting call has been settled by its deadline or its caller: it waits no more. */
  drop(row: CallRow): void {
    this.#count(row, -1);
    const { session } = row;
    if (session === undefined) {
      if (isHeld(row)) row.heldUntilMs = undefined;
      else this.#unshare();
      return;
    }
    const index = session.waiting.indexOf(row);
    session.waiting.splice(index, 1);
    if (index > 0 || session.phase !== 'listed') return;
    if (session.waiting.length > 0 && session.slot === undefined) return;
    // The next call may want another lane; its turn is the same.
    this.unlist(session);
    this.#list(session, session.turn);
  }

  /** Put a session with waiting calls into a lane: its worker's where the first of them requires that, else the shared one. It comes after whoever waits by now. */
  relist(session: Session): void {
    if (session.phase === 'idle') this.#list(session, undefined);
  }

  /** Take it out of its lane, e.g. because its worker is not its worker any more. */
  unlist(session: Session): void {
    if (session.phase !== 'listed') return;
    const { listed } = session;
    session.phase = 'idle';
    session.listed = undefined;
    if (listed?.type === 'session' && listed.lane === 'own') sweep(session);
    else this.#unshare();
  }

  /** It has lost its worker, or may leave it: its place in turn is kept. */
  move(session: Session): void {
    if (session.phase !== 'listed') return;
    this.unlist(session);
    this.#list(session, session.turn);
  }

  /** The next call for this worker, or undefined. A session's call leaves the session `running`. */
  take(slot: Slot): CallRow | undefined {
    for (;;) {
      const lane = this.#earlier(slot);
      const source = lane.pop();
      if (source === undefined) return undefined;
      if (isStale(source)) continue;
      if (lane === this.#shared) this.#open -= 1;
      const row = source.type === 'call' ? source.row : source.session.waiting.shift();
      if (source.type === 'session') {
        source.session.phase = 'running';
        source.session.listed = undefined;
      }
      if (row !== undefined) this.#count(row, -1);
      return row;
    }
  }

  /** Every waiting call of a session, which is none of the queue's any more. */
  takeAllOf(session: Session): readonly CallRow[] {
    this.unlist(session);
    const rows = session.waiting.splice(0);
    for (const row of rows) this.#count(row, -1);
    return rows;
  }

  /** Every waiting call, for the end of the pool. */
  drain(sessions: Iterable<Session>): readonly CallRow[] {
    const rows: CallRow[] = [...this.batches.drain()];
    for (let source = this.#shared.pop(); source !== undefined; source = this.#shared.pop()) {
      if (source.type === 'call' && !isStale(source)) rows.push(source.row);
    }
    for (const session of sessions) {
      rows.push(...session.waiting.splice(0));
      // Its place in the lane of its worker, if it has one there, is stale with this.
      session.listed = undefined;
      if (session.phase === 'listed') session.phase = 'idle';
    }
    this.#length = 0;
    this.#bytes = 0;
    this.#open = 0;
    return rows;
  }

  /** The same, of those at the places that any worker would do for. */
  oldestOpenAtMs(): number | undefined {
    let oldest: number | undefined;
    this.#shared.forEach((source) => {
      if (isStale(source)) return;
      const row = source.type === 'call' ? source.row : source.session.waiting[0];
      if (row !== undefined) oldest = Math.min(oldest ?? row.acceptedAtMs, row.acceptedAtMs);
    });
    return oldest;
  }

  /** When the one that has waited longest was accepted; undefined when nobody waits. Looks at all of them. */
  oldestAtMs(sessions: Iterable<Session>): number | undefined {
    let oldest: number | undefined;
    const look = (row: CallRow): void => {
      if (oldest === undefined || row.acceptedAtMs < oldest) oldest = row.acceptedAtMs;
    };
    if (this.#length === 0) return undefined;
    this.#shared.forEach((source) => {
      if (source.type === 'call' && !isStale(source)) look(source.row);
    });
    for (const { waiting } of sessions) if (waiting[0] !== undefined) look(waiting[0]);
    return oldest;
  }

  #list(session: Session, turn: number | undefined): void {
    const first = session.waiting[0];
    if (first === undefined || session.stage === 'loading') return;
    session.turn = turn ?? this.#nextTurn();
    session.phase = 'listed';
    const requiresOwn =
      session.slot !== undefined &&
      (first.affinity === 'required' ||
        (first.affinity === 'preferred' && isPinned(session, this.#onLoss)));
    const own = requiresOwn ? session.slot?.lane : undefined;
    const lane = own === undefined ? 'shared' : 'own';
    session.listed = { type: 'session', turn: session.turn, session, lane };
    if (own === undefined) this.#share(session.listed);
    else own.push(session.listed);
  }

  #nextTurn(): number {
    this.#turns += 1;
    return this.#turns;
  }

  #count(row: CallRow, by: 1 | -1): void {
    this.#length += by;
    this.#bytes += by * row.bytes;
    if (row.request.batch === undefined || row.session !== undefined) return;
    if (by > 0) this.batches.add(row);
    else this.batches.delete(row);
  }

  #share(source: Source): void {
    this.#open += 1;
    this.#shared.push(source);
  }

  /** A place in the shared lane is stale. */
  #unshare(): void {
    this.#open -= 1;
    const stale = this.#shared.size - this.#open;
    if (stale < SWEEP_MIN || stale * 2 < this.#shared.size) return;
    this.#shared.retain((source) => !isStale(source));
  }

  /** Of a worker that is on its way out, only what requires it. */
  #earlier({ lane, leaving }: Slot): Heap<Source> {
    const own = lane.peek();
    if (leaving !== undefined) return lane;
    const shared = this.#shared.peek();
    if (own === undefined) return this.#shared;
    return shared === undefined || own.turn < shared.turn ? lane : this.#shared;
  }
}

/** A worker's lane holds each of its sessions once: what is there beyond that is stale. */
function sweep({ slot }: Session): void {
  if (slot === undefined) return;
  const { lane, sessions } = slot;
  if (lane.size >= SWEEP_MIN && lane.size > 2 * sessions.size) {
    lane.retain((source) => !isStale(source));
  }
}

/** A call that was settled while it waited, or a place that its session does not stand at any more. */
function isStale(source: Source): boolean {
  return source.type === 'call' ? source.row.phase !== 'queued' : source.session.listed !== source;
}

/**
 * The cost does not grow with the queue.
 * @throws {@link OverloadedError} when there is no room for one more. A call that is larger than all of it may wait alone.
 */
export function assertQueueRoom(
  queue: CallQueue,
  op: string,
  args: EncodedValue,
  { pool, queueLengthMax, queueBytesMax = LIMITS.queueBytesMax }: RouterOptions,
): void {
  const what = `pool ${pool}, call ${op}`;
  if (queue.length >= queueLengthMax)
    throw new OverloadedError(what, 'queueLengthMax', queueLengthMax);
  if (queue.length > 0 && queue.bytes + bytesOf(args) > queueBytesMax)
    throw new OverloadedError(what, 'queueBytesMax', queueBytesMax);
}

/** What an object, an array or a number takes at least. */
const PART_BYTES = 8;
/** Parts that are looked at: beyond it the rest is taken to be like what was seen. */
const PARTS_MAX = 10_000;

/** About what a waiting call keeps in memory. */
export function bytesOf({ json, segments }: EncodedValue): number {
  let bytes = 0;
  const left: unknown[] = [json];
  let parts = 0;
  for (; left.length > 0 && parts < PARTS_MAX; parts += 1) {
    const value = left.pop();
    bytes += PART_BYTES;
    if (typeof value === 'string') bytes += value.length;
    else if (Array.isArray(value)) for (const item of value) left.push(item);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        bytes += key.length;
        left.push(item);
      }
    }
  }
  bytes += Math.round((left.length * bytes) / parts);
  for (const segment of segments) bytes += segment.byteLength;
  return bytes;
}
