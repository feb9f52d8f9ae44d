import { describe, expect, it } from 'vitest';
import { shown } from './calling.ts';
import { countersOf, gaugesOf, held, pidOf } from './holding.ts';
import { routed } from './routed.ts';

describe('a checkout', () => {
  it('holds one worker alone: nobody else is sent there', async () => {
    const setup = routed({ size: 2 });
    const holding = await held(setup);
    const others = [1, 2, 3].map(() => setup.call('echo'));
    const own = setup.callHeld(holding, 'echo');
    await setup.done();
    const pid = pidOf(setup, holding);
    expect([own.value, ...others.map(({ value }) => value)]).toEqual([
      `echo in ${pid}`,
      ...Array<string>(3).fill(`echo in ${3 - pid}`),
    ]);
    expect(gaugesOf(setup)).toMatchObject({ held: 1, idle: 1, busy: 0, running: 1 });
  });

  it('is accepted like a call, runs while it holds its worker, and is completed by its check-in', async () => {
    const setup = routed();
    const holding = await held(setup);
    const before = [countersOf(setup).accepted, gaugesOf(setup).running];
    holding.checkout().checkIn();
    await setup.done();
    expect([before, countersOf(setup).completed, gaugesOf(setup)]).toMatchObject([
      ...[[1, 1], 1, { idle: 1, held: 0, running: 0 }],
    ]);
  });

  it('gives its worker back to those that wait, at its check-in', async () => {
    const setup = routed();
    const holding = await held(setup);
    const waits = setup.call('echo');
    await setup.done();
    const before = shown(waits);
    holding.checkout().checkIn();
    await setup.done();
    expect([before, waits.state, holding.checkout().worker]).toEqual([
      ...['pending', 'resolved', undefined],
    ]);
  });

  it('runs its calls in order, one at a time, also where its worker could run several', async () => {
    const setup = routed({}, { concurrency: 3 });
    const holding = await held(setup);
    for (const n of [1, 2, 3]) setup.callHeld(holding, 'hang', { n });
    const seen = [];
    for (const n of [1, 2, 3]) {
      await setup.done();
      seen.push(setup.sent().length);
      setup.python.finish(n);
    }
    await setup.done();
    expect([seen, setup.sent()]).toEqual([
      [1, 2, 3],
      ['hang 1', 'hang 2', 'hang 3'],
    ]);
  });

  it('waits for those that are there before it has it alone, and lets nobody in meanwhile', async () => {
    const setup = routed({}, { concurrency: 3 });
    for (const n of [1, 2]) setup.call('hang', { n });
    await setup.done();
    const holding = await held(setup);
    const late = setup.call('echo');
    const seen = [holding.fate.state];
    setup.python.finish(1);
    await setup.done();
    seen.push(holding.fate.state);
    setup.python.finish(2);
    await setup.done();
    expect([...seen, holding.fate.state, shown(late)]).toEqual([
      ...['pending', 'pending', 'resolved', 'pending'],
    ]);
    holding.checkout().checkIn();
    await setup.done();
    expect(late.state).toBe('resolved');
  });

  it('waits for its turn with all others', async () => {
    const setup = routed();
    setup.call('hang', { n: 1 });
    const first = setup.call('hang', { n: 2 });
    const holding = setup.checkout();
    const behind = setup.call('echo');
    await setup.done();
    setup.python.finish(1);
    await setup.done();
    const between = [first, holding.fate, behind].map(({ state }) => state);
    setup.python.finish(2);
    await setup.done();
    expect([between, holding.fate.state, behind.state]).toEqual([
      ...[['pending', 'pending', 'pending'], 'resolved', 'pending'],
    ]);
  });

  it('gets none in its time: it has waited in vain, and was none', async () => {
    const setup = routed();
    setup.call('hang', { n: 1 });
    const holding = setup.checkout({ timeoutMs: 100 });
    await setup.pass(100);
    expect([shown(holding.fate), gaugesOf(setup).queued]).toEqual(['checkout_timeout notSent', 0]);
    setup.python.finish(1);
    await setup.done();
    expect(gaugesOf(setup)).toMatchObject({ held: 0, idle: 1 });
  });

  it('gets none in its time while others are still there: they keep the worker', async () => {
    const setup = routed({}, { concurrency: 2 });
    setup.call('hang', { n: 1 });
    await setup.done();
    const holding = setup.checkout({ timeoutMs: 100 });
    const waits = setup.call('echo');
    await setup.pass(99);
    const before = shown(waits);
    await setup.pass(1);
    expect([shown(holding.fate), before, waits.state]).toEqual([
      ...['checkout_timeout notSent', 'pending', 'resolved'],
    ]);
    expect(setup.python.held.size).toBe(1);
  });

  it('is had now or not at all with a time of 0', async () => {
    const setup = routed();
    const first = setup.checkout({ timeoutMs: 0 });
    const second = setup.checkout({ timeoutMs: 0 });
    await setup.done();
    expect([first.fate.state, shown(second.fate)]).toEqual([
      'resolved',
      'checkout_timeout notSent',
    ]);
  });

  it('whose caller has had enough while it waits is cancelled, in the queue or at its worker', async () => {
    const setup = routed({}, { concurrency: 2 });
    setup.call('hang', { n: 1 });
    await setup.done();
    const controllers = [new AbortController(), new AbortController()];
    const [atWorker, inQueue] = controllers.map(({ signal }) => setup.checkout({ signal }));
    await setup.done();
    for (const controller of controllers) controller.abort();
    await setup.done();
    expect([shown(atWorker!.fate), shown(inQueue!.fate)]).toEqual([
      'aborted notSent',
      'aborted notSent',
    ]);
    const { cancelled, failed } = countersOf(setup);
    const next = setup.call('echo');
    await setup.done();
    expect([cancelled, failed, gaugesOf(setup).held, next.state]).toEqual([2, 0, 0, 'resolved']);
  });

  it('is not ended by the signal that it was waited for with, once it is held', async () => {
    const setup = routed();
    const controller = new AbortController();
    const holding = await held(setup, { signal: controller.signal });
    controller.abort();
    const call = setup.callHeld(holding, 'echo');
    await setup.done();
    expect(call.state).toBe('resolved');
  });
});
