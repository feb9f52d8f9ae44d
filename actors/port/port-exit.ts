// When is the end of a process told? Once all that it wrote has been read, or cannot be waited for any longer.
import type { Clock } from '../ground/clock.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import { LIMITS } from '../ground/limits.ts';

type State =
  | { readonly type: 'none' }
  | { readonly type: 'draining'; readonly reason: ExitReason; readonly timer: unknown }
  | { readonly type: 'told' };

/** One exit, told once: replies are delivered before its calls are failed, and its last words belong to its report. */
export class PortExit {
  readonly #clock: Clock;
  readonly #told: (reason: ExitReason) => void;
  #state: State = { type: 'none' };

  constructor(clock: Clock, told: (reason: ExitReason) => void) {
    this.#clock = clock;
    this.#told = told;
  }

  get phase(): State['type'] {
    return this.#state.type;
  }

  /** The process has ended. @returns false when that was known. */
  begin(reason: ExitReason): boolean {
    if (this.#state.type !== 'none') return false;
    // After one more poll: when the event loop has stalled, the timer fires before what had arrived is read.
    const timer = this.#clock.setTimeout(() => {
      this.#clock.afterPoll(() => {
        this.finish();
      });
    }, LIMITS.drainAfterExitMs);
    this.#state = { type: 'draining', reason, timer };
    return true;
  }

  /** All of it has been read. Before the exit, and after it was told, this changes nothing. */
  finish(): void {
    if (this.#state.type !== 'draining') return;
    const { reason, timer } = this.#state;
    this.#clock.clearTimeout(timer);
    this.#told(reason);
    this.#state = { type: 'told' };
  }

  /** Nobody wants to know any more. */
  stop(): void {
    if (this.#state.type === 'draining') this.#clock.clearTimeout(this.#state.timer);
    this.#state = { type: 'told' };
  }
}
