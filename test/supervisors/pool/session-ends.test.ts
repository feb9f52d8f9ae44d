import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { routed, type Routed } from './routed.ts';

const states = ({ world, python }: Routed): readonly (readonly string[])[] =>
  world.processes.map((process) => python.stateOf(process, 's'));

describe('a session that is ended', () => {
  it('leaves nothing in workers where it was before', async () => {
    const setup = routed({ size: 2, affinity: 'none', operations: { forget: 'forget' } });
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    setup.call('hang', { n: 1 });
    setup.call('hang', { n: 2 });
    setup.call('state', {}, inSession('s'));
    await setup.done();
    const { held } = setup.python;
    // The one that is not in the worker that has the session.
    const elsewhere = [1, 2].find((n) => held.get(n)?.process === setup.world.processes[1]);
    setup.python.finish(elsewhere);
    await setup.done();
    expect(states(setup)).toEqual([['create x'], ['create x']]);
    setup.python.finish(3 - (elsewhere ?? 0));
    setup.router.endSession('s');
    await setup.done();
    expect(states(setup)).toEqual([[], []]);
  });

  it('counts no more among those of its worker', async () => {
    const setup = routed({ size: 2, operations: { forget: 'forget' } });
    for (const id of ['s', 't', 'u']) {
      setup.call('create', { id: 'x' }, inSession(id));
      await setup.done();
      // The worker with the fewest sessions is the first one, each time.
      expect(setup.router.boundWorker(id)?.pid).toBe(1);
      setup.router.endSession(id);
      await setup.done();
    }
  });

  it('is forgotten by its worker before the next one of its name has a call, and that waits for it', async () => {
    const setup = routed({ size: 1, operations: { forget: 'forget' } });
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    const ends: (string | undefined)[] = [];
    setup.router.endSession('s', (error) => ends.push(error?.message));
    const next = setup.call('state', {}, inSession('s'));
    expect(ends).toEqual([]);
    await setup.done();
    expect([ends, next.value]).toEqual([[undefined], []]);
    expect(setup.router.statistics().counters).toMatchObject({ accepted: 2, internal: 1 });
  });

  it('is not ended, and nothing of it is forgotten, while it has a call', async () => {
    const setup = routed({ size: 1, operations: { forget: 'forget' } });
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    setup.call('hang', { n: 1 }, inSession('s'));
    await setup.done();
    const isEnded = setup.router.endSession('s');
    setup.python.finish(1);
    const state = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([isEnded, state.value, setup.router.statistics().counters.internal]).toEqual([
      false,
      ['create x'],
      0,
    ]);
  });
});

describe('the time of a session', () => {
  it('begins anew at the end of a long call', async () => {
    const setup = routed({ sessions: { ttlMs: 10_000 } });
    setup.call('hang', { n: 1 }, { ...inSession('s'), timeoutMs: 60_000 });
    await setup.pass(9_000);
    setup.python.finish(1);
    await setup.pass(9_999);
    const before = setup.router.statistics().gauges.sessions;
    await setup.pass(1);
    expect([before, setup.router.statistics().gauges.sessions]).toEqual([1, 0]);
  });
});

describe('a session that cannot be made again elsewhere', () => {
  it('is lost when its worker is taken from it during its very first call', async () => {
    const setup = routed({ size: 2, onSessionLoss: 'fail' });
    const first = setup.call('hang', { n: 1 }, inSession('s'));
    await setup.done();
    const worker = setup.router.boundWorker('s')!;
    setup.router.retire(worker, { because: 'test', drainMs: 1_000 }, () => undefined);
    await setup.pass(1_000);
    setup.python.finish(1);
    await setup.done();
    const next = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([shown(first), shown(next)]).toEqual([1, 'session_lost notSent']);
  });
});
