// Which calls travel as one, and what becomes of each? A carrier takes them to a worker; each has its own outcome, retry and place in the books.
import {
  Cancellation,
  PythonError,
  UnencodableError,
  type Outcome,
} from '../../actors/ground/errors.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { combineCalls, type BatchOutcome } from '../../actors/port/batch.ts';
import type { EncodedValue } from '../../actors/port/codec.ts';
import { mayTravelTogether } from './batch-index.ts';
import { newCallRow, refOf, type CallRow, type Slot } from './call-row.ts';
import type { RouterParts } from './router-parts.ts';
import { abandon, type Ender, type MakeError } from './ending.ts';
import { bytesOf } from './queue.ts';

/** What it needs of the dispatcher. */
export interface BatcherHooks {
  readonly ender: () => Ender;
  /** @returns whether the call is tried again: then its caller has heard nothing. */
  readonly retry: (slot: Slot, row: CallRow, error: Error) => boolean;
  /** @returns whether no worker is spent on it: then its caller has been told. */
  readonly isInVain: (row: CallRow) => boolean;
}

export class Batcher {
  readonly #parts: RouterParts;
  readonly #hooks: BatcherHooks;
  /** Calls that did not fit into one message with others. */
  readonly #alone = new WeakSet<CallRow>();

  constructor(parts: RouterParts, hooks: BatcherHooks) {
    this.#parts = parts;
    this.#hooks = hooks;
  }

  /** What the slot is given when the turn of this call has come: a carrier of it and of others that wait, or itself. */
  gather(slot: Slot, first: CallRow): CallRow {
    if (!this.#mayJoin(first) || !slot.worker.abilities.has('batches')) return first;
    const others = this.#companions(first);
    if (others.length === 0) return first;
    const calls = [first, ...others];
    const { op, timeoutMs, checkoutTimeoutMs, trace } = first.request;
    const carrier: CallRow = newCallRow({
      ...{ kind: 'carrier', seq: first.seq, session: undefined, affinity: 'none' },
      request: { op, args: {}, timeoutMs, checkoutTimeoutMs, trace },
      args: first.args,
      acceptedAtMs: first.acceptedAtMs,
      deadlineAtMs: Math.max(...calls.map(({ deadlineAtMs }) => deadlineAtMs)),
      resolve: () => undefined,
      reject: (error) => this.#rejected(carrier, error),
    });
    carrier.calls = calls;
    carrier.permit = first.permit;
    first.permit = undefined;
    for (const call of calls) call.carrier = carrier;
    return carrier;
  }

  /** It is on its way to this slot. */
  started(slot: Slot, { calls = [] }: CallRow): void {
    const { settling, ports } = this.#parts;
    const nowMs = ports.clock.nowMs();
    for (const call of calls) {
      settling.accounting.move(call, 'replaying');
      settling.accounting.waited(nowMs - call.acceptedAtMs);
      call.slot = slot;
      call.checkout?.disarm();
    }
  }

  /**
   * It is sent now: those that are still wanted, as one value.
   * @throws {@link UnencodableError} when they cannot be put together.
   */
  argsOf(carrier: CallRow): EncodedValue {
    const { settling, ports } = this.#parts;
    const calls = livingOf(carrier);
    carrier.calls = calls;
    for (const call of calls) {
      settling.accounting.move(call, 'running');
      call.sentAtMs = ports.clock.nowMs();
    }
    return combineCalls(calls.map(({ args }) => args));
  }

  /** One outcome for each call, in their order. */
  answered(slot: Slot, carrier: CallRow, outcomes: readonly BatchOutcome[]): void {
    const { settling, ports } = this.#parts;
    this.#over(carrier, 'flag');
    const ranMs = ports.clock.nowMs() - carrier.sentAtMs;
    for (const [index, call] of (carrier.calls ?? []).entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined || call.phase === 'settled') continue;
      if (outcome.ok) {
        settling.accounting.ran(ranMs);
        settling.succeed(call, outcome.result);
      } else {
        this.#end(slot, call, new PythonError(outcome.error, refOf(slot)));
      }
    }
    settling.succeed(carrier, undefined);
  }

