// Which waiting call is next for this worker? First come, first served, but a session that waits for its own worker holds up nobody else.
import type { Heap } from '../../actors/ground/heap.ts';
import { newLane, type CallRow, type Session, type Slot, type Source } from './call-row.ts';

/** Below this, sweeping out settled calls costs more than they do. */
const SWEEP_MIN = 64;

/** The waiting calls of one pool. The caller bounds `length`. */
export class CallQueue {
  readonly #shared = newLane();
  #length = 0;
  #settledInShared = 0;

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
    if (row.session !== undefined) {
      row.session.waiting.splice(row.session.waiting.indexOf(row), 1);
      return;
    }
    this.#settledInShared += 1;
    if (this.#settledInShared < SWEEP_MIN || this.#settledInShared * 2 < this.#shared.size) return;
    this.#shared.retain((source) => source.type === 'session' || source.row.phase === 'queued');
    this.#settledInShared = 0;
  }

  /** Put a session with waiting calls into its lane: its worker's, or the shared one when it has none. */
  relist(session: Session): void {
    const first = session.waiting[0];
    if (first === undefined || session.phase !== 'idle') return;
    session.phase = 'listed';
    const lane = session.slot?.lane ?? this.#shared;
    lane.push({ type: 'session', seq: first.seq, session });
  }

  /** The next call for this worker, or undefined. A session's call leaves the session `running`. */
  take(slot: Slot): CallRow | undefined {
    for (;;) {
      const source = this.#earlier(slot.lane)?.pop();
      if (source === undefined) return undefined;
      const row = source.type === 'call' ? source.row : this.#takeFrom(source.session);
      if (row === undefined) continue;
      if (row.phase !== 'queued') {
        this.#settledInShared -= 1;
        continue;
      }
      this.#length -= 1;
      return row;
    }
  }

  /** The worker is gone: what waited for it waits for any. */
  release(slot: Slot): void {
    for (let source = slot.lane.pop(); source !== undefined; source = slot.lane.pop()) {
      this.#shared.push(source);
    }
  }

  /** Every waiting call, for the end of the pool. */
  drain(sessions: Iterable<Session>): readonly CallRow[] {
    const rows: CallRow[] = [];
    for (let source = this.#shared.pop(); source !== undefined; source = this.#shared.pop()) {
      if (source.type === 'call' && source.row.phase === 'queued') rows.push(source.row);
    }
    for (const session of sessions) rows.push(...session.waiting.splice(0));
    this.#length = 0;
    this.#settledInShared = 0;
    return rows;
  }

  #takeFrom(session: Session): CallRow | undefined {
    session.phase = 'idle';
    const row = session.waiting.shift();
    if (row !== undefined) session.phase = 'running';
    return row;
  }

  #earlier(lane: Heap<Source>): Heap<Source> | undefined {
    const own = lane.peek();
    const shared = this.#shared.peek();
    if (own === undefined) return this.#shared;
    return shared === undefined || own.seq < shared.seq ? lane : this.#shared;
  }
}
