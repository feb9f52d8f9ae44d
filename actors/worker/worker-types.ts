// What does a worker need, and what does it offer to those above? Types only.
import type { Bus } from '../ground/bus.ts';
import type { CrashReport, WorkerRef } from '../ground/errors.ts';
import type { Ids } from '../ground/ids.ts';
import type { WorkerInfo } from '../ground/worker-facts.ts';
import type { Child } from '../lifecycle/child.ts';
import type { SpawnRequest } from '../port/launcher.ts';
import type { BridgeSource, CallMessage } from '../port/message.ts';
import type { PortPorts } from '../port/port-types.ts';
import type { Settle } from './pending-calls.ts';

/** A call as the router hands it to a worker, which gives it its id on the wire. */
export type SentCall = Omit<CallMessage, 'type' | 'id'>;

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
  readonly remove: () => void;
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
  send(message: SentCall, settle: Settle): void;
  /** Told how this incarnation ended, when it has. For a call that may not be sent any more, the end being certain. */
  whenEnded(listener: (report: CrashReport) => void): void;
}
