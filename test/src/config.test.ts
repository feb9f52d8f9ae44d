// Which slips in a configuration are told before anything is started, and by which name?
import { describe, expect, it } from 'vitest';
import { checkConfig, type RuntimeConfig } from '../../src/config.ts';
import { dspy } from '../../src/index.ts';

const withBridge = (more: object): RuntimeConfig => ({
  bridges: { one: { adapter: dspy(), ...more } },
});

/** The field that is named, and what is said of it. */
function refusalOf(config: RuntimeConfig): { readonly field: string; readonly message: string } {
  try {
    checkConfig(config);
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_config' });
    return error as { readonly field: string; readonly message: string };
  }
  return { field: 'nothing is wrong', message: '' };
}

describe('the options of a bridge', () => {
  it('callbacks are functions, each by its name', () => {
    expect(() => checkConfig(withBridge({ callbacks: { search: () => 1 } }))).not.toThrow();
    const { field, message } = refusalOf(withBridge({ callbacks: { search: 'f' } }));
    expect(field).toBe('bridges.one.callbacks.search');
    expect(message).toContain('no function');
    expect(refusalOf(withBridge({ callbacks: [] })).field).toBe('bridges.one.callbacks');
  });

  it('schemaHash is a text that is not empty', () => {
    expect(() => checkConfig(withBridge({ schemaHash: '9f86' }))).not.toThrow();
    for (const schemaHash of ['', 7, null]) {
      expect(refusalOf(withBridge({ schemaHash })).field).toBe('bridges.one.schemaHash');
    }
  });

  it('startup is one of three words', () => {
    for (const startup of ['await', 'background', 'lazy']) {
      expect(() => checkConfig(withBridge({ startup }))).not.toThrow();
    }
    for (const startup of ['later', true, null]) {
      expect(refusalOf(withBridge({ startup })).field).toBe('bridges.one.startup');
    }
  });

  it('are refused when there are none of the name, with the one that was meant', () => {
    const { field, message } = refusalOf(withBridge({ scriptpath: 'x.py' }));
    expect(field).toBe('bridges.one');
    expect(message).toContain('scriptpath is no option; did you mean scriptPath?');
  });
});

describe('the options of a runtime', () => {
  it('are refused when there are none of the name, with the one that was meant', () => {
    const { field, message } = refusalOf({ bridges: {}, defualt: 'one' } as RuntimeConfig);
    expect(field).toBe('config');
    expect(message).toContain('did you mean default?');
  });

  it('names of bridges are told what is wrong with them', () => {
    const [bridge] = Object.values(withBridge({}).bridges ?? {});
    const refused = refusalOf({ bridges: { 'a b': bridge } } as RuntimeConfig);
    expect(refused.message).toContain('is no bridge name (letters, digits, - and _');
    const taken = refusalOf({ bridges: { registry: bridge } } as RuntimeConfig);
    expect(taken).toMatchObject({ field: 'bridges.registry' });
    expect(taken.message).toContain('is what the registry itself is called');
  });

  it('default is a bridge that there is; else the one that was meant is told', () => {
    const { field, message } = refusalOf({ ...withBridge({}), default: 'oen' });
    expect(field).toBe('default');
    expect(message).toContain('did you mean one?');
  });

  it('store is one that sessions can be kept in', () => {
    const method = async (): Promise<undefined> => undefined;
    const store = { name: 'mine', load: method, save: method, touch: method, remove: method };
    expect(() => checkConfig({ ...withBridge({}), store })).not.toThrow();
    for (const bad of [new Map(), { ...store, touch: 7 }, { ...store, name: undefined }, 'a.db']) {
      const { field, message } = refusalOf({ ...withBridge({}), store: bad as never });
      expect(field).toBe('store');
      expect(message).toContain('sqliteStore()');
    }
  });

  it('secrets are texts, or functions that give them; none is told in an error', () => {
    const secrets = { ONE: 'sk-1', TWO: () => undefined };
    expect(() => checkConfig({ ...withBridge({}), secrets })).not.toThrow();
    for (const bad of [7, null, { value: 'sk-hidden' }]) {
      const given = { ...secrets, THREE: bad } as never;
      const { field, message } = refusalOf({ ...withBridge({}), secrets: given });
      expect(field).toBe('secrets.THREE');
      expect(message).not.toMatch(/sk-/u);
    }
  });

  it('is nothing but an object', () => {
    for (const config of [undefined, null, 7, []]) {
      expect(refusalOf(config as unknown as RuntimeConfig).field).toBe('config');
    }
  });
});
