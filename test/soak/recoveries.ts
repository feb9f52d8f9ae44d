// Which workers have died, was each death ordered, and was each of them replaced?
import { formatExitReason, type BusEvents } from '../../src/index.ts';
import type { Targets } from './judge.ts';

const KEPT_MAX = 20;

export class Recoveries {
  readonly #targets: Targets;
  readonly #nowMs: () => number;
  /** Workers that died by a fault and are not ready again. */
  readonly #down = new Set<string>();
  /** Incarnations that the runtime itself kills, because a call in them could not be cancelled otherwise. */
  readonly #condemned = new Set<string>();
  readonly #unexplained: string[] = [];
  #count = 0;

  constructor(targets: Targets, nowMs: () => number) {
    this.#targets = targets;
    this.#nowMs = nowMs;
  }

  /** Workers that were ready again after a fault. */
  get count(): number {
    return this.#count;
  }

  /** Deaths that nobody has ordered. */
  get unexplained(): readonly string[] {
    return this.#unexplained;
  }

  onCancelling({ path, epoch, step }: BusEvents['call.cancelling']): void {
    if (step === 'kill' || step === 'drain') this.#condemned.add(`${path} ${epoch}`);
  }

  onCrash({ path, epoch, reason, stderrTail }: BusEvents['child.crashed']): void {
    if (this.#targets.of({ workerId: path, epoch }) !== undefined) {
      this.#down.add(path);
      return;
    }
    if (this.#condemned.delete(`${path} ${epoch}`) || this.#unexplained.length > KEPT_MAX) return;
    this.#unexplained.push(
      `${path} (epoch ${epoch}) ended with ${formatExitReason(reason)} at ${Math.round(this.#nowMs())} ms, and nobody ordered it: ${stderrTail}`,
    );
  }

  onReady({ path }: BusEvents['child.ready']): void {
    if (this.#down.delete(path)) this.#count += 1;
  }
}
