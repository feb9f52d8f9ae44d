import { getEventListeners } from 'node:events';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { Deadlines } from '../../../actors/ground/deadlines.ts';
import { scriptedPython } from '../../support/scripted-python.ts';
import { inSession, pooled, shown, STAGES_MS } from './calling.ts';

describe('a call that finds no worker in its checkout time', () => {
  it('is refused, and was not sent', async () => {
    const { call, pass } = pooled();
    call('hang');
    const late = call('echo', {}, { checkoutTimeoutMs: 100 });
    await pass(99);
    const before = shown(late);
    await pass(1);
    expect([before, shown(late)]).toEqual(['pending', 'checkout_timeout notSent']);
  });

  it('is told what was found', async () => {
    const { call, pass } = pooled();
    call('hang');
    const late = call('echo', {}, { checkoutTimeoutMs: 100 });
    await pass(100);
    expect(late.error?.message).toBe(
      'call echo waited 100 ms for a worker and got none: no idle worker; 0 workers idle, 1 busy',
    );
  });

  it('has the checkout time only until it has a worker', async () => {
    const { call, pass } = pooled();
    const slow = call('hang', {}, { checkoutTimeoutMs: 100, timeoutMs: 1_000 });
    await pass(999);
    expect(shown(slow)).toBe('pending');
  });

  it('leaves its worker alone', async () => {
    const { call, pass, world } = pooled();
    call('hang');
    call('echo', {}, { checkoutTimeoutMs: 100 });
    await pass(100);
    expect(world.processes).toHaveLength(1);
  });
});

describe('a call whose deadline passes', () => {
  it('while it waits was not sent, and no worker is replaced', async () => {
    const { call, pass, world } = pooled();
    call('hang');
    const late = call('echo', {}, { timeoutMs: 100 });
    await pass(100);
    expect([shown(late), world.processes.length]).toEqual(['deadline_exceeded notSent', 1]);
  });

  it('while its worker is brought up to date was not sent, and the worker is replaced', async () => {
    let isSlow = false;
    const { call, done, pass, world } = pooled(
      { size: 1 },
      {
        onCall: (process, { id, op }) => {
          if (op === 'exit') process.exit(9, null);
          else if (op !== 'create' || !isSlow) process.reply(id, op);
        },
      },
    );
    call('create', { id: 'x' });
    await done();
    call('exit');
    await done();
    isSlow = true;
    const late = call('use', { id: 'x' }, { timeoutMs: 100 });
    await pass(100);
    // What it is told may be half done, and is ended by the gentlest means that helps.
    expect([shown(late), world.processes.length]).toEqual(['deadline_exceeded notSent', 2]);
    await pass(STAGES_MS);
    expect(world.processes.length).toBe(3);
  });

  it('while it runs may have been executed, and its worker is replaced when no gentler means has ended it', async () => {
    const { call, pass, world } = pooled();
    const late = call('hang', {}, { timeoutMs: 100 });
    await pass(100);
    expect([shown(late), world.processes.length]).toEqual(['deadline_exceeded maybeExecuted', 1]);
    await pass(STAGES_MS - 1);
    const before = world.processes.length;
    await pass(1);
    expect([before, world.processes.length]).toEqual([1, 2]);
  });

  it('while it runs costs its worker nothing when its handler looks at its flag', async () => {
    const { call, pass, world } = pooled({}, scriptedPython());
    const late = call('hang', { endedBy: 'flag' }, { timeoutMs: 100 });
    await pass(100);
    const next = call('echo');
    await pass(STAGES_MS);
    expect([shown(late), next.state, world.processes.length]).toEqual([
      ...['deadline_exceeded maybeExecuted', 'resolved', 1],
    ]);
  });

  it('spends no restart of its pool', async () => {
    const { call, pass, pool } = pooled({ maxRestarts: 0 });
    for (let calls = 0; calls < 5; calls += 1) {
      call('hang', {}, { timeoutMs: 100 });
      await pass(100 + STAGES_MS);
    }
    expect(pool.statistics.state).toBe('serving');
  });

  it('lets those that wait behind it go on, its own session too', async () => {
    const { call, pass } = pooled();
    call('hang', {}, { ...inSession('s'), timeoutMs: 100 });
    const same = call('echo', {}, inSession('s'));
    const other = call('echo');
    await pass(100);
    const before = [same.state, other.state];
    await pass(STAGES_MS);
    expect(before).toEqual(['pending', 'pending']);
    expect([same.state, other.state]).toEqual(['resolved', 'resolved']);
  });

  it('is not failed when its reply arrives in the very poll in which it would be judged', async () => {
    const { call, clock, settle, done, world } = pooled();
    const close = call('hang', {}, { timeoutMs: 100 });
    settle();
    clock.advance(100, () => undefined);
    world.processes[0]?.reply(world.callsWritten[0]!.id, 'just in time');
    await done();
    expect(shown(close)).toBe('just in time');
  });

  describe('is forgotten', () => {
    const arm = vi.spyOn(Deadlines.prototype, 'arm');
    const armed = () => (arm.mock.contexts.at(-1) as Deadlines).size;
    afterAll(() => {
      arm.mockRestore();
    });

    it('once the call is settled, while the pool goes on', async () => {
      const { call, done } = pooled();
      call('echo');
      await done();
      expect(armed()).toBe(0);
    });

    it('as far as the checkout goes once a worker was found', async () => {
      const { call, done, settle, world } = pooled();
      call('hang');
      call('hang');
      settle();
      const before = armed();
      world.processes[0]?.reply(world.callsWritten[0]!.id, 'no longer hanging');
      await done();
      // Before: two calls, one of which also waits for a worker. After: the second call.
      expect([before, armed()]).toEqual([3, 1]);
    });
  });

  it('leaves no deadline behind once it is settled', async () => {
    const { call, done, stop, clock } = pooled();
    call('echo');
    await done();
    stop();
    expect(clock.pending).toBe(0);
  });
});

