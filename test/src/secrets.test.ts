import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { encodeValue } from '../../actors/port/codec.ts';
import { resolverOf, sealArgs, secret } from '../../src/secrets.ts';

const VALUE = 'sk-never-to-be-seen';
const resolve = resolverOf({ API_KEY: VALUE, LATER: () => 'given when asked' });
const seal = (args: object, marked: readonly string[] = []) =>
  sealArgs('configure', args as Record<string, unknown>, marked, 'dspy', resolve);

describe('a secret argument', () => {
  it('has its value for Python and its name for the store', () => {
    expect(seal({ model: 'm', api_key: secret('API_KEY') }, ['api_key'])).toEqual({
      args: { model: 'm', api_key: VALUE },
      secrets: { api_key: 'API_KEY' },
    });
  });

  it('has a name of its own where its caller gave the value', () => {
    expect(seal({ api_key: 'sk-mine' }, ['api_key'])).toEqual({
      args: { api_key: 'sk-mine' },
      secrets: { api_key: 'dspy.configure.api_key' },
    });
  });

  it('is one also where only its caller says so', () => {
    expect(seal({ token: secret('LATER') })).toEqual({
      args: { token: 'given when asked' },
      secrets: { token: 'LATER' },
    });
  });

  it('is none when it was not given', () => {
    const args = { model: 'm', api_key: null, other: undefined };
    expect(seal(args, ['api_key', 'other', 'absent'])).toEqual({ args, secrets: {} });
  });

  it('may have any name', () => {
    const args = Object.fromEntries([['__proto__', secret('API_KEY')]]);
    const sealed = seal(args);
    expect(Object.entries(sealed.args)).toEqual([['__proto__', VALUE]]);
    expect(Object.entries(sealed.secrets)).toEqual([['__proto__', 'API_KEY']]);
  });

  it.each([['UNKNOWN'], ['toString'], ['dspy.configure.api_key']])(
    'is refused by its name when nobody here knows %s',
    (name) => {
      expect(() => seal({ api_key: secret(name) })).toThrow(
        expect.objectContaining({ code: 'secret_missing', secretName: name, outcome: 'notSent' }),
      );
    },
  );

  it('is refused with its path when it is deeper', () => {
    const { args } = seal({ config: { keys: [secret('API_KEY')] } });
    expect(() => encodeValue(args, 'args')).toThrow(
      expect.objectContaining({ code: 'unencodable', path: 'args.config.keys[0]' }),
    );
  });
});

describe('secret()', () => {
  it.each([[''], [undefined], [{}]])('takes a name, and not %o', (name) => {
    expect(() => secret(name as string)).toThrow(TypeError);
  });

  it('shows its name at most', () => {
    const marker = secret('API_KEY');
    expect(JSON.stringify(marker)).toBe('{}');
    expect(inspect(marker)).toContain('API_KEY');
    expect(Object.isFrozen(marker)).toBe(true);
  });
});

describe('the names of secrets', () => {
  it('are looked up each time', () => {
    let asked = 0;
    const counting = resolverOf({ KEY: () => `value ${(asked += 1)}` });
    expect([counting('KEY'), counting('KEY')]).toEqual(['value 1', 'value 2']);
  });

  it('lead to nothing where the value is no text, or cannot be had', () => {
    const broken = resolverOf({
      NUMBER: 1 as unknown as string,
      THROWS: () => {
        throw new Error('the vault is closed');
      },
      UNDEFINED: () => undefined,
    });
    expect(['NUMBER', 'THROWS', 'UNDEFINED', 'OTHER'].map(broken)).toEqual([
      ...[undefined, undefined, undefined, undefined],
    ]);
  });
});
