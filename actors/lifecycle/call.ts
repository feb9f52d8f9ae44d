// How does an actor ask another one and wait for its answer? OTP's `gen_server:call`: a monitor, an event with a return address, a deadline.
import { errorFrom } from '../ground/error-from.ts';
import { isExitReason, NORMAL, type ExitReason } from '../ground/exit-reason.ts';
import { LIMITS } from '../ground/limits.ts';
import { CallExitError, type CallExitCode } from './call-exit.ts';
import { currentOwner, runInside, type CrashOwner } from './crash-trap.ts';
import { From, type Answer } from './from.ts';
import { Timetable } from './later.ts';
import { incarnationOf, type ActorEvent, type ActorRef, type Incarnation } from './ref.ts';
import { ownIncarnation } from './self.ts';

/** How long a caller waits. */
export interface CallOptions {
  /** How long to wait, in ms; may be `Infinity`. Default 5 000. The work itself is not called off by it. */
  readonly timeoutMs?: number;
  /** Aborted: wait no longer. The work itself is not called off by it. */
  readonly signal?: AbortSignal;
}

/** Whom a call is for: `ref` is nothing when nobody has the name. */
export interface Callee {
  readonly ref: ActorRef | undefined;
  readonly label: string;
}

const NOPROC: ExitReason = { type: 'noproc' };

/** Send `event` with a return address as its `from`, and wait for the answer. @throws {@link CallExitError}. */
export function callActor(
  callee: Callee,
  event: ActorEvent,
  options: CallOptions = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { timeoutMs = LIMITS.actorCallTimeoutMs, signal } = options;
    checkTimeout(timeoutMs);
    const what = `call ${event.type} of ${callee.label}`;
    const incarnation = callableOf(what, callee.ref);
    if (signal?.aborted === true) throw abortedBy(what, signal, 'notSent');
    const pending = new PendingCall(what, incarnation, { resolve, reject });
    pending.send(event, timeoutMs, signal);
  });
}

/** @throws {@link CallExitError} for nobody, for the dead, and for the one whose code runs now. */
function callableOf(what: string, ref: ActorRef | undefined): Incarnation {
  if (ref === undefined) throw new CallExitError('noproc', what, NOPROC, 'notSent');
  const incarnation = incarnationOf(ref);
  if (ref.exitReason !== undefined) throw new CallExitError('noproc', what, NOPROC, 'notSent');
  if (ownIncarnation() === incarnation) {
    const error = new Error('calling_self');
    throw new CallExitError('calling_self', what, { type: 'error', error }, 'notSent');
  }
  return incarnation;
}

function checkTimeout(timeoutMs: number): void {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return;
  throw new RangeError(`timeoutMs: ms from 0 are expected, found ${String(timeoutMs)}`);
}

function abortedBy(what: string, signal: AbortSignal, outcome: CallExitError['outcome']): Error {
  const error = errorFrom(signal.reason);
  return new CallExitError('aborted', what, { type: 'error', error }, outcome);
}

interface Settlers {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One call, from its event to its one and only outcome. */
class PendingCall {
  readonly #what: string;
  readonly #callee: Incarnation;
  readonly #settlers: Settlers;
  readonly #caller: CrashOwner | undefined;
  readonly #id: number;
  /** What takes back deadline, signal and ends; nothing once the call is settled. */
  #undo: (() => void)[] | undefined = [];

  constructor(what: string, callee: Incarnation, settlers: Settlers) {
    this.#what = what;
    this.#callee = callee;
    this.#settlers = settlers;
    this.#caller = currentOwner();
    this.#id = Timetable.of(callee.ports.clock).nextId();
  }

  send(event: ActorEvent, timeoutMs: number, signal: AbortSignal | undefined): void {
    const undo: (() => void)[] = [];
    this.#undo = undo;
    undo.push(this.#callee.whenEnded((reason) => this.#fail('exit', reason)));
    // The dead wait for nothing: what they would do with the answer must not be done.
    const self = ownIncarnation();
    if (self !== undefined) undo.push(self.whenEnded(() => this.#end()));
    if (signal !== undefined) {
      const abort = (): void => this.#reject(abortedBy(this.#what, signal, 'maybeExecuted'));
      signal.addEventListener('abort', abort);
      undo.push(() => signal.removeEventListener('abort', abort));
    }
    const timedOut = (): void => this.#fail('timeout', { type: 'timeout', what: 'call' });
    undo.push(Timetable.of(this.#callee.ports.clock).arm(timeoutMs, timedOut));
    const from = new From(timeoutMs, (answer) => this.#onAnswer(answer));
    const letter: ActorEvent & { readonly from: From } = { ...event, from };
    this.#callee.send(letter);
  }

  #onAnswer(answer: Answer): void {
    if (this.#undo === undefined) {
      if (answer.type === 'lost') return;
      const { path, epoch } = this.#callee;
      this.#callee.ports.bus.emit('reply.dropped', { path, epoch, callId: this.#id });
      return;
    }
    switch (answer.type) {
      case 'value':
        this.#end();
        this.#settlers.resolve(answer.value);
        return;
      case 'error':
        this.#reject(answer.error);
        return;
      case 'lost':
        this.#reject(new CallExitError('noproc', this.#what, NOPROC, 'notSent'));
        return;
      default:
        answer satisfies never;
    }
  }

  #fail(code: CallExitCode, reason: ExitReason): void {
    this.#reject(new CallExitError(code, this.#what, reason, 'maybeExecuted'));
  }

  /** As the caller's code: a rejection with which it does not deal is its crash. */
  #reject(error: Error): void {
    if (!this.#end()) return;
    runInside(this.#caller, () => this.#settlers.reject(error));
  }

  /** @returns false when it had ended already. */
  #end(): boolean {
    const undo = this.#undo;
    if (undo === undefined) return false;
    this.#undo = undefined;
    for (const take of undo) take();
    return true;
  }
}

/** How long the end of an actor is waited for. */
export interface StopOptions {
  /** How long to wait for the end, in ms. Default `Infinity`. */
  readonly timeoutMs?: number;
}

/** Have an actor end by itself, and wait for it. @returns with which reason it ended. @throws {@link CallExitError} `noproc`, `calling_self`, `timeout`. */
export function stopActor(
  callee: Callee,
  reason: ExitReason = NORMAL,
  options: StopOptions = {},
): Promise<ExitReason> {
  const caller = currentOwner();
  return new Promise((resolve, reject) => {
    const { timeoutMs = Number.POSITIVE_INFINITY } = options;
    checkTimeout(timeoutMs);
    if (!isExitReason(reason))
      throw new TypeError("reason: an ExitReason is expected, such as { type: 'shutdown' }");
    const what = `stop of ${callee.label}`;
    const incarnation = callableOf(what, callee.ref);
    const disarm = Timetable.of(incarnation.ports.clock).arm(timeoutMs, () => {
      undo();
      const why: ExitReason = { type: 'timeout', what: 'stop' };
      const error = new CallExitError('timeout', what, why, 'maybeExecuted');
      runInside(caller, () => reject(error));
    });
    const undo = incarnation.whenEnded((ended) => {
      disarm();
      resolve(ended);
    });
    if (runInside(undefined, () => incarnation.quit(reason))) return;
    disarm();
    reject(new CallExitError('noproc', what, NOPROC, 'notSent'));
  });
}
