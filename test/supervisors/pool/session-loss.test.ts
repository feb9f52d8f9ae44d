import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { routed, type Routed, type RoutedOptions } from './routed.ts';

const kill = (setup: Routed, id: string): void =>
  setup.world.processes[setup.router.boundWorker(id)!.pid! - 1]!.exit(null, 'SIGKILL');

/** A pool whose sessions cannot be made again, and a session that has run a call. */
async function failing(more: RoutedOptions = {}): Promise<Routed> {
  const setup = routed({ size: 2, onSessionLoss: 'fail', ...more });
  setup.call('echo', {}, inSession('s'));
  await setup.done();
  return setup;
}

describe('a session that cannot be made again', () => {
  it('is lost with its worker: those of its calls that wait hear so in the same tick', async () => {
    const setup = await failing();
    const runs = setup.call('hang', { n: 1 }, inSession('s'));
    const waiting = [1, 2].map(() => setup.call('echo', {}, inSession('s')));
    setup.settle();
    const sentBefore = setup.world.callsWritten.length;
    kill(setup, 's');
    setup.settle();
    const at = setup.clock.nowMs();
    await setup.done();
    expect([runs, ...waiting].map(shown)).toEqual([
      'worker_crashed maybeExecuted',
      'session_lost notSent',
      'session_lost notSent',
    ]);
    expect([setup.clock.nowMs(), setup.world.callsWritten.length]).toEqual([at, sentBefore]);
    expect(setup.told('session.lost')).toMatchObject([{ pool: 'p', session: 's' }]);
  });

  it('stays lost: each later call is refused, until it is ended', async () => {
    const setup = await failing();
    kill(setup, 's');
    await setup.done();
    const later = [setup.call('echo', {}, inSession('s'))];
    await setup.pass(10_000);
    later.push(setup.call('echo', {}, { ...inSession('s'), affinity: 'none' }));
    const ended = setup.router.endSession('s');
    later.push(setup.call('echo', {}, inSession('s')));
    await setup.done();
    expect(later.map(({ state, error }) => error?.code ?? state)).toEqual([
      'session_lost',
      'session_lost',
      'resolved',
    ]);
    const { lost, refused } = setup.router.statistics().counters;
    expect([ended, lost, refused]).toEqual([true, 1, { session_lost: 2 }]);
  });

  it('says why, and whose it was', async () => {
    const setup = await failing();
    kill(setup, 's');
    await setup.done();
    const late = setup.call('echo', {}, inSession('s'));
    await setup.done();
    expect(late.error?.message).toMatch(/session s.*worker p\/\d \(epoch 1\)/u);
  });

  it('is not lost before it has run a call there: its first call goes elsewhere', async () => {
    const setup = routed({ size: 2, onSessionLoss: 'fail' });
    setup.call('hang', { n: 1 });
    setup.call('hang', { n: 2 });
    const first = setup.call('echo', {}, inSession('s'));
    setup.settle();
    setup.world.processes[0]!.exit(null, 'SIGKILL');
    await setup.done();
    expect([first.state, setup.router.statistics().counters.lost]).toEqual(['resolved', 0]);
  });

  it('is not lost when its first call was lost with the worker: nobody was told that it had begun', async () => {
    const setup = routed({ size: 2, onSessionLoss: 'fail' });
    const first = setup.call('exit', {}, inSession('s'));
    const second = setup.call('echo', {}, inSession('s'));
    await setup.done();
    expect([shown(first), second.state]).toEqual(['worker_crashed maybeExecuted', 'resolved']);
  });

  it('without affinity is never lost', async () => {
    const setup = routed({ size: 2, onSessionLoss: 'fail', affinity: 'none' });
    setup.call('create', { id: 's1' }, inSession('s'));
    await setup.done();
    kill(setup, 's');
    const next = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([next.value, setup.router.statistics().counters.lost]).toEqual([['create s1'], 0]);
  });

  it('that prefers its worker does not move all the same: what it was is there', async () => {
    const setup = await failing({ affinity: 'preferred' });
    const home = setup.router.boundWorker('s')?.pid;
    setup.call('hang', { n: 1 }, inSession('s'));
    const waits = setup.call('echo', {}, inSession('s'));
    await setup.done();
    const before = shown(waits);
    setup.python.finish(1);
    await setup.done();
    expect([before, waits.value]).toEqual(['pending', `echo in ${home}`]);
  });

  it('waits for its worker while that has somebody else, though it only prefers it', async () => {
    const setup = await failing({ size: 2, affinity: 'preferred' });
    const home = setup.router.boundWorker('s')!.pid!;
    for (const n of [1, 2]) setup.call('hang', { n });
    await setup.done();
    const other = [1, 2].find((n) => setup.python.held.get(n)!.process.pid !== home);
    const waits = setup.call('echo', {}, inSession('s'));
    setup.python.finish(other);
    await setup.done();
    const before = shown(waits);
    setup.python.finish(3 - Number(other));
    await setup.done();
    expect([before, waits.value]).toEqual(['pending', `echo in ${home}`]);
  });

  it('takes along the call that waits for its next try', async () => {
    const setup = await failing();
    const retried = setup.call(
      'fail',
      { code: 'rate_limited' },
      { ...inSession('s'), isIdempotent: true, maxRetries: 2 },
    );
    await setup.done();
    const before = setup.router.statistics().counters.retried;
    kill(setup, 's');
    await setup.done();
    expect([before, shown(retried)]).toEqual([1, 'session_lost maybeExecuted']);
    await setup.pass(1_000);
    expect(setup.sent().filter((sent) => sent.startsWith('fail'))).toHaveLength(1);
    expect(setup.router.endSession('s')).toBe(true);
  });
});

