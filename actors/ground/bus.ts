// What happened, for whoever watches? The one table of events, and the emitter that no watcher can hurt.
import { AsyncResource } from 'node:async_hooks';

import type { CancelStage } from './errors.ts';
import type { ExitReason } from './exit-reason.ts';
import type {
  LintFinding,
  SupervisorDecision,
  SupervisorProgress,
  SupervisorReport,
} from './supervision-facts.ts';
import type {
  CrashCause,
  Hello,
  OutputStream,
  PythonLogLevel,
  WorkerInfo,
} from './worker-facts.ts';

/** Every event of the runtime and what it carries. Names are `room.fact`; times are monotonic milliseconds. */
export interface BusEvents {
  'child.starting': { readonly path: string; readonly epoch: number };
  'child.launched': { readonly path: string; readonly epoch: number; readonly pid: number };
  'child.greeted': { readonly path: string; readonly epoch: number; readonly hello: Hello };
  'child.ready': {
    readonly path: string;
    readonly epoch: number;
    readonly pid: number | undefined;
    readonly info: WorkerInfo | undefined;
  };
  'child.crashed': {
    readonly path: string;
    readonly epoch: number;
    readonly reason: ExitReason;
    readonly stderrTail: string;
    readonly inFlightCalls: number;
    /** What ended it, in one word: of Python workers. */
    readonly crashCause?: CrashCause | undefined;
  };
  'child.stopped': { readonly path: string; readonly epoch: number; readonly reason: ExitReason };
  /** Something of an incarnation threw after its end; nobody is harmed. */
  'child.late_error': { readonly path: string; readonly epoch: number; readonly error: Error };
  /** An event for an incarnation that is dead. */
  'letter.dead': { readonly path: string; readonly epoch: number; readonly event: string };
  'supervisor.decided': SupervisorDecision;
  'supervisor.reported': SupervisorReport;
  'supervisor.progress': SupervisorProgress;
  /** Once for each finding, before anything is started. */
  'supervisor.linted': LintFinding;
  'supervisor.stopped': { readonly supervisor: string; readonly reason: ExitReason };
  'session.bound': {
    readonly pool: string;
    readonly session: string;
    readonly worker: string;
    readonly epoch: number;
  };
  'session.unbound': {
    readonly pool: string;
    readonly session: string;
    readonly worker: string;
    readonly epoch: number;
  };
  'scope.replayed': {
    readonly pool: string;
    readonly scope: string;
    readonly worker: string;
    readonly epoch: number;
    readonly operations: readonly string[];
  };
  /** Its state is gone with its worker and cannot be made again: its calls are refused until it is ended. */
  'session.lost': { readonly pool: string; readonly session: string; readonly because: string };
  /** It was not used for its whole time. */
  'session.expired': { readonly pool: string; readonly session: string };
  /** A call was sent at once, and why there. Told only while somebody listens, like the next two. */
  'call.routed': {
    readonly pool: string;
    readonly seq: number;
    readonly op: string;
    readonly session: string | undefined;
    readonly worker: string;
    readonly epoch: number;
    readonly because: string;
  };
  'call.queued': {
    readonly pool: string;
    readonly seq: number;
    readonly op: string;
    readonly session: string | undefined;
    readonly because: string;
  };
  'call.refused': {
    readonly pool: string;
    readonly op: string;
    readonly session: string | undefined;
    readonly code: string;
  };
  /** A call has failed and is tried again by itself. */
  'call.retried': {
    readonly pool: string;
    readonly op: string;
    /** The try that comes: 2 is the first retry. */
    readonly attempt: number;
    readonly delayMs: number;
    readonly error: Error;
  };
  /** Its holder made no call for too long. */
  'checkout.reclaimed': { readonly pool: string; readonly worker: string; readonly epoch: number };
  /** What the bridge was told before is not known: the store is asked again. */
  'store.failed': { readonly pool: string; readonly error: Error };
  /** It forks no workers, which are spawned instead: why. Told once, when it should have become ready. */
  'zygote.unsafe': { readonly path: string; readonly epoch: number; readonly hazard: string };
  /** It did not fork this once, and the worker was spawned instead: why. */
  'zygote.refused': { readonly path: string; readonly epoch: number; readonly hazard: string };
  /** It has not answered in time: it is killed and replaced, its workers with it. */
  'zygote.hung': { readonly path: string; readonly epoch: number; readonly what: string };
  'pool.failed': { readonly pool: string; readonly error: Error };
  /** Its life has gone on (`docs/pools.md` §1). */
  'pool.changed': {
    readonly pool: string;
    readonly from: string;
    readonly to: string;
    readonly because: string;
  };
  /** It is to have more workers from now on, or fewer. */
  'pool.resized': {
    readonly pool: string;
    readonly from: number;
    readonly to: number;
    readonly because: 'resize' | 'autoscale' | 'start_failed';
  };
  /** A further worker, or one in place of another: why. Those of the pool's own size are started without this. */
  'worker.starting': {
    readonly pool: string;
    readonly worker: string;
    readonly because: string;
    /** The worker that goes when this one is ready. */
    readonly replaces: string | undefined;
  };
  /** Such a worker did not start; the others go on. */
  'worker.start_failed': {
    readonly pool: string;
    readonly worker: string;
    readonly because: string;
    readonly reason: ExitReason;
    /** Until another try; undefined where whoever asked for it is told instead. */
    readonly retryInMs: number | undefined;
  };
  /** It takes nothing new, finishes what it has within `drainMs`, and goes: why. */
  'worker.retiring': {
    readonly pool: string;
    readonly worker: string;
    readonly epoch: number;
    readonly because: string;
    readonly drainMs: number;
  };
  'worker.output': {
    readonly path: string;
    readonly epoch: number;
    readonly callId: number | undefined;
    readonly stream: OutputStream;
    readonly line: string;
  };
  'worker.logged': {
    readonly path: string;
    readonly epoch: number;
    readonly callId: number | undefined;
    readonly level: PythonLogLevel;
    readonly logger: string;
    readonly message: string;
  };
  /** A call of which its caller has had enough is being ended; told once for each stage. */
  'call.cancelling': {
    readonly path: string;
    readonly epoch: number;
    readonly callId: number;
    /** `drain`: nothing gentler is left, and its neighbours finish first. */
    readonly step: CancelStage | 'drain';
  };
  /** It does not answer its heartbeats: it is killed. */
  'worker.unresponsive': {
    readonly path: string;
    readonly epoch: number;
    readonly verdict: { readonly type: string };
  };
  /** It uses more than its limits allow; told once for each limit. */
  'worker.over_limit': {
    readonly path: string;
    readonly epoch: number;
    readonly what: string;
    readonly found: number;
    readonly limit: number;
  };
  /** A reply, an item, a progress or a callback that belongs to no call in flight. */
  'reply.dropped': { readonly path: string; readonly epoch: number; readonly callId: number };
  /** The listener of a monitor threw; nobody is harmed. `path` is of who had ended. */
  'monitor.listener_failed': {
    readonly monitorId: number;
    readonly path: string | undefined;
    readonly error: unknown;
  };
  /** The guardian had ended, and another one knows everything that it knew. */
  'guardian.replaced': {
    readonly reason: ExitReason;
    /** Undefined when the new one could not be started either. */
    readonly pid: number | undefined;
    readonly groupsCount: number;
  };
  /** Guardians die too fast: there is none for that long, and a Node that is killed meanwhile may leave grandchildren. */
  'guardian.absent': { readonly reason: ExitReason; readonly waitMs: number };
  /** The run's ledger cannot be written: what this run leaves behind when Node and its guardian are killed is not swept later. */
  'ledger.failed': { readonly path: string; readonly error: Error };
  /** What a run of this user had left behind is gone, but for what could not be killed in time. */
  'run.swept': {
    readonly directory: string;
    readonly why: 'dead' | 'other_boot';
    readonly killedPids: readonly number[];
    readonly isRemoved: boolean;
  };
  /** A pool lets calls through, a few of them, or none: why. */
  'breaker.changed': {
    readonly pool: string;
    readonly from: 'closed' | 'open' | 'half_open';
    readonly to: 'closed' | 'open' | 'half_open';
    readonly because: string;
  };
  'bus.subscriber_detached': { readonly event: string; readonly error: unknown };
}

