import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { PoolStoppedError } from '../../../actors/ground/pool-errors.ts';
import { inSession, shown } from './calling.ts';
import { routed, type Routed } from './routed.ts';
import { ScriptedStore } from './scripted-store.ts';

function end({ router }: Routed): void {
  router.close(() => new PoolStoppedError('p', 'stopped'));
  router.rest();
}

describe('a pool whose store did not say what its own scopes were', () => {
  it('asks again when the pool begins again', async () => {
    const store = new ScriptedStore();
    store.fail('load bridge');
    const setup = routed({ store });
    end(setup);
    store.mend();
    setup.router.reopen();
    const call = setup.call('echo');
    await setup.done();
    expect(shown(call)).toBe('echo in 1');
  });

  it('does not ask twice when that was to come anyway', async () => {
    const store = new ScriptedStore();
    store.fail('load bridge');
    const setup = routed({ store });
    store.mend();
    store.orders.length = 0;
    setup.router.reopen();
    await setup.pass(LIMITS.storeRetryMs);
    expect(store.orders).toEqual(['load bridge', 'load anonymous']);
  });

  it('leaves the store alone once it has ended, also when the answer comes later', async () => {
    const store = new ScriptedStore();
    store.hold('load');
    const setup = routed({ store });
    end(setup);
    store.answer('load bridge', new Error('the disk is full'));
    store.answer('load anonymous');
    store.orders.length = 0;
    await setup.pass(10 * LIMITS.storeRetryMs);
    expect(store.orders).toEqual([]);
  });
});

describe('a session that the store knows', () => {
  it('is served at once where the store answers at once', async () => {
    const store = new ScriptedStore();
    store.keep('s', [{ op: 'create', key: 'x', args: { id: 'x' } }]);
    const setup = routed({ store });
    const call = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect(shown(call)).toEqual(['create x']);
  });

  it('lives on for its whole time from its first call here, in the store too', async () => {
    const store = new ScriptedStore();
    store.keep('s', [{ op: 'create', key: 'x', args: { id: 'x' } }]);
    const setup = routed({ store, sessions: { ttlMs: 10_000 } });
    setup.call('state', {}, inSession('s'));
    await setup.done();
    expect(store.orders).toContain('touch s');
    expect(store.expiries.get('s')).toBe(10_000);
  });
});
