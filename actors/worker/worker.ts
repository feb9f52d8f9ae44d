// What is one Python worker to its supervisor and to the router? Fills the worker machine with a real process, and holds the calls in flight.
import { fromCallback, type Actor, type SnapshotFrom } from 'xstate';

import type { Bus } from '../ground/bus.ts';
import type { CrashReport, WorkerRef } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type { Ids } from '../ground/ids.ts';
import type { WorkerInfo } from '../ground/worker-facts.ts';
import type { Child, ChildStart, LifecycleState, Shutdown } from '../lifecycle/child.ts';
import { createRoot } from '../lifecycle/root.ts';
import type { SpawnRequest } from '../port/launcher.ts';
import type { BridgeSource, CallMessage, ReplyMessage } from '../port/message.ts';
import { openPort, type Port, type PortFact, type PortPorts } from '../port/port.ts';
import { workerMachine, type WorkerEvent } from './worker.machine.ts';

/** How a call that was sent to a worker has ended, as far as the worker can tell. */
export type SentOutcome =
  | { readonly type: 'replied'; readonly reply: ReplyMessage }
  | { readonly type: 'crashed'; readonly report: CrashReport };

/** Told by the worker to whoever routes calls to it. */
export interface WorkerWatcher {
  /** It takes calls from now on. */
  workerReady(worker: Worker, info: WorkerInfo): void;
  /** It takes no more calls; those it has will still be settled. */
  workerUnavailable(worker: Worker): void;
}

/** A folder that lives as long as one incarnation. */
export interface Scratch {
  readonly path: string;
  remove(): void;
}

export interface WorkerOptions {
  readonly spawn: SpawnRequest;
  readonly bridge: BridgeSource;
  readonly startTimeoutMs: number;
  /** Makes the private folder of one incarnation. */
  readonly makeScratch: (name: string) => Scratch;
  readonly watcher: WorkerWatcher;
}

export interface WorkerPorts extends PortPorts {
  readonly ids: Ids;
  readonly bus: Bus;
}

/** One worker, across its incarnations. Its `Child` side is for the supervisor, `send` for the router. */
export interface Worker extends Child, WorkerRef {
  readonly info: WorkerInfo | undefined;
  /**
   * Write one call to the process. The caller has seen `workerReady` and no `workerUnavailable` of this epoch.
   * `settle` is called exactly once, never from inside `send`.
   * @throws {@link UnencodableError} when the call is larger than a frame may be; then nothing was sent and `settle` is not called.
   */
  send(message: Omit<CallMessage, 'type' | 'id'>, settle: (outcome: SentOutcome) => void): void;
}

/** A child specification's `start` for a Python worker. */
export function workerStart(options: WorkerOptions, ports: WorkerPorts): ChildStart {
  return (start) => new PythonWorker(start, options, ports);
}

type Start = Parameters<ChildStart>[0];
type Snapshot = SnapshotFrom<typeof workerMachine>;

class PythonWorker implements Worker {
  readonly id: string;
  readonly kind = 'worker';
  readonly workerId: string;
  readonly #start: Start;
  readonly #options: WorkerOptions;
  readonly #ports: WorkerPorts;
  readonly #actor: Actor<typeof workerMachine>;
  readonly #calls = new Map<number, (outcome: SentOutcome) => void>();
  #port: Port | undefined;
  #pid: number | undefined;
  #info: WorkerInfo | undefined;
  #nextCallId = 1;
  /** The last state that was told upward: facts are told on changes of it. */
  #told: LifecycleState = 'restarting';
  #phase: 'starting' | 'started' = 'starting';
  #crashToldEpoch = 0;

