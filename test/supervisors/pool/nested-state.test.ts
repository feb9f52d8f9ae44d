import { describe, expect, it } from 'vitest';
import type { CallbackRequest } from '../../../supervisors/pool/call-row.ts';
import { inSession, shown } from './calling.ts';
import { routed, routedRequest, type Routed, type RoutedOptions } from './routed.ts';
import { ScriptedStore } from './scripted-store.ts';
import type { Fate } from '../../support/scripted-pool.ts';

/** A call of session `s` that calls back, and makes `op` from inside of that. */
async function nested(options: RoutedOptions, op: string) {
  const setup = routed({ store: new ScriptedStore(), ...options });
  setup.python.acts.set('outer', (process, call) => {
    setup.python.held.set('outer', { process, call });
    const { id } = call;
    process.emit('replies', { type: 'callback', id, callback: 1, name: 'f', args: {} });
    return false;
  });
  const inner: { fate?: Fate } = {};
  const onCallback = ({ site }: CallbackRequest): void => {
    const request = routedRequest(op, { id: 'x' }, { ...inSession('s'), site });
    inner.fate = setup.noted(setup.router.call(request));
  };
  const outer = setup.call('outer', {}, { ...inSession('s'), onCallback });
  await setup.done();
  return { setup, outer, inner };
}

const innerOf = ({ fate }: { readonly fate?: Fate }): unknown => fate && shown(fate);

function finish({ python }: Routed): void {
  python.finish('outer');
}

describe('a call that changes state from inside another one of its session', () => {
  it('lets the next call of the session wait for the outer one, though it has been stored', async () => {
    const { setup, outer, inner } = await nested({ size: 2, affinity: 'none' }, 'create');
    const next = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([innerOf(inner), shown(outer), shown(next)]).toEqual([
      'create in 1',
      'pending',
      'pending',
    ]);
    finish(setup);
    await setup.done();
    expect([shown(outer), shown(next)]).toEqual(['outer', ['create x']]);
  });

  it('keeps its session from being ended', async () => {
    const { setup } = await nested({}, 'create');
    expect(setup.router.endSession('s')).toBe(false);
  });

  it('waits for no snapshot, which its worker could not give before the outer one is over', async () => {
    const operations = { snapshot: 'snapshot', restore: 'restore' };
    const { setup, inner } = await nested({ operations }, 'update');
    expect([innerOf(inner), setup.sent()]).toEqual([
      'update in 1',
      ['outer of s', 'update x of s'],
    ]);
    finish(setup);
    setup.call('update', { id: 'y' }, inSession('s'));
    await setup.done();
    expect(setup.sent().slice(2)).toEqual(['update y of s', 'snapshot of s']);
  });
});
