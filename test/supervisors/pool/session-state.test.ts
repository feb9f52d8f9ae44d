import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { routed, type Routed, type RoutedOptions } from './routed.ts';

const WITH_SNAPSHOTS: RoutedOptions = {
  operations: { snapshot: 'snapshot', restore: 'restore', forget: 'forget' },
};
const S = inSession('s');

const crash = async (setup: Routed): Promise<void> => {
  for (const process of setup.world.processes) process.exit(null, 'SIGKILL');
  await setup.done();
};

const sentAfter = async (setup: Routed, act: () => void): Promise<readonly string[]> => {
  const before = setup.world.callsWritten.length;
  act();
  await setup.done();
  return setup.sent().slice(before);
};

describe('a snapshot', () => {
  it('is taken after an update of a session, and takes the place of all that led to it', async () => {
    const setup = routed(WITH_SNAPSHOTS);
    for (const id of ['a', 'b']) setup.call('create', { id }, S);
    setup.call('update', { id: 'a' }, S);
    await setup.done();
    await crash(setup);
    const told = await sentAfter(setup, () => setup.call('state', {}, S));
    expect(told).toEqual(['restore of s', 'state of s']);
    const state = setup.call('state', {}, S);
    await setup.done();
    expect(state.value).toEqual(['create a', 'create b', 'update a']);
  });

  it('leaves what is configured in its place before it', async () => {
    const setup = routed(WITH_SNAPSHOTS);
    setup.call('configure', { id: 'lm' }, S);
    setup.call('update', { id: 'a' }, S);
    await setup.done();
    await crash(setup);
    const told = await sentAfter(setup, () => setup.call('echo', {}, S));
    expect(told).toEqual(['configure lm of s', 'restore of s', 'echo of s']);
  });

  it('is followed by what came after it', async () => {
    const setup = routed(WITH_SNAPSHOTS);
    setup.call('update', { id: 'a' }, S);
    setup.call('create', { id: 'b' }, S);
    await setup.done();
    await crash(setup);
    const told = await sentAfter(setup, () => setup.call('echo', {}, S));
    expect(told).toEqual(['restore of s', 'create b of s', 'echo of s']);
  });

  it('is taken after so many updates as are asked for', async () => {
    const setup = routed({ ...WITH_SNAPSHOTS, sessions: { snapshotEvery: 3 } });
    for (let n = 0; n < 7; n += 1) setup.call('update', { id: `u${n}` }, S);
    await setup.done();
    expect(setup.sent().filter((sent) => sent === 'snapshot of s')).toHaveLength(2);
    await crash(setup);
    const told = await sentAfter(setup, () => setup.call('echo', {}, S));
    expect(told).toEqual(['restore of s', 'update u6 of s', 'echo of s']);
  });

  it('comes before the answer of the update, and before the next call of the session', async () => {
    const setup = routed({ ...WITH_SNAPSHOTS, size: 2 });
    const waiting: (() => void)[] = [];
    setup.python.acts.set('snapshot', (process, { id }) => {
      waiting.push(() => process.reply(id, ['update a']));
      return false;
    });
    const update = setup.call('update', { id: 'a' }, S);
    const next = setup.call('echo', {}, S);
    await setup.done();
    const before = [update.state, next.state, setup.sent()];
    waiting[0]!();
    await setup.done();
    expect(before).toEqual(['pending', 'pending', ['update a of s', 'snapshot of s']]);
    expect([update.state, next.state]).toEqual(['resolved', 'resolved']);
  });

  it('that fails costs nothing: the journal has it all', async () => {
    const setup = routed(WITH_SNAPSHOTS);
    setup.python.acts.set('snapshot', (process, { id }) => {
      process.fail(id, 'python_error');
      return false;
    });
    const update = setup.call('update', { id: 'a' }, S);
    await setup.done();
    await crash(setup);
    const told = await sentAfter(setup, () => setup.call('echo', {}, S));
    expect([update.state, told]).toEqual(['resolved', ['update a of s', 'echo of s']]);
  });

  it('whose worker dies leaves the update done, and remembered', async () => {
    const setup = routed(WITH_SNAPSHOTS);
    setup.python.acts.set('snapshot', (process) => {
      process.exit(9, null);
      return false;
    });
    const update = setup.call('update', { id: 'a' }, S);
    await setup.done();
    setup.python.acts.clear();
    const state = setup.call('state', {}, S);
    await setup.done();
    expect([update.state, state.value]).toEqual(['resolved', ['update a']]);
  });

  it('is none of the anonymous scope, whose updates are replayed', async () => {
    const setup = routed(WITH_SNAPSHOTS);
    for (const id of ['a', 'b']) setup.call('update', { id });
    await setup.done();
    await crash(setup);
    const told = await sentAfter(setup, () => setup.call('echo'));
    expect(told).toEqual(['update a', 'update b', 'echo']);
  });

  it('is none where the bridge has but one of the two roles', async () => {
    const setup = routed({ operations: { snapshot: 'snapshot' } });
    setup.call('update', { id: 'a' }, S);
    await setup.done();
    expect(setup.sent()).toEqual(['update a of s']);
  });
});

