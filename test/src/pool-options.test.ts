// Which options may a pool have, which of them contradict each other, and whose word counts?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../actors/ground/limits.ts';
import { checkConfig, poolOptionsOf } from '../../src/config.ts';
import { defineAdapter, dspy, type PoolOptions } from '../../src/index.ts';

const plain = defineAdapter({ framework: 'plain', operations: {} });

interface Refusal {
  readonly field: string;
  readonly message: string;
}

const NOTHING_WRONG: Refusal = { field: 'nothing is wrong', message: '' };

function refusalOf(fn: () => unknown): Refusal {
  try {
    fn();
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_config' });
    return error as Refusal;
  }
  return NOTHING_WRONG;
}

const ofBridge = (pool: object, adapter = plain): Refusal =>
  refusalOf(() => checkConfig({ bridges: { one: { adapter, pool } } }));
const ofAdapter = (pool: object): Refusal =>
  refusalOf(() => defineAdapter({ framework: 'plain', operations: {}, pool }));

const NO_WHOLE = [0.5, '1', null, Number.NaN, Number.POSITIVE_INFINITY];
const COUNT = [
  [1, 2, 1_000],
  [0, -1, ...NO_WHOLE],
] as const;
const FROM_ZERO = [
  [0, 1, 1_000],
  [-1, ...NO_WHOLE],
] as const;
const MS = [
  [0.5, 1, 60_000],
  [0, -1, '1s', null, Number.NaN, Number.POSITIVE_INFINITY],
] as const;
const MS_FROM_ZERO = [
  [0, 0.5, 60_000],
  [-1, '1s', null, Number.NaN],
] as const;

/** Every option with what it may be and what it may not. */
const TABLE: Readonly<
  Record<keyof PoolOptions, readonly [good: readonly unknown[], bad: readonly unknown[]]>
> = {
  size: [
    [1, LIMITS.poolSizeMax],
    [0, -1, LIMITS.poolSizeMax + 1, ...NO_WHOLE],
  ],
  overflow: [
    [0, 1, LIMITS.poolSizeMax - LIMITS.poolSize],
    [-1, LIMITS.poolSizeMax, ...NO_WHOLE],
  ],
  idleTimeoutMs: MS,
  autoscale: [[{ min: 1, max: 4, queueWaitMs: 100 }], [{}, 7, true, [], { min: 1, max: 4 }]],
  maxConcurrentStarts: COUNT,
  maxRetries: FROM_ZERO,
  queueLengthMax: FROM_ZERO,
  queueBytesMax: FROM_ZERO,
  affinity: [
    ['none', 'preferred', 'required'],
    ['sticky', true, null, 0],
  ],
  onSessionLoss: [
    ['rebuild', 'fail'],
    ['ignore', true, null],
  ],
  maxCallsPerWorker: COUNT,
  maxAgeMs: MS,
  maxRssBytes: COUNT,
  recycleJitter: [
    [0, 0.1, 0.99],
    [-0.1, 1, 10, '10%', Number.NaN],
  ],
  drainMs: MS_FROM_ZERO,
  sessions: [[{}], [7, 'none', false, []]],
  breaker: [
    [{}, false],
    [true, 7, 'off', null],
  ],
  retryBudget: [[{}], [7, false, []]],
  quarantine: [[{}], [7, false, []]],
  checkoutTimeoutMs: MS_FROM_ZERO,
  callTimeoutMs: MS,
  concurrency: [
    [1, LIMITS.concurrencyMax],
    [0, LIMITS.concurrencyMax + 1, ...NO_WHOLE],
  ],
  prefetch: [
    [0, LIMITS.prefetchMax],
    [-1, LIMITS.prefetchMax + 1, ...NO_WHOLE],
  ],
  startTimeoutMs: MS,
  shutdownMs: MS_FROM_ZERO,
  heartbeatMs: [
    [LIMITS.heartbeatMsMin, 2_000],
    [LIMITS.heartbeatMsMin - 1, 0, '2s'],
  ],
  gilHoldMsMax: MS,
  limits: [[{}], [7, 'none', []]],
  usageLimits: [[{}], [7, 'none', []]],
  maxRestarts: FROM_ZERO,
  periodMs: MS,
  maxConsecutiveStartFailures: COUNT,
};

