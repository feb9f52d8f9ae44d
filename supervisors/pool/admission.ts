// May this call come in, and where does it go first? Refused by a throw, sent at once, or put into the queue.
import {
  CallAbortedError,
  CheckoutTimeoutError,
  isCaduceusError,
} from '../../actors/ground/errors.ts';
import { CircuitOpenError, SessionLostError } from '../../actors/ground/pool-errors.ts';
import { encodeValue, type EncodedValue } from '../../actors/port/codec.ts';
import { route, type Route } from './affinity.ts';
import { onAbort } from './call-handlers.ts';
import { newCallRow, type CallRequest, type CallRow, type Holder } from './call-row.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { RouterParts } from './router-parts.ts';
import { assertNestable } from './nesting.ts';
import type { Affinity } from './pool-options.ts';
import { assertQueueRoom, bytesOf } from './queue.ts';
import type { SessionLives } from './session-lives.ts';
import { isPinned, type Session } from './session.ts';
import type { Timeouts, WaitCause } from './timeouts.ts';

/** How a call is answered. */
export type Settlers = Pick<CallRow, 'resolve' | 'reject'>;

interface AdmissionParts {
  readonly shared: RouterParts;
  readonly dispatcher: Dispatcher;
  readonly lives: SessionLives;
  readonly timeouts: Timeouts;
}

/** Whose a row is, apart from its session. */
interface Standing {
  readonly kind: 'call' | 'checkout';
  readonly holder?: Holder | undefined;
}

const A_CALL: Standing = { kind: 'call' };

export class Admission {
  readonly #parts: RouterParts;
  readonly #dispatcher: Dispatcher;
  readonly #lives: SessionLives;
  readonly #timeouts: Timeouts;
  #seq = 0;

  constructor({ shared, dispatcher, lives, timeouts }: AdmissionParts) {
    this.#parts = shared;
    this.#dispatcher = dispatcher;
    this.#lives = lives;
    this.#timeouts = timeouts;
  }