  constructor(start: Start, options: WorkerOptions, ports: WorkerPorts) {
    this.id = start.id;
    this.workerId = start.path;
    this.#start = start;
    this.#options = options;
    this.#ports = ports;
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
      onError: (error) => {
        this.#onMachineError(error);
      },
    });
    this.#actor.subscribe((snapshot) => {
      this.#onSnapshot(snapshot);
    });
    this.#actor.start();
  }

  get state(): LifecycleState {
    return lifecycleState(this.#actor.getSnapshot());
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

  children(): readonly Child[] {
    return [];
  }

  restart(epoch: number, delayMs: number): void {
    this.#actor.send({ type: 'worker.restart', epoch, delayMs });
  }

  stop(shutdown: Shutdown, reason: ExitReason): void {
    this.#actor.send({ type: 'worker.stop', shutdown, reason });
  }

  send(message: Omit<CallMessage, 'type' | 'id'>, settle: (outcome: SentOutcome) => void): void {
    const id = this.#nextCallId;
    this.#nextCallId += 1;
    this.#port?.call({ type: 'call', id, ...message });
    this.#calls.set(id, settle);
    // Going from one call to the next costs the machine nothing: it is still busy then.
    if (this.#actor.getSnapshot().hasTag('accepting')) this.#actor.send({ type: 'call.started' });
  }

  #runProcess(epoch: number, sendBack: (event: WorkerEvent) => void): () => void {
    const { bridge, spawn, makeScratch } = this.#options;
    this.#ports.bus.emit('child.starting', { path: this.workerId, epoch });
    try {
      const scratch = makeScratch(`${this.workerId.replaceAll('/', '-')}-${epoch}`);
      const port = openPort(
        {
          workerId: this.workerId,
          epoch,
          nonce: this.#ports.ids.nonce(),
          spawn,
          bridge,
          scratchDir: scratch.path,
        },
        this.#ports,
        (fact) => {
          this.#onPortFact(epoch, fact, sendBack);
        },
      );
      this.#port = port;
      return () => {
        port.close();
        scratch.remove();
      };
    } catch (cause) {
      // Thrown before a process was: no file descriptors, no disk space. A crash like any other, with its own reason.
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const report: CrashReport = { reason: { type: 'error', error }, stderrTail: '' };
      // Later, since a child tells nothing from inside its own start.
      this.#ports.clock.afterPoll(() => {
        sendBack({ type: 'process.exited', report });
      });
      return () => undefined;
    }
  }

  #onPortFact(epoch: number, fact: PortFact, sendBack: (event: WorkerEvent) => void): void {
    switch (fact.type) {
      case 'reply':
        this.#onReply(epoch, fact.reply);
        return;
      case 'launched':
        this.#pid = fact.pid;
        this.#ports.bus.emit('child.launched', { path: this.workerId, epoch, pid: fact.pid });
        return;
      case 'greeted':
        this.#ports.bus.emit('child.greeted', { path: this.workerId, epoch, hello: fact.hello });
        sendBack({ type: 'process.greeted' });
        return;
      case 'ready':
        this.#info = fact.info;
        sendBack({ type: 'process.ready' });
        return;
      case 'failed':
        sendBack({ type: 'process.failed', error: fact.error });
        return;
      case 'logged':
        this.#ports.bus.emit('worker.logged', {
          ...fact.log,
          path: this.workerId,
          epoch,
          callId: fact.log.callId ?? undefined,
        });
        return;
      case 'output':
        this.#ports.bus.emit('worker.output', {
          path: this.workerId,
          epoch,
          callId: this.#currentCallId(),
          stream: fact.stream,
          line: fact.line,
        });
        return;
      case 'broken':
        sendBack({ type: 'process.broken', cause: fact.cause });
        return;
      case 'exited':
        sendBack({ type: 'process.exited', report: fact.report });
        return;
      default:
        fact satisfies never;
    }
  }

  #onReply(epoch: number, reply: ReplyMessage): void {
    const settle = this.#calls.get(reply.id);
    if (settle === undefined) {
      this.#ports.bus.emit('reply.dropped', { path: this.workerId, epoch, callId: reply.id });
      return;
    }
    this.#calls.delete(reply.id);
    settle({ type: 'replied', reply });
    // The router may have sent the next call from inside `settle`: then the worker was busy all the time.
    if (this.#calls.size === 0) this.#actor.send({ type: 'call.ended' });
  }

  #currentCallId(): number | undefined {
    return this.#calls.keys().next().value;
  }

  #onSnapshot(snapshot: Snapshot): void {
    const state = lifecycleState(snapshot);
    if (state === this.#told) {
      // `exiting` and `crashed` are one state to the world; the report is there only in the second.
      if (snapshot.matches('crashed') && state === 'crashed') this.#tellCrash(snapshot);
      return;
    }
    const before = this.#told;
    this.#told = state;
    switch (state) {
      case 'spawning':
        this.#phase = 'starting';
        return;
      case 'ready':
        if (before === 'spawning') this.#tellReady(snapshot);
        return;
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

  #tellReady(snapshot: Snapshot): void {
    const { epoch } = snapshot.context;
    this.#phase = 'started';
    this.#ports.bus.emit('child.ready', {
      path: this.workerId,
      epoch,
      pid: this.#pid,
      info: this.#info,
    });
    this.#start.listener({ type: 'child.ready', id: this.id, epoch });
    if (this.#info !== undefined) this.#options.watcher.workerReady(this, this.#info);
  }

  #tellUnavailable(before: LifecycleState, snapshot: Snapshot): void {
    if (before !== 'ready' && before !== 'busy') return;
    this.#options.watcher.workerUnavailable(this);
    const { epoch } = snapshot.context;
    this.#start.listener({ type: 'child.unavailable', id: this.id, epoch });
  }

  #tellCrash(snapshot: Snapshot): void {
    const { epoch, report } = snapshot.context;
    if (this.#crashToldEpoch === epoch) return;
    this.#crashToldEpoch = epoch;
    this.#ports.bus.emit('child.crashed', {
      path: this.workerId,
      epoch,
      ...report,
      inFlightCalls: this.#calls.size,
    });
    this.#endIncarnation(report);
    const phase = this.#phase;
    this.#start.listener({ type: 'child.crashed', id: this.id, epoch, report, phase });
  }

  #tellStopped(snapshot: Snapshot): void {
    const { epoch, report } = snapshot.context;
    this.#endIncarnation(report);
    this.#ports.bus.emit('child.stopped', { path: this.workerId, epoch, reason: report.reason });
    this.#start.listener({ type: 'child.stopped', id: this.id, epoch, reason: report.reason });
  }

  #endIncarnation(report: CrashReport): void {
    this.#port = undefined;
    this.#pid = undefined;
    this.#info = undefined;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const settle of calls) settle({ type: 'crashed', report });
  }

  /** Our own machine threw: no transition will come any more, so the process is ended here and the supervisor told. */
  #onMachineError(error: Error): void {
    const { epoch } = this;
    const reason: ExitReason = { type: 'error', error };
    this.#port?.close();
    this.#endIncarnation({ reason, stderrTail: '' });
    this.#options.watcher.workerUnavailable(this);
    this.#start.listener({ type: 'child.stopped', id: this.id, epoch, reason });
  }
}

function lifecycleState(snapshot: Snapshot): LifecycleState {
  if (snapshot.hasTag('crashed')) return 'crashed';
  const { value } = snapshot;
  if (typeof value === 'string') return value as LifecycleState;
  const inner = value.incarnation;
  return (typeof inner === 'string' ? inner : Object.keys(inner)[0]) as LifecycleState;
}
