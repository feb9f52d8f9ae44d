// Does a pool drain, stop and start again, and does whoever waits hear of it?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import { fateOf } from '../../support/scripted-pool.ts';
import { inSession, shown } from './calling.ts';
import { answered, living, LONG, starting } from './fleet-watch.ts';

describe('a pool that is drained', () => {
  it('refuses new calls, lets those end that it has accepted, and stops', async () => {
    const { call, done, pass, drain, drained, reply, state, living: alive } = living({ size: 1 });
    const [running, waiting] = [call('hang', {}, LONG), call('echo', {}, LONG)];
    await done();
    drain(60_000);
    const refused = call('echo');
    await done();
    const during = [state(), shown(refused), [...drained]];
    reply(1);
    await pass(LIMITS.drainLookMs);
    expect(during).toEqual(['draining', 'pool_stopped notSent', []]);
    expect([shown(running), waiting.state, drained, state(), alive()]).toEqual([
      ...['done', 'resolved', [0], 'stopped', 0],
    ]);
  });

  it('stops at once when it has nothing to do, and leaves no timer', async () => {
    const { done, drain, drained, log, clock } = living({ size: 2 });
    drain(60_000);
    await done();
    expect([drained, log]).toEqual([[0], ['serving to draining', 'draining to stopped']]);
    expect(clock.pending).toBe(0);
  });

  it('tells how many calls were not over when its time was, and fails those that wait', async () => {
    const {
      call,
      done,
      pass,
      drain,
      drained,
      state,
      living: alive,
    } = living({ size: 1, shutdownMs: 100 });
    const calls = [call('hang', {}, LONG), call('echo', {}, LONG)];
    await done();
    drain(1_000);
    await pass(999);
    const before = [...drained];
    await pass(1 + 100 + LIMITS.terminateGraceMs);
    expect([before, drained, state(), alive()]).toEqual([[], [2], 'stopped', 0]);
    expect(calls.map(shown)).toEqual(['worker_crashed maybeExecuted', 'pool_stopped notSent']);
  });

  it('ends when a call that waits comes to its deadline, of which no worker hears', async () => {
    const { call, pass, drain, drained } = living({ size: 1 }, starting('hangs'));
    const waiting = call('echo', {}, { timeoutMs: 500, checkoutTimeoutMs: 500 });
    drain(60_000);
    await pass(500 + LIMITS.drainLookMs);
    await pass(LIMITS.terminateGraceMs);
    expect([shown(waiting), drained]).toEqual(['deadline_exceeded notSent', [0]]);
  });

  it('takes no order for its workers', async () => {
    const { call, done, drain, pool } = living({ size: 1 });
    call('hang', {}, LONG);
    await done();
    const [before, reload, resize] = [answered(), answered(), answered()];
    pool.reload(before.done);
    drain(60_000);
    pool.reload(reload.done);
    pool.resize(2, resize.done);
    expect([before.answers, reload.answers, resize.answers]).toEqual(
      Array(3).fill(['pool_stopped']),
    );
  });

  it('that fails meanwhile says so', async () => {
    const { call, done, drain, drained, world } = living({ size: 1, maxRestarts: 0 });
    call('hang', {}, LONG);
    await done();
    drain(60_000);
    world.processes[0]!.exit(1, null);
    await done();
    expect(drained).toEqual(['pool_failed']);
  });
});

describe('a pool that is stopped', () => {
  it('fails what waits, gives what runs its time, and says when it is done', async () => {
    const { call, done, stopPool, stopped, reply, state } = living({ size: 1 });
    const calls = [call('hang', {}, LONG), call('echo', {}, LONG)];
    await done();
    stopPool();
    const during = [...stopped];
    reply(1);
    await done();
    expect([during, calls.map(shown), stopped, state()]).toEqual([
      ...[[], ['done', 'pool_stopped notSent'], ['stopped'], 'stopped'],
    ]);
  });

  it('refuses calls, and is told of to whoever waits for it', async () => {
    const { call, done, stopPool, stopped, pool } = living({ size: 1 });
    stopPool();
    await done();
    stopPool();
    const ready = fateOf(pool.ready());
    const refused = call('echo');
    await done();
    expect([shown(refused), shown(ready), stopped]).toEqual([
      ...['pool_stopped notSent', 'pool_stopped notSent', ['stopped', 'stopped']],
    ]);
  });

  it('starts again when it is told to, with the state of its sessions', async () => {
    const { call, done, stopPool, startPool, state } = living({ size: 2 });
    call('create', { id: 'x' }, inSession('s'));
    await done();
    stopPool();
    await done();
    const answers = startPool();
    const early = call('use', { id: 'x' }, inSession('s'));
    await done();
    expect([answers, state(), shown(early)]).toEqual([
      [undefined],
      'serving',
      expect.stringContaining('used x in'),
    ]);
  });

  it('gives no epoch twice', async () => {
    const { done, stopPool, startPool, bus } = living({ size: 1 });
    const epochs: number[] = [];
    bus.on('child.ready', ({ epoch }) => epochs.push(epoch));
    for (let round = 0; round < 3; round += 1) {
      stopPool();
      await done();
      startPool();
      await done();
    }
    expect(epochs).toEqual([2, 3, 4]);
  });

  it('starts with as many workers as it was resized to', async () => {
    const { done, stopPool, startPool, pool, living: alive } = living({ size: 1 });
    pool.resize(3, () => undefined);
    await done();
    stopPool();
    await done();
    startPool();
    await done();
    expect(alive()).toBe(3);
  });

  it('while it stops is not started, and says so', async () => {
    const { call, done, stopPool, startPool } = living({ size: 1 });
    call('hang', {}, LONG);
    await done();
    stopPool();
    expect(startPool()).toEqual(['pool_stopped']);
  });

  it('before its first worker is ready is stopped all the same', async () => {
    const {
      stopPool,
      stopped,
      pass,
      living: alive,
      clock,
    } = living({ size: 1 }, starting('hangs'));
    stopPool();
    await pass(LIMITS.terminateGraceMs);
    expect([stopped, alive(), clock.pending]).toEqual([['stopped'], 0, 0]);
  });

  it('by the end of the runtime is not started again', async () => {
    const { done, stop, startPool, clock } = living({ size: 1 });
    stop();
    await done();
    expect(startPool()).toEqual(['runtime_stopped']);
    expect(clock.pending).toBe(0);
  });
});
