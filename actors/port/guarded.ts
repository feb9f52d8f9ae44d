// Is the guardian told of this process, once when it starts and once when it has ended? One process, for the port that has it.
import type { RunGuard } from './run-guard.ts';

export class Guarded {
  readonly #guard: RunGuard;
  readonly #path: string;
  readonly #epoch: number;
  #pid: number | undefined;

  constructor(guard: RunGuard, path: string, epoch: number) {
    this.#guard = guard;
    this.#path = path;
    this.#epoch = epoch;
  }

  /** Undefined before its start and after its end. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** What its environment must hold, over everything else. */
  get env(): Readonly<Record<string, string>> {
    return this.#guard.envOf(this.#path, this.#epoch);
  }

  /** Whose death must be its own, for its invitation. */
  get parentPid(): number | null {
    return this.#guard.parentPid ?? null;
  }

  /** Before it is used. */
  launched(pid: number): void {
    this.#pid = pid;
    this.#guard.launched(pid, this.#path, this.#epoch);
  }

  /** Told once. */
  ended(): void {
    if (this.#pid === undefined) return;
    this.#guard.ended(this.#pid, this.#path, this.#epoch);
    this.#pid = undefined;
  }
}