  /** All of them have failed, each with an error of its own. */
  failed(
    slot: Slot,
    carrier: CallRow,
    stage: 'flag' | 'kill',
    errorOf: (call: CallRow) => Error,
  ): void {
    this.#over(carrier, stage);
    for (const call of livingOf(carrier)) this.#end(slot, call, errorOf(call));
    this.#parts.settling.succeed(carrier, undefined);
  }

  /** The caller of one of them has had enough: it is told at once, and the others go on. When it is the last one, the batch is ended as a call is. */
  leave(row: CallRow, because: string, error: MakeError): Cancellation {
    const { carrier } = row;
    const { settling } = this.#parts;
    if (carrier === undefined) return new Cancellation('not_sent');
    if (livingOf(carrier).length > 1) {
      const outcome: Outcome = row.phase === 'replaying' ? 'notSent' : 'maybeExecuted';
      // It is over for all of them at the same time.
      if (outcome === 'maybeExecuted') carrier.cancellation ??= new Cancellation();
      row.cancellation =
        outcome === 'notSent' ? new Cancellation('not_sent') : carrier.cancellation;
      const cancellation = row.cancellation ?? new Cancellation('not_sent');
      settling.fail(row, error(outcome, cancellation));
      return cancellation;
    }
    settling.accounting.move(row, 'ending');
    // Told by way of the carrier, once it is known whether that has started.
    const cancellation = abandon(carrier, because, error, this.#hooks.ender());
    row.cancellation = cancellation;
    return cancellation;
  }

  #mayJoin(row: CallRow): boolean {
    const { request, kind, holder, failures } = row;
    if (kind !== 'call' || holder !== undefined || !mayTravelTogether(request)) return false;
    // What has failed goes alone: it may be what the others would fail by.
    if (failures > 0 || this.#alone.has(row)) return false;
    return !this.#parts.retrying.isSuspect(row);
  }

  /** Those that join it: of the same operation, the first that wait, as many as go into one message. */
  #companions(first: CallRow): readonly CallRow[] {
    const { op, batch } = first.request;
    const found: CallRow[] = [];
    let bytes = first.bytes > 0 ? first.bytes : bytesOf(first.args);
    let segmentsCount = first.args.segments.length;
    for (const row of [...this.#parts.queue.batches.of(op)]) {
      if (found.length + 1 >= (batch?.maxSize ?? 1)) break;
      if (row === first || !this.#mayJoin(row)) continue;
      bytes += row.bytes;
      segmentsCount += row.args.segments.length;
      if (bytes > LIMITS.batchBytesMax || segmentsCount > LIMITS.segmentsMax) break;
      this.#parts.queue.drop(row);
      if (!this.#hooks.isInVain(row)) found.push(row);
    }
    return found;
  }

  #end(slot: Slot, call: CallRow, error: Error): void {
    call.carrier = undefined;
    if (this.#hooks.retry(slot, call, error)) return;
    this.#parts.settling.fail(call, error);
  }

  /** It was settled as a call is: not sent, or ended because nobody waits for it any more. */
  #rejected(carrier: CallRow, error: Error): void {
    const { settling, queue, retrying } = this.#parts;
    const { slot } = carrier;
    for (const call of livingOf(carrier)) {
      const { closedWith } = retrying;
      if (error instanceof UnencodableError && closedWith !== undefined) {
        // Nobody would take it out of the queue of a pool that has ended.
        settling.fail(call, closedWith);
      } else if (error instanceof UnencodableError) {
        // Together they are too large, or one of them has changed since: each finds out by itself.
        call.carrier = undefined;
        this.#alone.add(call);
        settling.accounting.move(call, 'queued');
        queue.addAgain(call);
      } else if (slot === undefined) {
        settling.fail(call, error);
      } else {
        this.#end(slot, call, error);
      }
    }
  }

  /** Of those that left it before its end their callers hear how it went on. What was ended by an order tells it itself. */
  #over({ phase, cancellation }: CallRow, stage: 'flag' | 'kill'): void {
    if (phase === 'running') cancellation?.settle(stage);
  }
}

/** Its calls whose callers still wait. */
function livingOf({ calls = [] }: CallRow): readonly CallRow[] {
  return calls.filter(({ phase }) => phase !== 'settled');
}
