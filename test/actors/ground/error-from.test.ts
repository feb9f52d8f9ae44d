// Is whatever may be thrown an error afterwards, and does looking at it harm nobody?
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

import { errorFrom, isReadableError } from '../../../actors/ground/error-from.ts';
import { ODDITIES, thrower } from './oddities.ts';

describe('what was thrown', () => {
  it('is itself where it is an error, of whatever realm', () => {
    const own = Object.freeze(new RangeError('own'));
    const foreign: unknown = runInNewContext('new TypeError("foreign")');
    expect(errorFrom(own)).toBe(own);
    expect(errorFrom(foreign)).toBe(foreign);
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['text', 'text'],
    [5n, '5'],
    [Symbol('s'), 'Symbol(s)'],
    [{ code: 7, deep: { er: { still: 1 } } }, '{ code: 7, deep: { er: [Object] } }'],
    [Object.create(null), '[Object: null prototype] {}'],
  ])('is said by an error, and is its cause: %s', (thrown, text) => {
    const error = errorFrom(thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe(text);
    expect(error.cause).toBe(thrown);
  });

  it.each(Object.keys(ODDITIES))('does not throw when it is looked at: %s', (name) => {
    const error = errorFrom(ODDITIES[name]?.());
    expect(isReadableError(error)).toBe(true);
    expect(error.message).toEqual(expect.any(String));
  });

  it('is described where it throws while it is shown', () => {
    const shown = { [Symbol.toStringTag]: 'x' };
    Object.defineProperty(shown, Symbol.toStringTag, { get: thrower('tag') });
    // Node 20 throws where newer ones show that there is a getter.
    expect([
      'an object that cannot be shown',
      '{ Symbol(Symbol.toStringTag): [Getter] }',
    ]).toContain(errorFrom(shown).message);
  });
});
