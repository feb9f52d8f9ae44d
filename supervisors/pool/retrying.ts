// Is a call that has failed tried again, and is it one that workers die of? Joins the table of recovery with the budget and the quarantine of one pool.
import {
  isCaduceusError,
  WorkerCrashedError,
  type CaduceusError,
} from '../../actors/ground/errors.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { PoisonedError } from '../../actors/ground/pool-errors.ts';
import { decideRecovery } from '../../actors/ground/recovery.ts';
import type { EncodedValue } from '../../actors/port/codec.ts';
import type { CallRequest, CallRow } from './call-row.ts';
import { Quarantine } from './quarantine.ts';
import { RetryBudget } from './retry-budget.ts';
import type { RouterOptions, RouterPorts } from './router-types.ts';
import type { Session } from './session.ts';

export class Retrying {
  readonly #ports: RouterPorts;
  readonly #budget: RetryBudget;
  readonly #quarantine: Quarantine;
  readonly #forMs: number;
  /** A call has failed so often that it speaks against the whole pool. */
  readonly #onBreak: () => void;
  /** Calls that wait for their next try. */
  readonly waiting = new Set<CallRow>();
  /** Set while the pool has ended, and nobody would take them again: makes the error that each gets. */
  #closedWith: (() => CaduceusError) | undefined;

  constructor(
    { retryBudget, quarantine }: RouterOptions,
    ports: RouterPorts,
    onBreak: () => void = () => undefined,
  ) {
    this.#ports = ports;
    this.#onBreak = onBreak;
    const { ratio = LIMITS.retryRatio, burst = LIMITS.retryBurst } = retryBudget ?? {};
    const { crashes = LIMITS.quarantineCrashes, forMs = LIMITS.quarantineMs } = quarantine ?? {};
    this.#budget = new RetryBudget({ ratio, burst });
    this.#quarantine = new Quarantine({ crashes, forMs }, ports.clock);
    this.#forMs = forMs;
  }

  /** The pool takes calls. */
  open(): void {
    this.#closedWith = undefined;
  }

  /** Why nothing is tried again; undefined: it may be. */
  get closedWith(): CaduceusError | undefined {
    return this.#closedWith?.();
  }

  /** The pool has ended: those that wait for their next try wait no more, and none that fails from now on is tried again. */
  close(because: () => CaduceusError): readonly CallRow[] {
    this.#closedWith = because;
    const rows = [...this.waiting];
    this.waiting.clear();
    return rows;
  }

  /** The one of this session that waits for its next try, which waits no more. */
  takeOf(session: Session): CallRow | undefined {
    for (const row of this.waiting) {
      if (row.session !== session) continue;
      this.waiting.delete(row);
      return row;
    }
    return undefined;
  }

  /** A call was accepted: so much more may be tried again. */
  accepted(): void {
    this.#budget.accepted();
  }

  /** @throws {@link PoisonedError} when too many workers have died of the same. */
  assertHarmless(request: CallRequest, args: EncodedValue): void {
    const poison = this.poisonOf(request, args);
    if (poison !== undefined) throw poison;
  }

  /** Why it is refused, when too many workers have died of the same. */
  poisonOf(request: CallRequest, args: EncodedValue): PoisonedError | undefined {
    if (this.#quarantine.isEmpty) return undefined;
    const crashes = this.#quarantine.crashesOf(whose(request), args);
    return crashes === undefined ? undefined : new PoisonedError(request.op, crashes, this.#forMs);
  }

  /** It can have run in a worker that has crashed; each call of a batch, then. */
  crashed(row: CallRow): void {
    for (const { request, args } of row.calls ?? [row])
      this.#quarantine.onCrash(whose(request), args);
  }

  /** It was answered, by a result or an exception of its own. */
  answered(row: CallRow): void {
    if (this.#quarantine.isEmpty) return;
    for (const { request, args } of row.calls ?? [row])
      this.#quarantine.onAnswer(whose(request), args);
  }

  /** Whether a worker has died while it had this very call: then it is kept apart from others. */
  isSuspect({ request, args }: CallRow): boolean {
    return !this.#quarantine.isEmpty && this.#quarantine.isSuspect(whose(request), args);
  }

  /** After how long it is tried again, in ms; undefined: it is not. */
  delayOf(row: CallRow, error: Error): number | undefined {
    const { request, session, phase } = row;
    const { maxRetries = 0, isIdempotent = false, site, stream, signal } = request;
    if (this.#closedWith !== undefined) return undefined;
    if (phase === 'ending' || phase === 'settled') return undefined;
    if (row.kind === 'checkout') return isCrashBefore(error) ? 0 : undefined;
    if (row.kind !== 'call') return undefined;
    // What was read of a stream, or called back, cannot be taken back; what is held by a checkout, or nested, has no other worker.
    if (site !== undefined || row.holder !== undefined || signal?.aborted === true)
      return undefined;
    if (stream !== undefined && row.sentId !== undefined) return undefined;
    if (session !== undefined && session.stage !== 'live') return undefined;
    if (!isCaduceusError(error) || error.outcome === undefined) return undefined;
    if (this.poisonOf(request, row.args) !== undefined) return undefined;
    const verdict = decideRecovery({
      ...{ error, isIdempotent, retriesMax: maxRetries },
      attempt: row.failures + 1,
      state: session === undefined ? 'kept' : 'rebuildable',
      hasBudget: this.#budget.has(),
      remainingMs: row.deadlineAtMs - this.#ports.clock.nowMs(),
      random: this.#ports.random.next(),
    });
    if (verdict.type === 'break') this.#onBreak();
    if (verdict.type !== 'retry' && verdict.type !== 'rebuild') return undefined;
    this.#budget.take();
    // What was never sent has done nobody harm, and need not spare anybody: the first time it goes to the next worker at once.
    return error.outcome === 'notSent' && row.failures === 0 ? 0 : verdict.delayMs;
  }
}

/** A worker that ends before it is held is none that was promised: another one will do, as long as there is time. */
function isCrashBefore(error: Error): boolean {
  return error instanceof WorkerCrashedError && error.outcome === 'notSent';
}

/** The same operation with the same arguments is another call in another session: it may be about something else. */
function whose({ op, sessionId }: CallRequest): string {
  return sessionId === undefined ? op : `${op} of session ${sessionId}`;
}
