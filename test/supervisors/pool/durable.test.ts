import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { inSession, shown } from './calling.ts';
import { routed, type Routed } from './routed.ts';
import { ScriptedStore } from './scripted-store.ts';
import { knows, stored } from './stored.ts';

const S = inSession('s');

describe('a pool with a store', () => {
  it('sends no call before it knows what the bridge and the anonymous scope were', async () => {
    const setup = stored({}, (store) => {
      knows('bridge', 'configure', 'lm')(store);
      knows('anonymous', 'create', 'a')(store);
      store.hold('load');
    });
    const call = setup.call('echo');
    await setup.done();
    const before = [call.state, setup.sent()];
    setup.store.answer('load anonymous');
    await setup.done();
    const between = call.state;
    setup.store.answer('load bridge');
    await setup.done();
    expect([before, between, call.state]).toEqual([['pending', []], 'pending', 'resolved']);
    expect(setup.sent()).toEqual(['configure lm', 'create a', 'echo']);
  });

  it('that fails to tell fails those that wait, and is asked again', async () => {
    const setup = stored({}, (store) => store.hold('load'));
    const calls = [setup.call('echo'), setup.call('echo', {}, S)];
    setup.store.answer('load bridge', new Error('the disk is gone'));
    setup.store.answer('load anonymous');
    await setup.done();
    const next = setup.call('echo');
    await setup.pass(LIMITS.storeRetryMs - 1);
    const before = [...setup.store.waiting];
    await setup.pass(1);
    for (const what of ['load bridge', 'load anonymous']) setup.store.answer(what);
    await setup.done();
    expect([calls.map(shown), before, next.state]).toEqual([
      ...[Array(2).fill('store_failed notSent'), ['load s'], 'resolved'],
    ]);
    expect(setup.told('store.failed')).toMatchObject([{ pool: 'p' }]);
  });

  it('that goes on failing fails what waits each time', async () => {
    const setup = stored({}, (store) => store.fail('load bridge'));
    const call = setup.call('echo');
    await setup.pass(LIMITS.storeRetryMs);
    const next = setup.call('echo');
    await setup.pass(LIMITS.storeRetryMs);
    expect([shown(call), shown(next)]).toEqual(['store_failed notSent', 'store_failed notSent']);
  });

  it('has a call give up by its own deadline while it waits for the store', async () => {
    const setup = stored({}, (store) => store.hold('load'));
    const call = setup.call('echo', {}, { timeoutMs: 100 });
    await setup.pass(100);
    setup.store.answer('load bridge');
    setup.store.answer('load anonymous');
    await setup.done();
    expect([shown(call), setup.sent()]).toEqual(['deadline_exceeded notSent', []]);
  });
});

describe('a session that a store knows', () => {
  it('is asked for once, before its first call, and made again', async () => {
    const setup = stored({}, knows('s', 'create', 'a', 'b'));
    const states = [1, 2, 3].map(() => setup.call('state', {}, S));
    await setup.done();
    expect(states.map(({ value }) => value)).toEqual(Array(3).fill(['create a', 'create b']));
    expect(setup.store.orders.filter((order) => order === 'load s')).toHaveLength(1);
  });

  it('holds up nobody else while it is loaded', async () => {
    const setup = stored();
    setup.store.hold('load');
    const waits = setup.call('state', {}, S);
    const other = setup.call('echo');
    await setup.done();
    const before = [waits.state, other.state];
    setup.store.answer('load s');
    await setup.done();
    expect([before, waits.state]).toEqual([['pending', 'resolved'], 'resolved']);
  });

  it('that cannot be loaded fails its waiting calls, is forgotten, and is asked for again by the next', async () => {
    const setup = stored({}, knows('s', 'create', 'a'));
    setup.store.hold('load');
    const calls = [1, 2].map(() => setup.call('state', {}, S));
    await setup.done();
    setup.store.answer('load s', new Error('the disk is gone'));
    await setup.done();
    const sessions = setup.router.statistics().gauges.sessions;
    const again = setup.call('state', {}, S);
    setup.store.answer('load s');
    await setup.done();
    expect([calls.map(shown), sessions, again.value]).toEqual([
      ...[Array(2).fill('store_failed notSent'), 0, ['create a']],
    ]);
    expect(calls[0]!.error?.cause).toEqual(new Error('the disk is gone'));
  });

  it('that was ended before the answer came is not brought back by it', async () => {
    const setup = stored({}, knows('s', 'create', 'a'));
    setup.store.hold('load');
    const late = setup.call('state', {}, { ...S, timeoutMs: 100 });
    await setup.pass(100);
    const ended = setup.router.endSession('s');
    const fresh = setup.call('state', {}, S);
    await setup.done();
    // The first answer is for the one that is no more; the second for the one that came after.
    setup.store.answer('load s');
    await setup.done();
    const before = fresh.state;
    setup.store.answer('load s');
    await setup.done();
    expect([shown(late), ended, before, fresh.value]).toEqual([
      ...['deadline_exceeded notSent', true, 'pending', []],
    ]);
  });

  it('has its secrets by name: what is not there fails the replay, and says which', async () => {
    const secrets = { token: 'OPENAI_KEY' };
    const store = new ScriptedStore();
    store.keep('s', [{ op: 'create', key: 'a', args: { id: 'a' }, secrets }]);
    const values = new Map<string, string>();
    const setup = routed({ store, resolveSecret: (name) => values.get(name) });
    const calls = [];
    for (let n = 0; n < 4; n += 1) {
      calls.push(setup.call('echo', {}, S));
      await setup.done();
    }
    expect(calls.map(shown)).toEqual(Array(4).fill('secret_missing notSent'));
    expect(calls[0]!.error?.message).toMatch(/OPENAI_KEY/u);
    expect(setup.router.statistics().counters.lost).toBe(0);
    values.set('OPENAI_KEY', 'sk-1');
    const later = routed({ store, resolveSecret: (name) => values.get(name) });
    later.call('echo', {}, S);
    await later.done();
    expect(later.world.callsWritten[0]?.args).toEqual({ id: 'a', token: 'sk-1' });
  });
});

