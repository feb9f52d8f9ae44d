// For how long is a call held back so that others may join it?
import type { Deadline } from '../../actors/ground/deadlines.ts';
import { isHeld, mayTravelTogether } from './batch-index.ts';
import type { CallRequest, CallRow, Slot } from './call-row.ts';
import type { RouterParts } from './router-parts.ts';

/** Of the time that a call has for finding a worker, and of its whole time, at most this part is spent on waiting for company. */
const SHARE_MAX = 0.5;

/** When the calls of one operation are looked at next. */
interface Alarm {
  readonly atMs: number;
  readonly deadline: Deadline;
}

/** The calls of one pool that wait for company. They wait in its queue, and no worker is given them. */
export class BatchHold {
  readonly #parts: RouterParts;
  readonly #slots: () => Iterable<Slot>;
  readonly #serveAll: () => void;
  readonly #alarms = new Map<string, Alarm>();

  constructor(parts: RouterParts, slots: () => Iterable<Slot>, serveAll: () => void) {
    this.#parts = parts;
    this.#slots = slots;
    this.#serveAll = serveAll;
  }

  /** Whether such a call is held back at all: not where every worker would get it by itself. */
  isWanted(request: CallRequest): boolean {
    if (!mayTravelTogether(request) || this.#holdMs(request) <= 0) return false;
    const slots = [...this.#slots()];
    return slots.length === 0 || slots.some(({ worker }) => worker.abilities.has('batches'));
  }

  /** Hold a new call back, unless with it a batch is full: then it waits for a worker, with all that were held. */
  hold(row: CallRow): void {
    const { queue, ports } = this.#parts;
    const { op, batch } = row.request;
    const atMs = ports.clock.nowMs() + this.#holdMs(row.request);
    row.heldUntilMs = atMs;
    queue.hold(row);
    if (queue.batches.of(op).size >= (batch?.maxSize ?? 1)) this.#release(op, Infinity);
    else this.#arm(op, atMs, row);
  }

  #holdMs({ batch, checkoutTimeoutMs, timeoutMs }: CallRequest): number {
    return Math.min(batch?.maxWaitMs ?? 0, checkoutTimeoutMs * SHARE_MAX, timeoutMs * SHARE_MAX);
  }

  #arm(op: string, atMs: number, row?: CallRow): void {
    const known = this.#alarms.get(op);
    if (known !== undefined && known.atMs <= atMs && this.#hasOtherHeld(op, row)) return;
    // Else it may be one of calls that wait no more, and never go off.
    known?.deadline.disarm();
    const deadline = this.#parts.deadlines.arm(atMs, () => {
      this.#release(op, atMs);
    });
    this.#alarms.set(op, { atMs, deadline });
  }

  #hasOtherHeld(op: string, row: CallRow | undefined): boolean {
    for (const other of this.#parts.queue.batches.of(op))
      if (other !== row && isHeld(other)) return true;
    return false;
  }

  /** Those whose time is over by then wait for a worker from now on. */
  #release(op: string, untilMs: number): void {
    const { queue, options } = this.#parts;
    this.#alarms.get(op)?.deadline.disarm();
    this.#alarms.delete(op);
    let nextMs = Infinity;
    for (const row of [...queue.batches.of(op)].filter(isHeld)) {
      const dueMs = row.heldUntilMs ?? 0;
      if (dueMs <= untilMs) queue.release(row);
      else nextMs = Math.min(nextMs, dueMs);
    }
    if (nextMs < Infinity) this.#arm(op, nextMs);
    this.#serveAll();
    if (queue.length > 0) options.onQueued?.();
  }
}
