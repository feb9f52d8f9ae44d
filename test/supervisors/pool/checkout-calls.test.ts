import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { held } from './holding.ts';
import { routed } from './routed.ts';

describe('a call of a checkout', () => {
  it.each([
    ['its deadline', { timeoutMs: 100 }, 'deadline_exceeded notSent'],
    ['its signal', { signal: AbortSignal.abort() }, 'aborted notSent'],
  ])('that waits ends by %s, and the others go on', async (_what, more, found) => {
    const setup = routed();
    const holding = await held(setup);
    setup.callHeld(holding, 'hang', { n: 1 });
    const late = setup.callHeld(holding, 'echo', { n: 'late' }, more);
    const last = setup.callHeld(holding, 'echo', { n: 'last' });
    await setup.pass(100);
    setup.python.finish(1);
    await setup.done();
    expect([shown(late), last.state, setup.sent()]).toEqual([
      ...[found, 'resolved', ['hang 1', 'echo last']],
    ]);
  });

  it('are bounded in number like those of a queue', async () => {
    const setup = routed({ queueLengthMax: 2 });
    const holding = await held(setup);
    setup.callHeld(holding, 'hang', { n: 1 });
    const calls = [1, 2, 3].map(() => setup.callHeld(holding, 'echo'));
    await setup.done();
    expect(calls.map(shown)).toEqual(['pending', 'pending', 'overloaded notSent']);
  });

  it('is not tried again on another worker', async () => {
    const setup = routed();
    const holding = await held(setup);
    const call = setup.callHeld(
      holding,
      'fail',
      { code: 'rate_limited' },
      { isIdempotent: true, maxRetries: 2 },
    );
    await setup.pass(1_000);
    expect([shown(call), setup.sent().length]).toEqual(['rate_limited maybeExecuted', 1]);
  });

  it('is refused when workers have died of the same', async () => {
    const setup = routed();
    for (let n = 0; n < 2; n += 1) {
      setup.call('exit', { n: 1 });
      await setup.done();
    }
    const holding = await held(setup);
    const call = setup.callHeld(holding, 'exit', { n: 1 });
    await setup.done();
    expect([shown(call), holding.checkout().worker !== undefined]).toEqual([
      'poisoned notSent',
      true,
    ]);
  });
});

describe('a checkout in a session', () => {
  it('has its worker brought up to date first, and its calls run there in that session', async () => {
    const setup = routed();
    setup.call('create', { id: 's1' }, inSession('s'));
    await setup.done();
    setup.call('exit');
    await setup.done();
    const holding = await held(setup, inSession('s'));
    const state = setup.callHeld(holding, 'state');
    setup.callHeld(holding, 'create', { id: 's2' });
    await setup.done();
    holding.checkout().checkIn();
    setup.call('exit');
    await setup.done();
    const later = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([state.value, later.value]).toEqual([['create s1'], ['create s1', 'create s2']]);
  });

  it('has other calls of the session wait until its check-in, and no calls of others', async () => {
    const setup = routed({ size: 2 });
    const holding = await held(setup, inSession('s'));
    const own = setup.callHeld(holding, 'echo');
    const same = setup.call('echo', {}, inSession('s'));
    const other = setup.call('echo', {}, inSession('t'));
    await setup.done();
    const before = [own, same, other].map(({ state }) => state);
    holding.checkout().checkIn();
    await setup.done();
    expect([before, same.state]).toEqual([['resolved', 'pending', 'resolved'], 'resolved']);
  });

  it('has the next call of the session wait for what still ran at its check-in, wherever that goes', async () => {
    const setup = routed({ size: 2, affinity: 'none' });
    const holding = await held(setup, inSession('s'));
    setup.callHeld(holding, 'hang', { n: 1, isDeaf: true });
    await setup.done();
    holding.checkout().checkIn();
    const next = setup.call('echo', {}, inSession('s'));
    await setup.done();
    const before = next.state;
    await setup.pass(10_000);
    expect([before, next.state]).toEqual(['pending', 'resolved']);
  });

  it('cannot have the session ended while it holds it', async () => {
    const setup = routed();
    const holding = await held(setup, inSession('s'));
    const before = setup.router.endSession('s');
    holding.checkout().checkIn();
    expect([before, setup.router.endSession('s')]).toEqual([false, true]);
  });

  it('that is lost is refused', async () => {
    const setup = routed({ onSessionLoss: 'fail' });
    setup.call('echo', {}, inSession('s'));
    await setup.done();
    setup.world.processes[0]!.exit(null, 'SIGKILL');
    await setup.done();
    const holding = setup.checkout(inSession('s'));
    await setup.done();
    expect(shown(holding.fate)).toBe('session_lost notSent');
  });
});