describe('a session that can be made again', () => {
  it('is made so before its first call on another worker, and was never lost', async () => {
    const setup = routed({ size: 2 });
    for (const id of ['s1', 's2']) setup.call('create', { id }, inSession('s'));
    setup.call('update', { id: 's1' }, inSession('s'));
    await setup.done();
    kill(setup, 's');
    await setup.done();
    const next = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect(next.value).toEqual(['create s1', 'create s2', 'update s1']);
    const { lost, rebuilt, replayed } = setup.router.statistics().counters;
    expect([lost, rebuilt, replayed]).toEqual([0, 1, 3]);
  });

  it.each(['kill', 'exit'])(
    'is lost after three replays in a row that fail, and not before',
    async () => {
      const setup = routed({ size: 1 });
      setup.call('create', { id: 's1' }, inSession('s'));
      await setup.done();
      setup.python.acts.set('create', (process, { id }) => {
        process.fail(id, 'invalid_signature');
        return false;
      });
      kill(setup, 's');
      await setup.done();
      const seen = [];
      for (let calls = 0; calls < 4; calls += 1) {
        const fate = setup.call('echo', {}, inSession('s'));
        await setup.done();
        seen.push(shown(fate));
      }
      expect(seen).toEqual([
        ...Array<string>(3).fill('replay_failed notSent'),
        'session_lost notSent',
      ]);
      // The incarnation is not blamed.
      expect([setup.worker(0).epoch, setup.router.statistics().counters.lost]).toEqual([2, 1]);
    },
  );

  it('begins anew with the count of its failures once a replay has succeeded', async () => {
    const setup = routed({ size: 1 });
    setup.call('create', { id: 's1' }, inSession('s'));
    await setup.done();
    const failures = { left: 2 };
    setup.python.acts.set('create', (process, { id }) => {
      if (failures.left === 0) return true;
      failures.left -= 1;
      process.fail(id, 'invalid_signature');
      return false;
    });
    const seen = [];
    for (let rounds = 0; rounds < 2; rounds += 1) {
      failures.left = 2;
      setup.world.processes.at(-1)!.exit(null, 'SIGKILL');
      await setup.done();
      for (let calls = 0; calls < 3; calls += 1) {
        const fate = setup.call('echo', {}, inSession('s'));
        await setup.done();
        seen.push(fate.error?.code ?? fate.state);
      }
    }
    const round = ['replay_failed', 'replay_failed', 'resolved'];
    expect(seen).toEqual([...round, ...round]);
  });

  it('tells the calls that wait with it when it is lost', async () => {
    const setup = routed({ size: 1 });
    setup.call('create', { id: 's1' }, inSession('s'));
    await setup.done();
    setup.python.acts.set('create', (process, { id }) => {
      process.fail(id, 'invalid_signature');
      return false;
    });
    kill(setup, 's');
    await setup.done();
    const fates = [1, 2, 3, 4, 5].map(() => setup.call('echo', {}, inSession('s')));
    await setup.done();
    expect(fates.map(({ error }) => error?.code)).toEqual([
      ...Array<string>(3).fill('replay_failed'),
      ...Array<string>(2).fill('session_lost'),
    ]);
    expect(setup.router.endSession('s')).toBe(true);
  });
});
