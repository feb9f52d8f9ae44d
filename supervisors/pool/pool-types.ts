// What is a pool made of, and what can one see of it? Types only.
import type { Random } from '../../actors/ground/random.ts';
import type { WorkerPorts } from '../../actors/worker/worker-types.ts';
import type { ChildSpec } from '../child-spec.ts';
import type { FleetStatistics } from './fleet-types.ts';
import type { PoolTreeSetup } from './pool-tree.ts';
import type { PoolState } from './pool.machine.ts';
import type { RouterSetup } from './router-settings.ts';
import type { RouterStatistics } from './router-types.ts';

/** What a pool is made of. */
export interface PoolSetup extends PoolTreeSetup, RouterSetup {
  /** `on_demand`: its tree is started, by `startTree`, when the first call comes. Default: somebody starts its `childSpec()` at once. */
  readonly start?: 'at_once' | 'on_demand' | undefined;
  /**
   * Have its tree started again, of which nothing is left: as a child of whoever had started it first. Undefined: a pool that has failed or was stopped stays so.
   * Whoever needs time for it asks `isWanted` then: the pool may have been stopped, and even been told to start once more.
   */
  readonly startTree?:
    | ((spec: ChildSpec, failed: (error: Error) => void, isWanted: () => boolean) => void)
    | undefined;
}

/** What a pool needs of the world. */
export interface PoolPorts extends WorkerPorts {
  readonly random: Random;
}

export interface PoolStatistics extends RouterStatistics {
  readonly size: number;
  readonly state: PoolState;
  readonly gauges: RouterStatistics['gauges'] & Pick<FleetStatistics, 'starting' | 'retiring'>;
  readonly counters: RouterStatistics['counters'] & Omit<FleetStatistics, 'starting' | 'retiring'>;
}
