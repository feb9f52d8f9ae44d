// What does Python get of a secret argument, and who else hears of it? The façade over a scripted process.
import { describe, expect, it } from 'vitest';

import { Secret, secretNameOf } from '../../src/adapters/secret-mark.ts';
import { dspy, secret } from '../../src/index.ts';
import { scriptedBridge } from './scripted-bridge.ts';

const adapter = { operations: { sign_in: { secrets: ['token'] }, echo: {} } };

describe('a secret that nobody here knows', () => {
  it.each(['sign_in', 'echo'])(
    'refuses its call by its name, before anything is sent: %s',
    async (op) => {
      const { call, rounds, process } = scriptedBridge({ adapter });
      const fate = call(op, { token: secret('TOKEN') });
      await rounds();
      expect(fate.error).toMatchObject({ code: 'secret_missing', outcome: 'notSent' });
      expect(process().said).toEqual([]);
    },
  );
});

describe('the mark of a secret', () => {
  it('is told by its name, whoever has made it, and no value is one', () => {
    expect(secretNameOf(secret('KEY'))).toBe('KEY');
    expect(secretNameOf({ [Symbol.for('caduceus.secret')]: 'KEY' })).toBe('KEY');
    for (const value of [undefined, null, 'KEY', {}, { [Symbol.for('caduceus.secret')]: 7 }]) {
      expect(secretNameOf(value)).toBeUndefined();
    }
    expect(secret('KEY')).toBeInstanceOf(Secret);
  });

  it("is taken as the key of DSPy's model, which a number is not", () => {
    const config = { model: 'openai/m', apiKey: secret('KEY') };
    const tools = { newId: () => 'id' };
    expect(() => dspy().validateConfig?.(config)).not.toThrow();
    expect(dspy().transformRequest?.('configure_lm', config, tools)).toEqual({
      model: 'openai/m',
      api_key: config.apiKey,
    });
    expect(() => dspy().validateConfig?.({ model: 'm', apiKey: 7 })).toThrow(/config\.apiKey/u);
  });
});
