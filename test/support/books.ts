// Do the books of a pool balance? Accepted is what has ended, waits or runs: always.
import { expect } from 'vitest';
import type { RouterStatistics } from '../../supervisors/pool/router-types.ts';

/** What of the statistics is looked at. */
export interface Books {
  readonly counters: Pick<
    RouterStatistics['counters'],
    'accepted' | 'completed' | 'failed' | 'cancelled'
  >;
  readonly gauges: Pick<RouterStatistics['gauges'], 'queued' | 'running' | 'queuedBytes'>;
}

export function assertBooks({ counters, gauges }: Books): void {
  const { accepted, completed, failed, cancelled } = counters;
  const { queued, running } = gauges;
  expect({ accepted, completed, failed, cancelled, queued, running }).toEqual({
    ...{ completed, failed, cancelled, queued, running },
    accepted: completed + failed + cancelled + queued + running,
  });
  for (const value of [queued, running, gauges.queuedBytes])
    expect(value).toBeGreaterThanOrEqual(0);
}