describe('a call whose caller gives up', () => {
  const aborting = () => {
    const controller = new AbortController();
    return { abort: () => controller.abort(new Error('enough')), signal: controller.signal };
  };

  it('before it is made is not sent', async () => {
    const { call, done, pool } = pooled();
    const { abort, signal } = aborting();
    abort();
    const aborted = call('echo', {}, { signal });
    await done();
    expect([shown(aborted), pool.statistics.counters.accepted]).toEqual(['aborted notSent', 0]);
  });

  it('while it waits is not sent, and waits no more', async () => {
    const { call, done, pool, world } = pooled();
    const { abort, signal } = aborting();
    call('hang');
    const aborted = call('echo', {}, { signal });
    abort();
    await done();
    expect([shown(aborted), pool.statistics.gauges.queued]).toEqual(['aborted notSent', 0]);
    expect(world.callsWritten.map(({ op }) => op)).toEqual(['hang']);
  });

  it('while it runs may have been executed, and its worker is replaced when no gentler means has ended it', async () => {
    const { call, settle, done, pass, world } = pooled();
    const { abort, signal } = aborting();
    const aborted = call('hang', {}, { signal });
    settle();
    abort();
    await done();
    expect([shown(aborted), world.processes.length]).toEqual(['aborted maybeExecuted', 1]);
    await pass(STAGES_MS);
    expect(world.processes).toHaveLength(2);
  });

  it('is rejected with the reason of the caller as the cause', async () => {
    const { call, done } = pooled();
    const { abort, signal } = aborting();
    const aborted = call('hang', {}, { signal });
    abort();
    await done();
    expect(aborted.error?.cause).toEqual(new Error('enough'));
  });

  it('is not listened to any more once it is settled, however it ended', async () => {
    const { call, done, pass } = pooled();
    const signals = Array.from({ length: 4 }, () => new AbortController().signal);
    call('echo', {}, { signal: signals[0]! });
    call('use', { id: 'x' }, { signal: signals[1]! });
    await done();
    call('hang', {}, { signal: signals[2]!, timeoutMs: 100 });
    call('echo', {}, { signal: signals[3]!, checkoutTimeoutMs: 50 });
    await pass(100);
    expect(signals.map((signal) => getEventListeners(signal, 'abort').length)).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it('after its end changes nothing', async () => {
    const { call, done, world } = pooled();
    const { abort, signal } = aborting();
    const finished = call('echo', {}, { signal });
    await done();
    abort();
    await done();
    expect([finished.state, world.processes.length]).toEqual(['resolved', 1]);
  });
});
