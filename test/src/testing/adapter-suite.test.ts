// Does the suite of an adapter run what it says, where it says, and can it fail?
import { describe, expect, it } from 'vitest';

import { defineAdapter } from '../../../src/index.ts';
import { adapterSuite, type AdapterCase, type LayerSuite } from '../../../src/testing/index.ts';

const mocked = defineAdapter({ framework: 'mocked', operations: { run: { mock: () => 'mock' } } });
const bare = defineAdapter({ framework: 'bare', operations: { run: {} } });

const cases: readonly AdapterCase[] = [
  { name: 'runs', run: async (runtime, { bridge }) => runtime.pool(bridge).call('run') },
  { name: 'throws', layers: [1], run: () => Promise.reject(new Error('on purpose')) },
];

function own({ cases: all }: LayerSuite): readonly string[] {
  return all.map(({ name }) => name).slice(3);
}

describe('the suite of an adapter', () => {
  it('has its cases for each layer that the adapter supports', () => {
    const suites = adapterSuite(mocked, { cases });
    expect(suites.map(({ layer }) => layer)).toEqual([1, 2, 3]);
    expect(suites.map(own)).toEqual([['runs', 'throws'], ['runs'], ['runs']]);
  });

  it('runs on Python alone where nothing has a mock', () => {
    const [first] = cases as [AdapterCase];
    expect(adapterSuite(bare, { cases: [first] }).map(({ layer }) => layer)).toEqual([3]);
  });

  it('keeps to the layers that are asked for', () => {
    expect(adapterSuite(mocked, { cases, layers: [1] }).map(({ layer }) => layer)).toEqual([1]);
  });

  it('fails with the case that fails', async () => {
    const [suite] = adapterSuite(mocked, { cases, layers: [1] });
    await using runtime = await suite!.start();
    const outcomes = await Promise.allSettled(suite!.cases.map(({ run }) => run(runtime)));
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled'],
      ...['fulfilled', 'rejected'],
    ]);
  });

  it('refuses to test nothing', () => {
    expect(() => adapterSuite(mocked, { cases: [] })).toThrow('are none');
    expect(() => adapterSuite(bare, { cases })).toThrow('throws would run on no layer');
    expect(() => adapterSuite(mocked, { cases: [...cases, ...cases] })).toThrow(
      'runs is there twice',
    );
  });
});
