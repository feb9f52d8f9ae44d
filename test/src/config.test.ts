// Which slips in a configuration are told before anything is started, and by which name?
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../actors/ground/limits.ts';
import { checkConfig, type RuntimeConfig } from '../../src/config.ts';
import { dspy } from '../../src/index.ts';

const withBridge = (more: object): RuntimeConfig => ({
  bridges: { one: { adapter: dspy(), ...more } },
});
const withPool = (pool: object): RuntimeConfig => withBridge({ pool });

/** The field that is named, and what is said of it. */
function refusalOf(config: RuntimeConfig): { readonly field: string; readonly message: string } {
  try {
    checkConfig(config);
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_config' });
    return error as { readonly field: string; readonly message: string };
  }
  return { field: 'nothing is wrong', message: '' };
}

describe('the options of a pool', () => {
  it.each<readonly [field: string, good: readonly unknown[], bad: readonly unknown[]]>([
    ['prefetch', [0, 1, LIMITS.prefetchMax], [-1, 0.5, LIMITS.prefetchMax + 1, '1', Number.NaN]],
    ['concurrency', [1, LIMITS.concurrencyMax], [0, 1.5, LIMITS.concurrencyMax + 1, '1']],
    [
      'heartbeatMs',
      [LIMITS.heartbeatMsMin, 2_000],
      [LIMITS.heartbeatMsMin - 1, 0, '2s', Number.POSITIVE_INFINITY],
    ],
    ['gilHoldMsMax', [1, 30_000], [0, -1, '30s', Number.NaN]],
    ['limits', [{}], [7, 'none', [], { files: 7 }]],
    ['usageLimits', [{}], [7, 'none', [], { files: 7 }]],
  ])(
    '%s is taken within its bounds, and refused by its name outside of them',
    (field, good, bad) => {
      for (const value of good)
        expect(() => checkConfig(withPool({ [field]: value }))).not.toThrow();
      for (const value of bad) {
        expect(refusalOf(withPool({ [field]: value })).field).toBe(`bridges.one.pool.${field}`);
      }
    },
  );

  it.each<
    readonly [group: string, field: string, good: readonly unknown[], bad: readonly unknown[]]
  >([
    ['limits', 'openFilesMax', [LIMITS.openFilesMin, 4_096], [LIMITS.openFilesMin - 1, 64.5, '64']],
    ['limits', 'cpuMsMax', [1, 60_000], [0, -1, '1m']],
    ['limits', 'addressSpaceBytesMax', [1, 2 ** 33], [0, 1.5, '8G']],
    ['usageLimits', 'rssBytesMax', [1, 2 ** 33], [0, 1.5, '8G']],
    ['usageLimits', 'cpuMsMax', [1, 60_000], [0, -1, '1m']],
    ['usageLimits', 'openFilesMax', [1, 4_096], [0, 0.5, '64']],
  ])(
    '%s.%s is taken within its bounds, and refused by its name outside of them',
    (group, field, good, bad) => {
      for (const value of good) {
        expect(() => checkConfig(withPool({ [group]: { [field]: value } }))).not.toThrow();
      }
      for (const value of bad) {
        expect(refusalOf(withPool({ [group]: { [field]: value } })).field).toBe(
          `bridges.one.pool.${group}.${field}`,
        );
      }
    },
  );

  it('are refused when there are none of the name, which is told', () => {
    const { field, message } = refusalOf(withPool({ prefetsch: 1 }));
    expect([field, message]).toEqual(['bridges.one.pool', expect.stringContaining('prefetsch')]);
  });
});

describe('the options of a bridge', () => {
  it('callbacks are functions, each by its name', () => {
    expect(() => checkConfig(withBridge({ callbacks: { search: () => 1 } }))).not.toThrow();
    const { field, message } = refusalOf(withBridge({ callbacks: { search: 'f' } }));
    expect(field).toBe('bridges.one.callbacks.search');
    expect(message).toContain('no function');
    expect(refusalOf(withBridge({ callbacks: [] })).field).toBe('bridges.one.callbacks');
  });

  it('schemaHash is a text that is not empty', () => {
    expect(() => checkConfig(withBridge({ schemaHash: '9f86' }))).not.toThrow();
    for (const schemaHash of ['', 7, null]) {
      expect(refusalOf(withBridge({ schemaHash })).field).toBe('bridges.one.schemaHash');
    }
  });
});
