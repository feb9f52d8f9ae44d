// When has a worker done enough? Limits that each incarnation draws for itself, and what has passed them.
import type { Random } from '../../actors/ground/random.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import type { PoolOptions } from './pool-options.ts';

/** Which limit a worker has reached. */
export type Wear = 'calls' | 'age' | 'rss';

/** What one incarnation may come to. What is not given is not limited. */
export interface WearLimits {
  readonly calls: number | undefined;
  readonly ageMs: number | undefined;
  readonly rssBytes: number | undefined;
}

/** What it has come to. */
export interface WearFacts {
  readonly calls: number;
  readonly ageMs: number;
  /** As read at its last heartbeat; undefined when none was. */
  readonly rssBytes: number | undefined;
}

/** The limits of one incarnation: each lower by a random part, so that workers that were started together do not all go at once. */
export function drawLimits(
  options: Pick<PoolOptions, 'maxCallsPerWorker' | 'maxAgeMs' | 'maxRssBytes' | 'recycleJitter'>,
  random: Random,
): WearLimits {
  const { recycleJitter = LIMITS.recycleJitter } = options;
  const drawn = (limit: number | undefined): number | undefined =>
    limit === undefined
      ? undefined
      : Math.max(1, Math.ceil(limit * (1 - recycleJitter * random.next())));
  return {
    calls: drawn(options.maxCallsPerWorker),
    ageMs: drawn(options.maxAgeMs),
    rssBytes: drawn(options.maxRssBytes),
  };
}

/** The first limit that is reached, in the order calls, age, memory. */
export function wearOf(facts: WearFacts, limits: WearLimits): Wear | undefined {
  if (limits.calls !== undefined && facts.calls >= limits.calls) return 'calls';
  if (limits.ageMs !== undefined && facts.ageMs >= limits.ageMs) return 'age';
  const { rssBytes } = facts;
  if (limits.rssBytes !== undefined && rssBytes !== undefined && rssBytes >= limits.rssBytes) {
    return 'rss';
  }
  return undefined;
}
