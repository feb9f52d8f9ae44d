// What does a port need of the operating system to start and end a process? The port for processes.
import type { OutputStream } from '../ground/worker-facts.ts';

export interface SpawnRequest {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child: nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  /** `wire`: messages go through stdin and stdout, and stdin is a pipe (`docs/protocol.md` §10). Default, `lanes`: stdin is `/dev/null`, what is printed is output. */
  readonly stdio?: 'lanes' | 'wire' | undefined;
}

export type ProcessFact =
  | { readonly type: 'spawned'; readonly pid: number }
  | { readonly type: 'failed'; readonly error: Error }
  /** What the process wrote before its own output lanes stood; of a `wire`, on stdout, its messages. */
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
  /** Of a `wire` only: write to stdin. Bytes for a process that reads no more are dropped: the end of the wire is told. */
  write?(bytes: Uint8Array): void;
  /** Of a `wire` only: no more is written, and the process reads the end of its stdin behind what was. */
  endInput?(): void;
  /** Of a `wire` only: told once, never from inside, when stdout is over or stdin is not read any more, whether the process has ended or not. */
  whenWireEnds?(listener: () => void): void;
}

/** Starts processes as leaders of their own session and group. Facts never come from inside `spawn` itself. */
export interface Spawner {
  spawn(request: SpawnRequest, listener: (fact: ProcessFact) => void): SpawnedProcess;
}
