import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { routed } from './routed.ts';

const RETRIED = { isIdempotent: true, maxRetries: 2 };

describe('a caller who ends its call as soon as it hears of it', () => {
  it('has ended one that was to be tried again after a while', async () => {
    const setup = routed();
    const ended = new AbortController();
    setup.bus.on('call.retried', () => ended.abort());
    const call = setup.call('exit', {}, { ...RETRIED, signal: ended.signal });
    await setup.pass(20_000);
    expect([call.error?.code, setup.sent()]).toEqual(['aborted', ['exit']]);
    expect(setup.router.statistics().gauges).toMatchObject({ queued: 0, running: 0 });
  });

  it('has ended one that was to be tried again at once', async () => {
    const setup = routed({ prefetch: 1 });
    const ended = new AbortController();
    setup.bus.on('call.retried', () => ended.abort());
    setup.call('exit');
    const ahead = setup.call('echo', {}, { ...RETRIED, signal: ended.signal });
    await setup.pass(20_000);
    expect([ahead.error?.code, setup.sent()]).toEqual(['aborted', ['exit', 'echo']]);
    expect(setup.router.statistics().gauges).toMatchObject({ queued: 0, running: 0 });
  });

  it('has ended one whose session was being bound: nothing was sent, and the worker goes on', async () => {
    const setup = routed();
    const ended = new AbortController();
    setup.bus.on('session.bound', () => ended.abort());
    const call = setup.call('echo', {}, { ...inSession('s'), signal: ended.signal });
    const other = setup.call('echo');
    await setup.pass(1_000);
    expect([shown(call), shown(other)]).toEqual(['aborted notSent', 'echo in 1']);
    expect(setup.world.callsWritten.map(({ session }) => session)).toEqual([null]);
  });
});

describe('a caller who calls again as soon as it hears of a binding', () => {
  it('finds no room in a worker that is being brought up to date', async () => {
    const setup = routed({}, { concurrency: 2 });
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    setup.world.processes[0]!.exit(9, null);
    await setup.pass(1_000);
    let second = setup.call('echo');
    await setup.done();
    const end = setup.bus.on('session.bound', () => {
      end();
      second = setup.noted(setup.router.call({ ...REQUEST, sessionId: 't' }));
    });
    const first = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([shown(first), shown(second)]).toEqual([['create x'], []]);
    expect(setup.sent().slice(-3)).toEqual(['create x of s', 'state of s', 'state of t']);
  });
});

const REQUEST = { op: 'state', args: {}, timeoutMs: 5_000, checkoutTimeoutMs: 5_000 };

describe('a call on a worker that is held', () => {
  it('is refused when workers have died of the same', async () => {
    const setup = routed({ quarantine: { crashes: 2, forMs: 60_000 } });
    for (let turn = 0; turn < 2; turn += 1) {
      const holding = setup.checkout();
      await setup.done();
      setup.callHeld(holding, 'exit');
      await setup.pass(1_000);
    }
    const holding = setup.checkout();
    await setup.done();
    const call = setup.callHeld(holding, 'exit');
    await setup.done();
    expect([shown(call), setup.world.processes.length]).toEqual(['poisoned notSent', 3]);
  });
});
