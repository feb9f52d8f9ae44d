// Which slips in the options of one call are told, and what is said of each?
import { describe, expect, it } from 'vitest';

import { checkOptions, type CallOptions } from '../../src/calls/call-options.ts';

function fieldOf(options: object): string {
  try {
    checkOptions(options);
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_config' });
    return (error as { readonly field: string }).field;
  }
  return 'nothing is wrong';
}

const functions = { search: () => 1 };
const NO_TIME = [-1, '1s', Number.NaN];

describe('an option of a call', () => {
  it.each<readonly [field: keyof CallOptions, good: readonly unknown[], bad: readonly unknown[]]>([
    ['timeoutMs', [0.5, 1, 60_000], [0, ...NO_TIME]],
    ['checkoutTimeoutMs', [0, 0.5, 60_000], NO_TIME],
    ['maxRetries', [0, 1, 10], [-1, 0.5, 'many', Number.NaN, Number.POSITIVE_INFINITY]],
    ['affinity', ['none', 'preferred', 'required'], ['sticky', '', 0, null]],
    ['sessionId', ['alice', 'anonymous'], ['', 5, null]],
    ['signal', [new AbortController().signal], [{}, null]],
    ['onProgress', [() => 1], ['f', null]],
    ['callbacks', [functions, {}], ['f', null]],
    ['trace', [{ traceparent: '00' }, {}], ['00', null]],
  ])('%s is taken as it should be, and else refused by its name', (field, good, bad) => {
    for (const value of [undefined, ...good]) {
      expect(fieldOf({ [field]: value })).toBe('nothing is wrong');
    }
    for (const value of bad) expect(fieldOf({ [field]: value })).toBe(`options.${field}`);
  });

  it('names what is wrong inside of it', () => {
    expect(fieldOf({ callbacks: { ...functions, find: 'f' } })).toBe('options.callbacks.find');
    expect(fieldOf({ trace: { traceparent: 7 } })).toBe('options.trace.traceparent');
  });
});
