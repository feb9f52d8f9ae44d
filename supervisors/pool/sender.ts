// How does a call get to the worker that it was given? What that lacks is told first; then the call is written.
import { errorFrom } from '../../actors/ground/error-from.ts';
import {
  ReplayFailedError,
  UnsupportedError,
  WorkerCrashedError,
} from '../../actors/ground/errors.ts';
import type { Settle } from '../../actors/worker/pending-calls.ts';
import type { Batcher } from './batcher.ts';
import { handlersOf } from './call-handlers.ts';
import type { CallRow, Slot } from './call-row.ts';
import type { Departures } from './departures.ts';
import type { Outcomes } from './outcomes.ts';
import type { Affinity } from './pool-options.ts';
import { bringUpToDate, type Replayer, type ReplayResult } from './replay.ts';
import type { RouterParts } from './router-parts.ts';
import { bindingOf, isPinned, markOf, type Session } from './session.ts';

/** What the dispatcher does for it. */
export interface SenderHands {
  readonly departures: Departures;
  readonly outcomes: Outcomes;
  readonly batches: () => Batcher;
  readonly free: (slot: Slot, row: CallRow) => void;
  readonly serve: (slot: Slot) => void;
  /** The slot is held by this checkout. */
  readonly hold: (slot: Slot, row: CallRow) => void;
}

export class Sender {
  readonly #parts: RouterParts;
  readonly #hands: SenderHands;
  readonly #replayer: Replayer;

  constructor(parts: RouterParts, hands: SenderHands) {
    this.#parts = parts;
    this.#hands = hands;
    const { options, ports, scopes, settling } = parts;
    this.#replayer = {
      pool: options.pool,
      bus: ports.bus,
      // One that is to be replaced finishes what it has.
      isRouted: (slot) => slot.phase !== 'gone',
      missing: (slot, row) => scopes.missing(slot, row.session),
      send: (slot, row, message, settle) => {
        settling.accounting.counters.replayed += 1;
        return slot.worker.send({ ...message, deadlineMs: this.#remainingMs(row) }, settle);
      },
    };
  }

  /** Bring the slot up to date for this call, and run it there. */
  start(slot: Slot, given: CallRow): void {
    const row = this.#hands.batches().gather(slot, given);
    const { settling, ports } = this.#parts;
    const { accounting } = settling;
    slot.rows.add(row);
    row.slot = slot;
    accounting.move(row, 'replaying');
    if (row.calls !== undefined) this.#hands.batches().started(slot, row);
    row.checkout?.disarm();
    if (row.failures === 0 && row.kind === 'call')
      accounting.waited(ports.clock.nowMs() - row.acceptedAtMs);
    if (row.kind === 'checkout') slot.holder = row.holder;
    // Before anybody is told: who hears of it may call at once, and finds no room here.
    slot.phase = 'updating';
    if (row.session !== undefined) this.#bind(row.session, slot, row.affinity);
    let when: 'at once' | 'later' = 'at once';
    bringUpToDate(slot, row, this.#replayer, (result) => {
      this.#onUpToDate(slot, row, result);
      // Whoever gives it calls at once goes on giving; later nobody else would.
      if (when === 'later') this.#hands.serve(slot);
    });
    when = 'later';
  }

  /** Write the call. A nested one takes nobody's place: its thread waits for it. */
  run(slot: Slot, row: CallRow): void {
    const { settling, ports } = this.#parts;
    settling.accounting.move(row, 'running');
    row.slot = slot;
    row.sentAtMs = ports.clock.nowMs();
    row.toldBefore = slot.bridgeMark.toldCount;
    const { op, site, stream, trace } = row.request;
    const nested = site && { parent: site.callId, callback: site.callback };
    const session = row.session?.id ?? null;
    const credit = stream && { credit: stream.credit };
    try {
      if (stream !== undefined && !slot.worker.abilities.has('streams'))
        throw new UnsupportedError(op, 'the bridge cannot stream');
      // What was accepted before it has filled the journal meanwhile.
      if (row.request.change !== undefined) this.#parts.scopes.assertRoom(row.request, row);
      const deadlineMs = Math.max(1, Math.ceil(row.deadlineAtMs - row.sentAtMs));
      const args = row.calls === undefined ? row.args : this.#hands.batches().argsOf(row);
      const batch = row.calls?.length;
      const message = { op, args, session, deadlineMs, stream: credit, nested, trace, batch };
      const handlers = handlersOf(row, slot, (site?.depth ?? 0) + 1);
      const settle: Settle = (outcome) => this.#hands.outcomes.take(slot, row, outcome);
      row.sentId = slot.worker.send(message, settle, handlers);
      if (batch !== undefined) settling.accounting.batch(batch);
    } catch (error) {
      // Too large for a frame: this call's fault, not the worker's.
      settling.fail(row, errorFrom(error));
      this.#hands.free(slot, row);
    }
  }

  #onUpToDate(slot: Slot, row: CallRow, result: ReplayResult): void {
    if (slot.phase === 'updating') slot.phase = 'open';
    const { session } = row;
    if (result.type === 'current') {
      if (session !== undefined) session.replayFailuresCount = 0;
      if (row.kind === 'checkout') this.#hands.hold(slot, row);
      else this.run(slot, row);
      return;
    }
    if (result.type === 'failed') {
      const { error, scope } = result;
      if (session !== undefined && scope === 'session' && this.#isItsFault(slot, error))
        this.#hands.departures.replayFailed(session, error);
      if (this.#hands.outcomes.retry(slot, row, error)) return;
      this.#parts.settling.fail(row, error);
    }
    this.#hands.free(slot, row);
  }

  /** Whether it is what was replayed that has failed, or that has ended the worker. */
  #isItsFault(slot: Slot, error: Error): boolean {
    if (!(error instanceof WorkerCrashedError)) return error instanceof ReplayFailedError;
    return this.#hands.outcomes.ended(slot, { reason: error.exitReason }) === 'by_itself';
  }

  #bind(session: Session, slot: Slot, affinity: Affinity): void {
    const { onSessionLoss = 'rebuild' } = this.#parts.options;
    markOf(session, slot);
    if (session.slot === slot) return;
    // What it has where it is bound is not here: a call that needs none of it is a guest.
    if (affinity === 'none' && isPinned(session, onSessionLoss)) return;
    session.slot = slot;
    session.ranCount = 0;
    const { ports, options } = this.#parts;
    ports.bus.emit('session.bound', bindingOf(options.pool, session, slot));
  }

  #leftMs(row: CallRow): number {
    return row.deadlineAtMs - this.#parts.ports.clock.nowMs();
  }

  #remainingMs(row: CallRow): number {
    return Math.max(1, Math.ceil(this.#leftMs(row)));
  }
}
