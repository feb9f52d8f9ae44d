// Which bridge does the unified interface call, and what does it say where there is none?
import { describe, expect, it } from 'vitest';

import { defineAdapter } from '../../src/index.ts';
import type { BridgeHandle } from '../../src/bridge-handle.ts';
import { MlBridge } from '../../src/ml-bridge.ts';
import { rejection } from '../support/real-runtime.ts';

const adapter = defineAdapter({
  framework: 'f',
  operations: { make: {}, run: {} },
  roles: { create: 'make', execute: 'run' },
});

/** Creates programs with the id that it is given, and says who runs them. */
function handleOf(name: string): BridgeHandle {
  const call = (op: string, args: { readonly id?: unknown }): Promise<unknown> =>
    Promise.resolve(op === 'make' ? (args.id ?? `${name}_minted`) : { by: name });
  const role = (which: 'create' | 'execute'): string => adapter.roles?.[which] ?? '';
  return { name, adapter, call, role } as unknown as BridgeHandle;
}

function mlOf(...names: readonly string[]) {
  const rows = new Map(names.map((name) => [name, { handle: handleOf(name) }]));
  const table = {
    get names() {
      return [...rows.keys()];
    },
    get: (name: string) => rows.get(name),
  };
  return { ml: new MlBridge(table, 'one'), rows };
}

describe('a program of an id that its caller chose', () => {
  it('is ambiguous in two bridges, also where it looks as if one of them had minted it', async () => {
    const { ml } = mlOf('one', 'two');
    await ml.createProgram({ id: 'one_mine' }, { bridge: 'one' });
    await ml.createProgram({ id: 'one_mine' }, { bridge: 'two' });
    const error = await rejection(ml.execute('one_mine', {}));
    expect(error).toMatchObject({ code: 'ambiguous_id', bridges: ['one', 'two'] });
  });

  it('is ambiguous no more once one of the two bridges is gone', async () => {
    const { ml, rows } = mlOf('one', 'two');
    for (const bridge of ['one', 'two']) await ml.createProgram({ id: 'qa' }, { bridge });
    rows.delete('one');
    expect(await ml.execute('qa', {})).toEqual({ by: 'two' });
  });

  it('is looked for where it was made, and not in the default bridge, when that bridge is gone', async () => {
    const { ml, rows } = mlOf('one', 'two');
    await ml.createProgram({ id: 'qa' }, { bridge: 'two' });
    rows.delete('two');
    const error = await rejection(ml.execute('qa', {}));
    expect(error).toMatchObject({ code: 'invalid_config', field: 'bridge' });
    expect(error.message).toContain('two is not configured');
  });
});

describe('the unified interface', () => {
  it('refuses an id that is no text', async () => {
    const { ml } = mlOf('one');
    const error = await rejection(ml.createProgram({ id: 4 }));
    expect(error).toMatchObject({ code: 'invalid_result', field: 'id', bridge: 'one' });
    expect(error.message).toContain('must be a string, found number');
  });

  it('tells by the stream that there is no such bridge', async () => {
    const { ml } = mlOf('one');
    for (const stream of [
      ml.stream('qa', {}, { bridge: 'nobody' }),
      ml.streamOperation('run', {}, { bridge: 'nobody' }),
    ]) {
      const error = await rejection(stream.next());
      expect(error).toMatchObject({ code: 'invalid_config', field: 'bridge' });
    }
  });
});