describe('a session that nobody uses', () => {
  const TTL: RoutedOptions = { ...WITH_SNAPSHOTS, sessions: { ttlMs: 1_000 } };

  it('ends after its time: its worker forgets it, and its next call begins anew', async () => {
    const setup = routed(TTL);
    setup.call('create', { id: 'a' }, S);
    await setup.pass(999);
    const before = setup.router.statistics().gauges.sessions;
    const told = await sentAfter(setup, () => setup.clock.advance(1, setup.settle));
    const { gauges, counters } = setup.router.statistics();
    expect([before, gauges.sessions, counters.expired, told]).toEqual([1, 0, 1, ['forget of s']]);
    expect(setup.told('session.expired')).toEqual([{ pool: 'p', session: 's' }]);
    const state = setup.call('state', {}, S);
    await setup.done();
    expect(state.value).toEqual([]);
  });

  it('lives on with every call, from its end on', async () => {
    const setup = routed(TTL);
    setup.call('create', { id: 'a' }, S);
    for (let n = 0; n < 5; n += 1) {
      await setup.pass(900);
      setup.call('echo', {}, S);
    }
    await setup.pass(900);
    setup.call('hang', { n: 1 }, S);
    await setup.pass(5_000);
    setup.python.finish(1);
    await setup.pass(999);
    const before = setup.router.statistics().gauges.sessions;
    await setup.pass(2_000);
    expect([before, setup.router.statistics().gauges.sessions]).toEqual([1, 0]);
  });

  it('is kept while a checkout of it is held', async () => {
    const setup = routed(TTL);
    const holding = setup.checkout({ ...S, leaseMs: 60_000 });
    await setup.pass(10_000);
    const before = setup.router.statistics().gauges.sessions;
    holding.checkout().checkIn();
    await setup.pass(3_000);
    expect([before, setup.router.statistics().gauges.sessions]).toEqual([1, 0]);
  });

  it('is forgotten by each worker that knows of it', async () => {
    const setup = routed({ ...TTL, size: 2, affinity: 'none' });
    for (const n of [1, 2, 3]) {
      setup.call('create', { id: `a${n}` }, S);
      setup.call('hang', { n });
      await setup.done();
      setup.python.finish(n);
      await setup.done();
    }
    const pids = new Set(
      setup.world.processes.filter(({ calls }) => calls.some(({ session }) => session === 's')),
    );
    const told = await sentAfter(setup, () => setup.clock.advance(1_000, setup.settle));
    expect(told.filter((sent) => sent === 'forget of s')).toHaveLength(pids.size);
  });

  it('and whose worker fails to forget it ends all the same', async () => {
    const setup = routed(TTL);
    setup.call('create', { id: 'a' }, S);
    await setup.done();
    setup.python.acts.set('forget', (process, { id }) => {
      process.fail(id, 'python_error');
      return false;
    });
    await setup.pass(1_000);
    const { gauges, counters } = setup.router.statistics();
    expect([gauges.sessions, gauges.idle, counters.failed]).toEqual([0, 1, 0]);
  });

  it('and that is lost ends too', async () => {
    const setup = routed({ ...TTL, onSessionLoss: 'fail' });
    setup.call('echo', {}, S);
    await setup.done();
    await crash(setup);
    await setup.pass(1_000);
    const next = setup.call('echo', {}, S);
    await setup.done();
    expect(next.state).toBe('resolved');
  });
});

describe('quotas', () => {
  it('bound the number of sessions: known ones go on', async () => {
    const setup = routed({ sessions: { max: 2 } });
    const calls = ['s', 't', 'u', 's'].map((id) => setup.call('echo', {}, inSession(id)));
    await setup.done();
    expect(calls.map(({ error, state }) => error?.code ?? state)).toEqual([
      ...['resolved', 'resolved', 'overloaded', 'resolved'],
    ]);
    expect(calls[2]!.error?.message).toMatch(/sessionsMax/u);
  });

  it('make room when a session ends', async () => {
    const setup = routed({ sessions: { max: 1 } });
    setup.call('echo', {}, S);
    await setup.done();
    setup.router.endSession('s');
    const next = setup.call('echo', {}, inSession('t'));
    await setup.done();
    expect(next.state).toBe('resolved');
  });

  it.each([
    ['entries', { journalEntriesMax: 2 }, /journalEntriesMax/u, ''],
    ['bytes', { journalBytesMax: 300 }, /journalBytesMax/u, 'x'.repeat(100)],
  ])(
    'bound the %s of a journal: refused before the call is sent',
    async (_what, sessions, limit, text) => {
      const setup = routed({ sessions });
      const seen = [];
      for (const id of ['a', 'b', 'c']) {
        seen.push(setup.call('create', { id, text }, S));
        await setup.done();
      }
      expect(seen.map(({ error, state }) => error?.code ?? state)).toEqual([
        ...['resolved', 'resolved', 'overloaded'],
      ]);
      expect(seen[2]!.error?.message).toMatch(limit);
      expect(setup.sent()).toEqual(['create a of s', 'create b of s']);
      const other = setup.call('echo', {}, S);
      await setup.done();
      expect(other.state).toBe('resolved');
    },
  );

  it('bound a journal also for calls that were accepted before it was full', async () => {
    const setup = routed({ sessions: { journalEntriesMax: 2 } });
    const calls = ['a', 'b', 'c', 'd'].map((id) => setup.call('create', { id }, S));
    const last = setup.call('echo', {}, S);
    await setup.done();
    expect([...calls.map(shown).slice(2), last.state]).toEqual([
      ...['overloaded notSent', 'overloaded notSent', 'resolved'],
    ]);
    expect(setup.sent()).toEqual(['create a of s', 'create b of s', 'echo of s']);
  });

  it('let a full journal take what takes the place of something, and deletions', async () => {
    const setup = routed({ sessions: { journalEntriesMax: 1 } });
    const calls = [];
    for (const [op, id] of [
      ['create', 'a'],
      ['create', 'a'],
      ['delete', 'a'],
      ['create', 'b'],
    ] as const) {
      calls.push(setup.call(op, { id }, S));
      await setup.done();
    }
    expect(calls.map(({ state }) => state)).toEqual(Array(4).fill('resolved'));
  });
});
