import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { fateOf, microtasks, scriptedPool } from '../../support/scripted-pool.ts';
import type { StartScript } from '../../support/scripted-world.ts';
import { pooled, shown } from './calling.ts';

const scripts = (...starts: readonly StartScript[]) => {
  let next = 0;
  return {
    nextStart: () => {
      const script = starts[Math.min(next, starts.length - 1)]!;
      next += 1;
      return script;
    },
  };
};
const IMPORT_FAILS = scripts({ type: 'import_fails' });

describe('a pool', () => {
  it('starts as many workers as its size, at the same time', () => {
    const { world } = pooled({ size: 3, maxConcurrentStarts: 3 }, scripts({ type: 'hangs' }));
    expect(world.processes.map(({ pid }) => pid)).toEqual([1, 2, 3]);
  });

  it('has four workers unless it is told otherwise', () => {
    const { world, pool } = pooled({ size: undefined });
    expect([world.processes.length, pool.statistics.gauges.idle]).toEqual([4, 4]);
  });

  it('is ready with its first worker', async () => {
    const hangs: StartScript = { type: 'hangs' };
    const setup = scriptedPool({ size: 2 }, scripts({ type: 'ready' }, hangs));
    const ready = fateOf(setup.pool.ready());
    await microtasks();
    const before = ready.state;
    setup.advance(0);
    await microtasks();
    expect([before, ready.state, setup.pool.statistics.state]).toEqual([
      'pending',
      'resolved',
      'serving',
    ]);
  });

  it('counts what became of its calls', async () => {
    const { call, done, pool } = pooled();
    call('echo');
    call('use', { id: 'x' });
    call('echo', { bad: new Map() });
    await done();
    expect(pool.statistics.counters).toMatchObject({
      ...{ accepted: 2, completed: 1, failed: 1 },
      refused: { unencodable: 1 },
    });
  });

  it('goes on without a worker that crashes again and again within its intensity', async () => {
    const { call, done, pool } = pooled({ size: 2, maxRestarts: 2 });
    call('exit');
    call('exit');
    await done();
    expect(pool.statistics).toMatchObject({ state: 'serving', gauges: { idle: 2 } });
  });
});

describe('a pool that gives up', () => {
  it('rejects calls that wait, and later ones, with the traceback of its last crash', async () => {
    const setup = scriptedPool({ size: 1 }, IMPORT_FAILS);
    const waiting = fateOf(
      setup.pool.call({ op: 'echo', args: {}, timeoutMs: 60_000, checkoutTimeoutMs: 60_000 }),
    );
    setup.advance(0);
    const later = fateOf(
      setup.pool.call({ op: 'echo', args: {}, timeoutMs: 1, checkoutTimeoutMs: 1 }),
    );
    await microtasks();
    for (const fate of [waiting, later]) {
      expect(shown(fate)).toBe('pool_failed notSent');
      expect(fate.error?.cause).toMatchObject({
        traceback: 'Traceback: no',
        pythonType: 'ImportError',
      });
    }
  });

  it('rejects each call with an error of its own', async () => {
    const { call, done } = pooled({}, IMPORT_FAILS);
    const [first, second] = [call('echo'), call('echo')];
    await done();
    expect(first.error).not.toBe(second.error);
  });

  it('rejects whoever waits for it to be ready', async () => {
    const setup = scriptedPool({ size: 1 }, IMPORT_FAILS);
    const ready = fateOf(setup.pool.ready());
    setup.advance(0);
    await microtasks();
    expect(shown(ready)).toBe('pool_failed notSent');
  });

  it('is told of once, and takes nobody with it', async () => {
    const setup = scriptedPool({ size: 2 }, IMPORT_FAILS);
    const told: unknown[] = [];
    setup.bus.on('pool.failed', ({ pool }) => told.push(pool));
    setup.advance(0);
    expect([told, setup.pool.statistics.state, setup.exitReason()]).toEqual([
      ['p'],
      'failed',
      undefined,
    ]);
  });

  it('leaves no living process, and no timer but that of its next start', () => {
    const setup = scriptedPool({ size: 2 }, IMPORT_FAILS);
    setup.advance(0);
    setup.advance(LIMITS.breakerOpenMs - 1);
    const pending = setup.clock.pending;
    setup.pool.close();
    expect([
      pending,
      setup.clock.pending,
      setup.world.processes.filter((one) => one.isAlive),
    ]).toEqual([1, 0, []]);
  });

  it('gives up after three starts in a row that failed', () => {
    const exits: StartScript = { type: 'exits_before_hello', status: 3 };
    const setup = scriptedPool({ size: 1, maxRestarts: 100 }, scripts(exits));
    setup.advance(0);
    expect(setup.world.processes).toHaveLength(3);
  });

  it('gives up at once when the first import fails: what is missing does not come by itself', () => {
    const setup = scriptedPool({ size: 1, maxRestarts: 100 }, IMPORT_FAILS);
    setup.advance(0);
    expect([setup.world.processes.length, setup.pool.statistics.state]).toEqual([1, 'failed']);
  });

  it('tries an import again that has worked before', () => {
    const setup = scriptedPool(
      { size: 1, maxRestarts: 100 },
      scripts({ type: 'ready' }, { type: 'import_fails' }),
    );
    setup.advance(0);
    setup.world.processes[0]!.exit(1, null);
    setup.advance(0);
    expect([setup.world.processes.length, setup.pool.statistics.state]).toEqual([4, 'failed']);
  });
});

describe('a pool that is closed', () => {
  it('rejects calls that wait and later ones: the runtime was stopped', async () => {
    const { call, done, pool } = pooled();
    call('hang');
    const waiting = call('echo');
    pool.close();
    const later = call('echo');
    await done();
    expect([waiting, later].map(shown)).toEqual(Array(2).fill('runtime_stopped notSent'));
  });

  it('counts no call that waits, and keeps no session busy, after its last call has ended', async () => {
    const { call, pool, settle, done, world } = pooled();
    call('echo', {}, { sessionId: 's' });
    await done();
    call('hang');
    call('echo', {}, { sessionId: 's' });
    settle();
    pool.close();
    world.processes[0]?.reply(world.callsWritten[1]!.id, 'finished');
    await done();
    expect([pool.statistics.gauges.queued, pool.endSession('s')]).toEqual([0, true]);
  });

  it('lets a running call finish', async () => {
    const { call, pool, root, settle, done, world } = pooled();
    const running = call('hang');
    settle();
    pool.close();
    root.stop('infinity', { type: 'shutdown' });
    world.processes[0]?.reply(world.callsWritten[0]!.id, 'finished');
    await done();
    expect(shown(running)).toBe('finished');
  });

  it('ends with shutdown, and leaves no timer and no living process', async () => {
    const { call, stop, clock, world, exitReason, pass } = pooled({ size: 3 });
    call('hang');
    stop();
    await pass(0);
    expect([clock.pending, world.processes.filter((one) => one.isAlive), exitReason()]).toEqual([
      0,
      [],
      { type: 'shutdown' },
    ]);
  });
});
