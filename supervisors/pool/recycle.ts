// When has a worker done enough? Limits that each incarnation draws for itself, and what has passed them.
import type { Random } from '../../actors/ground/random.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import type { PoolOptions } from './pool-options.ts';

/** Which limit a worker has reached. */
export type Wear = 'calls' | 'age' | 'rss';

/** What one incarnation may come to; infinity: as much as it likes. */
export interface WearLimits {
  readonly calls: number;
  readonly ageMs: number;
  readonly rssBytes: number;
}

/** Of one that has drawn none. */
export const NO_LIMITS: WearLimits = { calls: Infinity, ageMs: Infinity, rssBytes: Infinity };

/** What it has come to. */
export interface WearFacts {
  readonly calls: number;
  readonly ageMs: number;
  /** As read at its last heartbeat; 0 before that. */
  readonly rssBytes: number;
}

/** The limits of one incarnation: each lower by a random part, so that workers that were started together do not all go at once. */
export function drawLimits(
  options: Pick<PoolOptions, 'maxCallsPerWorker' | 'maxAgeMs' | 'maxRssBytes' | 'recycleJitter'>,
  random: Random,
): WearLimits {
  const { recycleJitter = LIMITS.recycleJitter } = options;
  const drawn = (limit: number | undefined): number =>
    limit === undefined
      ? Infinity
      : Math.max(1, Math.ceil(limit * (1 - recycleJitter * random.next())));
  return {
    calls: drawn(options.maxCallsPerWorker),
    ageMs: drawn(options.maxAgeMs),
    rssBytes: drawn(options.maxRssBytes),
  };
}

/** The first limit that is reached, in the order calls, age, memory. */
export function wearOf(facts: WearFacts, limits: WearLimits): Wear | undefined {
  if (facts.calls >= limits.calls) return 'calls';
  if (facts.ageMs >= limits.ageMs) return 'age';
  return facts.rssBytes >= limits.rssBytes ? 'rss' : undefined;
}
