// What is known of the process that a worker has now, and what becomes of what it tells? One incarnation, from its start to its clean-up.
import type { CrashReport } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';
import type { WorkerInfo } from '../ground/worker-facts.ts';
import type { RefPorts } from '../lifecycle/ref.ts';
import type { Host } from '../port/host.ts';
import type { Port, PortFact } from '../port/port-types.ts';
import type { CallDesk } from './call-desk.ts';
import { causeOf } from './crash-cause.ts';
import { openOrFail, type Incarnation, type OpenIncarnation } from './incarnation.ts';
import { watchLiveness, type Liveness, type LivenessVerdict } from './liveness.ts';
import { ResourceWatch, type WorkerUsage } from './resources.ts';
import type { WorkerEvent } from './worker-events.ts';
import { reportFact } from './worker-reports.ts';
import type { OverLimit, WorkerOptions } from './worker-types.ts';

/** What a process is watched by. */
export type VitalOptions = Pick<WorkerOptions, 'heartbeatMs' | 'gilHoldMsMax' | 'usageLimits'>;

export interface ProcessSinks {
  readonly desk: CallDesk;
  /** To the worker's machine. */
  readonly sendBack: (event: WorkerEvent) => void;
  /** A call has been answered: it may have been the last. */
  readonly onReply: () => void;
  readonly onOverLimit: (over: OverLimit) => void;
}

export class LiveProcess {
  readonly #worker: { readonly path: string; readonly epoch: number };
  readonly #options: VitalOptions;
  readonly #ports: RefPorts;
  readonly #host: Host;
  readonly #sinks: ProcessSinks;
  readonly #incarnation: Incarnation;
  readonly #resources: ResourceWatch;
  #pid: number | undefined;
  #info: WorkerInfo | undefined;
  #liveness: Liveness | undefined;
  /** What the kernel had counted when this lived. */
  #oomKillsBefore: number | undefined;

  constructor(
    worker: { readonly path: string; readonly epoch: number },
    options: VitalOptions,
    ports: { readonly ref: RefPorts; readonly host: Host; readonly open: OpenIncarnation },
    sinks: ProcessSinks,
  ) {
    this.#worker = worker;
    this.#options = options;
    this.#ports = ports.ref;
    this.#host = ports.host;
    this.#sinks = sinks;
    this.#resources = new ResourceWatch(options.usageLimits ?? {}, {
      clock: ports.ref.clock,
      host: ports.host,
    });
    this.#oomKillsBefore = ports.host.countOomKills?.();
    this.#incarnation = openOrFail(ports.open, worker, ports.ref.clock, (fact) => {
      this.#onFact(fact);
    });
  }

  get port(): Port {
    return this.#incarnation.port;
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  get info(): WorkerInfo | undefined {
    return this.#info;
  }

  get usage(): WorkerUsage | undefined {
    return this.#resources.usage;
  }

  /** Its end, with what that comes to. Asked when it has crashed. */
  explain(report: CrashReport): CrashReport {
    const crashCause = causeOf(report, {
      oomKillsBefore: this.#oomKillsBefore,
      oomKillsAfter: this.#host.countOomKills?.(),
      phase: this.#info === undefined ? 'starting' : 'ready',
    });
    return { ...report, crashCause };
  }

  /** Ends what it holds: process, connections, folder, watch. */
  cleanUp(): void {
    this.#liveness?.stop();
    this.#incarnation.cleanUp();
  }

  #onFact(fact: PortFact): void {
    const { desk, sendBack } = this.#sinks;
    switch (fact.type) {
      case 'reply':
        desk.take(fact);
        this.#sinks.onReply();
        return;
      case 'item':
      case 'progress':
      case 'callback':
        desk.take(fact);
        return;
      case 'pong':
        this.#liveness?.pong(fact.seq);
        return;
      case 'withdrawn':
        desk.onWithdrawn(fact.id, fact.ok ? 'withdrawn' : 'started');
        return;
      case 'ready':
        this.#info = fact.info;
        this.#oomKillsBefore = this.#host.countOomKills?.();
        sendBack({ type: 'process.ready' });
        return;
      case 'failed':
        sendBack({ type: 'process.failed', error: fact.error });
        return;
      case 'broken':
        if (fact.cause !== undefined) desk.readNoMore();
        sendBack({ type: 'process.broken', cause: fact.cause });
        return;
      case 'exited':
        this.#liveness?.stop();
        if (fact.wire === 'broken') desk.readNoMore();
        sendBack({ type: 'process.exited', report: fact.report });
        return;
      case 'launched':
      case 'greeted':
      case 'logged':
      case 'output':
        if (fact.type === 'launched') this.#pid = fact.pid;
        if (fact.type === 'greeted') {
          this.#watch();
          sendBack({ type: 'process.greeted' });
        }
        reportFact(this.#ports.bus, this.#worker, desk.currentId, fact);
        return;
      default:
        fact satisfies never;
    }
  }

  /** Its control thread is up: from now on it must answer, whatever its handlers do. */
  #watch(): void {
    const { heartbeatMs = LIMITS.heartbeatMs, gilHoldMsMax = LIMITS.gilHoldMsMax } = this.#options;
    const pid = this.#pid;
    if (pid === undefined || !this.port.abilities.has('heartbeat')) return;
    this.#liveness = watchLiveness(
      { heartbeatMs, gilHoldMsMax },
      {
        clock: this.#ports.clock,
        ping: (seq) => {
          this.port.control({ type: 'ping', seq });
          this.#sample(pid);
        },
        read: () => this.#host.readProcess(pid),
        dump: () => this.port.notify('SIGUSR1'),
        failed: (error) => {
          this.#sinks.sendBack({ type: 'process.broken', cause: { type: 'error', error } });
        },
      },
      (verdict) => this.#onVerdict(verdict),
    );
  }

  #sample(pid: number): void {
    for (const over of this.#resources.sample(pid)) {
      this.#ports.bus.emit('worker.over_limit', { ...this.#worker, ...over });
      this.#sinks.onOverLimit(over);
    }
  }

  /** It answers no more. What it had written on its stacks comes with its report. */
  #onVerdict(verdict: LivenessVerdict): void {
    this.#ports.bus.emit('worker.unresponsive', { ...this.#worker, verdict });
    const what = verdict.type === 'gil_held' ? 'gil_hold' : 'heartbeat';
    this.#sinks.sendBack({ type: 'process.broken', cause: { type: 'timeout', what } });
  }
}