type Group = readonly [
  group: keyof PoolOptions,
  field: string,
  good: readonly unknown[],
  bad: readonly unknown[],
];

const GROUPS: readonly Group[] = [
  ['limits', 'openFilesMax', [LIMITS.openFilesMin, 4_096], [LIMITS.openFilesMin - 1, 64.5, '64']],
  ['limits', 'cpuMsMax', ...MS],
  ['limits', 'addressSpaceBytesMax', ...COUNT],
  ['usageLimits', 'rssBytesMax', ...COUNT],
  ['usageLimits', 'cpuMsMax', ...MS],
  ['usageLimits', 'openFilesMax', ...COUNT],
  ['sessions', 'ttlMs', ...MS],
  ['sessions', 'max', ...COUNT],
  ['sessions', 'journalEntriesMax', ...COUNT],
  ['sessions', 'journalBytesMax', ...COUNT],
  ['sessions', 'snapshotEvery', ...COUNT],
  ['breaker', 'failureThreshold', ...COUNT],
  ['breaker', 'successThreshold', ...COUNT],
  ['breaker', 'openMs', ...MS],
  ['breaker', 'halfOpenCallsMax', ...COUNT],
  ['breaker', 'probeTimeoutMs', ...MS],
  ['retryBudget', 'ratio', [0, 0.2, 3], [-0.1, '20%', Number.NaN]],
  ['retryBudget', 'burst', ...FROM_ZERO],
  ['quarantine', 'crashes', ...COUNT],
  ['quarantine', 'forMs', ...MS],
];

describe('an option of a pool', () => {
  it.each(Object.entries(TABLE))(
    '%s is taken within its bounds, and refused by its name outside of them',
    (field, [good, bad]) => {
      for (const value of good) {
        expect(ofBridge({ [field]: value })).toBe(NOTHING_WRONG);
        expect(ofAdapter({ [field]: value })).toBe(NOTHING_WRONG);
      }
      for (const value of bad) {
        const named = new RegExp(`\\.pool\\.${field}(\\.|$)`, 'u');
        expect(ofBridge({ [field]: value }).field).toMatch(named);
        // By itself an adapter's number of workers has only its own bound.
        if (field !== 'overflow') expect(ofAdapter({ [field]: value }).field).toMatch(named);
      }
    },
  );

  it.each(GROUPS)(
    '%s.%s is taken within its bounds, and refused by its name outside of them',
    (group, field, good, bad) => {
      for (const value of good)
        expect(ofBridge({ [group]: { [field]: value } })).toBe(NOTHING_WRONG);
      for (const value of bad) {
        const { field: named } = ofBridge({ [group]: { [field]: value } });
        expect(named).toBe(`bridges.one.pool.${group}.${field}`);
      }
    },
  );

  it.each(['min', 'max', 'queueWaitMs'])('autoscale.%s is needed, and above 0', (field) => {
    const whole = { min: 1, max: 4, queueWaitMs: 100 };
    for (const value of [0, -1, undefined, 'many']) {
      const { field: named } = ofBridge({ autoscale: { ...whole, [field]: value } });
      expect(named).toBe(`bridges.one.pool.autoscale.${field}`);
    }
  });

  it('that is no number as it should be is told with what was found', () => {
    expect(ofBridge({ size: 0 }).message).toMatch(/>=\s?1.*found 0/u);
  });

  it.each([
    [{ sise: 2 }, 'bridges.one.pool', 'sise is no option; did you mean size?'],
    [{ overFlow: 2 }, 'bridges.one.pool', 'overFlow is no option; did you mean overflow?'],
    [{ queueLenghtMax: 2 }, 'bridges.one.pool', 'did you mean queueLengthMax?'],
    [{ sessions: { tllMs: 2 } }, 'bridges.one.pool.sessions', 'did you mean ttlMs?'],
    [{ breaker: { openms: 2 } }, 'bridges.one.pool.breaker', 'did you mean openMs?'],
    [{ quarantine: { volume: 2 } }, 'bridges.one.pool.quarantine', 'there are crashes, forMs'],
  ])('that there is not is refused with the one that was meant: %j', (pool, field, said) => {
    const refusal = ofBridge(pool);
    expect(refusal.field).toBe(field);
    expect(refusal.message).toContain(said);
  });
});

