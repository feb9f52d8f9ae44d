// What can a worker's machine be told, and what does it remember? Types only.
import type { CrashReport } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type { RemoteError } from '../ground/worker-facts.ts';
import type { Shutdown } from '../lifecycle/child.ts';

export interface WorkerInput {
  readonly epoch: number;
  /** From the start to `ready`, imports and model loading included. */
  readonly startTimeoutMs: number;
}

export type WorkerEvent =
  | { readonly type: 'process.greeted' }
  | { readonly type: 'process.ready' }
  | { readonly type: 'process.failed'; readonly error: RemoteError }
  | { readonly type: 'process.broken'; readonly cause: ExitReason | undefined }
  | { readonly type: 'process.exited'; readonly report: CrashReport }
  | { readonly type: 'call.started' }
  | { readonly type: 'call.ended' }
  | { readonly type: 'worker.restart'; readonly epoch: number; readonly delayMs: number }
  | { readonly type: 'worker.stop'; readonly shutdown: Shutdown; readonly reason: ExitReason };

export interface WorkerContext {
  readonly input: WorkerInput;
  readonly epoch: number;
  /** Why the end began, where that is known before the process's own exit is; it wins over the exit. */
  readonly cause: ExitReason | undefined;
  /** How the last incarnation ended. */
  readonly report: CrashReport;
  /** The order to stop, with its time. */
  readonly order: { readonly shutdown: Shutdown; readonly reason: ExitReason };
  readonly backoffMs: number;
}