describe('a call that changes state', () => {
  it('is answered once the store has acknowledged it', async () => {
    const setup = stored();
    setup.store.hold('save');
    const create = setup.call('create', { id: 'a' }, S);
    await setup.done();
    const before = [create.state, setup.router.statistics().gauges];
    setup.store.answer('save s');
    await setup.done();
    expect(before).toMatchObject(['pending', { running: 1, idle: 1, busy: 0 }]);
    expect([create.state, setup.store.shown('s')]).toEqual(['resolved', ['create a']]);
  });

  it('has its worker take calls of others meanwhile, and its session wait', async () => {
    const setup = stored();
    setup.store.hold('save');
    setup.call('create', { id: 'a' }, S);
    const same = setup.call('state', {}, S);
    const others = [setup.call('echo'), setup.call('echo', {}, inSession('t'))];
    await setup.done();
    const before = [same, ...others].map(({ state }) => state);
    setup.store.answer('save s');
    await setup.done();
    expect([before, same.value]).toEqual([['pending', 'resolved', 'resolved'], ['create a']]);
  });

  it('that the store did not take may have been executed; it is kept, and written with the next', async () => {
    const setup = stored();
    setup.store.fail('save s');
    const lost = setup.call('create', { id: 'a' }, S);
    await setup.done();
    setup.store.mend();
    setup.call('create', { id: 'b' }, S);
    await setup.done();
    expect([shown(lost), setup.store.shown('s')]).toEqual([
      ...['store_failed maybeExecuted', ['create a', 'create b']],
    ]);
    const state = setup.call('state', {}, S);
    await setup.done();
    expect(state.value).toEqual(['create a', 'create b']);
  });

  it('whose caller does not wait for the store is written all the same', async () => {
    const setup = stored();
    setup.store.hold('save');
    const create = setup.call('create', { id: 'a' }, { ...S, timeoutMs: 100 });
    const next = setup.call('state', {}, S);
    await setup.pass(100);
    const before = [shown(create), next.state];
    setup.store.answer('save s');
    await setup.done();
    expect([before, next.value, setup.store.shown('s')]).toEqual([
      ['deadline_exceeded maybeExecuted', 'pending'],
      ['create a'],
      ['create a'],
    ]);
    expect(setup.world.processes).toHaveLength(1);
  });

  it('is written for the bridge and the anonymous scope without an end, for a session until its ttl', async () => {
    const setup = stored({ sessions: { ttlMs: 5_000 } });
    setup.call('configure', { id: 'lm' });
    setup.call('create', { id: 'a' });
    setup.call('create', { id: 'b' }, S);
    await setup.done();
    expect(Object.fromEntries(setup.store.expiries)).toEqual({
      ...{ bridge: undefined, anonymous: undefined, s: 5_000 },
    });
  });

  it('without its secrets', async () => {
    const setup = stored();
    setup.call(
      'create',
      { id: 'a', token: 'sk-1' },
      { ...S, secrets: { token: 'p.create.token' } },
    );
    await setup.done();
    const [entry] = setup.store.scopes.get('s')!.entries;
    expect([entry?.args.json, entry?.secrets]).toEqual([{ id: 'a' }, { token: 'p.create.token' }]);
  });

  it('puts the snapshot into the store in place of what led to it, before it is answered', async () => {
    const setup = stored({ operations: { snapshot: 'snapshot', restore: 'restore' } });
    setup.call('create', { id: 'a' }, S);
    const update = setup.call('update', { id: 'a' }, S);
    await setup.done();
    expect([update.state, setup.store.shown('s')]).toEqual(['resolved', ['restore snapshot']]);
    const after: Routed = routed({
      store: setup.store,
      operations: { snapshot: 'snapshot', restore: 'restore' },
    });
    const state = after.call('state', {}, S);
    await after.done();
    expect(state.value).toEqual(['create a', 'update a']);
  });
});
