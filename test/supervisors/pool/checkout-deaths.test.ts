import { describe, expect, it } from 'vitest';
import type { Checkout } from '../../../supervisors/pool/checkout.ts';
import { fateOf, request } from '../../support/scripted-pool.ts';
import { inSession, pooled, remember, shown } from './calling.ts';

type Pooled = ReturnType<typeof pooled>;

function checkout(
  { pool }: Pooled,
  sessionId?: string,
): { readonly got: { error?: Error; checkout?: Checkout } } {
  const got: { error?: Error; checkout?: Checkout } = {};
  pool.checkout({ sessionId, timeoutMs: 10_000, leaseMs: 60_000 }, (error, held) => {
    if (error !== undefined) got.error = error;
    if (held !== undefined) got.checkout = held;
  });
  return { got };
}

describe('a checkout whose worker dies before it is held', () => {
  it('waits for another one, when its session was being made again there', async () => {
    const setup = pooled(
      { size: 1 },
      {
        onCall: (process, call) => {
          // The second incarnation never ends what it is told again.
          if (process.pid !== 2) remember(process, call);
        },
      },
    );
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    setup.call('exit');
    await setup.done();
    const { got } = checkout(setup, 's');
    await setup.done();
    expect(got).toEqual({});
    setup.world.processes[1]?.exit(null, 'SIGKILL');
    await setup.done();
    expect([got.error, got.checkout?.worker?.epoch]).toEqual([undefined, 3]);
    setup.stop();
  });

  it('waits for another one, when others were still running there', async () => {
    const setup = pooled({ size: 1, prefetch: 1 }, { onCall: remember });
    setup.call('hang');
    await setup.done();
    const { got } = checkout(setup);
    await setup.done();
    expect(got).toEqual({});
    setup.world.processes[0]?.exit(null, 'SIGKILL');
    await setup.done();
    expect([got.error, got.checkout?.worker?.epoch]).toEqual([undefined, 2]);
    setup.stop();
    const { accepted, completed, failed, cancelled } = setup.pool.statistics.counters;
    expect(completed + failed + cancelled).toBe(accepted);
  });
});

describe('a checkout whose worker dies while it is held', () => {
  it('tells each of its calls of the death, and whether it may have run; later ones that it has ended', async () => {
    const setup = pooled({ size: 1 }, { onCall: remember });
    const { got } = checkout(setup);
    await setup.done();
    const held = got.checkout;
    if (held === undefined) throw new Error('no checkout');
    const calls = [1, 2].map(() => fateOf(setup.pool.callHeld(held, request('hang'))));
    await setup.done();
    setup.world.processes[0]?.exit(null, 'SIGKILL');
    await setup.done();
    calls.push(fateOf(setup.pool.callHeld(held, request('echo'))));
    await setup.done();
    expect(calls.map(shown)).toEqual([
      'worker_crashed maybeExecuted',
      'worker_crashed notSent',
      'checkout_ended notSent',
    ]);
    setup.stop();
  });
});
