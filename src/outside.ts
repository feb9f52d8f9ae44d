// What of the world does a runtime stand on? An interpreter, processes, and the connections to them; a test runtime puts its own in their place.
import type { Bus } from '../actors/ground/bus.ts';
import type { Clock } from '../actors/ground/clock.ts';
import { systemHost, type Host } from '../actors/port/host.ts';
import { resolveInterpreter } from '../actors/port/interpreter.ts';
import type { Spawner } from '../actors/port/launcher.ts';
import { openRun } from '../actors/port/open-run.ts';
import type { RunGuard } from '../actors/port/run-guard.ts';
import { systemSpawner } from '../actors/port/spawn.ts';
import type { Transport, ZygoteTransport } from '../actors/port/transport.ts';
import { scratchIn } from '../actors/worker/scratch.ts';
import type { Scratch } from '../actors/worker/worker-types.ts';
import type { BridgeConfig } from './config.ts';

/** What a runtime has opened of the world; ended with it. */
export interface OpenOutside {
  readonly spawner: Spawner;
  readonly transport: Transport & ZygoteTransport;
  readonly host: Host;
  readonly guard: RunGuard;
  readonly makeScratch: (name: string) => Scratch;
  /** Nothing of it is left afterwards. */
  close(): Promise<void>;
}

/** The world as a runtime needs it. */
export interface Outside {
  /** What the workers of a bridge are to load, for what its configuration says. */
  readonly prepare: (name: string, bridge: BridgeConfig) => BridgeConfig;
  readonly findInterpreter: typeof resolveInterpreter;
  /** @param guardianCommand a Python, 3.8 or newer. */
  open(
    guardianCommand: string,
    ports: { readonly clock: Clock; readonly bus: Bus },
  ): Promise<OpenOutside>;
}

/** The world that there is. */
export const systemOutside: Outside = {
  prepare: (_name, bridge) => bridge,
  findInterpreter: resolveInterpreter,
  open: async (guardianCommand, ports) => {
    const run = await openRun(guardianCommand, ports);
    const makeScratch = (name: string): Scratch => scratchIn(run.transport, name);
    return { ...run, spawner: systemSpawner, host: systemHost, makeScratch };
  },
};
