// What becomes of a session whose worker was told to forget it, and which goes on all the same?
import { expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { routed } from './routed.ts';

it('a session that has further calls when it is to be ended is what it was, for all of them', async () => {
  const setup = routed({ operations: { forget: 'forget' } });
  setup.call('create', { id: 'x' }, inSession('s'));
  await setup.done();
  // As the handle of a bridge does it: where the session is bound, and then here.
  setup.call('forget', {}, inSession('s'));
  const next = setup.call('hang', { n: 1 }, inSession('s'));
  const last = setup.call('state', {}, inSession('s'));
  await setup.done();
  expect(setup.router.endSession('s')).toBe(false);
  setup.python.finish(1);
  await setup.done();
  expect([next.state, shown(last)]).toEqual(['resolved', ['create x']]);
});
