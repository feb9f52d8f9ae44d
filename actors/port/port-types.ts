// What goes into a port and what comes out? Types only.
import type { Clock } from '../ground/clock.ts';
import type { CrashReport } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type { Hello, OutputStream, RemoteError, WorkerInfo } from '../ground/worker-facts.ts';
import type { KillSignal, NoticeSignal, Spawner, SpawnRequest } from './launcher.ts';
import type {
  BridgeSource,
  CallbackAnswer,
  CallMessage,
  ControlOrder,
  DataMessage,
  LogMessage,
  ProcessLimits,
} from './message.ts';
import type { RunGuard } from './run-guard.ts';
import type { Transport, WriteTime } from './transport.ts';

export interface PortRequest {
  readonly workerId: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly spawn: SpawnRequest;
  readonly bridge: BridgeSource;
  readonly scratchDir: string;
  /** How many calls the worker is asked to run at a time. Default: as many as its bridge declares. */
  readonly concurrency?: number | undefined;
  readonly limits?: ProcessLimits | undefined;
  /** The hash that the operations must have (`docs/protocol.md` §3). */
  readonly schemaHash?: string | undefined;
}

export interface PortPorts {
  readonly clock: Clock;
  readonly spawner: Spawner;
  readonly transport: Transport;
  readonly guard: RunGuard;
}

/** Everything that an incarnation can tell. `exited` is the last fact, told once; `broken` comes at most once before it. */
export type PortFact =
  | { readonly type: 'launched'; readonly pid: number }
  | { readonly type: 'greeted'; readonly hello: Hello }
  | { readonly type: 'ready'; readonly info: WorkerInfo }
  | { readonly type: 'failed'; readonly error: RemoteError }
  | DataMessage
  | { readonly type: 'pong'; readonly seq: number; readonly running: number | null }
  | { readonly type: 'withdrawn'; readonly id: number; readonly ok: boolean }
  | { readonly type: 'logged'; readonly log: LogMessage }
  | { readonly type: 'output'; readonly stream: OutputStream; readonly line: string }
  /** The wire is over or wrong while the process may still live: it must be killed. */
  | { readonly type: 'broken'; readonly cause: ExitReason | undefined }
  | {
      readonly type: 'exited';
      readonly report: CrashReport;
      /** A rule had been broken, after which nothing was read: what the process answered then is not known. */
      readonly wire?: 'broken';
    };

/** What a process can be asked for, by the protocol that it speaks. */
export type PortAbility = 'streams' | 'callbacks' | 'cancellation' | 'heartbeat' | 'batches';

export interface Port {
  /** A v1 script has none of them. */
  readonly abilities: ReadonlySet<PortAbility>;
  /**
   * Write a call. `soon`: others follow, maybe; those of one turn of the event loop are written together.
   * @throws {@link UnencodableError} when the frame would be too large; nothing was written then.
   */
  call(id: number, message: CallMessage, when: WriteTime): void;
  /** Answer a callback. What is larger than a frame is answered as an error. */
  answer(message: CallbackAnswer): void;
  /** Say something on the control lane; a process that has none hears nothing. */
  control(order: ControlOrder): void;
  /** Ask the worker to finish what it has and to exit. */
  shutdown(): void;
  kill(signal: KillSignal): void;
  /** Signal the process alone. After SIGUSR1 what it writes to stderr is its `dump`. */
  notify(signal: NoticeSignal): void;
  /** Let go: kill what still lives, close connections and timers. No fact follows. */
  close(): void;
}
