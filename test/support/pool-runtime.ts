// How does a test get a runtime over `pool_bridge.py`, and hold its workers busy for as long as it wants?
import { defineAdapter, createRuntime } from '../../src/index.ts';
import type { Adapter, BridgeConfig, Callback, PoolOptions, Runtime } from '../../src/index.ts';
import { fixture, nextEvent, PYTHON } from './real-runtime.ts';

const key = (args: Readonly<Record<string, unknown>>): string => String(args['id']);

const OPERATIONS: Adapter['operations'] = {
  ...Object.fromEntries(
    ['hold', 'work', 'seen', 'dump', 'load', 'forget', 'grow', 'exit', 'fail'].map((op) => [
      op,
      {},
    ]),
  ),
  ...Object.fromEntries(['who', 'get', 'settings'].map((op) => [op, { idempotent: true }])),
  exit_once: { idempotent: true },
  setup: { change: 'configure', secrets: ['api_key'] },
  put: { change: 'create', key },
  add: { change: 'update', key },
  drop: { change: 'delete', key },
};

/** Its sessions are rebuilt by their journals. */
export const poolAdapter = defineAdapter({
  framework: 'pool',
  operations: OPERATIONS,
  roles: { configure: 'setup', create: 'put', forget: 'forget' },
});

/** And by snapshots of what they hold. */
export const snapshotAdapter = defineAdapter({
  ...poolAdapter,
  roles: { ...poolAdapter.roles, snapshot: 'dump', restore: 'load' },
});

/** Nothing is said of what changes state: what a worker holds is gone with it. */
export const forgetfulAdapter = defineAdapter({ framework: 'pool', operations: {} });

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

/** The gauges of the pool agree with `is`; looked at after every event of the bus. */
export async function whenStatistics(
  runtime: Runtime,
  pool: string,
  is: (statistics: ReturnType<ReturnType<Runtime['pool']>['statistics']>) => boolean,
): Promise<void> {
  while (!is(runtime.pool(pool).statistics())) await nextEvent(runtime, 'child.ready');
}
