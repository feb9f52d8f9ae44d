// When does a fleet look at itself again? After this turn, or at a time: one wake-up of each kind, however often it is asked for.
import type { Clock, TimerId } from '../../actors/ground/clock.ts';

export class FleetAlarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #state: 'off' | 'on' = 'off';
  #soon: 'no' | 'to come' = 'no';
  #atMs = Number.POSITIVE_INFINITY;
  #timer: TimerId;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  begin(): void {
    this.#state = 'on';
    this.soon();
  }

  end(): void {
    this.#state = 'off';
    this.#clock.clearTimeout(this.#timer);
    this.#atMs = Number.POSITIVE_INFINITY;
  }

  /** Once, when what happens now has happened. */
  soon(): void {
    if (this.#state === 'off' || this.#soon === 'to come') return;
    this.#soon = 'to come';
    this.#clock.afterPoll(() => {
      this.#soon = 'no';
      if (this.#state === 'on') this.#ring();
    });
  }

  /** At this time or before. */
  by(atMs: number): void {
    if (this.#state === 'off' || atMs >= this.#atMs) return;
    this.#clock.clearTimeout(this.#timer);
    this.#atMs = atMs;
    this.#timer = this.#clock.setTimeout(() => {
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#ring();
    }, atMs - this.#clock.nowMs());
  }

  within(ms: number): void {
    this.by(this.#clock.nowMs() + ms);
  }
}
