// What does a port need of the operating system to start and end a process? The port for processes.
import type { OutputStream } from '../ground/worker-facts.ts';

export interface SpawnRequest {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child: nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
}

export type ProcessFact =
  | { readonly type: 'spawned'; readonly pid: number }
  | { readonly type: 'failed'; readonly error: Error }
  /** What the process wrote before its own output lanes stood. */
  | { readonly type: 'output'; readonly stream: OutputStream; readonly bytes: Buffer }
  | { readonly type: 'exited'; readonly status: number | null; readonly signal: string | null }
  /** All that it wrote there has been told; comes after `exited`. */
  | { readonly type: 'closed' };

export type KillSignal = 'SIGTERM' | 'SIGKILL';

/** For the process alone: SIGINT interrupts the running handler, SIGUSR1 makes it write its stacks (`docs/protocol.md` §4.4, §7). */
export type NoticeSignal = 'SIGINT' | 'SIGUSR1';

export interface SpawnedProcess {
  /** Signal the whole process group. Does nothing once the exit has been told: the number may belong to another by then. */
  kill(signal: KillSignal): void;
  /** Signal the process alone. As `kill`, nothing after the exit. */
  notify(signal: NoticeSignal): void;
}

/** Starts processes as leaders of their own session and group. Facts never come from inside `spawn` itself. */
export interface Spawner {
  spawn(request: SpawnRequest, listener: (fact: ProcessFact) => void): SpawnedProcess;
}
