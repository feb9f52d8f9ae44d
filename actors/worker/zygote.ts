// What is a zygote to its supervisor, and to the spawner that it forks for? Fills the zygote's machine with a real process.
import { fromCallback, type Actor } from 'xstate';

import type { Bus } from '../ground/bus.ts';
import type { CrashReport } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type { Ids } from '../ground/ids.ts';
import { LIMITS } from '../ground/limits.ts';
import type { Child, ChildStart, LifecycleState, Shutdown } from '../lifecycle/child.ts';
import { Incarnation, type ActorRef } from '../lifecycle/ref.ts';
import { createRoot } from '../lifecycle/root.ts';
import type { Host } from '../port/host.ts';
import type { SpawnRequest } from '../port/launcher.ts';
import { ZygotePort, type ZygoteFact, type ZygotePortPorts } from '../port/zygote-port.ts';
import type { ZygoteSpawner } from '../port/zygote-spawner.ts';
import type { ZygoteLoad } from '../port/zygote-wire.ts';
import { watchLiveness, type Liveness } from './liveness.ts';
import type { ZygoteEvent } from './zygote-events.ts';
import { lifecycleStateOf, zygoteMachine, type ZygoteSnapshot } from './zygote.machine.ts';

export interface ZygoteOptions extends ZygoteLoad {
  /** How its process is started. */
  readonly spawn: SpawnRequest;
  readonly startTimeoutMs: number;
  /** Forks from it while it can. */
  readonly spawner: ZygoteSpawner;
  /** Between two heartbeats, in ms. Default 2 000. */
  readonly heartbeatMs?: number | undefined;
}

export interface ZygotePorts extends ZygotePortPorts {
  readonly ids: Ids;
  readonly bus: Bus;
  readonly host: Host;
}

/** A child specification's `start` for a zygote. */
export function zygoteStart(options: ZygoteOptions, ports: ZygotePorts): ChildStart {
  return (start) => new Zygote(start, options, ports);
}

type Start = Parameters<ChildStart>[0];

/** What the present incarnation holds. */
interface Process {
  readonly port: ZygotePort;
  pid: number | undefined;
  liveness: Liveness | undefined;
}

class Zygote implements Child {
  readonly id: string;
  readonly kind = 'worker';
  readonly #start: Start;
  readonly #options: ZygoteOptions;
  readonly #ports: ZygotePorts;
  readonly #actor: Actor<typeof zygoteMachine>;
  #process: Process | undefined;
  #ref: Incarnation;
  /** The last state that was told upward: facts are told on changes of it. */
  #told: LifecycleState = 'restarting';
  #crashToldEpoch = 0;

