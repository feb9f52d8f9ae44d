// What is one Python worker to its supervisor and to the router? Fills the worker machine with a real process, and holds the calls in flight.
import { fromCallback, type Actor } from 'xstate';

import type { CrashReport } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type { WorkerInfo } from '../ground/worker-facts.ts';
import type { Child, ChildStart, LifecycleState, Shutdown } from '../lifecycle/child.ts';
import type { ActorRef, Incarnation, RefPorts } from '../lifecycle/ref.ts';
import { createRoot } from '../lifecycle/root.ts';
import type { ReplyMessage } from '../port/message.ts';
import type { Port, PortFact } from '../port/port-types.ts';
import { openIncarnation, openOrFail, type OpenIncarnation } from './incarnation.ts';
import { PendingCalls, type Settle } from './pending-calls.ts';
import type { WorkerEvent } from './worker-events.ts';
import { reportFact } from './worker-reports.ts';
import type {
  SentCall,
  Worker,
  WorkerOptions,
  WorkerPorts,
  WorkerWatcher,
} from './worker-types.ts';
import { workerRef } from './worker-ref.ts';
import { lifecycleStateOf, type WorkerSnapshot } from './worker-state.ts';
import { workerMachine } from './worker.machine.ts';

/** A child specification's `start` for a Python worker. */
export function workerStart(options: WorkerOptions, ports: WorkerPorts): ChildStart {
  return (start) =>
    new PythonWorker(start, options, ports, (worker, onFact) =>
      openIncarnation(worker, options, ports, onFact),
    );
}

type Start = Parameters<ChildStart>[0];

/** One worker. `open` starts its processes. */
export class PythonWorker implements Worker {
  readonly id: string;
  readonly kind = 'worker';
  readonly workerId: string;
  readonly #start: Start;
  readonly #watcher: WorkerWatcher;
  readonly #ports: RefPorts;
  readonly #openIncarnation: OpenIncarnation;
  readonly #actor: Actor<typeof workerMachine>;
  readonly #calls = new PendingCalls();
  #port: Port | undefined;
  #ref: Incarnation;
  #pid: number | undefined;
  #info: WorkerInfo | undefined;
  /** The last state that was told upward: facts are told on changes of it. */
  #told: LifecycleState = 'restarting';
  #crashToldEpoch = 0;
  #idleTold: 'when it is so' | 'soon' = 'when it is so';
  /** Ends what the present incarnation holds: process, connections, folder. */
  #cleanUp: () => void = () => undefined;

