// What does a runtime open before its first worker, and close after its last? Its folder with the socket, its guardian, its ledger.
import type { Bus } from '../ground/bus.ts';
import type { Clock } from '../ground/clock.ts';
import { systemIds } from '../ground/ids.ts';
import { systemHost } from './host.ts';
import { Run } from './run.ts';
import { SocketTransport } from './socket-transport.ts';
import { guardianSpawner } from './spawn-guardian.ts';
import { sweepRuns } from './sweep.ts';

/** Made and ended together. */
export interface OpenRun {
  readonly transport: SocketTransport;
  readonly guard: Run;
  /** Nothing of it is left afterwards: no process, no guardian, no folder. */
  close(): Promise<void>;
}

/**
 * Open a run, and clear away what dead ones have left behind.
 * @param command a Python, 3.8 or newer, for the guardian.
 * @throws what {@link SocketTransport.listen} throws.
 */
export async function openRun(
  command: string,
  ports: { readonly clock: Clock; readonly bus: Bus },
): Promise<OpenRun> {
  const { clock, bus } = ports;
  const host = systemHost;
  const [transport] = await Promise.all([
    SocketTransport.listen(clock),
    sweepRuns({ clock, bus, host }),
  ]);
  const guard = new Run(transport.directory, {
    clock,
    bus,
    host,
    ids: systemIds,
    guardianSpawner: (token) => guardianSpawner(command, token),
  });
  guard.start();
  return {
    transport,
    guard,
    close: async () => {
      await guard.close();
      await transport.close();
    },
  };
}
