// Does the sum of a pool hold at every moment, and do its counters agree with what its callers have counted?
import type { PoolStatistics } from '../../src/index.ts';
import type { Counts } from './tally.ts';

/** `docs/pools.md` §2: accepted = completed + failed + cancelled + queued + running. */
export interface Account {
  readonly accepted: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly queued: number;
  readonly running: number;
}

const NO_ACCOUNT: Account = {
  accepted: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  queued: 0,
  running: 0,
};

/** What is read of a pool's statistics. */
interface Told {
  readonly counters: Pick<
    PoolStatistics['counters'],
    'accepted' | 'completed' | 'failed' | 'cancelled' | 'refused'
  >;
  readonly gauges: Pick<PoolStatistics['gauges'], 'queued' | 'running'>;
}

export function accountOf({ counters, gauges }: Told): Account {
  const { accepted, completed, failed, cancelled } = counters;
  return { accepted, completed, failed, cancelled, queued: gauges.queued, running: gauges.running };
}

/** How many calls were refused, whatever the reason. */
export function refusedOf({ counters }: Pick<Told, 'counters'>): number {
  return totalOf(counters.refused);
}

/** How many workers were replaced because they were worn. */
export function recyclesOf({ counters }: Pick<PoolStatistics, 'counters'>): number {
  return totalOf(counters.recycled);
}

function totalOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** What does not add up; undefined when all does. */
export function imbalanceOf(account: Account): string | undefined {
  const { accepted, completed, failed, cancelled, queued, running } = account;
  const negative = Object.entries(account).filter(([, value]) => !(value >= 0));
  const sum = completed + failed + cancelled + queued + running;
  if (negative.length === 0 && accepted === sum) return undefined;
  return `accepted is ${accepted}, but ${completed} completed + ${failed} failed + ${cancelled} cancelled + ${queued} queued + ${running} running = ${sum}`;
}

/** Where pool and callers disagree once no call is open. */
export function disagreements(
  account: Account,
  refused: number,
  counted: Counts,
): readonly string[] {
  const pool = { ...account, refused };
  const { completed, failed, cancelled } = counted;
  const expected = {
    ...{ completed, failed, cancelled, refused: counted.refused },
    ...{ accepted: completed + failed + cancelled, queued: 0, running: 0 },
  };
  return Object.entries(expected).flatMap(([name, count]) => {
    const found = pool[name as keyof typeof pool];
    return found === count
      ? []
      : [`${name} is ${found} to the pool and ${count} to those who called`];
  });
}

export function sumOf(accounts: readonly Account[]): Account {
  return accounts.reduce(
    (sum, each) => ({
      accepted: sum.accepted + each.accepted,
      completed: sum.completed + each.completed,
      failed: sum.failed + each.failed,
      cancelled: sum.cancelled + each.cancelled,
      queued: sum.queued + each.queued,
      running: sum.running + each.running,
    }),
    NO_ACCOUNT,
  );
}