export type BusEventName = keyof BusEvents;
export type BusListener<Name extends BusEventName> = (event: BusEvents[Name], name: Name) => void;

/** One call of `on`. Its listener runs as the code of who made that call: what it leaves running and what that throws is not of who emitted. */
interface Registration {
  readonly listener: (event: never, name: never) => void;
  readonly context: AsyncResource;
}

/**
 * A synchronous emitter. A listener that throws is detached, told of by `bus.subscriber_detached`, and never reaches the actor that emitted:
 * a watcher must not be able to crash what it watches.
 */
export class Bus {
  readonly #listeners = new Map<BusEventName | '*', Set<Registration>>();

  /** Watch one event, or all of them with `'*'`. Returns the function that ends it. */
  on<Name extends BusEventName>(name: Name | '*', listener: BusListener<Name>): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set);
    const registration = { listener, context: new AsyncResource('caduceus.listener') };
    set.add(registration);
    return () => set.delete(registration);
  }

  /** Whether anybody listens: for what happens so often that telling it to nobody would cost. */
  hears(name: BusEventName): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0 || (this.#listeners.get('*')?.size ?? 0) > 0;
  }

  emit<Name extends BusEventName>(name: Name, event: BusEvents[Name]): void {
    this.#deliver(this.#listeners.get(name), name, event);
    this.#deliver(this.#listeners.get('*'), name, event);
  }

  #deliver(set: Set<Registration> | undefined, name: BusEventName, event: object): void {
    if (set === undefined || set.size === 0) return;
    // As they are now: one that makes way for its successor would meet that one again and again.
    for (const registration of [...set]) {
      if (!set.has(registration)) continue;
      const { listener, context } = registration;
      try {
        context.runInAsyncScope(() => listener(event as never, name as never));
      } catch (error) {
        set.delete(registration);
        this.emit('bus.subscriber_detached', { event: name, error });
      }
    }
  }
}
