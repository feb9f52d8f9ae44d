// Who speaks with a worker's process about its calls? Sends, cancels, credits and answers them; the lives of the process are the machine's.
import type { Bus } from '../ground/bus.ts';
import type { Clock, TimerId } from '../ground/clock.ts';
import type { CrashReport } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';
import type { WorkerInfo } from '../ground/worker-facts.ts';
import type { CallbackAnswer, DataMessage } from '../port/message.ts';
import type { Port } from '../port/port-types.ts';
import { cancelCall, type Cancellation } from './cancellation.ts';
import { PendingCalls, type CallHandlers, type Settle } from './pending-calls.ts';
import type { CancelFact, SentCall } from './worker-types.ts';

/** The incarnation, as the desk needs it now: none between two of them. */
export interface DeskPeer {
  readonly path: string;
  readonly epoch: number;
  readonly port: Port | undefined;
  readonly info: WorkerInfo | undefined;
}

/** One call that is being ended. */
interface Ending {
  readonly told: (fact: CancelFact) => void;
  phase:
    | { readonly type: 'withdrawing'; readonly timer: TimerId }
    | { readonly type: 'cancelling'; readonly cancellation: Cancellation }
    | { readonly type: 'condemned' };
}

export class CallDesk {
  readonly #calls = new PendingCalls();
  readonly #endings = new Map<number, Ending>();
  /** Whether everything that the incarnation answers is heard. */
  #replies: 'read' | 'unread' = 'read';
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #peer: () => DeskPeer;

  constructor(ports: { readonly clock: Clock; readonly bus: Bus }, peer: () => DeskPeer) {
    this.#clock = ports.clock;
    this.#bus = ports.bus;
    this.#peer = peer;
  }

  /** Calls in flight. */
  get size(): number {
    return this.#calls.size;
  }

  get currentId(): number | undefined {
    return this.#calls.currentId;
  }

  send(message: SentCall, settle: Settle, handlers: CallHandlers | undefined): number {
    const { port } = this.#peer();
    // A worker that is idle waits for it; for one that has calls already a few microseconds are nothing, and a system call saved is much.
    const when = this.#calls.size === 0 ? 'now' : 'soon';
    const write = (id: number): void => port?.call(id, message, when);
    const place = message.nested === undefined ? 'in_order' : 'nested';
    return this.#calls.add(write, settle, handlers, place);
  }

  /** What Python said of a call; of none in flight it is dropped, and the operator told. */
  take(message: DataMessage): void {
    // Lanes do not wait for each other: the answer to a call that was taken back may come before word of that.
    if (isWithdrawal(message)) this.onWithdrawn(message.id, 'withdrawn');
    const isKnown = this.#calls.take(message);
    if (message.type === 'reply') this.#onOver(message.id);
    if (isKnown) return;
    const { path, epoch, port } = this.#peer();
    this.#bus.emit('reply.dropped', { path, epoch, callId: message.id });
    if (message.type !== 'callback') return;
    // Python waits for it: whoever the call was of is gone, or has no callbacks at all.
    const [what, code] = this.#calls.has(message.id)
      ? [`call ${message.id} was made without callbacks`, 'callback_unknown']
      : [`call ${message.id} is over`, 'cancelled'];
    const error = { type: 'CallbackError', message: what, traceback: '', code };
    port?.answer({ callback: message.callback, ok: false, error });
  }

