import { describe, expect, it } from 'vitest';
import { shown } from './calling.ts';
import { routed, type Routed } from './routed.ts';

const BREAKER = {
  ...{ failureThreshold: 1, successThreshold: 3, openMs: 1_000 },
  ...{ halfOpenCallsMax: 1, probeTimeoutMs: 30_000 },
};

/** A half-open breaker whose only probe is under way, beside three idle workers. */
async function probing(): Promise<Routed> {
  const setup = routed({ size: 4, queueLengthMax: 5, breaker: BREAKER });
  setup.call('exit');
  await setup.pass(1_000);
  setup.call('hang', { n: 1 });
  await setup.done();
  expect(setup.router.statistics().gauges).toMatchObject({ breaker: 'half_open', idle: 3 });
  return setup;
}

describe('calls that a half-open breaker lets through no more', () => {
  it('fill the queue up to its length and no further, though workers are idle', async () => {
    const setup = await probing();
    const calls = Array.from({ length: 7 }, () => setup.call('echo'));
    await setup.done();
    expect(calls.map(shown)).toEqual([
      ...Array<string>(5).fill('pending'),
      ...Array<string>(2).fill('overloaded notSent'),
    ]);
  });

  it('are refused where they would not wait at all', async () => {
    const setup = await probing();
    const call = setup.call('echo', {}, { checkoutTimeoutMs: 0 });
    await setup.done();
    expect(shown(call)).toBe('checkout_timeout notSent');
    expect(setup.router.statistics().counters.refused).toEqual({ checkout_timeout: 1 });
  });

  it('go on one after the other as probes end', async () => {
    const setup = await probing();
    const calls = Array.from({ length: 5 }, () => setup.call('echo'));
    setup.python.finish(1);
    await setup.done();
    expect(calls.map(({ state }) => state)).toEqual(Array(5).fill('resolved'));
  });
});
