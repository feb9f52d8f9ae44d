// Do variables set the options that they name, and nothing else?
import { describe, expect, it } from 'vitest';

import { configFromEnv } from '../../src/config-env.ts';

const BRIDGES = ['dspy', 'my-words'];

function read(variables: Readonly<Record<string, string>>): Record<string, unknown> {
  const pairs = Object.entries(variables).map(([name, text]) => [`CADUCEUS__${name}`, text]);
  return configFromEnv(Object.fromEntries(pairs) as Record<string, string>, BRIDGES);
}

describe('a variable', () => {
  it('sets an option, whose value is JSON', () => {
    expect(read({ BRIDGES__DSPY__POOL__SIZE: '8', DEFAULT: 'dspy', LOGGER: 'false' })).toEqual({
      bridges: { dspy: { pool: { size: 8 } } },
      default: 'dspy',
      logger: false,
    });
  });

  it('is matched without case, underscores and hyphens', () => {
    const expected = { bridges: { 'my-words': { pool: { checkoutTimeoutMs: 5 } } } };
    expect(read({ BRIDGES__MY_WORDS__POOL__CHECKOUT_TIMEOUT_MS: '5' })).toEqual(expected);
    expect(read({ bridges__mywords__pool__checkouttimeoutms: '5' })).toEqual(expected);
  });

  it('is text where the option is text, whatever it looks like', () => {
    expect(
      read({
        BRIDGES__DSPY__MIN_PYTHON_VERSION: '3.11',
        BRIDGES__DSPY__ENV__OMP_NUM_THREADS: '1',
        SECRETS__OpenAI_Key: '12345',
        PYTHON: '"/opt/python"',
      }),
    ).toEqual({
      bridges: { dspy: { minPythonVersion: '3.11', env: { OMP_NUM_THREADS: '1' } } },
      secrets: { OpenAI_Key: '12345' },
      python: '/opt/python',
    });
  });

  it('may set a whole group, and another one an option of it', () => {
    expect(
      read({
        BRIDGES__DSPY__POOL__SIZE: '3',
        BRIDGES__DSPY__POOL: '{"size":2,"overflow":1}',
        BRIDGES__DSPY__POOL__BREAKER__OPEN_MS: '9',
        BRIDGES__DSPY__ZYGOTE: 'false',
      }),
    ).toEqual({
      bridges: {
        dspy: { pool: { size: 3, overflow: 1, breaker: { openMs: 9 } }, zygote: false },
      },
    });
  });

  it('may make a bridge, when it says where that is', () => {
    expect(
      read({ BRIDGES__NEW_ONE__SCRIPT_PATH: './new.py', BRIDGES__OTHER__ADAPTER: 'dspy' }),
    ).toEqual({
      bridges: { new_one: { scriptPath: './new.py' }, other: { adapter: 'dspy' } },
    });
  });

  it('says nothing when it is empty', () => {
    expect(read({ BRIDGES__DSPY__POOL__SIZE: '' })).toEqual({});
  });

  it('of another prefix is none of ours', () => {
    expect(configFromEnv({ CADUCEUS_PYTHON: 'x', PATH: '/bin', HOME: undefined }, [])).toEqual({});
  });
});

describe('a variable is refused', () => {
  it.each([
    ['BRIDGES__DSPY__POOL__SIZ', '2', 'bridges.dspy.pool.siz is no option; did you mean size?'],
    ['BRIGES__DSPY__POOL__SIZE', '2', 'briges is no option; did you mean bridges?'],
    ['BRIDGES__DSPYY__POOL__SIZE', '2', 'dspyy is no bridge; did you mean dspy?'],
    ['BRIDGES__DSPY__POOL__SIZE', '0', 'bridges.dspy.pool.size: Too small'],
    ['BRIDGES__DSPY__POOL__SIZE', 'many', 'bridges.dspy.pool.size: Invalid input'],
    ['BRIDGES__DSPY__POOL', '{"sise":2}', 'sise is no option; did you mean size?'],
    ['BRIDGES__DSPY__POOL__SIZE__MORE', '2', 'bridges.dspy.pool.size.more is no option'],
    ['BRIDGES____POOL', '2', 'is no option'],
    ['STORE', '{}', 'store can be set in code only'],
    ['BRIDGES__DSPY__CALLBACKS__LOOK', 'x', 'callbacks can be set in code only'],
    ['LOGGER', '{}', 'logger: must be false'],
  ])('when it is %s=%s', (name, text, problem) => {
    const refused = (): unknown => read({ [name]: text });
    expect(refused).toThrow(problem);
    expect(refused).toThrow(expect.objectContaining({ code: 'invalid_config' }));
    expect(refused).toThrow(`CADUCEUS__${name.split('__')[0] ?? ''}`);
  });

  it('when another one says the same', () => {
    const twice = { BRIDGES__DSPY__POOL__SIZE: '2', bridges__dspy__pool__size: '3' };
    expect(() => read(twice)).toThrow('says the same as CADUCEUS__BRIDGES__DSPY__POOL__SIZE');
  });

  it('without telling a value that may be a secret', () => {
    expect(() => read({ SECRETS: '{"KEY":["geheim"]}' })).toThrow(/^(?!.*geheim)/u);
  });
});
