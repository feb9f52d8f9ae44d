// Which facts about a worker do other rooms talk of? Plain data, no behaviour.

/** The two output streams of a process. */
export type OutputStream = 'stdout' | 'stderr';

/** Levels of Python's `logging`. */
export type PythonLogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';

/** What a worker says of itself before any user code is imported (`docs/protocol.md` §3). */
export interface Hello {
  readonly protocol: string;
  readonly packageVersion: string;
  readonly python: string;
  readonly implementation: string;
  readonly pid: number;
  readonly gil: string;
}

/** What a worker says of itself when its bridge is built (`docs/protocol.md` §3). */
export interface WorkerInfo {
  readonly bridge: string;
  readonly framework: {
    readonly name: string;
    readonly version: string;
    readonly capabilities: readonly string[];
  };
  readonly operations: readonly string[];
  /** What is known of single operations, by name, e.g. `{ stream: true }`. */
  readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** SHA-256 of operations and schemas: two workers with the same hash offer the same. */
  readonly schemaHash: string;
  /** How the bridge runs its handlers. */
  readonly execution: 'sync' | 'threads' | 'asyncio';
  /** How many calls the worker runs at a time. */
  readonly concurrency: number;
}

/** What ties a call to a distributed trace: W3C Trace Context and Baggage, as they stand in HTTP headers. */
export interface Trace {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  readonly baggage?: string | undefined;
}

/** A Python exception as data (`docs/protocol.md` §4). */
export interface RemoteError {
  readonly type: string;
  readonly message: string;
  readonly traceback: string;
  readonly code: string;
  /** Not before this time is another try worth it, in ms: a provider's `Retry-After`. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: RemoteError | undefined;
}

/** What ended a process that nobody had told to end. */
export type CrashCause =
  | 'import_error'
  | 'oom_kill'
  | 'cuda_error'
  | 'segfault'
  | 'hang'
  | 'clean_exit'
  | 'killed'
  | 'python_error'
  | 'unknown';
