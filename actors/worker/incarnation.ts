// What does one incarnation hold, and how is it let go of? Process, connections and folder, made and ended together.
import type { Clock } from '../ground/clock.ts';
import { errorFrom } from '../ground/error-from.ts';
import { openLegacyPort } from '../port/legacy-port.ts';
import type { Port, PortFact } from '../port/port-types.ts';
import { openPort } from '../port/port.ts';
import type { WorkerOptions, WorkerPorts } from './worker-types.ts';

export interface Incarnation {
  readonly port: Port;
  readonly cleanUp: () => void;
}

/** Starts one; the facts of its process go to `onFact`, never from inside. */
export type OpenIncarnation = (
  worker: { readonly path: string; readonly epoch: number },
  onFact: (fact: PortFact) => void,
) => Incarnation;

/** Start one. When anything throws, what had been made is undone. */
export function openIncarnation(
  worker: { readonly path: string; readonly epoch: number },
  options: Pick<
    WorkerOptions,
    'spawn' | 'bridge' | 'makeScratch' | 'concurrency' | 'limits' | 'schemaHash'
  >,
  ports: WorkerPorts,
  onFact: (fact: PortFact) => void,
): Incarnation {
  const { path, epoch } = worker;
  const { spawn, bridge, concurrency, limits, schemaHash } = options;
  const scratch = options.makeScratch(`${path.replaceAll('/', '-')}-${epoch}`);
  const open = spawn.stdio === 'wire' ? openLegacyPort : openPort;
  try {
    const port = open(
      {
        workerId: path,
        epoch,
        nonce: ports.ids.nonce(),
        spawn,
        bridge,
        scratchDir: scratch.path,
        concurrency,
        limits,
        schemaHash,
      },
      ports,
      onFact,
    );
    return {
      port,
      cleanUp: () => {
        port.close();
        scratch.remove();
      },
    };
  } catch (error) {
    scratch.remove();
    throw error;
  }
}

/** There is no process: nobody hears what is sent to it. */
const NO_PORT: Port = {
  abilities: new Set(),
  call: () => undefined,
  answer: () => undefined,
  control: () => undefined,
  notify: () => undefined,
  shutdown: () => undefined,
  kill: () => undefined,
  close: () => undefined,
};

/** Start one. What throws before there is a process (no file descriptors, no disk space) is a crash like any other, with its own reason. */
export function openOrFail(
  open: OpenIncarnation,
  worker: { readonly path: string; readonly epoch: number },
  clock: Clock,
  onFact: (fact: PortFact) => void,
): Incarnation {
  try {
    return open(worker, onFact);
  } catch (cause) {
    const error = errorFrom(cause);
    // Later, since a child tells nothing from inside its own start.
    clock.afterPoll(() => {
      onFact({ type: 'exited', report: { reason: { type: 'error', error }, stderrTail: '' } });
    });
    return { port: NO_PORT, cleanUp: () => undefined };
  }
}