  /** Tell that it was not accepted. */
  refuse({ op, sessionId }: CallRequest, error: Error, { reject }: Settlers): void {
    const code = isCaduceusError(error) ? error.code : 'unknown';
    this.#parts.settling.accounting.refuse(code);
    const { ports, options } = this.#parts;
    const { bus } = ports;
    if (bus.hears('call.refused'))
      bus.emit('call.refused', { pool: options.pool, op, session: sessionId, code });
    reject(this.#parts.settling.named(error));
  }

  /** @throws an error of this package when it is refused: then nothing has changed. */
  accept(request: CallRequest, settlers: Settlers, standing: Standing = A_CALL): CallRow {
    const { retrying, scopes, options, queue } = this.#parts;
    const { op, sessionId, signal, site } = request;
    if (signal?.aborted === true) throw new CallAbortedError(op, 'notSent', signal.reason);
    const args = encodeValue(request.args, 'args');
    retrying.assertHarmless(request, args);
    const known = sessionId === undefined ? undefined : scopes.find(sessionId);
    if (known?.stage === 'lost') throw new SessionLostError(op, known.id, known.lostBecause);
    scopes.assertRoom(request, { args, session: known });
    if (site !== undefined) {
      assertNestable(request, site);
      const row = this.newRow(request, args, known, settlers, standing);
      this.#dispatcher.run(site.slot, row);
      return row;
    }
    this.#assertNotBroken();
    if (standing.kind === 'call' && this.#dispatcher.batchHold.isWanted(request))
      return this.#holdBack(request, args, settlers);
    const choice = this.#route(request, known);
    if (choice.type === 'wait') {
      assertQueueRoom(queue, op, args, options);
      if (request.checkoutTimeoutMs === 0)
        throw new CheckoutTimeoutError(op, 0, this.#timeouts.found(choice.because));
    }
    const session = sessionId === undefined ? undefined : this.#session(sessionId);
    // The store may have said at once what it was.
    const isLoaded = choice.because === 'session_loading' && session?.stage === 'live';
    const way = isLoaded ? this.#route(request, session) : choice;
    const row = this.newRow(request, args, session, settlers, standing);
    if (row.kind === 'checkout' && row.holder !== undefined) row.holder.row = row;
    if (way.type === 'worker') this.#send(way, row);
    else this.#enqueue(row, way.because);
    return row;
  }

  /** It waits for others of its operation, at most for as long as that says. */
  #holdBack(request: CallRequest, args: EncodedValue, settlers: Settlers): CallRow {
    const { queue, options } = this.#parts;
    assertQueueRoom(queue, request.op, args, options);
    const row = this.newRow(request, args, undefined, settlers, A_CALL);
    row.bytes = bytesOf(args);
    this.#armCheckout(row, 'no_idle_worker');
    this.#dispatcher.batchHold.hold(row);
    return row;
  }

  /** @throws {@link CircuitOpenError} while it is open; in half open there may be room when its turn has come. */
  #assertNotBroken(): void {
    const { breaker, options } = this.#parts;
    if (breaker?.state !== 'open') return;
    const admission = breaker.acquire();
    if (admission.type === 'refused')
      throw new CircuitOpenError(options.pool, admission.retryAfterMs);
    admission.permit.release();
  }

  #route(request: CallRequest, known: Session | undefined): Route {
    // Those who wait have been here before; and what the store knows of a new session is not known here.
    if (!this.#dispatcher.isGateOpen) return { type: 'wait', because: 'scopes_loading' };
    const { sessionId } = request;
    if (known === undefined && sessionId !== undefined) {
      if (this.#parts.scopes.isStored || this.#lives.isEnding(sessionId))
        return { type: 'wait', because: 'session_loading' };
    }
    const affinity = this.#affinityOf(request, known);
    const found = route({ session: known, affinity }, this.#dispatcher.slots);
    return found.type === 'worker' && !this.#isLetThrough()
      ? { type: 'wait', because: 'breaker' }
      : found;
  }

  /** While it is half open a call may have to wait beside idle workers: as bounded as any other. */
  #isLetThrough(): boolean {
    const { breaker } = this.#parts;
    if (breaker?.state !== 'half_open') return true;
    const admission = breaker.acquire();
    if (admission.type === 'granted') admission.permit.release();
    return admission.type === 'granted';
  }

  /** A session that cannot be made again elsewhere has no choice. */
  #affinityOf(request: CallRequest, session: Session | undefined): Affinity {
    const affinity = request.affinity ?? this.#parts.options.affinity ?? 'required';
    if (affinity !== 'preferred' || session === undefined) return affinity;
    return isPinned(session, this.#parts.options.onSessionLoss ?? 'rebuild')
      ? 'required'
      : affinity;
  }

  #session(sessionId: string): Session {
    const { ports, scopes } = this.#parts;
    const nowMs = ports.clock.nowMs();
    const known = scopes.find(sessionId);
    const session = known ?? scopes.session(sessionId, nowMs);
    if (known === undefined) this.#lives.begin(session);
    else scopes.use(session, nowMs);
    return session;
  }

  /** A row that counts, with its deadline armed and its signal heard. Nothing is spread here: that would cost a call more than its routing. */
  newRow(
    request: CallRequest,
    args: EncodedValue,
    session: Session | undefined,
    { resolve, reject }: Settlers,
    { kind, holder }: Standing,
  ): CallRow {
    const { ports, options, settling, retrying, deadlines } = this.#parts;
    this.#seq += 1;
    const acceptedAtMs = ports.clock.nowMs();
    const deadlineAtMs = acceptedAtMs + request.timeoutMs;
    const row = newCallRow({
      kind,
      seq: this.#seq,
      request,
      args,
      session,
      affinity: request.affinity ?? options.affinity ?? 'required',
      acceptedAtMs,
      deadlineAtMs,
      resolve,
      reject,
    });
    row.holder = holder;
    settling.accounting.accept(row);
    retrying.accepted();
    row.deadline = deadlines.arm(deadlineAtMs, () => {
      this.#timeouts.onDeadline(row);
    });
    if (request.signal !== undefined)
      onAbort(row, (reason) => this.#timeouts.abort(row, 'aborted', reason));
    return row;
  }

  #send({ slot, because }: Extract<Route, { readonly type: 'worker' }>, row: CallRow): void {
    const { session } = row;
    if (session !== undefined) session.phase = 'running';
    if (!this.#dispatcher.tryStart(slot, row)) {
      if (session !== undefined) session.phase = 'idle';
      this.#enqueue(row, 'breaker');
      return;
    }
    const { ports, options } = this.#parts;
    const { bus } = ports;
    if (!bus.hears('call.routed')) return;
    const { pool } = options;
    const { workerId: worker } = slot.worker;
    const { op, sessionId } = row.request;
    const call = { pool, seq: row.seq, op, session: sessionId };
    bus.emit('call.routed', { ...call, worker, epoch: slot.epoch, because });
  }

  #enqueue(row: CallRow, because: WaitCause): void {
    const { ports, options, queue } = this.#parts;
    row.bytes = bytesOf(row.args);
    queue.add(row);
    const { op, sessionId } = row.request;
    const { bus } = ports;
    const { pool, onQueued } = options;
    if (bus.hears('call.queued'))
      bus.emit('call.queued', { pool, seq: row.seq, op, session: sessionId, because });
    this.#armCheckout(row, because);
    onQueued?.();
  }

  #armCheckout(row: CallRow, because: WaitCause): void {
    const { ports, deadlines } = this.#parts;
    const { checkoutTimeoutMs, timeoutMs } = row.request;
    if (checkoutTimeoutMs >= timeoutMs) return;
    row.checkout = deadlines.arm(ports.clock.nowMs() + checkoutTimeoutMs, () => {
      this.#timeouts.onCheckoutTimeout(row, because);
    });
  }
}
