// Which pools does the run have, and how are they set? One that faults are put into, and one beside it in which nothing may ever fail.
import { join } from 'node:path';

import { defineAdapter, type PoolOptions, type RuntimeConfig } from '../../src/index.ts';
import { rootFolder } from '../bench/stage.ts';

/** Workers die there all the time. */
export const STRICKEN = 'stricken';
/** Nobody touches it: its workers are replaced as planned, and no call of it may fail because of that, or because of its neighbour. */
export const SOUND = 'sound';

export const POOL_NAMES: readonly string[] = [STRICKEN, SOUND];

export const SIZES: Readonly<Record<string, number>> = { [STRICKEN]: 4, [SOUND]: 2 };

const adapter = defineAdapter({
  framework: 'soak',
  operations: {
    echo: {},
    work: {},
    count: {},
    endless: {},
    fail: {},
    die: {},
    configure: { change: 'configure' },
    configured: {},
    put: { change: 'create', key: (args) => String(args['id']) },
    append: { change: 'update', key: (args) => String(args['id']) },
    drop: { change: 'delete', key: (args) => String(args['id']) },
    read: {},
    read_all: {},
    snapshot: {},
    restore: {},
    forget: {},
  },
});

/** A worker that is frozen is known after four of them, and not after the default of 8 s. */
const HEARTBEAT_MS = 500;
/** Faults are what is measured, and not when a pool gives up. */
const ENDLESS = 1_000_000;

const POOLS: Readonly<Record<string, PoolOptions>> = {
  [STRICKEN]: {
    size: SIZES[STRICKEN],
    heartbeatMs: HEARTBEAT_MS,
    maxRestarts: ENDLESS,
    maxConsecutiveStartFailures: ENDLESS,
  },
  [SOUND]: { size: SIZES[SOUND] },
};

export function configOf(python: string | undefined): RuntimeConfig {
  const scriptPath = join(rootFolder(), 'test', 'soak', 'soak_bridge.py');
  const bridges = Object.entries(POOLS).map(([name, pool]) => [
    name,
    { adapter, scriptPath, pool },
  ]);
  return {
    logger: false,
    bridges: Object.fromEntries(bridges) as RuntimeConfig['bridges'],
    ...(python === undefined ? {} : { python }),
  };
}
