// What do the Python workers of one system share? A socket that is there while one of them runs, and the interpreters that have been asked who they are.

import { systemIds } from '../ground/ids.ts';
import type { RefPorts } from '../lifecycle/ref.ts';
import { resolveInterpreter, type Interpreter, type LegacyNeeds } from '../port/interpreter.ts';
import { SocketTransport } from '../port/socket-transport.ts';
import { systemSpawner } from '../port/spawn.ts';
import { scratchIn } from './scratch.ts';
import type { Scratch, WorkerPorts } from './worker-types.ts';

/** Which interpreter is wanted. */
export interface InterpreterWish {
  readonly explicit: string | undefined;
  readonly minVersion: string | undefined;
  readonly legacy?: LegacyNeeds | undefined;
}

/** A share in the socket. */
export interface Lease {
  readonly ports: WorkerPorts;
  readonly makeScratch: (name: string) => Scratch;
  /** Given back: after the last one the socket is closed, and its folder removed. */
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
  #transport: Promise<SocketTransport> | undefined;
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

  lease(): Promise<Lease> {
    this.#transport ??= SocketTransport.listen(this.ports.clock);
    const opened = this.#transport;
    this.#leasesCount += 1;
    return opened.then(
      (transport) => this.#leaseOf(transport, opened),
      (cause: unknown) => {
        this.#give(opened);
        throw cause;
      },
    );
  }

  #leaseOf(transport: SocketTransport, opened: Promise<SocketTransport>): Lease {
    const { clock, bus } = this.ports;
    let state: 'held' | 'ended' = 'held';
    return {
      ports: { clock, bus, ids: systemIds, spawner: systemSpawner, transport },
      makeScratch: (name) => scratchIn(transport, name),
      end: () => {
        if (state === 'ended') return;
        state = 'ended';
        this.#give(opened);
      },
    };
  }

  #give(opened: Promise<SocketTransport>): void {
    this.#leasesCount -= 1;
    if (this.#leasesCount > 0) return;
    this.#transport = undefined;
    // It had failed to open, or nobody can do anything about a close that fails.
    opened.then((transport) => transport.close()).catch(() => undefined);
  }
}
