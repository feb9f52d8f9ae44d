import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { NdArray } from '../../actors/port/nd-array.ts';
import { arbitraryValues, WITH_NUMPY, WITHOUT_NUMPY } from '../support/arbitrary-values.ts';
import { CodecPeer } from '../support/codec-peer.ts';
import { areEqual } from '../vectors/equality.ts';
import { fromNeutral, VALUES } from '../vectors/neutral.ts';

const RUNS = 2_000;
const SEEDS = 1_500;
const TIMEOUT_MS = 60_000;

describe.each([
  ['with NumPy', [], WITH_NUMPY],
  ['without NumPy', ['--without-numpy'], WITHOUT_NUMPY],
] as const)('between Node and a real Python %s', (_how, args, among) => {
  const peer = new CodecPeer(...args);
  afterAll(() => peer.close());

  it(
    'any value goes there and comes back equal',
    async () => {
      await fc.assert(
        fc.asyncProperty(arbitraryValues(among), async (value) => {
          const answer = await peer.echo(value);
          expect(answer.type).toBe('value');
          expect(areEqual(value, answer.value)).toBe(true);
        }),
        { numRuns: RUNS },
      );
    },
    TIMEOUT_MS,
  );

  it(
    "any value of Python's comes here and goes back equal, as Python judges",
    async () => {
      for (let seed = 0; seed < SEEDS; seed += 1) {
        const given = await peer.ask({ type: 'give', seed }, null);
        const judged = await peer.ask({ type: 'judge', seed }, given.value);
        expect([seed, judged]).toEqual([seed, { type: 'value', value: 'equal' }]);
      }
    },
    TIMEOUT_MS,
  );
});

describe('the judges', () => {
  const peer = new CodecPeer();
  afterAll(() => peer.close());

  it('tell the values of the vectors from each other', () => {
    const values = VALUES.values.map(({ name, javascript }) => ({ name, neutral: javascript }));
    for (const one of values) {
      for (const other of values) {
        const isSame = JSON.stringify(one.neutral) === JSON.stringify(other.neutral);
        const found = areEqual(fromNeutral(one.neutral), fromNeutral(other.neutral));
        expect([one.name, other.name, found]).toEqual([one.name, other.name, isSame]);
      }
    }
  });

  it('notice in Python what is not what was given', async () => {
    let noticed = 0;
    for (let seed = 0; seed < 100; seed += 1) {
      const { value } = await peer.ask({ type: 'judge', seed }, ['another']);
      if (value !== 'equal') noticed += 1;
    }
    expect(noticed).toBe(100);
  });
});

describe('without NumPy', () => {
  const peer = new CodecPeer('--without-numpy');
  afterAll(() => peer.close());

  it.each([
    ['a complex array', new NdArray('complex64', [1], new Float32Array(2))],
    ['an array with an empty dimension', new NdArray('int8', [2, 0], new Int8Array(0))],
  ])('%s fails its call, and the next one works', async (_what, value) => {
    expect(await peer.echo(value)).toEqual({ type: 'refused', value: 'package_missing' });
    expect(await peer.echo(1)).toEqual({ type: 'value', value: 1 });
  });
});
