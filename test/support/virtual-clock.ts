// What is time in a test? A list of timers that fire, one deadline after another, when the test says so.
import type { Clock, TimerId } from '../../actors/ground/clock.ts';

interface Timer {
  readonly id: number;
  readonly atMs: number;
  readonly fn: () => void;
}

/** More firings than this without time passing is a loop that would never end. */
const ZERO_TIME_FIRINGS_MAX = 10_000;

export class VirtualClock implements Clock {
  #nowMs = 0;
  #nextId = 1;
  readonly #timers = new Map<number, Timer>();
  readonly #polls: (() => void)[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  setTimeout(fn: () => void, timeoutMs: number): TimerId {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#timers.set(id, { id, atMs: this.#nowMs + Math.max(0, timeoutMs), fn });
    return id;
  }

  clearTimeout(id: TimerId): void {
    this.#timers.delete(id as number);
  }

  afterPoll(fn: () => void): void {
    this.#polls.push(fn);
  }

  /** Timers and polls that have not fired. */
  get pending(): number {
    return this.#timers.size + this.#polls.length;
  }

  /** When the next timer is due; infinity when none is armed. */
  nextAtMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#timers.values()) next = Math.min(next, atMs);
    return next;
  }

  /** Run what waits for a poll, and what that adds. @returns whether there was any. */
  poll(): boolean {
    const had = this.#polls.length > 0;
    for (let fn = this.#polls.shift(); fn !== undefined; fn = this.#polls.shift()) fn();
    return had;
  }

  /** Let time pass, deadline by deadline; `settle` runs after each, so that the world can react at that very time. */
  advance(byMs: number, settle: () => void = () => this.poll()): void {
    const untilMs = this.#nowMs + byMs;
    settle();
    let firings = 0;
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      firings = next.atMs > this.#nowMs ? 0 : firings + 1;
      if (firings > ZERO_TIME_FIRINGS_MAX) throw new Error('a timer loop that takes no time');
      this.#timers.delete(next.id);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fn();
      settle();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (timer.atMs > untilMs) continue;
      if (first === undefined || timer.atMs < first.atMs) first = timer;
    }
    return first;
  }
}
