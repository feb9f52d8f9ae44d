// What can a zygote's machine be told, and what does it remember? Types only.
import type { CrashReport } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type { Shutdown } from '../lifecycle/child.ts';

export interface ZygoteInput {
  readonly epoch: number;
  /** From the start to `ready`, imports included. */
  readonly startTimeoutMs: number;
}

/** To stop. */
export interface ZygoteOrder {
  readonly shutdown: Shutdown;
  readonly reason: ExitReason;
}

export type ZygoteEvent =
  | { readonly type: 'process.greeted' }
  | { readonly type: 'process.ready' }
  /** It is no use: its preload failed, or a fork of it would not be safe. */
  | { readonly type: 'process.unfit'; readonly hazard: string }
  | { readonly type: 'process.broken'; readonly cause: ExitReason | undefined }
  | { readonly type: 'process.exited'; readonly report: CrashReport }
  | { readonly type: 'zygote.hung'; readonly what: string }
  | { readonly type: 'zygote.restart'; readonly epoch: number; readonly delayMs: number }
  | ({ readonly type: 'zygote.stop' } & ZygoteOrder);

export interface ZygoteContext {
  readonly input: ZygoteInput;
  readonly epoch: number;
  /** Why the end began, where that is known before the process's own exit is; it wins over the exit. */
  readonly cause: ExitReason | undefined;
  /** How the last incarnation ended. */
  readonly report: CrashReport;
  readonly order: ZygoteOrder;
  readonly backoffMs: number;
  /** Why it forks nobody. */
  readonly hazard: string | undefined;
}
