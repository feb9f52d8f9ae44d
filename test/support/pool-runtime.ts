// How does a test get a runtime over `pool_bridge.py`, and hold its workers busy for as long as it wants?
import { expect } from 'vitest';

import { createRuntime } from '../../src/index.ts';
import type { BridgeConfig, BridgeHandle } from '../../src/index.ts';
import type { Callback, PoolOptions, Runtime } from '../../src/index.ts';
import { poolAdapter } from './pool-adapters.ts';
import { fixture, PYTHON, until } from './real-runtime.ts';

export function bridgeOf(pool: PoolOptions = {}, more: Partial<BridgeConfig> = {}): BridgeConfig {
  return {
    adapter: poolAdapter,
    scriptPath: fixture('pool_bridge.py'),
    pool: { size: 1, ...pool },
    ...more,
  };
}

/** A runtime with one bridge `pool`. */
export function poolRuntime(
  pool: PoolOptions = {},
  more: Partial<BridgeConfig> = {},
): Promise<Runtime> {
  return createRuntime({
    python: PYTHON,
    logger: false,
    bridges: { pool: bridgeOf(pool, more) },
  });
}

/** Calls of `hold` that run until they are let go. */
export interface Gate {
  readonly callbacks: { readonly gate: Callback };
  /** Settles once this many calls hold a worker. */
  readonly held: (count: number) => Promise<void>;
  /** Let all of them go, and those that come later. */
  readonly open: () => void;
}

export function makeGate(): Gate {
  let count = 0;
  let [isOpen, tell] = [false, (): void => undefined];
  const inside: (() => void)[] = [];
  return {
    callbacks: {
      gate: () =>
        new Promise<void>((resolve) => {
          count += 1;
          if (isOpen) resolve();
          else inside.push(resolve);
          tell();
        }),
    },
    held: (wanted) =>
      new Promise((resolve) => {
        tell = () => {
          if (count >= wanted) resolve();
        };
        tell();
      }),
    open: () => {
      isOpen = true;
      for (const letGo of inside.splice(0)) letGo();
    },
  };
}

type Statistics = ReturnType<BridgeHandle['statistics']>;

/** A replacement of a worker on a machine that is busy with other things. */
const PATIENCE_MS = 15_000;

/** Until the statistics of a pool are as wanted. */
export async function whenStatistics(
  runtime: Runtime,
  isWanted: (statistics: Statistics) => boolean,
  name = 'pool',
): Promise<Statistics> {
  const pool = runtime.pool(name);
  await until(() => isWanted(pool.statistics()), PATIENCE_MS);
  return pool.statistics();
}

/** Until so many workers may be sent a call. */
export async function idleWorkers(runtime: Runtime, count: number, name = 'pool'): Promise<void> {
  await whenStatistics(runtime, ({ gauges }) => gauges.idle === count, name);
}

/** The books of a pool: whatever it accepted is somewhere. */
export function assertBalanced(runtime: Runtime, name = 'pool'): void {
  const { gauges, counters } = runtime.pool(name).statistics();
  const { completed, failed, cancelled } = counters;
  expect(completed + failed + cancelled + gauges.queued + gauges.running).toBe(counters.accepted);
}
