// What follows from what became of a call at its worker: an answer, another try, an entry of a journal, a worker that is trusted no more?
import {
  isCaduceusError,
  PythonError,
  WorkerCrashedError,
  type CrashReport,
} from '../../actors/ground/errors.ts';
import { StoreFailedError } from '../../actors/ground/pool-errors.ts';
import { shouldReplaceAfter } from '../../actors/worker/crash-cause.ts';
import type { BatchOutcome } from '../../actors/port/batch.ts';
import type { SentOutcome } from '../../actors/worker/pending-calls.ts';
import { AppliedMark } from './applied-mark.ts';
import { nameOf, refOf, type CallRow, type Slot } from './call-row.ts';
import type { Batcher } from './batcher.ts';
import type { Departures } from './departures.ts';
import type { OwnCalls } from './own-calls.ts';
import type { RouterParts } from './router-parts.ts';
import type { Recorded } from './scopes.ts';
import type { Session } from './session.ts';

/** Exits that our own side has asked for. */
const ORDERED: ReadonlySet<string> = new Set(['shutdown', 'killed']);

type Crash = Extract<SentOutcome, { readonly type: 'crashed' }>;

/** What the dispatcher does for it. */
export interface OutcomeHands {
  readonly slots: () => Iterable<Slot>;
  readonly departures: Departures;
  readonly batches: () => Batcher;
  readonly own: () => OwnCalls;
  readonly free: (slot: Slot, row: CallRow) => void;
  readonly leave: (slot: Slot, row: CallRow) => void;
  readonly resume: (session: Session) => void;
  readonly serveAll: () => void;
}

/** The ends of calls at their workers. */
export class Outcomes {
  readonly #parts: RouterParts;
  readonly #hands: OutcomeHands;

  constructor(parts: RouterParts, hands: OutcomeHands) {
    this.#parts = parts;
    this.#hands = hands;
  }

  take(slot: Slot, row: CallRow, outcome: SentOutcome): void {
    if (outcome.type === 'crashed') {
      this.#crashed(slot, row, outcome);
      return;
    }
    row.permit?.success();
    this.#parts.retrying.answered(row);
    this.#noteRun(slot, row);
    const { reply } = outcome;
    if (!reply.ok) {
      const { error: remote } = reply;
      // Broken for all that come after, e.g. by an error of its GPU.
      if (shouldReplaceAfter(remote)) this.#hands.departures.retire(slot, 'broken_by_call');
      this.#failed(slot, row, 'flag', () => new PythonError(remote, refOf(slot)));
      return;
    }
    if (reply.outcomes === undefined) this.#answered(slot, row, reply.result);
    else this.#answeredEach(slot, row, reply.outcomes);
  }

