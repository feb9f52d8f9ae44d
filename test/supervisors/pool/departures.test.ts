import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { routed, type Routed, type RoutedOptions } from './routed.ts';

const SNAPSHOTS: RoutedOptions = {
  operations: { snapshot: 'snapshot', restore: 'restore', forget: 'forget' },
};

/** Let the worker of a session go. @returns whether it may be stopped by now. */
function leave(setup: Routed, id: string, drainMs = 1_000): () => number {
  let told = 0;
  const worker = setup.router.boundWorker(id)!;
  setup.router.retire(worker, { because: 'test', drainMs }, () => {
    told += 1;
  });
  return () => told;
}

async function bound(more: RoutedOptions = {}): Promise<Routed> {
  const setup = routed({ size: 2, ...more });
  setup.call('create', { id: 's1' }, inSession('s'));
  await setup.done();
  return setup;
}

describe('a worker that is to go', () => {
  it('may be stopped at once when nothing holds it', async () => {
    const setup = await bound();
    const told = leave(setup, 's');
    expect(told()).toBe(1);
  });

  it('is given nothing new, and finishes what it has', async () => {
    const setup = await bound();
    const home = setup.router.boundWorker('s')!.pid!;
    const runs = setup.call('hang', { n: 1 }, inSession('s'));
    await setup.done();
    const told = leave(setup, 's');
    const others = [1, 2, 3].map(() => setup.call('echo'));
    await setup.done();
    const before = told();
    setup.python.finish(1);
    await setup.done();
    expect([before, shown(runs), told()]).toEqual([0, 1, 1]);
    expect(others.map(({ value }) => value)).toEqual(Array(3).fill(`echo in ${3 - home}`));
  });

  it('is counted as leaving until then', async () => {
    const setup = await bound();
    setup.call('hang', { n: 1 }, inSession('s'));
    await setup.done();
    leave(setup, 's');
    expect(setup.router.statistics().gauges).toMatchObject({ leaving: 1, idle: 1, busy: 0 });
  });

  it('loses its sessions to others when they are idle: they are made again there', async () => {
    const setup = await bound();
    const home = setup.router.boundWorker('s')!.pid!;
    leave(setup, 's');
    const state = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([state.value, setup.router.boundWorker('s')?.pid]).toEqual([['create s1'], 3 - home]);
    expect(setup.router.statistics().counters.lost).toBe(0);
  });

  it('loses a busy session after the call that runs, and before the next one that waits', async () => {
    const setup = await bound();
    const home = setup.router.boundWorker('s')!.pid!;
    setup.call('hang', { n: 1 }, inSession('s'));
    const waits = setup.call('state', {}, inSession('s'));
    await setup.done();
    const told = leave(setup, 's');
    setup.python.finish(1);
    await setup.done();
    expect([waits.value, told()]).toEqual([['create s1'], 1]);
    expect(setup.router.boundWorker('s')?.pid).toBe(3 - home);
  });

  it('does not wait for calls of others on it that may go elsewhere', async () => {
    const setup = await bound();
    setup.call('hang', { n: 1 }, inSession('t'));
    setup.call('hang', { n: 2 }, inSession('s'));
    const waits = setup.call('echo', {}, inSession('t'));
    await setup.done();
    leave(setup, 's');
    setup.python.finish(1);
    await setup.done();
    expect(waits.state).toBe('resolved');
  });

  it('goes after its drainMs at the latest', async () => {
    const setup = await bound();
    setup.call('hang', { n: 1 }, inSession('s'));
    await setup.done();
    const told = leave(setup, 's');
    await setup.pass(999);
    const before = told();
    await setup.pass(1);
    expect([before, told()]).toEqual([0, 1]);
  });

  it('is told of once, however often it is asked for, to each who asks', async () => {
    const setup = await bound();
    setup.call('hang', { n: 1 }, inSession('s'));
    await setup.done();
    const told = [leave(setup, 's'), leave(setup, 's')];
    setup.python.finish(1);
    await setup.done();
    expect(told.map((one) => one())).toEqual([1, 1]);
  });

  it('is told of when it dies meanwhile', async () => {
    const setup = await bound();
    const runs = setup.call('hang', { n: 1 }, inSession('s'));
    const waits = setup.call('state', {}, inSession('s'));
    await setup.done();
    const home = setup.router.boundWorker('s')!.pid!;
    const told = leave(setup, 's');
    setup.world.processes[home - 1]!.exit(null, 'SIGKILL');
    await setup.done();
    expect([shown(runs), waits.value, told()]).toEqual([
      'worker_crashed maybeExecuted',
      ['create s1'],
      1,
    ]);
    await setup.pass(2_000);
    expect(told()).toBe(1);
  });

  it('is one whom the router does not know: then it may be stopped at once', async () => {
    const setup = await bound();
    const worker = setup.router.boundWorker('s')!;
    const told: string[] = [];
    for (const n of ['first', 'again'])
      setup.router.retire(worker, { because: 'test', drainMs: 1 }, () => told.push(n));
    expect(told).toEqual(['first', 'again']);
  });
});