  constructor(
    start: Start,
    options: Pick<WorkerOptions, 'startTimeoutMs' | 'watcher'>,
    ports: RefPorts,
    open: OpenIncarnation,
  ) {
    this.id = start.id;
    this.workerId = start.path;
    this.#start = start;
    this.#watcher = options.watcher;
    this.#openIncarnation = open;
    this.#ports = ports;
    this.#ref = workerRef(this, start.epoch, ports);
    const machine = workerMachine.provide({
      actors: {
        process: fromCallback<WorkerEvent, { readonly epoch: number }>(({ input, sendBack }) =>
          this.#runProcess(input.epoch, sendBack),
        ),
      },
      actions: {
        askToShutDown: () => this.#port?.shutdown(),
        terminate: () => this.#port?.kill('SIGTERM'),
        kill: () => this.#port?.kill('SIGKILL'),
      },
    });
    this.#actor = createRoot(machine, {
      id: start.path,
      clock: ports.clock,
      input: { epoch: start.epoch, startTimeoutMs: options.startTimeoutMs },
      onSnapshot: (snapshot) => this.#onSnapshot(snapshot),
      onError: (error) => this.#onMachineError(error),
    });
    this.#actor.start();
  }

  /** The machine hears of the last reply at the end of this turn (`#tellIdleSoon`); who asks meanwhile is told what is so. */
  get state(): LifecycleState {
    // Our own machine threw: its snapshot stays where that happened.
    if (this.#told === 'stopped') return 'stopped';
    const state = lifecycleStateOf(this.#actor.getSnapshot());
    return state === 'busy' && this.#calls.size === 0 ? 'ready' : state;
  }

  get epoch(): number {
    return this.#actor.getSnapshot().context.epoch;
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  get info(): WorkerInfo | undefined {
    return this.#info;
  }

  get ref(): ActorRef {
    return this.#ref;
  }

  children(): readonly Child[] {
    return [];
  }

  restart(epoch: number, delayMs: number): void {
    this.#tellMachine({ type: 'worker.restart', epoch, delayMs });
  }

  stop(shutdown: Shutdown, reason: ExitReason): void {
    this.#tellMachine({ type: 'worker.stop', shutdown, reason });
  }

  /** Orders may come after the end, which XState would warn of on the console. */
  #tellMachine(event: WorkerEvent): void {
    if (this.#actor.getSnapshot().status === 'active') this.#actor.send(event);
  }

  whenEnded(listener: (report: CrashReport) => void): void {
    this.#calls.whenCrashed(listener);
  }

  send(message: SentCall, settle: Settle): void {
    this.#calls.add((id) => this.#port?.call({ type: 'call', id, ...message }), settle);
    // Going from one call to the next costs the machine nothing: it is still busy then.
    if (this.#actor.getSnapshot().hasTag('accepting')) this.#actor.send({ type: 'call.started' });
  }

  #runProcess(epoch: number, sendBack: (event: WorkerEvent) => void): () => void {
    const worker = { path: this.workerId, epoch };
    if (epoch !== this.#ref.epoch) this.#ref = workerRef(this, epoch, this.#ports);
    this.#ports.bus.emit('child.starting', worker);
    const incarnation = openOrFail(this.#openIncarnation, worker, this.#ports.clock, (fact) => {
      this.#onPortFact(epoch, fact, sendBack);
    });
    this.#port = incarnation.port;
    this.#cleanUp = incarnation.cleanUp;
    return incarnation.cleanUp;
  }

  #onPortFact(epoch: number, fact: PortFact, sendBack: (event: WorkerEvent) => void): void {
    switch (fact.type) {
      case 'reply':
        this.#onReply(epoch, fact.reply);
        return;
      case 'ready':
        this.#info = fact.info;
        sendBack({ type: 'process.ready' });
        return;
      case 'failed':
        sendBack({ type: 'process.failed', error: fact.error });
        return;
      case 'broken':
        sendBack({ type: 'process.broken', cause: fact.cause });
        return;
      case 'exited':
        sendBack({ type: 'process.exited', report: fact.report });
        return;
      case 'launched':
      case 'greeted':
      case 'logged':
      case 'output': {
        if (fact.type === 'launched') this.#pid = fact.pid;
        if (fact.type === 'greeted') sendBack({ type: 'process.greeted' });
        const worker = { path: this.workerId, epoch };
        reportFact(this.#ports.bus, worker, this.#calls.currentId, fact);
        return;
      }
      default:
        fact satisfies never;
    }
  }

  #onReply(epoch: number, reply: ReplyMessage): void {
    if (!this.#calls.reply(reply)) {
      this.#ports.bus.emit('reply.dropped', { path: this.workerId, epoch, callId: reply.id });
    } else if (this.#calls.size === 0) this.#tellIdleSoon();
  }

  /**
   * Not at once: a caller that awaited this reply often has the next call ready, and then the worker has been busy all the time,
   * at no cost to the machine.
   */
  #tellIdleSoon(): void {
    if (this.#idleTold === 'soon') return;
    this.#idleTold = 'soon';
    this.#ports.clock.afterPoll(() => {
      this.#idleTold = 'when it is so';
      if (this.#calls.size === 0) this.#tellMachine({ type: 'call.ended' });
    });
  }

  #onSnapshot(snapshot: WorkerSnapshot): void {
    const state = lifecycleStateOf(snapshot);
    if (state === this.#told) {
      // `exiting` and `crashed` are one state to the world; the report is there only in the second.
      if (snapshot.matches('crashed') && state === 'crashed') this.#tellCrash(snapshot);
      return;
    }
    const before = this.#told;
    this.#told = state;
    switch (state) {
      case 'ready':
        if (before === 'spawning') this.#tellReady(snapshot);
        return;
      case 'spawning':
      case 'busy':
      case 'restarting':
        return;
      case 'draining':
      case 'stopping':
        this.#tellUnavailable(before, snapshot);
        return;
      case 'crashed':
        this.#tellUnavailable(before, snapshot);
        if (snapshot.matches('crashed')) this.#tellCrash(snapshot);
        return;
      case 'stopped':
        this.#tellUnavailable(before, snapshot);
        this.#tellStopped(snapshot);
        return;
      default:
        state satisfies never;
    }
  }

  #tellReady(snapshot: WorkerSnapshot): void {
    const { epoch } = snapshot.context;
    const facts = { path: this.workerId, epoch, pid: this.#pid, info: this.#info };
    this.#ports.bus.emit('child.ready', facts);
    this.#start.listener({ type: 'child.ready', id: this.id, epoch });
    if (this.#info !== undefined) this.#watcher.workerReady(this, this.#info);
  }

  #tellUnavailable(before: LifecycleState, snapshot: WorkerSnapshot): void {
    if (before !== 'ready' && before !== 'busy') return;
    this.#watcher.workerUnavailable(this);
    const { epoch } = snapshot.context;
    this.#start.listener({ type: 'child.unavailable', id: this.id, epoch });
  }

  #tellCrash(snapshot: WorkerSnapshot): void {
    const { epoch, report } = snapshot.context;
    if (this.#crashToldEpoch === epoch) return;
    this.#crashToldEpoch = epoch;
    const inFlightCalls = this.#calls.size;
    this.#ports.bus.emit('child.crashed', { path: this.workerId, epoch, ...report, inFlightCalls });
    this.#endIncarnation(report);
    this.#start.listener({ type: 'child.crashed', id: this.id, epoch, report });
  }

  #tellStopped(snapshot: WorkerSnapshot): void {
    const { epoch, report } = snapshot.context;
    this.#endIncarnation(report);
    this.#ports.bus.emit('child.stopped', { path: this.workerId, epoch, reason: report.reason });
    this.#start.listener({ type: 'child.stopped', id: this.id, epoch, reason: report.reason });
  }

  #endIncarnation(report: CrashReport): void {
    this.#port = undefined;
    this.#pid = undefined;
    this.#info = undefined;
    this.#calls.crash(report);
    this.#ref.end(report.reason);
  }

  /** Our own machine threw: no transition will come any more, so the process is ended here, and the supervisor told. */
  #onMachineError(error: Error): void {
    const { epoch } = this;
    this.#told = 'stopped';
    const reason: ExitReason = { type: 'error', error };
    this.#watcher.workerUnavailable(this);
    this.#cleanUp();
    this.#endIncarnation({ reason, stderrTail: '' });
    this.#ports.bus.emit('child.stopped', { path: this.workerId, epoch, reason });
    this.#start.listener({ type: 'child.stopped', id: this.id, epoch, reason });
  }
}
