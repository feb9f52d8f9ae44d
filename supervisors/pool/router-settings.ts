// What does a router get of what was said of its pool? Defaults filled in, where they are the router's.
import { LIMITS } from '../../actors/ground/limits.ts';
import type { BreakerSettings } from '../../actors/breaker/breaker.ts';
import type { PoolOptions } from './pool-options.ts';
import type { PoolPlace } from './pool.machine.ts';
import type { PoolOperations, RouterOptions } from './router-types.ts';
import type { ResolveSecret, ScopeStore } from './scope-store.ts';

/** What a pool's setup says to its router. */
export interface RouterSetup {
  readonly name: string;
  readonly options: PoolOptions;
  /** Operations that the pool calls by itself. */
  readonly operations?: PoolOperations | undefined;
  /** Undefined: journals live as long as this process. */
  readonly store?: ScopeStore | undefined;
  readonly resolveSecret?: ResolveSecret | undefined;
  /** Whether the bridge says which of its operations change state: by it a lost session can be made again. */
  readonly isJournalled?: boolean | undefined;
}

type Settings = Omit<RouterOptions, 'replaceWorker' | 'onQueued' | 'onIdle' | 'onCallOver'>;

export function routerSettings(setup: RouterSetup): Settings {
  const { name, options, operations, store, resolveSecret, isJournalled = true } = setup;
  const { retryBudget, quarantine } = options;
  return {
    pool: name,
    queueLengthMax: options.queueLengthMax ?? LIMITS.queueLengthMax,
    queueBytesMax: options.queueBytesMax ?? LIMITS.queueBytesMax,
    prefetch: options.prefetch,
    affinity: options.affinity,
    onSessionLoss: options.onSessionLoss ?? (isJournalled ? 'rebuild' : 'fail'),
    sessions: options.sessions,
    ...{ operations, store, resolveSecret },
    breaker: breakerSettings(options),
    retryBudget: {
      ratio: retryBudget?.ratio ?? LIMITS.retryRatio,
      burst: retryBudget?.burst ?? LIMITS.retryBurst,
    },
    quarantine: {
      crashes: quarantine?.crashes ?? LIMITS.quarantineCrashes,
      forMs: quarantine?.forMs ?? LIMITS.quarantineMs,
    },
  };
}

/** The death of all workers at once, to one cause, does not open it yet. */
function breakerSettings({
  breaker,
  size,
  callTimeoutMs = 0,
}: PoolOptions): BreakerSettings | undefined {
  if (breaker === false) return undefined;
  const lossesMax = 2 * (size ?? LIMITS.poolSize);
  return {
    failureThreshold:
      breaker?.failureThreshold ?? Math.max(LIMITS.breakerFailureThreshold, lossesMax),
    successThreshold: breaker?.successThreshold ?? LIMITS.breakerSuccessThreshold,
    openMs: breaker?.openMs ?? LIMITS.breakerOpenMs,
    halfOpenCallsMax: breaker?.halfOpenCallsMax ?? LIMITS.breakerHalfOpenCallsMax,
    // A call that takes its whole time is no lost probe.
    probeTimeoutMs:
      breaker?.probeTimeoutMs ?? Math.max(LIMITS.breakerProbeTimeoutMs, callTimeoutMs),
  };
}

/** How long a call that says nothing of it waits for a worker, in ms. */
export function checkoutTimeMs(options: PoolOptions, place: PoolPlace): number {
  const { checkoutTimeoutMs = LIMITS.checkoutTimeoutMs, startTimeoutMs } = options;
  if (place !== 'unstarted' && place !== 'starting') return checkoutTimeoutMs;
  return Math.max(checkoutTimeoutMs, startTimeoutMs ?? LIMITS.startTimeoutMs);
}

/** From a failure of the pool to its next start by itself, in ms: as long as its breaker would be open. Undefined: never. */
export function reopenTimeMs({ breaker }: PoolOptions): number | undefined {
  return breaker === false ? undefined : (breaker?.openMs ?? LIMITS.breakerOpenMs);
}
