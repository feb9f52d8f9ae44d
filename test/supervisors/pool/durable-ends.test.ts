import { describe, expect, it } from 'vitest';
import { inSession } from './calling.ts';
import { routed } from './routed.ts';
import { knows, stored } from './stored.ts';

const S = inSession('s');

describe('a session in a store', () => {
  it('is told to live on by its calls, not by each of them', async () => {
    const setup = stored({ sessions: { ttlMs: 8_000 } });
    setup.call('create', { id: 'a' }, S);
    await setup.done();
    for (let n = 0; n < 40; n += 1) {
      setup.call('echo', {}, S);
      await setup.pass(100);
    }
    const touches = setup.store.orders.filter((order) => order === 'touch s').length;
    expect(touches).toBeGreaterThanOrEqual(3);
    expect(touches).toBeLessThanOrEqual(6);
  });

  it('is removed by its end, which is told once the store has done so', async () => {
    const setup = stored();
    setup.call('create', { id: 'a' }, S);
    await setup.done();
    setup.store.hold('remove');
    const told: unknown[] = [];
    const ended = setup.router.endSession('s', (error) => told.push(error ?? 'removed'));
    const before = [...told];
    setup.store.answer('remove s');
    expect([ended, before, told, setup.store.shown('s')]).toEqual([true, [], ['removed'], []]);
  });

  it('is removed by its end also when it is not known here', async () => {
    const setup = stored({}, knows('s', 'create', 'a'));
    const told: unknown[] = [];
    setup.router.endSession('s', (error) => told.push(error ?? 'removed'));
    expect([told, setup.store.orders.at(-1)]).toEqual([['removed'], 'remove s']);
  });

  it('is removed by its age', async () => {
    const setup = stored({ sessions: { ttlMs: 1_000 } });
    setup.call('create', { id: 'a' }, S);
    await setup.pass(1_000);
    expect([setup.store.orders.at(-1), setup.store.scopes.has('s')]).toEqual(['remove s', false]);
  });

  it('is continued by a later pool', async () => {
    const setup = stored();
    for (const id of ['a', 'b']) setup.call('create', { id }, S);
    setup.call('delete', { id: 'a' }, S);
    setup.call('create', { id: 'c' });
    await setup.done();
    setup.stop();
    const later = routed({ store: setup.store });
    const [own, anonymous] = [later.call('state', {}, S), later.call('state')];
    await later.done();
    expect([own.value, anonymous.value]).toEqual([['create b'], ['create c']]);
  });
});
