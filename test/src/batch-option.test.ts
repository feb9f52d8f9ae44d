// Which slips in an operation's batches are told before anything is started?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../actors/ground/limits.ts';
import type { InvalidConfigError } from '../../src/index.ts';
import { defineAdapter, type Adapter } from '../../src/index.ts';

const GOOD = { maxSize: 16, maxWaitMs: 5 };

function adapterWith(operation: object): Adapter {
  return defineAdapter({ framework: 'f', operations: { embed: operation } });
}

describe('the batches of an operation', () => {
  it.each([
    [{ batch: true }, 'batch'],
    [{ batch: {} }, 'batch.maxSize'],
    [{ batch: { maxSize: 16 } }, 'batch.maxWaitMs'],
    [{ batch: { ...GOOD, maxSize: 0 } }, 'batch.maxSize'],
    [{ batch: { ...GOOD, maxSize: 1.5 } }, 'batch.maxSize'],
    [{ batch: { ...GOOD, maxSize: LIMITS.batchSizeMax + 1 } }, 'batch.maxSize'],
    [{ batch: { ...GOOD, maxWaitMs: -1 } }, 'batch.maxWaitMs'],
    [{ batch: { ...GOOD, maxWaitMs: Number.POSITIVE_INFINITY } }, 'batch.maxWaitMs'],
    [{ batch: { ...GOOD, maxWaitMs: LIMITS.batchWaitMsMax + 1 } }, 'batch.maxWaitMs'],
    [{ batch: { ...GOOD, size: 3 } }, 'batch'],
    [{ batch: GOOD, change: 'configure' }, 'batch'],
    [{ batch: GOOD, change: 'create', key: () => 'k' }, 'batch'],
  ])('are refused with the name of the field: %j', (operation, field) => {
    expect(() => adapterWith(operation)).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        field: `adapter.operations.embed.${field}`,
      }) as InvalidConfigError,
    );
  });

  it.each([
    GOOD,
    { maxSize: 1, maxWaitMs: 0 },
    { maxSize: LIMITS.batchSizeMax, maxWaitMs: LIMITS.batchWaitMsMax },
  ])('may be %j', (batch) => {
    expect(adapterWith({ batch, idempotent: true }).operations['embed']).toMatchObject({ batch });
  });

  it('tell that an operation that changes state has none', () => {
    expect(() => adapterWith({ batch: GOOD, change: 'configure' })).toThrow(
      /is not for an operation that changes state/u,
    );
  });
});
