// Can this call still make it? Judged by the fastest of the last runs of its operation.
import { LIMITS } from '../../actors/ground/limits.ts';

/** The last runs of one operation, in ms. */
interface Runs {
  readonly ms: Float64Array;
  count: number;
}

/** How long the operations of one pool take. Bounded in operations and in runs of each. */
export class RunTimes {
  readonly #runs = new Map<string, Runs>();

  record(op: string, ms: number): void {
    let runs = this.#runs.get(op);
    if (runs === undefined) {
      if (this.#runs.size >= LIMITS.runOperationsMax) return;
      runs = { ms: new Float64Array(LIMITS.runSamples), count: 0 };
      this.#runs.set(op, runs);
    }
    runs.ms[runs.count % LIMITS.runSamples] = ms;
    runs.count += 1;
  }

  /** Whether a call with so much time left is given up: none of the last runs was as fast. Never judged by a few. */
  isHopeless(op: string, remainingMs: number): boolean {
    const runs = this.#runs.get(op);
    if (runs === undefined || runs.count < LIMITS.runSamplesMin) return false;
    const known = Math.min(runs.count, LIMITS.runSamples);
    for (let index = 0; index < known; index += 1) {
      if ((runs.ms[index] ?? 0) <= remainingMs) return false;
    }
    return true;
  }
}
