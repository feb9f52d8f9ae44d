// Who sees to it that no process of this run outlives Node? The port for that; tests put `noGuard` behind it.

/** Told of every process of a run, so that whoever is left when Node dies can be found and killed (`docs/protocol.md` §8). */
export interface RunGuard {
  /** Variables that every process of this run carries: `CADUCEUS_RUN`, `CADUCEUS_INCARNATION`. They win over all others. */
  envOf(workerId: string, epoch: number): Readonly<Record<string, string>>;
  /** Node's pid when the kernel may tie the worker to it (main thread, Linux), else undefined. */
  readonly parentPid: number | undefined;
  /** Before its use: the guardian and the ledger know this process group from now on. */
  launched(pid: number, workerId: string, epoch: number): void;
  /** The process has ended and was reaped: what it left behind (grandchildren in sessions of their own too) is killed by the guardian. */
  ended(pid: number, workerId: string, epoch: number): void;
}

/** Guards nobody: for ports over scripted processes, which the operating system does not know. */
export const noGuard: RunGuard = {
  envOf: () => ({}),
  parentPid: undefined,
  launched: () => undefined,
  ended: () => undefined,
};
