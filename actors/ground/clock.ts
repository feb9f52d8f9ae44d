// What time is it, and who wakes us? The only file that reads a clock or arms a timer.

/** A timer's handle: opaque, good for `clearTimeout` of the clock that gave it. */
export type TimerId = unknown;

/**
 * The port through which all time enters. `systemClock` is real time; tests pass a virtual one.
 * XState actors take the same object as their `clock`.
 */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start. The only time that decisions may use. */
  nowMs(): number;
  /** Milliseconds of the wall clock since 1970, for people and logs only. */
  wallMs(): number;
  /** Call `fn` once after `timeoutMs`, at least 0; longer than 24.8 days is cut to that (Node fires at once above 2^31 - 1). */
  setTimeout(fn: () => void, timeoutMs: number): TimerId;
  /** Disarm; an unknown or fired timer is ignored. */
  clearTimeout(id: TimerId): void;
  /**
   * Call `fn` after the event loop has looked at its sockets once more. A deadline that fires after a stall of the loop
   * must let a reply that had already arrived win; hence deadlines are judged here, not in the timer.
   */
  afterPoll(fn: () => void): void;
}

const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Real time. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  // Node's shortest timer takes a millisecond, which a restart without back-off would wait for.
  setTimeout: (fn, timeoutMs) =>
    timeoutMs > 0 ? setTimeout(fn, Math.min(timeoutMs, TIMEOUT_MS_MAX)) : setImmediate(fn),
  clearTimeout: (id) => {
    const timer = id as NodeJS.Timeout | NodeJS.Immediate | undefined;
    if (timer === undefined) return;
    if ('refresh' in timer) clearTimeout(timer);
    else clearImmediate(timer);
  },
  afterPoll: (fn) => {
    setImmediate(fn);
  },
};
