// What do the Python workers of one system share? A run, with its socket and its guardian, that is there while one of them is, and the interpreters that have been asked who they are.

import { systemIds } from '../ground/ids.ts';
import type { RefPorts } from '../lifecycle/ref.ts';
import { systemHost } from '../port/host.ts';
import { resolveInterpreter, type Interpreter, type LegacyNeeds } from '../port/interpreter.ts';
import { openRun, type OpenRun } from '../port/open-run.ts';
import { systemSpawner } from '../port/spawn.ts';
import { scratchIn } from './scratch.ts';
import type { Scratch, WorkerPorts } from './worker-types.ts';

/** Which interpreter is wanted. */
export interface InterpreterWish {
  readonly explicit: string | undefined;
  readonly minVersion: string | undefined;
  readonly legacy?: LegacyNeeds | undefined;
}

/** A share in the run. */
export interface Lease {
  readonly ports: WorkerPorts;
  readonly makeScratch: (name: string) => Scratch;
  /** Given back: after the last one the run is closed, and nothing of it is left. */
  readonly end: () => void;
}

const HUBS = new WeakMap<RefPorts, WorkerHub>();

/** The hub of a system. */
export function hubOf(ports: RefPorts): WorkerHub {
  const hub = HUBS.get(ports) ?? new WorkerHub(ports);
  HUBS.set(ports, hub);
  return hub;
}

/** Opened with the first worker, closed after the last one. */
export class WorkerHub {
  readonly ports: RefPorts;
  readonly #interpreters = new Map<string, Promise<Interpreter>>();
  #run: Promise<OpenRun> | undefined;
  #leasesCount = 0;

  constructor(ports: RefPorts) {
    this.ports = ports;
  }

  /** Asked once for each wish; a failure is not kept, since what is missing may come. */
  interpreter({ explicit, minVersion, legacy }: InterpreterWish): Promise<Interpreter> {
    const { env } = process;
    const cwd = process.cwd();
    const key = JSON.stringify([explicit, minVersion, legacy, env['CADUCEUS_PYTHON'], cwd]);
    const known = this.#interpreters.get(key);
    if (known !== undefined) return known;
    const asked = resolveInterpreter({ explicit, minVersion, legacy, env, cwd });
    this.#interpreters.set(key, asked);
    asked.catch(() => this.#interpreters.delete(key));
    return asked;
  }

  /** @param command the interpreter of who asks; that of the first one runs the guardian too. */
  lease(command: string): Promise<Lease> {
    this.#run ??= openRun(command, this.ports);
    const opened = this.#run;
    this.#leasesCount += 1;
    return opened.then(
      (run) => this.#leaseOf(run, opened),
      (cause: unknown) => {
        this.#give(opened);
        throw cause;
      },
    );
  }

  #leaseOf({ transport, guard }: OpenRun, opened: Promise<OpenRun>): Lease {
    const { clock, bus } = this.ports;
    let state: 'held' | 'ended' = 'held';
    return {
      ports: {
        clock,
        bus,
        ids: systemIds,
        spawner: systemSpawner,
        host: systemHost,
        transport,
        guard,
      },
      makeScratch: (name) => scratchIn(transport, name),
      end: () => {
        if (state === 'ended') return;
        state = 'ended';
        this.#give(opened);
      },
    };
  }

  #give(opened: Promise<OpenRun>): void {
    this.#leasesCount -= 1;
    if (this.#leasesCount > 0) return;
    this.#run = undefined;
    // It had failed to open, or nobody can do anything about a close that fails.
    opened.then((run) => run.close()).catch(() => undefined);
  }
}
