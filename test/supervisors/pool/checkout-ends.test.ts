import { describe, expect, it } from 'vitest';
import { shown } from './calling.ts';
import { codeOf, countersOf, gaugesOf, held, pidOf } from './holding.ts';
import { routed } from './routed.ts';

describe('a checkout that has ended', () => {
  it('is checked in once: the second time is an error, and so is every call', async () => {
    const setup = routed();
    const holding = await held(setup);
    holding.checkout().checkIn();
    const again = codeOf(() => holding.checkout().checkIn());
    const call = setup.callHeld(holding, 'echo');
    await setup.done();
    expect([again, shown(call)]).toEqual(['checkout_ended', 'checkout_ended notSent']);
    expect(countersOf(setup)).toMatchObject({ accepted: 1, completed: 1, failed: 0 });
  });

  it('does not check in what another one holds by now', async () => {
    const setup = routed();
    const first = await held(setup);
    first.checkout().checkIn();
    const second = await held(setup);
    expect(codeOf(() => first.checkout().checkIn())).toBe('checkout_ended');
    expect([second.checkout().worker !== undefined, gaugesOf(setup).held]).toEqual([true, 1]);
  });

  it('by its check-in ends what it still had: what waited was not sent, what ran is cancelled', async () => {
    const setup = routed();
    const holding = await held(setup);
    const runs = setup.callHeld(holding, 'hang', { n: 1 });
    const waits = setup.callHeld(holding, 'echo');
    await setup.done();
    holding.checkout().checkIn();
    const next = setup.call('echo');
    await setup.done();
    expect([shown(runs), shown(waits), next.state]).toEqual([
      ...['aborted maybeExecuted', 'checkout_ended notSent', 'resolved'],
    ]);
    expect(setup.world.processes).toHaveLength(1);
  });

  it('by its check-in gives the worker to nobody before what still ran is over there', async () => {
    const setup = routed();
    const holding = await held(setup);
    setup.callHeld(holding, 'hang', { n: 1, isDeaf: true });
    await setup.done();
    holding.checkout().checkIn();
    const next = setup.call('echo');
    await setup.done();
    const before = [next.state, setup.world.processes.length];
    await setup.pass(10_000);
    expect([before, next.value]).toEqual([['pending', 1], 'echo in 2']);
  });

  it('by its lease has its worker reclaimed, and is told so', async () => {
    const setup = routed();
    const holding = await held(setup, { leaseMs: 1_000 });
    const waits = setup.call('echo');
    await setup.pass(999);
    const before = waits.state;
    await setup.pass(1);
    const call = setup.callHeld(holding, 'echo');
    await setup.done();
    expect([before, waits.state, shown(call)]).toEqual([
      ...['pending', 'resolved', 'checkout_ended notSent'],
    ]);
    expect(setup.told('checkout.reclaimed')).toEqual([{ pool: 'p', worker: 'p/0', epoch: 1 }]);
    expect(codeOf(() => holding.checkout().checkIn())).toBe('checkout_ended');
    expect(countersOf(setup)).toMatchObject({ completed: 1, failed: 1 });
  });

  it('does not end by its lease while a call of it runs; each call begins the lease anew', async () => {
    const setup = routed();
    const holding = await held(setup, { leaseMs: 1_000 });
    const long = setup.callHeld(holding, 'hang', { n: 1 });
    await setup.pass(5_000);
    setup.python.finish(1);
    await setup.pass(999);
    const call = setup.callHeld(holding, 'echo');
    await setup.pass(999);
    expect([long.state, call.state, holding.checkout().worker !== undefined]).toEqual([
      ...['resolved', 'resolved', true],
    ]);
    await setup.pass(1);
    expect(holding.checkout().worker).toBeUndefined();
  });

  it('by the death of its worker has its calls rejected with that; later ones hear that it has ended', async () => {
    const setup = routed({ size: 2 });
    const holding = await held(setup);
    const pid = pidOf(setup, holding);
    const runs = setup.callHeld(holding, 'hang', { n: 1 });
    const waits = setup.callHeld(holding, 'echo');
    await setup.done();
    setup.world.processes[pid - 1]!.exit(null, 'SIGKILL');
    await setup.done();
    const later = setup.callHeld(holding, 'echo');
    await setup.done();
    expect([runs, waits, later].map(shown)).toEqual([
      ...['worker_crashed maybeExecuted', 'worker_crashed notSent', 'checkout_ended notSent'],
    ]);
    expect(codeOf(() => holding.checkout().checkIn())).toBe('checkout_ended');
    // The worker that follows is everybody's.
    expect(gaugesOf(setup)).toMatchObject({ held: 0, idle: 2, running: 0 });
  });
});

describe('a held worker that is to go', () => {
  it('waits for the check-in', async () => {
    const setup = routed({ size: 2 });
    const holding = await held(setup);
    const worker = setup.worker(pidOf(setup, holding) - 1);
    let told = 0;
    setup.router.retire(worker, { because: 'test', drainMs: 1_000 }, () => (told += 1));
    const call = setup.callHeld(holding, 'echo');
    await setup.done();
    const before = told;
    holding.checkout().checkIn();
    await setup.done();
    expect([before, call.state, told]).toEqual([0, 'resolved', 1]);
  });

  it('is taken from its holder after drainMs', async () => {
    const setup = routed({ size: 2 });
    const holding = await held(setup);
    const worker = setup.worker(pidOf(setup, holding) - 1);
    let told = 0;
    setup.router.retire(worker, { because: 'test', drainMs: 1_000 }, () => (told += 1));
    await setup.pass(1_000);
    const call = setup.callHeld(holding, 'echo');
    await setup.done();
    expect([told, shown(call)]).toEqual([1, 'checkout_ended notSent']);
  });
});
