// Which waiting call is next for this worker? First come, first served, but a session that waits for its own worker holds up nobody else.
import type { Heap } from '../../actors/ground/heap.ts';
import { newLane, type CallRow, type Session, type Slot, type Source } from './call-row.ts';

/** Below this, sweeping out what is stale costs more than it does. */
const SWEEP_MIN = 64;

/** The waiting calls of one pool. The caller bounds `length`. */
export class CallQueue {
  readonly #shared = newLane();
  #length = 0;
  #staleInShared = 0;

  /** Calls that wait. */
  get length(): number {
    return this.#length;
  }

  add(row: CallRow): void {
    this.#length += 1;
    if (row.session === undefined) {
      this.#shared.push({ type: 'call', seq: row.seq, row });
      return;
    }
    row.session.waiting.push(row);
    this.relist(row.session);
  }

  /** A waiting call has been settled by its deadline or its caller: it waits no more. */
  drop(row: CallRow): void {
    this.#length -= 1;
    const { session } = row;
    if (session === undefined) {
      this.#noteStale();
      return;
    }
    const index = session.waiting.indexOf(row);
    session.waiting.splice(index, 1);
    if (index > 0 || session.phase !== 'listed') return;
    // Its place in the lane was that of the dropped call: the next call has its own.
    session.phase = 'idle';
    session.listed = undefined;
    if (session.slot === undefined) this.#noteStale();
    else sweep(session.slot);
    this.relist(session);
  }

  /** Put a session with waiting calls into its lane: its worker's, or the shared one when it has none. */
  relist(session: Session): void {
    const first = session.waiting[0];
    if (first === undefined || session.phase !== 'idle') return;
    session.phase = 'listed';
    session.listed = { type: 'session', seq: first.seq, session };
    const lane = session.slot?.lane ?? this.#shared;
    lane.push(session.listed);
  }

  /** The next call for this worker, or undefined. A session's call leaves the session `running`. */
  take(slot: Slot): CallRow | undefined {
    for (;;) {
      const lane = this.#earlier(slot.lane);
      const source = lane.pop();
      if (source === undefined) return undefined;
      if (isStale(source)) {
        if (lane === this.#shared) this.#staleInShared -= 1;
        continue;
      }
      this.#length -= 1;
      if (source.type === 'call') return source.row;
      source.session.phase = 'running';
      source.session.listed = undefined;
      return source.session.waiting.shift();
    }
  }

  /** The worker is gone: what waited for it waits for any. */
  release(slot: Slot): void {
    for (let source = slot.lane.pop(); source !== undefined; source = slot.lane.pop()) {
      if (!isStale(source)) this.#shared.push(source);
    }
  }

  /** Every waiting call, for the end of the pool. */
  drain(sessions: Iterable<Session>): readonly CallRow[] {
    const rows: CallRow[] = [];
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
    this.#staleInShared = 0;
    return rows;
  }

  #noteStale(): void {
    this.#staleInShared += 1;
    if (this.#staleInShared < SWEEP_MIN || this.#staleInShared * 2 < this.#shared.size) return;
    this.#shared.retain((source) => !isStale(source));
    this.#staleInShared = 0;
  }

  #earlier(lane: Heap<Source>): Heap<Source> {
    const own = lane.peek();
    const shared = this.#shared.peek();
    if (own === undefined) return this.#shared;
    return shared === undefined || own.seq < shared.seq ? lane : this.#shared;
  }
}

/** A worker's lane holds each of its sessions once: what is there beyond that is stale. */
function sweep({ lane, sessions }: Slot): void {
  if (lane.size >= SWEEP_MIN && lane.size > 2 * sessions.size) {
    lane.retain((source) => !isStale(source));
  }
}

/** A call that was settled while it waited, or a place that its session does not stand at any more. */
function isStale(source: Source): boolean {
  return source.type === 'call' ? source.row.phase !== 'queued' : source.session.listed !== source;
}