  /** It is tried again, or its caller is told; of a batch each call by itself. */
  #failed(
    slot: Slot,
    row: CallRow,
    stage: 'flag' | 'kill',
    errorOf: (call: CallRow) => Error,
  ): void {
    if (row.calls === undefined) {
      const error = errorOf(row);
      if (this.retry(slot, row, error)) return;
      this.#parts.settling.fail(row, error);
    } else {
      this.#hands.batches().failed(slot, row, stage, errorOf);
    }
    this.#hands.free(slot, row);
  }

  #answeredEach(slot: Slot, row: CallRow, outcomes: readonly BatchOutcome[]): void {
    const { ports, runTimes } = this.#parts;
    runTimes.record(row.request.op, ports.clock.nowMs() - row.sentAtMs);
    const isBroken = outcomes.some((one) => !one.ok && shouldReplaceAfter(one.error));
    if (isBroken) this.#hands.departures.retire(slot, 'broken_by_call');
    this.#hands.batches().answered(slot, row, outcomes);
    this.#hands.free(slot, row);
  }

  /** @returns whether it is tried again: then the slot has it no more, and its caller has heard nothing. */
  retry(slot: Slot, row: CallRow, error: Error): boolean {
    const { retrying, settling, ports, options } = this.#parts;
    const delayMs = retrying.delayOf(row, error);
    if (delayMs === undefined) return false;
    row.failures += 1;
    if (isCaduceusError(error) && error.outcome !== 'notSent') row.triedSoFar = 'maybeExecuted';
    const attempt = row.failures + 1;
    this.again(slot, row, delayMs, () => {
      if (row.kind !== 'call') return;
      settling.accounting.counters.retried += 1;
      const [pool, { op }] = [options.pool, row.request];
      ports.bus.emit('call.retried', { pool, op, attempt, delayMs, error });
    });
    return true;
  }

  /** It goes back to its place among those that wait, after a while. @param tell once it waits: whoever hears of it may end it at once. */
  again(slot: Slot, row: CallRow, delayMs: number, tell?: () => void): void {
    const { retrying, settling, deadlines, ports, options, queue } = this.#parts;
    row.slot = undefined;
    row.sentId = undefined;
    row.permit?.release();
    row.permit = undefined;
    settling.accounting.move(row, 'waiting');
    retrying.waiting.add(row);
    const queueAgain = (): void => {
      retrying.waiting.delete(row);
      const { closedWith } = retrying;
      if (closedWith !== undefined) {
        settling.fail(row, closedWith);
        if (row.session !== undefined) this.#hands.resume(row.session);
        return;
      }
      settling.accounting.move(row, 'queued');
      queue.addAgain(row);
      options.onQueued?.();
      this.#hands.serveAll();
    };
    if (delayMs > 0) row.retry = deadlines.arm(ports.clock.nowMs() + delayMs, queueAgain);
    tell?.();
    this.#hands.leave(slot, row);
    if (delayMs <= 0 && row.phase === 'waiting') queueAgain();
  }

  /** An incarnation has ended. A crash speaks against the pool once, however many calls it takes along; what was ordered is nobody's failure. */
  ended(slot: Slot, { reason }: Pick<CrashReport, 'reason'>): 'ordered' | 'by_itself' {
    if (slot.ordered !== undefined || ORDERED.has(reason.type)) return 'ordered';
    if (slot.fault === 'none') {
      slot.fault = 'counted';
      this.#parts.breaker?.failed();
    }
    return 'by_itself';
  }

  #crashed(slot: Slot, row: CallRow, { report, outcome }: Crash): void {
    row.permit?.release();
    row.permit = undefined;
    const end = this.ended(slot, report);
    if (end === 'by_itself' && outcome === 'maybeExecuted') this.#parts.retrying.crashed(row);
    this.#failed(slot, row, 'kill', ({ request }) => {
      return new WorkerCrashedError(request.op, refOf(slot), report, outcome);
    });
  }

  #answered(slot: Slot, row: CallRow, result: unknown): void {
    const { settling, scopes, runTimes, ports, options } = this.#parts;
    const { session, request } = row;
    const ranMs = ports.clock.nowMs() - row.sentAtMs;
    if (row.kind !== 'internal') {
      settling.accounting.ran(ranMs);
      runTimes.record(request.op, ranMs);
    }
    // What the journal has led to there is gone: whatever of the session goes on is told it anew.
    if (session?.marks.has(slot) === true && request.op === options.operations?.forget)
      session.marks.set(slot, new AppliedMark());
    if (request.change === undefined || row.phase === 'settled') {
      settling.succeed(row, result);
      this.#hands.free(slot, row);
      return;
    }
    const recorded = scopes.record(slot, row, this.#hands.slots());
    const isUpdate = session !== undefined && request.change.change === 'update';
    if (isUpdate) session.updatesSinceSnapshot += 1;
    // A worker with a call in which this one was made gives no snapshot before that is over.
    const mayStop = isUpdate && request.site === undefined;
    if (!mayStop || !scopes.wantsSnapshot(session, options.operations)) {
      this.#store(slot, row, recorded, result);
      return;
    }
    // While nobody else's call comes between: what the snapshot shows is what the caller is answered for.
    settling.accounting.move(row, 'storing');
    this.snapshot(slot, session, (found) => {
      this.#store(slot, row, found ?? recorded, result);
    });
  }

  /** Its entry goes to the store; then it is answered. The worker may have others meanwhile, its session not. */
  #store(slot: Slot, row: CallRow, recorded: Recorded, result: unknown): void {
    const { settling, scopes } = this.#parts;
    if (!scopes.isStored) {
      settling.succeed(row, result);
      this.#hands.free(slot, row);
      return;
    }
    // Its caller may have stopped waiting while the snapshot was taken.
    if (row.phase !== 'settled') settling.accounting.move(row, 'storing');
    scopes.persist(recorded, (error) => {
      if (error === undefined) settling.succeed(row, result);
      else {
        const what = `call ${row.request.op}`;
        settling.fail(row, new StoreFailedError(what, 'maybeExecuted', error));
      }
      // What a checkout holds it holds until its own end, and so does a call what is made inside of it.
      const isInner = row.holder !== undefined || row.request.site !== undefined;
      if (row.session !== undefined && !isInner) this.#hands.resume(row.session);
    });
    this.#hands.leave(slot, row);
  }

  /**
   * Take the state of the session, in its worker, and let it take the place of the journal.
   * @param done with what is to be stored; undefined when there was no snapshot: then the journal is as it was.
   */
  snapshot(slot: Slot, session: Session, done: (recorded: Recorded | undefined) => void): void {
    const { scopes, options } = this.#parts;
    const { snapshot: op, restore } = options.operations ?? {};
    if (op === undefined || restore === undefined || slot.phase === 'gone') {
      done(undefined);
      return;
    }
    this.#hands.own().make(slot, { op, args: {}, session }, (error, state) => {
      if (error !== undefined || session.stage !== 'live') {
        done(undefined);
        return;
      }
      done(scopes.recordSnapshot(slot, session, restore, state));
    });
  }

  /** What its session did there can be lost there, and is when its worker was taken from it meanwhile. */
  #noteRun(slot: Slot, { session, affinity, kind }: CallRow): void {
    if (session === undefined || kind === 'internal') return;
    session.callsSinceSnapshot += 1;
    if (affinity === 'none') return;
    session.ranCount += 1;
    if (session.slot !== slot && this.#parts.options.onSessionLoss === 'fail')
      this.#hands.departures.lose(session, `${nameOf(slot)} that holds its state is replaced`);
  }
}
