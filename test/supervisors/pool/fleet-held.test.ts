import { expect, it } from 'vitest';
import type { Checkout } from '../../../supervisors/pool/checkout.ts';
import { pooled } from './calling.ts';
import { watched } from './fleet-watch.ts';

it('a worker that is held does not go as an idle one, though its holder has made no call yet', async () => {
  const setup = pooled({ size: 1, overflow: 1, idleTimeoutMs: 10_000 });
  const { log } = watched(setup);
  await setup.done();
  let held: Checkout | undefined;
  setup.pool.checkout({ timeoutMs: 1_000, leaseMs: 600_000 }, (_, checkout) => {
    held = checkout;
  });
  // Beyond what is idle there is one more, for whoever waits.
  const call = setup.call('echo');
  await setup.pass(100);
  expect([held?.worker?.workerId, call.state]).toEqual(['p/0', 'resolved']);
  await setup.pass(200_000);
  expect(held?.worker?.workerId).toBe('p/0');
  expect(log.filter((line) => line.includes('goes'))).toEqual(['p/1#1 goes: idle']);
  setup.stop();
});