  credit(id: number, n: number): void {
    if (this.#calls.has(id)) this.#peer().port?.control({ type: 'credit', id, n });
  }

  answer(id: number, answer: CallbackAnswer): void {
    if (this.#calls.has(id)) this.#peer().port?.answer(answer);
  }

  /** See `Worker.cancel`. */
  cancel(id: number, told: (fact: CancelFact) => void): void {
    if (!this.#calls.has(id)) {
      told({ type: 'over', stage: 'flag' });
      return;
    }
    if (this.#endings.has(id)) return;
    const { port, info } = this.#peer();
    if (this.#calls.mayRun(id, info?.concurrency ?? 1)) {
      told({ type: 'started' });
      this.#begin(id, told);
      return;
    }
    // Longer than an idle control thread needs. One that does not answer is kept from it by a handler that holds the interpreter lock: the caller waits no longer, but
    // nothing is done to the worker, since that would hit the call that runs.
    const timer = this.#clock.setTimeout(
      () => this.#clock.afterPoll(() => told({ type: 'started' })),
      LIMITS.withdrawMs,
    );
    this.#endings.set(id, { told, phase: { type: 'withdrawing', timer } });
    port?.control({ type: 'withdraw', id });
  }

  /** The worker has said whether a call that waited was taken back. */
  onWithdrawn(id: number, found: 'withdrawn' | 'started'): void {
    const ending = this.#endings.get(id);
    if (ending?.phase.type !== 'withdrawing') return;
    const { told, phase } = ending;
    this.#clock.clearTimeout(phase.timer);
    this.#endings.delete(id);
    if (found === 'withdrawn') {
      if (this.#calls.withdraw(id)) told({ type: 'over', stage: 'withdrawn' });
      return;
    }
    told({ type: 'started' });
    this.#begin(id, told);
  }

  whenEnded(listener: (report: CrashReport) => void): void {
    this.#calls.whenCrashed(listener);
  }

  /** Its wire is broken: it may answer calls and start others, and nobody hears of it. */
  readNoMore(): void {
    this.#replies = 'unread';
  }

  /** The incarnation is over. */
  crash(report: CrashReport): void {
    // Each is told of its own crash first, and then that nothing of it is left.
    const ids = [...this.#endings.keys()];
    // Of answers that were not read any of its calls may have had one.
    const { info } = this.#peer();
    const startedMax = this.#replies === 'read' ? (info?.concurrency ?? 1) : Infinity;
    this.#replies = 'read';
    this.#calls.crash(report, startedMax, () => {
      for (const id of ids) this.#onOver(id, 'kill');
    });
  }

  /** A process that knows of no cancelling can only be replaced. */
  #begin(id: number, told: (fact: CancelFact) => void): void {
    if (this.#peer().port?.abilities.has('cancellation') === true) {
      this.#beginCancelling(id, told);
      return;
    }
    this.#endings.set(id, { told, phase: { type: 'condemned' } });
    told({ type: 'condemned' });
  }

  #beginCancelling(id: number, told: (fact: CancelFact) => void): void {
    const { path, epoch, port, info } = this.#peer();
    const cancellation = cancelCall(
      {},
      {
        clock: this.#clock,
        flag: () => port?.control({ type: 'cancel', id, stage: 'flag' }),
        raise: () => port?.control({ type: 'cancel', id, stage: 'raise' }),
        interrupt: () => port?.notify('SIGINT'),
        // Nobody is left who would end the call: its process must.
        failed: () => this.#condemn(id),
      },
      info?.execution ?? 'sync',
      (step) => {
        this.#bus.emit('call.cancelling', { path, epoch, callId: id, step });
        if (step === 'kill') this.#condemn(id);
      },
    );
    this.#endings.set(id, { told, phase: { type: 'cancelling', cancellation } });
  }

  #condemn(id: number): void {
    const ending = this.#endings.get(id);
    if (ending === undefined) return;
    ending.phase = { type: 'condemned' };
    ending.told({ type: 'condemned' });
  }

  #onOver(id: number, end?: 'kill'): void {
    const ending = this.#endings.get(id);
    if (ending === undefined) return;
    this.#endings.delete(id);
    const { phase } = ending;
    if (phase.type === 'withdrawing') this.#clock.clearTimeout(phase.timer);
    const needed = phase.type === 'cancelling' ? phase.cancellation.settled() : 'flag';
    if (phase.type === 'cancelling') phase.cancellation.stop();
    const stage = end ?? (phase.type === 'condemned' ? 'kill' : needed);
    ending.told({ type: 'over', stage });
  }
}

function isWithdrawal(message: DataMessage): boolean {
  return message.type === 'reply' && !message.ok && message.error.code === 'withdrawn';
}
