// What can one see of a pool? What its router and its fleet count, side by side.
import type { FleetStatistics } from './fleet-types.ts';
import type { PoolStatistics } from './pool-types.ts';
import type { RouterStatistics } from './router-types.ts';

/** Both books as one. */
export function poolStatistics(
  pool: Pick<PoolStatistics, 'state' | 'size'>,
  { gauges, counters, ...rest }: RouterStatistics,
  { starting, retiring, ...fleet }: FleetStatistics,
): PoolStatistics {
  return {
    ...pool,
    gauges: { ...gauges, starting, retiring },
    counters: { ...counters, ...fleet },
    ...rest,
  };
}
