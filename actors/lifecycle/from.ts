// Who waits for the answer to an event? The return address of a call: OTP's `From`.

/** Two copies of this package in one process must know each other's. */
const FROM = Symbol.for('caduceus.from');

/** What becomes of a call, as the other side tells it. */
export type Answer =
  | { readonly type: 'value'; readonly value: unknown }
  | { readonly type: 'error'; readonly error: Error }
  /** The event never reached anybody. */
  | { readonly type: 'lost' };

/** The caller, as the one who is called sees it: good for one `reply`, now or later, by whoever holds it. */
export class From {
  readonly [FROM] = true;
  /** How long the caller waits from the call on, in ms; may be infinite. */
  readonly timeoutMs: number;
  readonly #settle: (answer: Answer) => void;

  /** @internal */
  constructor(timeoutMs: number, settle: (answer: Answer) => void) {
    this.timeoutMs = timeoutMs;
    this.#settle = settle;
  }

  /** @internal Only the first answer counts. */
  settle(answer: Answer): void {
    this.#settle(answer);
  }
}

/** The return address in an event, if it is a call. */
export function fromOf(event: object): From | undefined {
  const { from } = event as { readonly from?: unknown };
  return typeof from === 'object' && from !== null && FROM in from ? (from as From) : undefined;
}

/**
 * Answer a call. Too late (the caller has timed out, given up or died) or for the second time, it is dropped, and counted as `reply.dropped` on the bus.
 *
 * @param from the `from` of the event; nothing in an event that was only sent, and then nothing happens.
 */
export function reply(from: From | undefined, value: unknown): void {
  from?.settle({ type: 'value', value });
}
