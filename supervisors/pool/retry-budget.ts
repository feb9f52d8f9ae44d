// May a pool try a call again? A token bucket that calls fill and retries empty, so that a pool in trouble does not double its own load.

export interface RetryBudgetSettings {
  /** What a call adds. */
  readonly ratio: number;
  /** How much there may be, and is at the start. */
  readonly burst: number;
}

/** Sums of parts like 0.1 fall short of whole numbers by far less than one of these. */
const PARTS = 1_000_000;

/** The budget of one pool. */
export class RetryBudget {
  readonly #settings: RetryBudgetSettings;
  #tokens: number;

  constructor(settings: RetryBudgetSettings) {
    this.#settings = settings;
    this.#tokens = settings.burst;
  }

  /** A call was accepted. */
  accepted(): void {
    const { ratio, burst } = this.#settings;
    this.#tokens = Math.min(burst, this.#tokens + ratio);
  }

  /** Whether there is a token for one retry. */
  has(): boolean {
    return Math.round(this.#tokens * PARTS) >= PARTS;
  }

  /** Use one for a retry. @returns whether there was one. */
  take(): boolean {
    if (!this.has()) return false;
    this.#tokens = Math.max(0, this.#tokens - 1);
    return true;
  }
}
