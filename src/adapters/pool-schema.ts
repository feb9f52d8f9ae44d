// Which options may a pool have, and what is wrong with those that were given? Of bridges, and of adapters, whose defaults the user's win over.
import { z } from 'zod';

import { LIMITS } from '../../actors/ground/limits.ts';
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type {
  BreakerOptions,
  PoolOptions,
  SessionOptions,
} from '../../supervisors/pool/pool-options.ts';
import { fieldOf, findingOf } from './explain.ts';

const ms = z.number().positive();
const fromZeroMs = z.number().min(0);
const count = z.int().min(1);
const fromZero = z.int().min(0);
const bytes = z.int().min(1);
const workers = count.max(LIMITS.poolSizeMax);

type Shape<Options> = Readonly<Record<keyof Required<Options>, z.ZodType>>;

const processLimits = z.strictObject({
  openFilesMax: z.int().min(LIMITS.openFilesMin).optional(),
  cpuMsMax: ms.optional(),
  addressSpaceBytesMax: bytes.optional(),
});

const usageLimits = z.strictObject({
  rssBytesMax: bytes.optional(),
  cpuMsMax: ms.optional(),
  openFilesMax: count.optional(),
});

const sessions = z.strictObject({
  ttlMs: ms.optional(),
  max: count.optional(),
  journalEntriesMax: count.optional(),
  journalBytesMax: bytes.optional(),
  snapshotEvery: count.optional(),
} satisfies Shape<SessionOptions>);

const breaker = z.strictObject({
  failureThreshold: count.optional(),
  successThreshold: count.optional(),
  openMs: ms.optional(),
  halfOpenCallsMax: count.optional(),
  probeTimeoutMs: ms.optional(),
} satisfies Shape<BreakerOptions>);

const shape = {
  size: workers.optional(),
  overflow: fromZero.max(LIMITS.poolSizeMax).optional(),
  idleTimeoutMs: ms.optional(),
  autoscale: z.strictObject({ min: workers, max: workers, queueWaitMs: ms }).optional(),
  maxConcurrentStarts: count.optional(),
  maxRetries: fromZero.optional(),
  queueLengthMax: fromZero.optional(),
  queueBytesMax: fromZero.optional(),
  affinity: z.enum(['none', 'preferred', 'required']).optional(),
  onSessionLoss: z.enum(['rebuild', 'fail']).optional(),
  maxCallsPerWorker: count.optional(),
  maxAgeMs: ms.optional(),
  maxRssBytes: bytes.optional(),
  recycleJitter: z.number().min(0).lt(1).optional(),
  drainMs: fromZeroMs.optional(),
  sessions: sessions.optional(),
  breaker: z.union([z.literal(false), breaker], 'must be false or an object of options').optional(),
  retryBudget: z
    .strictObject({ ratio: fromZeroMs.optional(), burst: fromZero.optional() })
    .optional(),
  quarantine: z.strictObject({ crashes: count.optional(), forMs: ms.optional() }).optional(),
  checkoutTimeoutMs: fromZeroMs.optional(),
  callTimeoutMs: ms.optional(),
  concurrency: count.max(LIMITS.concurrencyMax).optional(),
  prefetch: fromZero.max(LIMITS.prefetchMax).optional(),
  startTimeoutMs: ms.optional(),
  shutdownMs: fromZeroMs.optional(),
  heartbeatMs: z.number().min(LIMITS.heartbeatMsMin).optional(),
  gilHoldMsMax: ms.optional(),
  limits: processLimits.optional(),
  usageLimits: usageLimits.optional(),
  maxRestarts: fromZero.optional(),
  periodMs: ms.optional(),
  maxConsecutiveStartFailures: count.optional(),
} satisfies Shape<PoolOptions>;

/** The options of a pool, each by itself. */
export const poolSchema = z.strictObject(shape);

/**
 * The options of a pool, checked one by one.
 * @param field how the caller calls them.
 * @throws {@link InvalidConfigError} naming the first that is wrong.
 */
export function checkPoolOptions(options: unknown, field: string): void {
  const finding = findingOf(poolSchema, options);
  if (finding === undefined) return;
  throw new InvalidConfigError(fieldOf(field, finding.path), finding.problem);
}

/**
 * The options that hold: the bridge's own, then those of its adapter. Groups (`sessions`, `breaker`, …) are joined option by option, but for `autoscale`, whose three belong together.
 * @param field how the caller calls the bridge's own.
 * @throws {@link InvalidConfigError} for what only goes wrong together.
 */
export function joinPoolOptions(
  own: PoolOptions = {},
  adapter: PoolOptions = {},
  field: string,
): PoolOptions {
  const joined: Record<string, unknown> = { ...adapter };
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined) continue;
    const below = joined[name];
    const isGroup = isObject(value) && isObject(below) && name !== 'autoscale';
    joined[name] = isGroup ? { ...below, ...withoutUndefined(value) } : value;
  }
  const options = sized(joined, own.size);
  checkTogether(options, field);
  return options;
}

/** A pool that scales by itself and says nothing of its size begins with the default one, as far as its bounds let it. */
function sized(joined: PoolOptions, ownSize: number | undefined): PoolOptions {
  const { autoscale, size = LIMITS.poolSize } = joined;
  if (autoscale === undefined || ownSize !== undefined) return joined;
  return { ...joined, size: Math.min(autoscale.max, Math.max(autoscale.min, size)) };
}

function checkTogether(options: PoolOptions, field: string): void {
  const { size = LIMITS.poolSize, overflow = 0, autoscale } = options;
  const refuse = (name: string, problem: string): never => {
    throw new InvalidConfigError(`${field}.${name}`, problem);
  };
  if (autoscale !== undefined) {
    const { min, max } = autoscale;
    if (min > max) refuse('autoscale.min', `must be at most autoscale.max, ${max}, found ${min}`);
    if (size < min || size > max)
      refuse('size', `must be from autoscale.min, ${min}, to autoscale.max, ${max}, found ${size}`);
  }
  const most = (autoscale?.max ?? size) + overflow;
  if (most > LIMITS.poolSizeMax)
    refuse('overflow', `makes ${most} workers; ${LIMITS.poolSizeMax} is the most`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function withoutUndefined(group: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(group).filter(([, value]) => value !== undefined));
}
