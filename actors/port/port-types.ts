// What goes into a port and what comes out? Types only.
import type { Clock } from '../ground/clock.ts';
import type { CrashReport } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type { Hello, OutputStream, RemoteError, WorkerInfo } from '../ground/worker-facts.ts';
import type { KillSignal, Spawner, SpawnRequest } from './launcher.ts';
import type { BridgeSource, CallMessage, LogMessage, ReplyMessage } from './message.ts';
import type { Transport } from './transport.ts';

export interface PortRequest {
  readonly workerId: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly spawn: SpawnRequest;
  readonly bridge: BridgeSource;
  readonly scratchDir: string;
}

export interface PortPorts {
  readonly clock: Clock;
  readonly spawner: Spawner;
  readonly transport: Transport;
}

/** Everything that an incarnation can tell. `exited` is the last fact, told once; `broken` comes at most once before it. */
export type PortFact =
  | { readonly type: 'launched'; readonly pid: number }
  | { readonly type: 'greeted'; readonly hello: Hello }
  | { readonly type: 'ready'; readonly info: WorkerInfo }
  | { readonly type: 'failed'; readonly error: RemoteError }
  | { readonly type: 'reply'; readonly reply: ReplyMessage }
  | { readonly type: 'logged'; readonly log: LogMessage }
  | { readonly type: 'output'; readonly stream: OutputStream; readonly line: string }
  /** The wire is over or wrong while the process may still live: it must be killed. */
  | { readonly type: 'broken'; readonly cause: ExitReason | undefined }
  | { readonly type: 'exited'; readonly report: CrashReport };

export interface Port {
  /** @throws {@link UnencodableError} when the frame would be too large; nothing was written then. */
  call(message: CallMessage): void;
  /** Ask the worker to finish what it has and to exit. */
  shutdown(): void;
  kill(signal: KillSignal): void;
  /** Let go: kill what still lives, close connections and timers. No fact follows. */
  close(): void;
}
