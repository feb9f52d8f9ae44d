// What is one Python worker to its supervisor and to the router? Fills the worker machine with a real process, and holds the calls in flight.
import { fromCallback, type Actor } from 'xstate';

import type { CrashReport } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type { WorkerInfo } from '../ground/worker-facts.ts';
import type { Child, ChildStart, LifecycleState, Shutdown } from '../lifecycle/child.ts';
import type { ActorRef, Incarnation, RefPorts } from '../lifecycle/ref.ts';
import { createRoot } from '../lifecycle/root.ts';
import type { Host } from '../port/host.ts';
import type { CallbackAnswer } from '../port/message.ts';
import type { PortAbility } from '../port/port-types.ts';
import { CallDesk } from './call-desk.ts';
import { openIncarnation, type OpenIncarnation } from './incarnation.ts';
import { LiveProcess, type VitalOptions } from './live-process.ts';
import type { CallHandlers, Settle } from './pending-calls.ts';
import type { WorkerUsage } from './resources.ts';
import type { WorkerEvent } from './worker-events.ts';
import type {
  CancelFact,
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

const NOTHING: ReadonlySet<PortAbility> = new Set();

/** One worker. `open` starts its processes. */
export class PythonWorker implements Worker {
  readonly id: string;
  readonly kind = 'worker';
  readonly workerId: string;
  readonly #start: Start;
  readonly #watcher: WorkerWatcher;
  readonly #vitals: VitalOptions;
  readonly #ports: RefPorts & { readonly host: Host };
  readonly #openIncarnation: OpenIncarnation;
  readonly #actor: Actor<typeof workerMachine>;
  readonly #desk: CallDesk;
  /** The present incarnation; none between two of them. */
  #process: LiveProcess | undefined;
  #ref: Incarnation;
  /** The last state that was told upward: facts are told on changes of it. */
  #told: LifecycleState = 'restarting';
  #crashToldEpoch = 0;
  #idleTold: 'when it is so' | 'soon' = 'when it is so';

  constructor(
    start: Start,
    options: Pick<WorkerOptions, 'startTimeoutMs' | 'watcher'> & VitalOptions,
    ports: RefPorts & { readonly host: Host },
    open: OpenIncarnation,
  ) {
    this.id = start.id;
    this.workerId = start.path;
    this.#start = start;
    this.#watcher = options.watcher;
    this.#vitals = options;
    this.#desk = new CallDesk(ports, () => ({
      path: this.workerId,
      epoch: this.epoch,
      port: this.#process?.port,
      info: this.#process?.info,
    }));
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
        askToShutDown: () => this.#process?.port.shutdown(),
        terminate: () => this.#process?.port.kill('SIGTERM'),
        kill: () => this.#process?.port.kill('SIGKILL'),
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
    return state === 'busy' && this.#desk.size === 0 ? 'ready' : state;
  }

  get epoch(): number {
    return this.#actor.getSnapshot().context.epoch;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get info(): WorkerInfo | undefined {
    return this.#process?.info;
  }

  get usage(): WorkerUsage | undefined {
    return this.#process?.usage;
  }

  get abilities(): ReadonlySet<PortAbility> {
    return this.#process?.port.abilities ?? NOTHING;
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
    this.#desk.whenEnded(listener);
  }

  send(message: SentCall, settle: Settle, handlers?: CallHandlers): number {
    const id = this.#desk.send(message, settle, handlers);
    // Going from one call to the next costs the machine nothing: it is still busy then.
    if (this.#actor.getSnapshot().hasTag('accepting')) this.#actor.send({ type: 'call.started' });
    return id;
  }

  cancel(id: number, told: (fact: CancelFact) => void): void {
    this.#desk.cancel(id, told);
  }

  credit(id: number, n: number): void {
    this.#desk.credit(id, n);
  }

  answer(id: number, answer: CallbackAnswer): void {
    this.#desk.answer(id, answer);
  }

  #runProcess(epoch: number, sendBack: (event: WorkerEvent) => void): () => void {
    const worker = { path: this.workerId, epoch };
    if (epoch !== this.#ref.epoch) this.#ref = workerRef(this, epoch, this.#ports);
    this.#ports.bus.emit('child.starting', worker);
    const process = new LiveProcess(
      worker,
      this.#vitals,
      { ref: this.#ports, host: this.#ports.host, open: this.#openIncarnation },
      {
        desk: this.#desk,
        sendBack,
        onReply: () => {
          if (this.#desk.size === 0) this.#tellIdleSoon();
        },
        onOverLimit: (over) => this.#watcher.workerOverLimit?.(this, epoch, over),
      },
    );
    this.#process = process;
    return () => process.cleanUp();
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
      if (this.#desk.size === 0) this.#tellMachine({ type: 'call.ended' });
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
    const { pid, info } = this;
    this.#ports.bus.emit('child.ready', { path: this.workerId, epoch, pid, info });
    this.#start.listener({ type: 'child.ready', id: this.id, epoch });
    if (info !== undefined) this.#watcher.workerReady(this, info);
  }

  #tellUnavailable(before: LifecycleState, snapshot: WorkerSnapshot): void {
    if (before !== 'ready' && before !== 'busy') return;
    this.#watcher.workerUnavailable(this);
    const { epoch } = snapshot.context;
    this.#start.listener({ type: 'child.unavailable', id: this.id, epoch });
  }

  #tellCrash(snapshot: WorkerSnapshot): void {
    const { epoch, report: ended } = snapshot.context;
    if (this.#crashToldEpoch === epoch) return;
    this.#crashToldEpoch = epoch;
    const report = this.#process?.explain(ended) ?? ended;
    const inFlightCalls = this.#desk.size;
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
    // Before it is forgotten: which of its calls can have run depends on how many it ran at a time.
    this.#desk.crash(report);
    this.#process = undefined;
    this.#ref.end(report.reason);
  }

  /** Our own machine threw: no transition will come any more, so the process is ended here, and the supervisor told. */
  #onMachineError(error: Error): void {
    const { epoch } = this;
    this.#told = 'stopped';
    const reason: ExitReason = { type: 'error', error };
    this.#watcher.workerUnavailable(this);
    this.#process?.cleanUp();
    this.#endIncarnation({ reason, stderrTail: '' });
    this.#ports.bus.emit('child.stopped', { path: this.workerId, epoch, reason });
    this.#start.listener({ type: 'child.stopped', id: this.id, epoch, reason });
  }
}
