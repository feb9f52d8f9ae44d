// Which values cross to real Python and back, and what is said of those that do not? `docs/protocol.md` §5.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createRuntime, defineAdapter, NdArray, type Runtime } from '../../src/index.ts';
import { fixture, PYTHON, rejection } from '../support/real-runtime.ts';

let runtime: Runtime;
beforeAll(async () => {
  const adapter = defineAdapter({ framework: 'values', operations: {} });
  const scriptPath = fixture('values_bridge.py');
  runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    bridges: { values: { adapter, scriptPath, pool: { size: 1 } } },
  });
});
afterAll(async () => {
  await runtime.stop();
});
const call = (op: string, value: unknown) => runtime.pool('values').call(op, { value });
const make = (what: string) => runtime.pool('values').call('make', { what });

describe('a value from JavaScript', () => {
  it.each<readonly [value: unknown, description: unknown]>([
    [Number.NaN, { kind: 'float', repr: 'nan' }],
    [-0, { kind: 'float', repr: '-0.0' }],
    [1e300, { kind: 'float', repr: '1e+300' }],
    [2 ** 60, { kind: 'float', repr: '1.152921504606847e+18' }],
    [2n ** 64n, { kind: 'int', repr: '18446744073709551616' }],
    [Buffer.from('hi'), { kind: 'bytes', repr: "b'hi'" }],
    [new Date(0), { kind: 'datetime' }],
    [new Float64Array(3), { kind: 'ndarray', dtype: 'float64', shape: [3] }],
    [new BigUint64Array(2), { kind: 'ndarray', dtype: 'uint64', shape: [2] }],
    [NdArray.from(new Int16Array(6), [2, 3]), { kind: 'ndarray', dtype: 'int16', shape: [2, 3] }],
  ])("is Python's own: %s", async (value, description) => {
    expect(await call('describe', value)).toMatchObject(description as object);
  });

  it.each<readonly [value: unknown]>([
    [Number.NaN],
    [Number.NEGATIVE_INFINITY],
    [-0],
    [2n ** 64n],
    [new Date(1_790_000_000_123)],
    [{ $: 1, $$: { $a: '\ud83d' }, ['__proto__x']: null }],
    [{ deep: [{ array: new Float32Array([1, Number.NaN]) }, Buffer.from([0, 255])] }],
  ])('comes back as it was: %s', async (value) => {
    expect(await call('echo', value)).toEqual(value);
  });

  it('is computed with as the array that it is, without a copy through JSON', async () => {
    const array = Float64Array.from({ length: 1_000 }, (_, index) => index / 7);
    expect(await call('double', array)).toEqual(array.map((x) => x * 2));
  });

  it('that cannot be sent fails its call with its path, and nothing is sent', async () => {
    const error = await rejection(call('echo', { rows: [1, { bad: new Map() }] }));
    expect(error).toMatchObject({
      ...{ code: 'unencodable', outcome: 'notSent' },
      path: 'args.value.rows[1].bad',
    });
  });
});

describe('a value from Python', () => {
  it.each<readonly [what: string, value: unknown]>([
    ['nan', Number.NaN],
    ['huge', 2n ** 80n],
    ['moment', new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678))],
    ['point', { x: 1, y: Number.POSITIVE_INFINITY }],
    ['matrix', new NdArray('float32', [2, 3], Float32Array.of(0, 1, 2, 3, 4, 5))],
    ['scalar', 7],
    ['nested', { rows: [new Float64Array([1, 1, 1]), Buffer.from('bytes')], $: 1 }],
  ])("is JavaScript's own: %s", async (what, value) => {
    expect(await make(what)).toEqual(value);
  });

  it.each([
    ['naive', 'result.rows[0].at'],
    ['object', 'result'],
  ])(
    'that cannot be sent fails its call with its path, and its worker lives: %s',
    async (what, path) => {
      const error = await rejection(make(what));
      expect(error).toMatchObject({ code: 'unencodable' });
      expect(error.message).toContain(path);
      expect(await call('echo', 'alive')).toBe('alive');
    },
  );
});

describe('a large value', () => {
  it('of 100 MB crosses both ways', { timeout: 30_000 }, async () => {
    const array = new Float64Array(100e6 / 8).fill(1.5);
    const back = (await call('echo', array)) as Float64Array;
    expect([back.length, back[0], back.at(-1)]).toEqual([array.length, 1.5, 1.5]);
  });

  it('beyond a frame is refused before it is sent', async () => {
    const error = await rejection(call('length', Buffer.alloc(257 * 1024 * 1024)));
    expect(error).toMatchObject({ code: 'unencodable', outcome: 'notSent' });
  });
});
