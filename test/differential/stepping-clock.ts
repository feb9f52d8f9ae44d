// How far is it to the next timer? A virtual clock that a case can be run to its end with.
import type { TimerId } from '../../actors/ground/clock.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** A virtual clock that can say when its next timer is due. */
export class SteppingClock extends VirtualClock {
  readonly #due = new Map<TimerId, number>();

  override setTimeout(fn: () => void, timeoutMs: number): TimerId {
    const id = super.setTimeout(() => {
      this.#due.delete(id);
      fn();
    }, timeoutMs);
    this.#due.set(id, this.nowMs() + Math.max(0, timeoutMs));
    return id;
  }

  override clearTimeout(id: TimerId): void {
    this.#due.delete(id);
    super.clearTimeout(id);
  }

  /** Let time pass up to the next timer. @returns whether there was one. */
  step(): boolean {
    if (this.#due.size === 0) return false;
    this.advance(Math.min(...this.#due.values()) - this.nowMs());
    return true;
  }
}
