// What can the doctor find? The shape of its findings, and which of them keep workers from running.
import type { ImportTrial, PackageFacts } from '../registry/probe.ts';

/** What is wrong, and what a person can do about it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  /** The last lines of Python's traceback; empty when Python raised nothing. */
  readonly traceback: readonly string[];
  readonly advice: string;
}

/** One interpreter of this machine. */
export interface InterpreterFinding {
  /** As it would be started. */
  readonly command: string;
  /** Which rule finds it, e.g. `named by CADUCEUS_PYTHON`. */
  readonly because: string;
  /** `chosen`: the runtime takes it. `usable`: it could. `too_old`: it runs, and may serve scripts of protocol v1. */
  readonly state: 'chosen' | 'usable' | 'too_old' | 'broken';
  /** Empty of one that is broken. */
  readonly executable: string;
  readonly version: string;
  /** Whether it is one of a virtual environment. */
  readonly isVenv: boolean;
  /** Why it does not run; empty when it does. */
  readonly why: string;
}

/** One built-in bridge, as far as it can be told without starting it. */
export interface BridgeFinding {
  readonly name: string;
  /** Whether it was asked for: then what it lacks is a problem. */
  readonly isWanted: boolean;
  readonly packages: readonly PackageFacts[];
  /** What its zygote imports; empty when its workers are started one by one. */
  readonly preload: readonly string[];
  /** What became of that in a process of its own; null when it was not tried, as of bridges that were not asked for. */
  readonly trial: ImportTrial | null;
}

/** One real worker that got ready. */
export interface WorkerFinding {
  readonly bridge: string;
  readonly framework: string;
  readonly version: string;
  readonly operations: readonly string[];
  readonly readyMs: number;
}

/** Where the sockets of runs lie. */
export interface SocketFolderFinding {
  readonly path: string;
  /** Of the socket of a run there, and how many may be. */
  readonly socketPathBytes: number;
  readonly socketPathBytesMax: number;
  /** Why no socket can be made there; null when one was. */
  readonly error: string | null;
  /** Null where the system does not tell. */
  readonly isNoexec: boolean | null;
}

/** What the system allows this process; null where it does not tell or sets no limit. */
export interface LimitsFinding {
  readonly openFiles: number | null;
  readonly processes: number | null;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Of the container or the service. */
  readonly memoryLimitBytes: number | null;
  readonly sharedMemoryBytes: number | null;
}

/** All that the doctor found. */
export interface Findings {
  readonly ok: boolean;
  readonly version: string;
  readonly node: { readonly version: string; readonly wanted: string; readonly ok: boolean };
  /** The interpreter that the runtime takes; null without any. */
  readonly python: InterpreterFinding | null;
  readonly interpreters: readonly InterpreterFinding[];
  readonly sources: string;
  readonly bridges: readonly BridgeFinding[];
  readonly workers: readonly WorkerFinding[];
  readonly socketFolder: SocketFolderFinding;
  readonly limits: LimitsFinding;
  /** What keeps workers from running. */
  readonly problems: readonly Problem[];
  /** What may trouble them later. */
  readonly warnings: readonly Problem[];
}
