// To which partition does a key go? Known keys by a table, all others by what must hold of any.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import { partitionFor, type PartitionKey } from '../../supervisors/partition-key.ts';

/** So many partitions that each hash has its own. */
const ALL = 2 ** 32;

const refTo = (path: string, epoch: number): ActorRef => ({
  ...{ id: 'id', path, epoch, exitReason: undefined },
  send: () => undefined,
});

describe('a whole number', () => {
  it.each<[PartitionKey, number, number]>([
    [0, 4, 0],
    [-0, 4, 0],
    [3, 3, 0],
    [5, 4, 1],
    [-1, 4, 1],
    [-5, 4, 1],
    [7, 1, 0],
    [Number.MAX_SAFE_INTEGER, 10, 1],
    [1e300, 4, 0],
    [0n, 4, 0],
    [7n, 4, 3],
    [-7n, 4, 3],
    [2n ** 80n + 3n, 4, 3],
    [-(2n ** 80n) - 3n, 4, 3],
  ])('%s of %d goes to %d', (key, count, partition) => {
    expect(partitionFor(key, count)).toBe(partition);
  });
});

describe('a key of any other kind', () => {
  it.each<[PartitionKey, number]>([
    ['', 3_803_418_710],
    ['a', 1_419_675_630],
    ['1', 2_615_852_555],
    ['žluť', 1_152_295_332],
    [1.5, 4_222_178_618],
    [-1.5, 2_547_787_993],
    [Number.NaN, 1_597_922_161],
    [Number.NEGATIVE_INFINITY, 823_207_704],
    [true, 67_557_576],
    [false, 1_011_813_386],
    [null, 3_662_094_598],
    [undefined, 2_221_536_329],
    [[], 328_381_191],
    [['a', 1], 1_511_100_023],
    [['a', 1n], 422_674_659],
    [[['a']], 714_825_754],
    [[true, null], 206_143_808],
    [refTo('top/a', 1), 3_433_707_754],
    [refTo('top/a', 2), 991_623_788],
    [[refTo('top/a', 1)], 4_092_078_260],
  ])('%s goes where it always went, in every process and version', (key, hash) => {
    expect(partitionFor(key, ALL)).toBe(hash);
    expect(partitionFor(key, 10)).toBe(hash % 10);
  });

  const code = (): void => undefined;
  it.each<[key: unknown, found: string]>([
    [{}, 'object'],
    [{ path: 'a' }, 'object'],
    [{ epoch: 1 }, 'object'],
    [code, 'function'],
    [Object.assign(() => undefined, { path: 'a', epoch: 1 }), 'function'],
    [Symbol('key'), 'symbol'],
    [['a', {}], 'object'],
  ])('is refused when it has no text of its own: %o', (key, found) => {
    const message = `key: a text, a number, a reference or a list of these is expected, found a ${found}`;
    expect(() => partitionFor(key as PartitionKey, 4)).toThrow(new TypeError(message));
  });
});

describe('whatever the key', () => {
  const single: fc.Arbitrary<PartitionKey> = fc.oneof(
    ...[fc.string({ unit: 'binary' }), fc.integer(), fc.double(), fc.bigInt(), fc.boolean()],
    ...[fc.constant(null), fc.constant(undefined)],
    fc.tuple(fc.string(), fc.nat()).map(([path, epoch]) => refTo(path, epoch)),
  );
  const { key: keys } = fc.letrec<{ key: PartitionKey; list: PartitionKey[] }>((tie) => ({
    key: fc.oneof({ maxDepth: 3 }, single, tie('list')),
    list: fc.array(tie('key'), { maxLength: 4 }),
  }));
  const counts = fc.integer({ min: 1, max: 5_000 });

  it('it lands in one of the partitions', () => {
    fc.assert(
      fc.property(keys, counts, (key, count) => {
        const partition = partitionFor(key, count);
        expect(Number.isInteger(partition)).toBe(true);
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(count);
      }),
    );
  });

  it('another one of the same value goes to the same partition', () => {
    const copyOf = (key: PartitionKey): PartitionKey => {
      if (Array.isArray(key)) return (key as readonly PartitionKey[]).map(copyOf);
      const isRef = typeof key === 'object' && key !== null && 'path' in key;
      return isRef ? refTo(key.path, key.epoch) : key;
    };
    fc.assert(
      fc.property(keys, counts, (key, count) => {
        expect(partitionFor(copyOf(key), count)).toBe(partitionFor(key, count));
      }),
    );
  });

  it('a whole number goes to the remainder of its absolute value, of either type', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.maxSafeInteger()), counts, (key, count) => {
        const big = BigInt(key);
        const partition = Number((big < 0n ? -big : big) % BigInt(count));
        expect(partitionFor(key, count)).toBe(partition);
        expect(partitionFor(big, count)).toBe(partition);
      }),
    );
  });
});

describe('keys', () => {
  it('of different types that read the same are different ones', () => {
    const keys = [1.5, '1.5', [1.5], ['1.5'], [['1.5']], true, 'true', null, 'null', undefined];
    expect(new Set(keys.map((key) => partitionFor(key, ALL))).size).toBe(keys.length);
  });

  it('spread: of many texts no partition gets much more or less than its part', () => {
    const counts = Array.from({ length: 8 }, () => 0);
    for (let index = 0; index < 8_000; index += 1) {
      const partition = partitionFor(`session-${index}`, 8);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.max(...counts)).toBeLessThan(1_200);
    expect(Math.min(...counts)).toBeGreaterThan(800);
  });
});