describe('options of a pool together', () => {
  it.each([
    [{ autoscale: { min: 3, max: 2, queueWaitMs: 1 } }, 'autoscale.min'],
    [{ size: 1, autoscale: { min: 2, max: 4, queueWaitMs: 1 } }, 'size'],
    [{ size: 5, autoscale: { min: 2, max: 4, queueWaitMs: 1 } }, 'size'],
    [{ size: 1_000, overflow: 25 }, 'overflow'],
    [{ overflow: 2, autoscale: { min: 1, max: LIMITS.poolSizeMax, queueWaitMs: 1 } }, 'overflow'],
  ])('are refused when they contradict each other: %j', (pool, field) => {
    expect(ofBridge(pool).field).toBe(`bridges.one.pool.${field}`);
  });

  it.each([
    [{ size: 2, autoscale: { min: 2, max: 2, queueWaitMs: 1 } }],
    [{ size: 1_000, overflow: 24 }],
    [{ autoscale: { min: 1, max: 2, queueWaitMs: 1 } }],
    [{ autoscale: { min: 8, max: 9, queueWaitMs: 1 } }],
  ])('are taken when they do not: %j', (pool) => {
    expect(ofBridge(pool)).toBe(NOTHING_WRONG);
  });

  it.each([
    [1, 2, 2],
    [8, 9, 8],
    [1, 9, 4],
  ])('begin, scaling from %i to %i without a size, at %i', (min, max, size) => {
    const pool = { autoscale: { min, max, queueWaitMs: 1 } };
    expect(poolOptionsOf('one', { adapter: plain, pool }).size).toBe(size);
    // The adapter's size is a default like any other.
    expect(poolOptionsOf('one', { adapter: dspy(), pool }).size).toBe(size);
  });
});

describe('the options that hold', () => {
  const adapter = defineAdapter({
    framework: 'own',
    operations: {},
    pool: { size: 3, overflow: 1, sessions: { ttlMs: 5, max: 7 }, breaker: { openMs: 9 } },
  });

  it.each<readonly [PoolOptions | undefined, PoolOptions]>([
    [undefined, adapter.pool ?? {}],
    [{}, adapter.pool ?? {}],
    [{ size: 2 }, { ...adapter.pool, size: 2 }],
    [{ size: undefined }, adapter.pool ?? {}],
    [{ sessions: { max: 8 } }, { ...adapter.pool, sessions: { ttlMs: 5, max: 8 } }],
    [{ sessions: { max: undefined } }, adapter.pool ?? {}],
    [{ breaker: false }, { ...adapter.pool, breaker: false }],
    [{ maxAgeMs: 1 }, { ...adapter.pool, maxAgeMs: 1 }],
  ])("of a bridge win over its adapter's, one by one: %j", (pool, together) => {
    expect(poolOptionsOf('one', { adapter, pool })).toEqual(together);
  });

  it('of DSPy are those of the ported design', () => {
    const { size, overflow, checkoutTimeoutMs } = poolOptionsOf('dspy', { adapter: dspy() });
    expect([size, overflow, checkoutTimeoutMs]).toEqual([4, 2, 5_000]);
  });

  it('of an adapter that was not made by defineAdapter are checked with the bridge', () => {
    const handmade = { ...plain, pool: { size: 0 } };
    expect(ofBridge({}, handmade).field).toBe('bridges.one.adapter.pool.size');
  });
});
