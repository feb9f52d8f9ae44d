import { describe, expect, it } from 'vitest';
import type { BreakerSettings } from '../../../actors/breaker/breaker.ts';
import { inSession, shown } from './calling.ts';
import { routed, type Routed } from './routed.ts';

const BREAKER: BreakerSettings = {
  failureThreshold: 3,
  successThreshold: 2,
  openMs: 1_000,
  halfOpenCallsMax: 2,
  probeTimeoutMs: 500,
};
const PATIENT = { checkoutTimeoutMs: 30_000 } as const;

const stateOf = (setup: Routed) => setup.router.statistics().gauges.breaker;

/** The worker dies of a call, of another one each time: none is poison. */
async function crash(setup: Routed, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    setup.call('exit', { n: Math.floor(setup.clock.nowMs()) * 100 + n }, PATIENT);
    await setup.done();
  }
}

async function opened(more = {}): Promise<Routed> {
  const setup = routed({ breaker: BREAKER, ...more });
  await crash(setup, 3);
  return setup;
}

describe('a breaker', () => {
  it('that is open refuses new calls, and says when to come again', async () => {
    const setup = await opened();
    await setup.pass(400);
    const refused = setup.call('echo');
    await setup.done();
    expect([stateOf(setup), shown(refused)]).toEqual(['open', 'circuit_open notSent']);
    expect(refused.error).toMatchObject({ retryAfterMs: 600, bridge: 'p' });
    expect(setup.router.statistics().counters.refused).toEqual({ circuit_open: 1 });
  });

  it('that opens keeps those that wait, and lets them through as probes later', async () => {
    const setup = routed({ breaker: BREAKER });
    await crash(setup, 2);
    const last = setup.call('exit', { n: 'last' });
    const waiting = [1, 2, 3].map(() => setup.call('echo', {}, PATIENT));
    await setup.done();
    const between = [stateOf(setup), shown(last), ...waiting.map(shown)];
    await setup.pass(1_000);
    expect(between).toEqual([
      'open',
      'worker_crashed maybeExecuted',
      ...Array<string>(3).fill('pending'),
    ]);
    expect([stateOf(setup), ...waiting.map(({ state }) => state)]).toEqual([
      'closed',
      ...Array<string>(3).fill('resolved'),
    ]);
  });

  it('that is half open lets so many through at a time', async () => {
    const setup = await opened({ size: 4 });
    await setup.pass(1_000);
    const before = stateOf(setup);
    for (let n = 0; n < 4; n += 1) setup.call('hang', { n }, PATIENT);
    await setup.done();
    const { running, queued } = setup.router.statistics().gauges;
    expect([before, running, queued]).toEqual(['half_open', 2, 2]);
    setup.python.finish(0);
    await setup.done();
    expect(setup.router.statistics().gauges).toMatchObject({ running: 2, queued: 1 });
    setup.python.finish(1);
    await setup.done();
    expect([stateOf(setup), setup.router.statistics().gauges.running]).toEqual(['closed', 2]);
  });

  it('that is half open opens again by one failure', async () => {
    const setup = await opened();
    await setup.pass(1_000);
    await crash(setup, 1);
    expect(stateOf(setup)).toBe('open');
  });

  it('that is half open opens again by a probe that is lost', async () => {
    const setup = await opened();
    await setup.pass(1_000);
    setup.call('hang', { n: 1 });
    await setup.pass(499);
    const before = stateOf(setup);
    await setup.pass(1);
    expect([before, stateOf(setup)]).toEqual(['half_open', 'open']);
  });

  it('takes exceptions of Python for answers: they close it, and never open it', async () => {
    const setup = await opened();
    await setup.pass(1_000);
    for (let n = 0; n < 10; n += 1) {
      setup.call('fail');
      await setup.done();
    }
    expect(stateOf(setup)).toBe('closed');
  });

  it('counts a crash once, however many calls it takes along', async () => {
    const setup = routed({ breaker: BREAKER }, { concurrency: 5 });
    const lost = [1, 2, 3, 4, 5].map((n) => setup.call('hang', { n }));
    await setup.done();
    setup.world.processes[0]!.exit(null, 'SIGKILL');
    await setup.done();
    expect([lost.map(shown), stateOf(setup)]).toEqual([
      Array(5).fill('worker_crashed maybeExecuted'),
      'closed',
    ]);
  });

  it('counts a crash while a worker is brought up to date, and one of a worker that has nothing to do', async () => {
    const setup = routed({ breaker: BREAKER });
    setup.call('create', { id: 'x' });
    await setup.done();
    setup.world.processes.at(-1)!.exit(null, 'SIGKILL');
    await setup.done();
    setup.python.acts.set('create', (process) => {
      process.exit(null, 'SIGSEGV');
      return false;
    });
    setup.call('echo');
    await setup.done();
    const before = stateOf(setup);
    setup.world.processes.at(-1)!.exit(null, 'SIGKILL');
    await setup.done();
    expect([before, stateOf(setup)]).toEqual(['closed', 'open']);
  });

  it('counts a worker that did not start', () => {
    const setup = routed({ breaker: BREAKER });
    for (let n = 0; n < 3; n += 1) setup.router.startFailed();
    expect(stateOf(setup)).toBe('open');
  });

  it('does not count workers that were replaced or stopped by order', async () => {
    const setup = routed({ breaker: BREAKER });
    for (let n = 0; n < 5; n += 1) {
      setup.call('hang', { n, isDeaf: true }, { timeoutMs: 100 });
      await setup.pass(10_000);
    }
    expect([stateOf(setup), setup.world.processes.length]).toEqual(['closed', 6]);
  });

  it('forgets failures between which a call has succeeded', async () => {
    const setup = routed({ breaker: BREAKER });
    for (let n = 0; n < 3; n += 1) {
      await crash(setup, 2);
      setup.call('echo');
      await setup.done();
      await setup.pass(100);
    }
    expect(stateOf(setup)).toBe('closed');
  });

  it('that is open does not touch calls that are inside: those of a checkout, nested ones', async () => {
    const setup = routed({ breaker: BREAKER, size: 2 });
    const holding = setup.checkout();
    await setup.done();
    await crash(setup, 3);
    const held = setup.callHeld(holding, 'echo');
    await setup.done();
    expect([stateOf(setup), held.state]).toEqual(['open', 'resolved']);
  });

  it('takes no checkout for a lost probe, however long it is held', async () => {
    const setup = await opened();
    await setup.pass(1_000);
    const holding = setup.checkout();
    await setup.pass(10_000);
    expect([holding.fate.state, stateOf(setup)]).toEqual(['resolved', 'half_open']);
  });

  it('has lost nothing of what waits in a session when it closes', async () => {
    const setup = routed({ breaker: BREAKER });
    await crash(setup, 2);
    setup.call('exit', { n: 'last' });
    const waiting = [1, 2, 3].map((n) =>
      setup.call('echo', { n }, { ...inSession('s'), ...PATIENT }),
    );
    await setup.pass(1_000);
    expect(waiting.map(({ state }) => state)).toEqual(Array(3).fill('resolved'));
    expect(setup.sent().slice(-3)).toEqual(['echo 1 of s', 'echo 2 of s', 'echo 3 of s']);
  });

  it('may be none', async () => {
    const setup = routed();
    await crash(setup, 20);
    expect(stateOf(setup)).toBe('none');
  });
});
