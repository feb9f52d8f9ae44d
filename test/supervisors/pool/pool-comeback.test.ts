// Does a pool that has failed come back, by itself or when it is told to, with what its sessions were?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import { checkChildSpec } from '../../../supervisors/check-spec.ts';
import { inSession, shown } from './calling.ts';
import { living, LONG, starting } from './fleet-watch.ts';

describe('a pool that has failed', () => {
  const failing = (openMs: number) => ({
    size: 2,
    breaker: { openMs },
    maxConsecutiveStartFailures: 1,
  });

  it('comes back by itself after the time of its breaker', async () => {
    const {
      pass,
      state,
      log,
      living: alive,
    } = living(failing(5_000), starting('import_fails', 'hangs'));
    await pass(4_000);
    const before = state();
    await pass(LIMITS.terminateGraceMs + 1_000);
    expect([before, state(), alive()]).toEqual(['failed', 'serving', 2]);
    expect(log.slice(-2)).toEqual(['failed to starting', 'starting to serving']);
  });

  it('fails again and again, as often as its bridge does, and is told of each time', async () => {
    const { pass, bus, world } = living(
      { ...failing(1_000), size: 1 },
      {
        nextStart: () => ({ type: 'import_fails' }),
      },
    );
    let failures = 0;
    bus.on('pool.failed', () => (failures += 1));
    await pass(10_000);
    expect([failures, world.processes.length]).toEqual([10, 11]);
  });

  it('stays so without a breaker', async () => {
    const { pass, state, clock } = living({ size: 1, breaker: false }, starting('import_fails'));
    await pass(3_600_000);
    expect([state(), clock.pending]).toEqual(['failed', 0]);
  });

  it('is started at once when it is told to', async () => {
    const { done, startPool, state, call } = living(
      { ...failing(60_000), size: 1 },
      starting('import_fails'),
    );
    await done();
    const answers = startPool();
    const waiting = call('echo', {}, LONG);
    await done();
    expect([answers, state(), waiting.state]).toEqual([[undefined], 'serving', 'resolved']);
  });

  it('while the rest of it ends is started after that', async () => {
    const {
      startPool,
      done,
      state,
      world,
      bus,
      living: alive,
    } = living({
      ...failing(60_000),
      maxRestarts: 0,
    });
    const during: unknown[] = [];
    bus.on('pool.failed', () => during.push(state(), startPool()));
    world.processes[0]!.exit(1, null);
    await done();
    expect([during, state(), alive()]).toEqual([['failed', [undefined]], 'serving', 2]);
  });

  it('says so to whoever starts it when it fails again', async () => {
    const script = starting('import_fails', 'import_fails');
    const { done, startPool, state } = living({ ...failing(60_000), size: 1 }, script);
    await done();
    const answers = startPool();
    await done();
    expect([answers, state()]).toEqual([['pool_failed'], 'failed']);
  });

  it('is stopped when it is told to, and does not come back then', async () => {
    const { done, pass, stopPool, stopped, state, clock } = living(
      failing(1_000),
      starting('import_fails'),
    );
    await done();
    stopPool();
    await pass(60_000);
    expect([stopped, state(), clock.pending]).toEqual([['stopped'], 'stopped', 0]);
  });

  it('keeps the state of its sessions for when it comes back', async () => {
    const { call, done, pass, world } = living({ ...failing(1_000), size: 1, maxRestarts: 0 });
    call('create', { id: 'x' }, inSession('s'));
    await done();
    world.processes[0]!.exit(1, null);
    await pass(1_000);
    const used = call('use', { id: 'x' }, inSession('s'));
    await done();
    expect(shown(used)).toBe('used x in 2');
  });

  it('leaves nothing behind when the runtime ends meanwhile', async () => {
    const { done, stop, clock, living: alive } = living(failing(1_000), starting('import_fails'));
    await done();
    stop();
    expect([alive(), clock.pending]).toEqual([0, 0]);
  });

  it('has its breaker again, closed', async () => {
    const { done, pass, world, gauges, state } = living({
      ...{ size: 1, maxRestarts: 1, breaker: { failureThreshold: 1, openMs: 1_000 } },
    });
    for (let n = 0; n < 2; n += 1) {
      world.processes.at(-1)!.exit(1, null);
      await done();
    }
    const failed = [state(), gauges().breaker];
    await pass(1_000);
    const back = [state(), gauges().breaker];
    world.processes.at(-1)!.exit(1, null);
    await done();
    expect([failed, back, gauges().breaker]).toEqual([
      ...[['failed', 'closed'], ['serving', 'closed'], 'open'],
    ]);
  });

  it('is stopped, though its root was busy when it was told to start it and starts it only then', async () => {
    const { done, pass, stopPool, startPool, root, state, living: alive } = living({ size: 1 });
    stopPool();
    await done();
    const answer = { settle: () => undefined, fail: () => undefined };
    const start = (): Promise<never> => new Promise(() => undefined);
    const slow = checkChildSpec({ id: 'slow', start }, 'slow', 'never');
    root.serve({ op: 'startChild', spec: slow, ...answer });
    const answers = startPool();
    await done();
    stopPool();
    root.serve({ op: 'terminateChild', child: 'slow', ...answer });
    await pass(LIMITS.shutdownMs);
    expect([answers, state(), alive()]).toEqual([['pool_stopped'], 'stopped', 0]);
  });
});
