// How is the zygote of a pool started?
import type { SpawnRequest } from '../actors/port/launcher.ts';
import { PYTHON_SOURCES, ZYGOTE_BOOT } from '../actors/port/package-root.ts';
import { systemSignals } from '../actors/port/signals.ts';
import type { ZygoteTransport } from '../actors/port/transport.ts';
import type { ZygoteSetup } from '../supervisors/pool/pool-tree.ts';

/** As the pool's workers are, by the same interpreter in the same environment. */
export function zygoteSetup(
  preload: readonly string[],
  worker: SpawnRequest,
  transport: ZygoteTransport,
): ZygoteSetup {
  const spawn = { ...worker, args: ['-c', ZYGOTE_BOOT, PYTHON_SOURCES] };
  return { spawn, preload, transport, signals: systemSignals };
}