describe('a session that moves by plan', () => {
  const called = (setup: Routed) =>
    setup.sent().filter((one) => /snapshot|restore|create/u.test(one));

  it('has a snapshot taken there first, where its bridge makes them and it has had calls since the last', async () => {
    const setup = await bound(SNAPSHOTS);
    setup.call('echo', {}, inSession('s'));
    await setup.done();
    const told = leave(setup, 's');
    await setup.done();
    const state = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([state.value, told()]).toEqual([['create s1'], 1]);
    expect(called(setup)).toEqual(['create s1 of s', 'snapshot of s', 'restore of s']);
  });

  it('has none taken when it has had no call since the last', async () => {
    const setup = await bound(SNAPSHOTS);
    setup.call('update', { id: 's1' }, inSession('s'));
    await setup.done();
    leave(setup, 's');
    await setup.done();
    expect(called(setup)).toEqual(['create s1 of s', 'snapshot of s']);
  });

  it('has its calls wait for the snapshot, which shows all that they were answered', async () => {
    const setup = await bound(SNAPSHOTS);
    setup.python.acts.set('snapshot', (process, { id, session }) => {
      setup.clock.setTimeout(
        () => process.reply(id, [...setup.python.stateOf(process, session)]),
        50,
      );
      return false;
    });
    leave(setup, 's');
    const state = setup.call('state', {}, inSession('s'));
    await setup.done();
    const before = shown(state);
    await setup.pass(50);
    expect([before, state.value]).toEqual(['pending', ['create s1']]);
  });

  it('moves by its journal when the snapshot fails', async () => {
    const setup = await bound(SNAPSHOTS);
    setup.python.acts.set('snapshot', (process, { id }) => {
      process.fail(id, 'python_error');
      return false;
    });
    const told = leave(setup, 's');
    await setup.done();
    const state = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([state.value, told()]).toEqual([['create s1'], 1]);
  });

  it('counts as none of the callers calls, nor does its snapshot', async () => {
    const setup = await bound(SNAPSHOTS);
    setup.call('echo', {}, inSession('s'));
    await setup.done();
    leave(setup, 's');
    await setup.done();
    const { accepted, completed, internal } = setup.router.statistics().counters;
    expect([accepted, completed, internal]).toEqual([2, 2, 1]);
  });
});

describe('a session that cannot be made again', () => {
  const pinned = { onSessionLoss: 'fail' } as const;

  it('keeps its worker, and goes on with its calls there, until it ends', async () => {
    const setup = await bound(pinned);
    const home = setup.router.boundWorker('s')!.pid!;
    const told = leave(setup, 's');
    const inside = setup.call('echo', {}, inSession('s'));
    const outside = setup.call('echo');
    await setup.done();
    const before = told();
    setup.router.endSession('s');
    await setup.done();
    expect([inside.value, outside.value, before, told()]).toEqual([
      ...[`echo in ${home}`, `echo in ${3 - home}`, 0, 1],
    ]);
  });

  it('is lost after the drainMs of its worker, and not before', async () => {
    const setup = await bound(pinned);
    const told = leave(setup, 's');
    await setup.pass(999);
    const before = setup.call('echo', {}, inSession('s'));
    await setup.done();
    await setup.pass(1);
    const after = setup.call('echo', {}, inSession('s'));
    await setup.done();
    expect([before.state, shown(after), told()]).toEqual(['resolved', 'session_lost notSent', 1]);
  });

  it('that has run no call there moves like any other', async () => {
    const setup = routed({ size: 2, ...pinned });
    setup.call('hang', { n: 1 });
    setup.call('hang', { n: 2 });
    await setup.done();
    const first = setup.call('echo', {}, inSession('s'));
    setup.router.retire(setup.worker(0), { because: 'test', drainMs: 1_000 }, () => undefined);
    const other = [1, 2].find((n) => setup.python.held.get(n)!.process.pid === setup.worker(1).pid);
    setup.python.finish(other);
    await setup.done();
    expect(first.value).toBe(`echo in ${setup.worker(1).pid}`);
  });
});
