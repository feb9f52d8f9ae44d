// What does a worker need, and what does it offer to those above? Types only.
import type { Bus } from '../ground/bus.ts';
import type { CancelStage, CrashReport, WorkerRef } from '../ground/errors.ts';
import type { Ids } from '../ground/ids.ts';
import type { WorkerInfo } from '../ground/worker-facts.ts';
import type { Child } from '../lifecycle/child.ts';
import type { Host } from '../port/host.ts';
import type { SpawnRequest } from '../port/launcher.ts';
import type { BridgeSource, CallbackAnswer, CallMessage, ProcessLimits } from '../port/message.ts';
import type { PortAbility, PortPorts } from '../port/port-types.ts';
import type { CallHandlers, Settle } from './pending-calls.ts';
import type { ResourceLimits, WorkerUsage } from './resources.ts';

/** A call as the router hands it to a worker, which gives it its id on the wire. */
export type SentCall = CallMessage;

/** Told by the worker to whoever routes calls to it. */
export interface WorkerWatcher {
  /** It takes calls from now on. */
  workerReady(worker: Worker, info: WorkerInfo): void;
  /** It takes no more calls; those it has will still be settled. */
  workerUnavailable(worker: Worker): void;
  /** It uses more than its limits allow, told once for each of them: a reason to replace it when that suits. */
  workerOverLimit?(worker: Worker, epoch: number, over: OverLimit): void;
}

/** Which limit a worker has passed. */
export interface OverLimit {
  readonly what: keyof ResourceLimits;
  readonly found: number;
  readonly limit: number;
  readonly usage: WorkerUsage;
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
  /** How many calls it is asked to run at a time. Default: as many as its bridge declares. */
  readonly concurrency?: number | undefined;
  /** Enforced by the kernel from before the first line of user code. */
  readonly limits?: ProcessLimits | undefined;
  /** Beyond these its watcher is told. */
  readonly usageLimits?: ResourceLimits | undefined;
  /** Between two heartbeats, in ms. */
  readonly heartbeatMs?: number | undefined;
  /** How long one call into C may hold the interpreter lock, in ms. */
  readonly gilHoldMsMax?: number | undefined;
  readonly schemaHash?: string | undefined;
}

export interface WorkerPorts extends PortPorts {
  readonly ids: Ids;
  readonly bus: Bus;
  readonly host: Host;
}

/** How a call comes to its end of which the caller has had enough. `over` is the last fact, and comes once. */
export type CancelFact =
  /** It runs, or may: its caller need not wait any longer. May come twice. */
  | { readonly type: 'started' }
  /** No gentler means has helped in its time: its process must be replaced. */
  | { readonly type: 'condemned' }
  | { readonly type: 'over'; readonly stage: CancelStage };

/** One worker, across its incarnations. Its `Child` side is for the supervisor, the rest for the router. */
export interface Worker extends Child, WorkerRef {
  readonly info: WorkerInfo | undefined;
  /** What it has used at the last heartbeat. */
  readonly usage: WorkerUsage | undefined;
  /** What its present process can be asked for. */
  readonly abilities: ReadonlySet<PortAbility>;
  /**
   * Write one call to the process, and give its id. The caller has seen `workerReady` and no `workerUnavailable` of this epoch.
   * `settle` is called exactly once, never from inside `send`, and no handler after it.
   * @throws {@link UnencodableError} when the call is larger than a frame may be; then nothing was sent and `settle` is not called.
   */
  send(message: SentCall, settle: Settle, handlers?: CallHandlers): number;
  /**
   * The caller of this call has had enough. Facts come in the order of {@link CancelFact}, the first maybe at once; `settle` of the call is not called when it is withdrawn.
   * Once `condemned` the worker waits for its replacement. A call that is not in flight is over at once.
   */
  cancel(id: number, told: (fact: CancelFact) => void): void;
  /** Let a stream send `n` more items. */
  credit(id: number, n: number): void;
  /** Answer a callback of a call that is in flight; of any other the answer is dropped. */
  answer(id: number, answer: CallbackAnswer): void;
  /** Told how this incarnation ended, when it has. For a call that may not be sent any more, the end being certain. */
  whenEnded(listener: (report: CrashReport) => void): void;
}
