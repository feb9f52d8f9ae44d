// Which pools does the run have, and how are they set? One that faults are put into, and one beside it in which nothing may ever fail.
import { join } from 'node:path';

import {
  defineAdapter,
  type Adapter,
  type Args,
  type PoolOptions,
  type RuntimeConfig,
} from '../../src/index.ts';
import { rootFolder } from '../bench/stage.ts';

/** Workers die there all the time. */
export const STRICKEN = 'stricken';
/** Nobody touches it: its workers are replaced as planned, and no call of it may fail because of that, or because of its neighbour. */
const SOUND = 'sound';

export const POOL_NAMES: readonly string[] = [STRICKEN, SOUND];

export const SIZES: Readonly<Record<string, number>> = { [STRICKEN]: 4, [SOUND]: 2 };

/** What changes state is journalled; what may be run twice is tried again when a worker dies of a fault. */
function adapterOf(snapshots: boolean): Adapter {
  const key = (args: Args): string => String(args['id']);
  const idempotent = true;
  return defineAdapter({
    framework: 'soak',
    operations: {
      echo: { idempotent },
      work: { idempotent },
      square: { idempotent, batch: { maxSize: 8, maxWaitMs: 3 } },
      count: {},
      endless: {},
      fail: {},
      die: {},
      configure: { change: 'configure' },
      configured: { idempotent },
      put: { change: 'create', key },
      append: { change: 'update', key },
      drop: { change: 'delete', key },
      read: { idempotent },
      read_all: { idempotent },
      snapshot: {},
      restore: {},
      forget: {},
    },
    roles: snapshots ? { snapshot: 'snapshot', restore: 'restore' } : {},
  });
}

/** A worker that is frozen is known after four of them, and not after the default of 8 s. */
const HEARTBEAT_MS = 500;
/** Faults are what is measured, and not when a pool gives up or lets nobody in. */
const ENDLESS = 1_000_000;

/** So that workers are replaced all the time, each by one that is there before it goes. */
const REPLACED: PoolOptions = { maxCallsPerWorker: 300, maxAgeMs: 6_000, drainMs: 20_000 };

const POOLS: Readonly<Record<string, PoolOptions>> = {
  [STRICKEN]: {
    size: SIZES[STRICKEN],
    heartbeatMs: HEARTBEAT_MS,
    maxRestarts: ENDLESS,
    maxConsecutiveStartFailures: ENDLESS,
    breaker: { failureThreshold: ENDLESS },
    ...REPLACED,
  },
  [SOUND]: { size: SIZES[SOUND], ...REPLACED },
};

/** One of the pools has snapshots of its sessions, the other long journals; an odd seed exchanges them. */
export function configOf(python: string | undefined, seed: number): RuntimeConfig {
  const scriptPath = join(rootFolder(), 'test', 'soak', 'soak_bridge.py');
  const bridges = Object.entries(POOLS).map(([name, pool], index) => {
    const adapter = adapterOf((seed + index) % 2 === 1);
    return [name, { adapter, scriptPath, pool }];
  });
  return {
    logger: false,
    bridges: Object.fromEntries(bridges) as RuntimeConfig['bridges'],
    ...(python === undefined ? {} : { python }),
  };
}
