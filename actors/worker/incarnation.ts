// What does one incarnation hold, and how is it let go of? Process, connections and folder, made and ended together.
import type { Port, PortFact } from '../port/port-types.ts';
import { openPort } from '../port/port.ts';
import type { WorkerOptions, WorkerPorts } from './worker-types.ts';

export interface Incarnation {
  readonly port: Port;
  readonly cleanUp: () => void;
}

/** Start one. When anything throws, what had been made is undone. */
export function openIncarnation(
  worker: { readonly path: string; readonly epoch: number },
  options: WorkerOptions,
  ports: WorkerPorts,
  onFact: (fact: PortFact) => void,
): Incarnation {
  const { path, epoch } = worker;
  const { spawn, bridge } = options;
  const scratch = options.makeScratch(`${path.replaceAll('/', '-')}-${epoch}`);
  try {
    const port = openPort(
      {
        workerId: path,
        epoch,
        nonce: ports.ids.nonce(),
        spawn,
        bridge,
        scratchDir: scratch.path,
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
