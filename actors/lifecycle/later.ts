// What is to be done when whoever runs now has finished? One list for each clock, taken in order after the next poll.
import type { Clock } from '../ground/clock.ts';
import { Deadlines } from '../ground/deadlines.ts';
import { Fifo } from '../ground/fifo.ts';
import { runInside } from './crash-trap.ts';

/** What is shared by all calls and monitors of one system. */
export class Timetable {
  static readonly #all = new WeakMap<Clock, Timetable>();
  readonly #deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #tasks = new Fifo<() => void>();
  #lastId = 0;

  private constructor(clock: Clock) {
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock);
  }

  static of(clock: Clock): Timetable {
    let timetable = Timetable.#all.get(clock);
    if (timetable === undefined) {
      timetable = new Timetable(clock);
      Timetable.#all.set(clock, timetable);
    }
    return timetable;
  }

  /** A number that no call and no monitor of this clock has had. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Deadlines that are armed. */
  get deadlinesCount(): number {
    return this.#deadlines.size;
  }

  /**
   * Call `expire` when the time is over. As nobody's code, since one timer serves all. @returns the function that takes it back.
   * @param timeoutMs nothing expires when it is infinite.
   */
  arm(timeoutMs: number, expire: () => void): () => void {
    if (timeoutMs === Number.POSITIVE_INFINITY) return () => undefined;
    const atMs = this.#clock.nowMs() + timeoutMs;
    const deadline = runInside(undefined, () => this.#deadlines.arm(atMs, expire));
    return () => {
      deadline.disarm();
      if (this.#deadlines.size === 0) this.later(() => this.#sweep());
    };
  }

  /** No timer without a deadline: it would keep the process alive for as long as the last call might have taken. */
  #sweep(): void {
    if (this.#deadlines.size === 0) this.#deadlines.clear();
  }

  /** Do this after the next poll, behind what was given before. As nobody's code. It must not throw. */
  later(task: () => void): void {
    this.#tasks.push(task);
    if (this.#tasks.size > 1) return;
    runInside(undefined, () => this.#clock.afterPoll(() => this.#run()));
  }

  /** As many as there are now: what they add has its turn after the poll that follows. */
  #run(): void {
    const many = this.#tasks.size;
    for (let index = 0; index < many; index += 1) this.#tasks.shift()?.();
    if (this.#tasks.size > 0) this.#clock.afterPoll(() => this.#run());
  }
}
