// Whose word about a zygote counts, and what is no word at all?
import { describe, expect, it } from 'vitest';

import { preloadOf } from '../../src/adapters/zygote-option.ts';
import { checkConfig } from '../../src/config.ts';
import { defineAdapter, dspy, type ZygoteOption } from '../../src/index.ts';

const TORCH = { preload: ['torch'] };

describe('the option zygote', () => {
  it.each<[ZygoteOption | undefined, ZygoteOption | undefined, readonly string[] | 'no zygote']>([
    [undefined, undefined, []],
    [undefined, TORCH, ['torch']],
    [undefined, false, 'no zygote'],
    [true, TORCH, ['torch']],
    [true, false, []],
    [false, TORCH, 'no zygote'],
    [{}, TORCH, ['torch']],
    [{ preload: [] }, TORCH, []],
    [{ preload: ['numpy'] }, TORCH, ['numpy']],
  ])('of a bridge (%j) wins over that of its adapter (%j): %j', (bridge, adapter, preload) => {
    expect(preloadOf({ bridge, adapter, platform: 'linux' })).toEqual(preload);
  });

  it.each(['darwin', 'win32'] as const)('changes nothing on %s', (platform) => {
    expect(preloadOf({ bridge: TORCH, adapter: TORCH, platform })).toBe('no zygote');
  });

  it.each([
    'yes',
    1,
    null,
    { preload: 'torch' },
    { preload: ['not a module'] },
    { preload: ['torch;os'] },
    { modules: ['torch'] },
  ])('is refused as %j, by bridges and by adapters', (zygote) => {
    const given = zygote as unknown as ZygoteOption;
    expect(() => checkConfig({ bridges: { b: { adapter: dspy(), zygote: given } } })).toThrow(
      /zygote/u,
    );
    expect(() => defineAdapter({ framework: 'f', operations: {}, zygote: given })).toThrow(
      /adapter\.zygote/u,
    );
  });

  it.each([true, false, {}, TORCH, { preload: ['a.b_c', 'transformers:AutoTokenizer'] }])(
    'is taken as %j',
    (zygote) => {
      expect(() => checkConfig({ bridges: { b: { adapter: dspy(), zygote } } })).not.toThrow();
    },
  );
});
