import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { routed } from './routed.ts';

const OPERATIONS = { snapshot: 'snapshot', restore: 'restore' };
const IDS = ['a', 'b', 'c'];

describe('the sessions of a worker that is to go', () => {
  it('give their snapshots one after the other, and are served there until it is their turn', async () => {
    const setup = routed({ operations: OPERATIONS });
    for (const id of IDS) setup.call('create', { id: 'x' }, inSession(id));
    await setup.done();
    setup.python.acts.set('snapshot', (process, call) => {
      setup.python.held.set(`snapshot of ${call.session}`, { process, call });
      return false;
    });
    const before = setup.sent().length;
    let told = 0;
    setup.router.retire(setup.worker(0), { because: 'test', drainMs: 60_000 }, () => {
      told += 1;
    });
    const call = setup.call('state', {}, inSession('c'));
    await setup.done();
    const first = setup.sent().slice(before);
    setup.python.finish('snapshot of a', ['create x']);
    await setup.done();
    const second = setup.sent().slice(before + 1);
    setup.python.finish('snapshot of b', ['create x']);
    await setup.done();
    setup.python.finish('snapshot of c', ['create x']);
    const early = told;
    await setup.done();
    expect([first, second, shown(call)]).toEqual([
      ['snapshot of a'],
      ['state of c', 'snapshot of b'],
      ['create x'],
    ]);
    expect([early, told]).toEqual([0, 1]);
  });
});
