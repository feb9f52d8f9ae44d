// Which rows are overdue? One heap and one timer for all deadlines of one owner.
import type { Clock, TimerId } from './clock.ts';
import { Heap } from './heap.ts';

/** One armed deadline. Settled rows disarm theirs; disarming twice is harmless. */
export interface Deadline {
  readonly atMs: number;
  disarm(): void;
}

interface Entry extends Deadline {
  expire: (() => void) | undefined;
}

interface Armed {
  readonly atMs: number;
  timer: TimerId;
}

/** Below this a rebuild costs more than the dead entries do. */
const COMPACT_ENTRIES_MIN = 64;

/**
 * Deadlines of rows (calls, checkouts). A due deadline is judged only after one more poll of the sockets (`Clock.afterPoll`),
 * so that a stalled event loop does not fail a reply that had already arrived; one that was disarmed meanwhile does not expire.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #heap = new Heap<Entry>((entry) => entry.atMs);
  #armed: Armed | undefined;
  #disarmedCount = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Deadlines still armed. */
  get size(): number {
    return this.#heap.size - this.#disarmedCount;
  }

  /** Call `expire` when `atMs` (monotonic) has come, unless disarmed before. */
  arm(atMs: number, expire: () => void): Deadline {
    const entry: Entry = {
      atMs,
      expire,
      disarm: () => {
        if (entry.expire === undefined) return;
        entry.expire = undefined;
        this.#disarmedCount += 1;
        this.#compact();
      },
    };
    this.#heap.push(entry);
    this.#schedule();
    return entry;
  }

  /** Forget all of them; nothing expires any more. */
  clear(): void {
    this.#heap.retain((entry) => {
      entry.expire = undefined;
      return false;
    });
    this.#disarmedCount = 0;
    this.#schedule();
  }

  /** Fast calls disarm long deadlines all the time: dead entries must not outnumber live ones for long. */
  #compact(): void {
    if (this.#heap.size < COMPACT_ENTRIES_MIN || this.#disarmedCount * 2 <= this.#heap.size) return;
    this.#heap.retain((entry) => entry.expire !== undefined);
    this.#disarmedCount = 0;
    this.#schedule();
  }

  #schedule(): void {
    const next = this.#heap.peek();
    if (next !== undefined && this.#armed !== undefined && this.#armed.atMs <= next.atMs) return;
    if (this.#armed !== undefined) {
      this.#clock.clearTimeout(this.#armed.timer);
      this.#armed = undefined;
    }
    if (next === undefined) return;
    const armed: Armed = { atMs: next.atMs, timer: undefined };
    armed.timer = this.#clock.setTimeout(() => {
      this.#clock.afterPoll(() => {
        // Cleared or armed anew while the poll ran: then this firing is stale.
        if (this.#armed === armed) this.#expireDue();
      });
    }, next.atMs - this.#clock.nowMs());
    this.#armed = armed;
  }

  #expireDue(): void {
    this.#armed = undefined;
    const nowMs = this.#clock.nowMs();
    for (let entry = this.#heap.peek(); entry !== undefined; entry = this.#heap.peek()) {
      if (entry.expire !== undefined && entry.atMs > nowMs) break;
      this.#heap.pop();
      if (entry.expire === undefined) {
        this.#disarmedCount -= 1;
        continue;
      }
      const expire = entry.expire;
      entry.expire = undefined;
      expire();
    }
    this.#schedule();
  }
}
