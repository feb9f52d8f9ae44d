// What does the operating system know of a process that is not ours to ask? The port for readings; tests put scripted processes behind it.

/** One look at a process, as the system counts it. */
export interface ProcessReading {
  /** `stopped`: by SIGSTOP or a debugger; `zombie`: dead, not yet reaped. */
  readonly state: 'running' | 'sleeping' | 'uninterruptible' | 'stopped' | 'zombie' | 'other';
  /** CPU time of all its threads since its start, in ms. */
  readonly cpuMs: number;
  /** With the pid it names one process for ever: pids are used again, starts are not. Clock ticks since boot. */
  readonly startTicks: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  readonly threads: number;
  readonly rssBytes: number;
}

export interface Host {
  /** Undefined when there is no such process, or when this system does not tell. */
  readProcess(pid: number): ProcessReading | undefined;
  /** Open descriptors of a process; undefined as above. Costs more than `readProcess`: a folder is listed. */
  countOpenFiles(pid: number): number | undefined;
}
