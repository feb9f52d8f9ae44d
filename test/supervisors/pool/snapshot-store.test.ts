import { describe, expect, it } from 'vitest';
import type { CallMessage, ScriptedProcess } from '../../support/scripted-world.ts';
import { inSession, shown } from './calling.ts';
import { routed } from './routed.ts';
import { ScriptedStore } from './scripted-store.ts';

const OPERATIONS = { snapshot: 'snapshot', restore: 'restore' };

/** A router with a store, whose worker keeps the first snapshot back. */
function withSlowSnapshot() {
  const store = new ScriptedStore();
  const setup = routed({ store, operations: OPERATIONS });
  const asked: { process: ScriptedProcess; call: CallMessage }[] = [];
  setup.python.acts.set('snapshot', (process, call) => asked.push({ process, call }) > 1);
  return {
    ...{ setup, store },
    answer: () => {
      const [first] = asked;
      first?.process.reply(first.call.id, ['update a']);
    },
    refuse: () => {
      const [first] = asked;
      first?.process.fail(first.call.id, 'python_error');
    },
  };
}

describe('a call that is answered after a snapshot', () => {
  it('ends once, though its time is over before the snapshot is there', async () => {
    const { setup, store, answer } = withSlowSnapshot();
    const update = setup.call('update', { id: 'a' }, { ...inSession('s'), timeoutMs: 1_000 });
    await setup.done();
    await setup.pass(1_000);
    const told = shown(update);
    answer();
    await setup.done();
    expect([told, store.shown('s')]).toEqual([
      'deadline_exceeded maybeExecuted',
      ['restore snapshot'],
    ]);
    expect(setup.router.statistics().counters).toMatchObject({ completed: 0, failed: 1 });
  });

  it('leaves the session to the next one after that', async () => {
    const { setup, answer } = withSlowSnapshot();
    setup.call('update', { id: 'a' }, { ...inSession('s'), timeoutMs: 1_000 });
    const next = setup.call('state', {}, inSession('s'));
    await setup.done();
    await setup.pass(1_000);
    answer();
    await setup.done();
    expect(shown(next)).toEqual(['update a']);
  });

  it('is one that updates: what is configured after a snapshot that failed reaches the store too', async () => {
    const { setup, store, refuse } = withSlowSnapshot();
    setup.call('update', { id: 'a' }, inSession('s'));
    await setup.done();
    refuse();
    await setup.done();
    setup.call('configure', { id: 'c' }, inSession('s'));
    await setup.done();
    expect(setup.sent().filter((one) => one.startsWith('snapshot'))).toHaveLength(1);
    expect(store.orders.filter((one) => one === 'save s')).toHaveLength(2);
  });
});