  constructor(start: Start, options: ZygoteOptions, ports: ZygotePorts) {
    this.id = start.id;
    this.#start = start;
    this.#options = options;
    this.#ports = ports;
    this.#ref = this.#newRef(start.epoch);
    const machine = zygoteMachine.provide({
      actors: {
        process: fromCallback<ZygoteEvent, { readonly epoch: number }>(({ input, sendBack }) =>
          this.#runProcess(input.epoch, sendBack),
        ),
      },
      actions: {
        leave: () => this.#process?.port.leave(),
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

  get state(): LifecycleState {
    // Our own machine threw: its snapshot stays where that happened.
    return this.#told === 'stopped' ? 'stopped' : lifecycleStateOf(this.#actor.getSnapshot());
  }

  get epoch(): number {
    return this.#actor.getSnapshot().context.epoch;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get ref(): ActorRef {
    return this.#ref;
  }

  children(): readonly Child[] {
    return [];
  }

  restart(epoch: number, delayMs: number): void {
    this.#tellMachine({ type: 'zygote.restart', epoch, delayMs });
  }

  stop(shutdown: Shutdown, reason: ExitReason): void {
    this.#tellMachine({ type: 'zygote.stop', shutdown, reason });
  }

  /** Orders may come after the end, which XState would warn of on the console. */
  #tellMachine(event: ZygoteEvent): void {
    if (this.#actor.getSnapshot().status === 'active') this.#actor.send(event);
  }

  #newRef(epoch: number): Incarnation {
    const { id, path } = this.#start;
    // It understands no events.
    const drop = (event: { readonly type: string }): void => this.#ref.drop(event);
    const quit = (reason: ExitReason): void => this.stop(LIMITS.zygoteShutdownMs, reason);
    return new Incarnation({ id, path, epoch }, this.#ports, drop, quit);
  }

  #runProcess(epoch: number, sendBack: (event: ZygoteEvent) => void): () => void {
    const { path } = this.#start;
    const { ids, bus } = this.#ports;
    const { spawn, preload, packages } = this.#options;
    if (epoch !== this.#ref.epoch) this.#ref = this.#newRef(epoch);
    bus.emit('child.starting', { path, epoch });
    const port = new ZygotePort(
      { path, epoch, nonce: ids.nonce(), spawn, preload, packages },
      this.#ports,
      (fact) => this.#onFact(process, fact, sendBack),
    );
    const process: Process = { port, pid: undefined, liveness: undefined };
    this.#process = process;
    return () => {
      process.liveness?.stop();
      port.close();
    };
  }

  #onFact(process: Process, fact: ZygoteFact, sendBack: (event: ZygoteEvent) => void): void {
    const { bus } = this.#ports;
    const address = { path: this.#start.path, epoch: this.epoch };
    switch (fact.type) {
      case 'launched':
        process.pid = fact.pid;
        bus.emit('child.launched', { ...address, pid: fact.pid });
        return;
      case 'greeted':
        bus.emit('child.greeted', { ...address, hello: fact.hello });
        sendBack({ type: 'process.greeted' });
        return;
      case 'ready':
        if (fact.hazard === null) this.#serve(process, sendBack);
        else sendBack({ type: 'process.unfit', hazard: fact.hazard });
        return;
      case 'failed': {
        const { type, message } = fact.error;
        sendBack({ type: 'process.unfit', hazard: `${type}: ${message}` });
        return;
      }
      case 'worker':
        this.#options.spawner.onFact(fact.fact);
        return;
      case 'pong':
        process.liveness?.pong(fact.seq);
        return;
      case 'output': {
        const { stream, line } = fact;
        bus.emit('worker.output', { ...address, callId: undefined, stream, line });
        return;
      }
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

  #serve(process: Process, sendBack: (event: ZygoteEvent) => void): void {
    const { clock, host, bus } = this.#ports;
    const { heartbeatMs = LIMITS.heartbeatMs, spawner } = this.#options;
    const address = { path: this.#start.path, epoch: this.epoch };
    const onHung = (what: string): void => {
      bus.emit('zygote.hung', { ...address, what });
      sendBack({ type: 'zygote.hung', what });
    };
    spawner.use({
      fork: (fork, request) => process.port.fork(fork, request),
      onRefused: (hazard) => bus.emit('zygote.refused', { ...address, hazard }),
      onHung: () => onHung('fork'),
    });
    sendBack({ type: 'process.ready' });
    process.liveness = watchLiveness(
      // It never computes: a fork is all that it can be at.
      { heartbeatMs, gilHoldMsMax: LIMITS.forkTimeoutMs },
      {
        clock,
        ping: (seq) => process.port.ping(seq),
        read: () => (process.pid === undefined ? undefined : host.readProcess(process.pid)),
        // It has no stacks worth a look, and the signal would end it.
        dump: () => undefined,
        failed: (error) => onHung(`heartbeat: ${error.message}`),
      },
      () => onHung('heartbeat'),
    );
  }

  #onSnapshot(snapshot: ZygoteSnapshot): void {
    const state = lifecycleStateOf(snapshot);
    const before = this.#told;
    if (state === before) {
      if (state === 'crashed' && snapshot.matches('crashed')) this.#tellCrash(snapshot);
      return;
    }
    this.#told = state;
    switch (state) {
      case 'ready':
        this.#tellReady(snapshot);
        return;
      case 'stopping':
        this.#tellUnavailable(before);
        return;
      case 'crashed':
        this.#tellUnavailable(before);
        if (snapshot.matches('crashed')) this.#tellCrash(snapshot);
        return;
      case 'stopped':
        this.#tellUnavailable(before);
        this.#tellStopped(snapshot.context.report);
        return;
      default:
        return;
    }
  }

  #tellReady(snapshot: ZygoteSnapshot): void {
    const { path } = this.#start;
    const { epoch, hazard } = snapshot.context;
    if (snapshot.matches('unfit')) {
      this.#process = undefined;
      this.#ports.bus.emit('zygote.unsafe', { path, epoch, hazard: hazard ?? '' });
    } else {
      this.#ports.bus.emit('child.ready', { path, epoch, pid: this.pid, info: undefined });
    }
    this.#start.listener({ type: 'child.ready', id: this.id, epoch });
  }

  #tellUnavailable(before: LifecycleState): void {
    if (before !== 'ready') return;
    this.#start.listener({ type: 'child.unavailable', id: this.id, epoch: this.epoch });
  }

  #tellCrash(snapshot: ZygoteSnapshot): void {
    const { path } = this.#start;
    const { epoch, report } = snapshot.context;
    if (this.#crashToldEpoch === epoch) return;
    this.#crashToldEpoch = epoch;
    this.#ports.bus.emit('child.crashed', { path, epoch, ...report, inFlightCalls: 0 });
    this.#process = undefined;
    this.#ref.end(report.reason);
    this.#start.listener({ type: 'child.crashed', id: this.id, epoch, report });
    // Its supervisor first: it stops the workers, whose ends are then no crashes to be counted.
    this.#options.spawner.lose();
  }

  #tellStopped({ reason }: CrashReport): void {
    const { epoch } = this;
    this.#process = undefined;
    this.#ref.end(reason);
    this.#ports.bus.emit('child.stopped', { path: this.#start.path, epoch, reason });
    this.#start.listener({ type: 'child.stopped', id: this.id, epoch, reason });
    this.#options.spawner.lose();
  }

  /** Our own machine threw: no transition will come any more, so the process is ended here, and the supervisor told. */
  #onMachineError(error: Error): void {
    this.#told = 'stopped';
    this.#process?.liveness?.stop();
    this.#process?.port.close();
    this.#tellStopped({ reason: { type: 'error', error }, stderrTail: '' });
  }
}
