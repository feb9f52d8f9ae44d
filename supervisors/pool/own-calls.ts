// What does a pool call by itself? Snapshots of sessions, and that they are forgotten; counted apart from what callers do.
import { DeadlineExceededError } from '../../actors/ground/errors.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { encodeValue } from '../../actors/port/codec.ts';
import { nameOf, newCallRow, type CallRow, type Slot } from './call-row.ts';
import { abandon, type Ender } from './ending.ts';
import type { RouterParts } from './router-parts.ts';
import type { Session } from './session.ts';

/** One such call. */
export interface OwnCall {
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly session: Session;
}

interface OwnCallHands {
  readonly ender: Ender;
  readonly run: (slot: Slot, row: CallRow) => void;
}

export class OwnCalls {
  readonly #parts: RouterParts;
  readonly #hands: OwnCallHands;

  constructor(parts: RouterParts, hands: OwnCallHands) {
    this.#parts = parts;
    this.#hands = hands;
  }

  /** A call of the pool's own, beside whatever the worker has. @param done once, with an error or the answer. */
  make(
    slot: Slot,
    { op, args, session }: OwnCall,
    done: (error: Error | undefined, result?: unknown) => void,
  ): void {
    const { settling, deadlines, ports } = this.#parts;
    settling.accounting.counters.internal += 1;
    const timeoutMs = LIMITS.internalCallMs;
    const nowMs = ports.clock.nowMs();
    const row = newCallRow({
      ...{ kind: 'internal', seq: 0, session, affinity: 'required' },
      request: { op, args, sessionId: session.id, timeoutMs, checkoutTimeoutMs: timeoutMs },
      args: encodeValue(args, op),
      ...{ acceptedAtMs: nowMs, deadlineAtMs: nowMs + timeoutMs },
      resolve: (result) => done(undefined, result),
      reject: (error) => done(error),
    });
    row.deadline = deadlines.arm(row.deadlineAtMs, () => {
      abandon(
        row,
        'deadline',
        (outcome, cancellation) =>
          new DeadlineExceededError(op, timeoutMs, outcome, `on ${nameOf(slot)}`, cancellation),
        this.#hands.ender,
      );
    });
    slot.rows.add(row);
    this.#hands.run(slot, row);
  }
}
