// Which slips in an adapter or in the options of a call are told before anything is started or sent?
import { describe, expect, it } from 'vitest';

import type { InvalidConfigError } from '../../src/index.ts';
import { defineAdapter, dspy, type Adapter, type AdapterDefinition } from '../../src/index.ts';

const key = (args: Readonly<Record<string, unknown>>): string => String(args['id']);

describe('an adapter', () => {
  it.each([
    [{ operations: {} }, 'adapter.framework'],
    [{ framework: 'f' }, 'adapter.operations'],
    [{ framework: 'f', operations: { make: { change: 'create' } } }, 'adapter.operations.make.key'],
    [{ framework: 'f', operations: { drop: { change: 'delete' } } }, 'adapter.operations.drop.key'],
    [
      { framework: 'f', operations: { make: { change: 'mutate' } } },
      'adapter.operations.make.change',
    ],
    [{ framework: 'f', operations: { add: { change: 'update' } } }, 'adapter.operations.add.key'],
    [
      { framework: 'f', operations: { add: { change: 'create', key: 'id' } } },
      'adapter.operations.add.key',
    ],
    [
      { framework: 'f', operations: { get: { idempotent: 'yes' } } },
      'adapter.operations.get.idempotent',
    ],
    [{ framework: 'f', operations: { set: { secrets: 'key' } } }, 'adapter.operations.set.secrets'],
    [{ framework: 'f', operations: { set: { secrets: [''] } } }, 'adapter.operations.set.secrets'],
    [{ framework: 'f', operations: { set: { chnage: 'create' } } }, 'adapter.operations.set'],
    [{ framework: 'f', operations: { set: null } }, 'adapter.operations.set'],
    [{ framework: 'f', operations: {}, pool: { size: 0 } }, 'adapter.pool.size'],
    [{ framework: 'f', operations: {}, pool: { sise: 1 } }, 'adapter.pool'],
    [
      { framework: 'f', operations: { dump: {} }, roles: { snapshot: 'dump' } },
      'adapter.roles.restore',
    ],
    [
      { framework: 'f', operations: { load: {} }, roles: { restore: 'load' } },
      'adapter.roles.snapshot',
    ],
    [
      {
        framework: 'f',
        operations: { dump: {}, load: { change: 'configure' } },
        roles: { snapshot: 'dump', restore: 'load' },
      },
      'adapter.operations.load.change',
    ],
    [{ framework: 'f', operations: {}, roles: { create: 'make' } }, 'adapter.roles.create'],
    [{ framework: 'f', operations: { make: {} }, roles: { crate: 'make' } }, 'adapter.roles.crate'],
  ])('is refused with the name of the field: %#', (adapter, field) => {
    expect(() => defineAdapter(adapter as unknown as Adapter)).toThrow(
      expect.objectContaining({ code: 'invalid_config', field }) as InvalidConfigError,
    );
  });

  it('may have all of these', () => {
    const adapter: AdapterDefinition = {
      framework: 'f',
      pool: { size: 2, sessions: { snapshotEvery: 3 } },
      operations: {
        setup: { change: 'configure', secrets: ['api_key'] },
        make: { change: 'create', key },
        alter: { change: 'update', key },
        drop: { change: 'delete', key, idempotent: true },
        get: { idempotent: false },
        dump: {},
        load: {},
      },
      roles: { snapshot: 'dump', restore: 'load' },
    };
    expect(defineAdapter(adapter)).toMatchObject(adapter);
  });

  it('is told which key was meant', () => {
    const operations = { set: { idempotnet: true } } as Adapter['operations'];
    expect(() => defineAdapter({ framework: 'f', operations })).toThrow(
      /did you mean idempotent\?/u,
    );
    const roles = { exceute: 'set' } as NonNullable<Adapter['roles']>;
    expect(() => defineAdapter({ framework: 'f', operations: { set: {} }, roles })).toThrow(
      /did you mean execute\?/u,
    );
  });

  it('may configure without saying what: there is one configuration for each operation', () => {
    const operations = { setup: { change: 'configure' }, make: { change: 'create', key } } as const;
    expect(defineAdapter({ framework: 'f', operations }).operations).toBe(operations);
  });
});

describe('the adapter of DSPy', () => {
  const tools = { newId: () => 'dspy_new' };

  it.each([
    [
      'configure_lm',
      { model: 'openai/m', apiBase: 'http://h/v1', timeoutMs: 1_500, maxTokens: 5 },
      {
        model: 'openai/m',
        api_base: 'http://h/v1',
        timeout_s: 1.5,
        max_tokens: 5,
      },
    ],
    [
      'create_program',
      { signature: 'a -> b' },
      {
        id: 'dspy_new',
        signature: 'a -> b',
        program_type: 'predict',
      },
    ],
    [
      'create_program',
      { id: 'mine', signature: 'a -> b', type: 'chain_of_thought' },
      {
        id: 'mine',
        signature: 'a -> b',
        program_type: 'chain_of_thought',
      },
    ],
    ['execute_program', { id: 'p', inputs: { a: 1 } }, { program_id: 'p', inputs: { a: 1 } }],
    ['execute_program', { program_id: 'p' }, { program_id: 'p', inputs: {} }],
    ['delete_program', { id: 'p' }, { program_id: 'p' }],
    ['list_programs', {}, {}],
  ])('puts %s into the words of Python: %#', (op, args, sent) => {
    expect(dspy().transformRequest?.(op, args, tools)).toEqual(sent);
  });

  it.each([
    ['create_program', { program_id: 'p' }, 'p'],
    ['execute_program', { outputs: { b: 2 } }, { b: 2 }],
    ['list_programs', { programs: [] }, { programs: [] }],
  ])('gives the caller of %s what it asked for', (op, result, given) => {
    expect(dspy().transformResponse?.(op, result)).toEqual(given);
  });
});
