import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { routed, type Routed } from './routed.ts';

const AGAIN = { ...inSession('s'), maxRetries: 2 };

/** A session, and a worker that knows nothing of it any more. */
async function reborn(): Promise<Routed> {
  const setup = routed();
  setup.call('configure', { id: 'c' });
  setup.call('create', { id: 'x' }, inSession('s'));
  await setup.done();
  setup.world.processes[0]!.exit(9, null);
  await setup.pass(1_000);
  return setup;
}

describe('a session whose replay ends workers', () => {
  it('is lost after three of them, instead of taking one more with each call', async () => {
    const setup = await reborn();
    setup.python.acts.set('create', (process) => {
      process.exit(9, null);
      return false;
    });
    const first = setup.call('state', {}, AGAIN);
    await setup.pass(20_000);
    const died = setup.world.processes.length;
    const second = setup.call('state', {}, AGAIN);
    await setup.pass(20_000);
    expect([shown(first), shown(second)]).toEqual([
      'worker_crashed notSent',
      'session_lost notSent',
    ]);
    expect([died, setup.world.processes.length]).toEqual([5, 5]);
  });

  it('is not blamed for ends that were ordered', async () => {
    const setup = await reborn();
    setup.python.acts.set('create', () => false);
    for (let turn = 0; turn < 4; turn += 1) {
      // Its deadline replaces the worker, in which the replay is half done.
      const call = setup.call('state', {}, { ...inSession('s'), timeoutMs: 1_000 });
      await setup.pass(2_000);
      expect(shown(call)).toBe('deadline_exceeded notSent');
    }
    expect(setup.router.statistics().counters.lost).toBe(0);
  });
});

describe('what is configured for the whole bridge', () => {
  it('loses no session, however often its replay fails', async () => {
    const setup = await reborn();
    setup.python.acts.set('configure', (process, { id }) => {
      process.fail(id, 'python_error');
      return false;
    });
    for (let turn = 0; turn < 4; turn += 1) {
      const call = setup.call('state', {}, inSession('s'));
      await setup.done();
      expect(shown(call)).toBe('replay_failed notSent');
    }
    setup.python.acts.delete('configure');
    const call = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([shown(call), setup.router.statistics().counters.lost]).toEqual([['create x'], 0]);
  });
});
