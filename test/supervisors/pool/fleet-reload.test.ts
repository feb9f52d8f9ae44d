// Is every worker replaced without anybody noticing: replacement first, one at a time, nothing lost, and nothing worse when it fails?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import { inSession, shown } from './calling.ts';
import { answered, fleet, starting } from './fleet-watch.ts';

describe('a reload', () => {
  it('replaces every worker, one after the other, each when its replacement is ready', async () => {
    const { reload, done, ready, log, ids, counters } = fleet({ size: 2 });
    ready.fewest = Infinity;
    const answers = reload();
    await done();
    expect(log).toEqual([
      ...['p/2 comes: reload for p/0', 'p/0#1 goes: reload'],
      ...['p/3 comes: reload for p/1', 'p/1#1 goes: reload'],
    ]);
    expect([answers, ids(), ready.fewest]).toEqual([[undefined], ['2', '3'], 2]);
    expect(counters()).toMatchObject({ reloaded: 2, startsFailed: 0 });
  });

  it('under load loses no call, and never has fewer workers ready than the size', async () => {
    const { reload, call, advance, done, ready, world, counters, living } = fleet({ size: 3 });
    ready.fewest = Infinity;
    const calls = Array.from({ length: 60 }, (_, n) => {
      return call('hang', {}, n % 3 === 0 ? inSession(`s${n % 4}`) : {});
    });
    const answers = reload();
    // Each worker takes 10 ms for a call.
    for (let turn = 0; turn < 60; turn += 1) {
      for (const process of world.processes) {
        const last = process.calls.at(-1);
        if (process.isAlive && last?.op === 'hang') process.reply(last.id, process.pid);
      }
      advance(10);
    }
    await done();
    expect(calls.map(({ state }) => state)).toEqual(calls.map(() => 'resolved'));
    expect([answers, ready.fewest, living()]).toEqual([[undefined], 3, 3]);
    expect(counters()).toMatchObject({ accepted: 60, completed: 60, failed: 0, retried: 0 });
    expect(new Set(calls.map(({ value }) => value)).size).toBe(6);
  }, 20_000);

  it('lets a worker finish what it has before it goes', async () => {
    const { reload, call, done, world, living } = fleet({ size: 1 });
    const running = call('hang');
    await done();
    const answers = reload();
    await done();
    const during = [...answers, living()];
    world.processes[0]!.reply(world.processes[0]!.calls[0]!.id, 'finished');
    await done();
    expect([during, shown(running), answers, living()]).toEqual([[2], 'finished', [undefined], 1]);
  });

  it('takes the state of sessions along', async () => {
    const { reload, call, done } = fleet({ size: 1 });
    call('create', { id: 'x' }, inSession('s'));
    await done();
    reload();
    await done();
    const used = call('use', { id: 'x' }, inSession('s'));
    await done();
    expect(shown(used)).toBe('used x in 2');
  });

  it('whose replacement does not start fails, and leaves all as it was', async () => {
    const script = starting('ready', 'ready', 'import_fails');
    const { reload, done, ids, pool, log, ready, advance } = fleet(
      { size: 2, maxRestarts: 0 },
      script,
    );
    ready.fewest = Infinity;
    const answers = reload();
    await done();
    expect([answers, ids(), ready.fewest]).toEqual([['reload_failed'], ['0', '1'], 2]);
    expect(log).toEqual(['p/2 comes: reload for p/0', 'p/2 failed: reload']);
    advance(600_000);
    expect([pool.statistics.state, log.length]).toEqual(['serving', 2]);
    expect(pool.statistics.gauges.breaker).toBe('closed');
  });

  it('says why the replacement did not start', async () => {
    const { pool, done } = fleet({ size: 1 }, starting('ready', 'import_fails'));
    let told: Error | undefined;
    pool.reload((error) => {
      told = error;
    });
    await done();
    expect(told?.message).toContain('worker p/1 did not start');
    expect(told?.cause).toMatchObject({ traceback: 'Traceback: no' });
  });

  it('that fails in the middle keeps what was replaced before', async () => {
    const { reload, done, ids } = fleet(
      { size: 2 },
      starting('ready', 'ready', 'ready', 'import_fails'),
    );
    const answers = reload();
    await done();
    expect([answers, ids()]).toEqual([['reload_failed'], ['1', '2']]);
  });

  it('that is not done in time fails, and calls off the replacement that is on its way', async () => {
    const { reload, pass, ids, living } = fleet({ size: 1 }, starting('ready', 'hangs'));
    const answers = reload(5_000);
    await pass(4_999);
    const before = [...answers];
    await pass(1);
    await pass(LIMITS.terminateGraceMs);
    expect([before, answers, ids(), living()]).toEqual([[], ['reload_failed'], ['0'], 1]);
  });

  it('does not replace a worker again that has died meanwhile and begun anew', async () => {
    const { reload, done, world, log, ids } = fleet(
      { size: 2 },
      starting('ready', 'ready', 'hangs'),
    );
    const answers = reload();
    await done();
    world.processes[1]!.exit(1, null);
    await done();
    const hanging = world.processes[2]!;
    hanging.start({ type: 'ready' });
    await done();
    expect([answers, ids(), log]).toEqual([
      [undefined],
      ['1', '2'],
      ['p/2 comes: reload for p/0', 'p/0#1 goes: reload'],
    ]);
  });

  it('goes on when the worker dies that is being retired, whose calls fail alone', async () => {
    const { reload, call, done, world, ids, pool } = fleet({ size: 1, maxRestarts: 0 });
    const running = call('hang');
    await done();
    const answers = reload();
    await done();
    world.processes[0]!.exit(1, null);
    await done();
    expect([shown(running), answers, ids()]).toEqual([
      ...['worker_crashed maybeExecuted', [undefined], ['1']],
    ]);
    expect(pool.statistics).toMatchObject({ state: 'serving', gauges: { retiring: 0 } });
  });

  it('takes the place of a worker that dies while its replacement starts', async () => {
    const script = starting('ready', 'hangs', 'hangs');
    const { reload, done, world, ids } = fleet({ size: 1 }, script);
    const answers = reload();
    await done();
    world.processes[0]!.exit(1, null);
    await done();
    world.processes[1]!.start({ type: 'ready' });
    await done();
    world.processes[2]!.exit(null, 'SIGTERM');
    await done();
    expect([answers, ids()]).toEqual([[undefined], ['1']]);
  });

  it('that comes while another is under way replaces all that was begun before it', async () => {
    const { reload, done, ids, world } = fleet({ size: 1 }, starting('ready', 'hangs'));
    const first = reload();
    await done();
    const second = reload();
    world.processes[1]!.start({ type: 'ready' });
    await done();
    expect([first, second, ids()]).toEqual([[undefined], [undefined], ['2']]);
  });

  it('and a resize at the same time come to what was ordered', async () => {
    for (const size of [1, 2, 4]) {
      const { reload, pool, done, living, ready, stop } = fleet({ size: 3 });
      ready.fewest = Infinity;
      const answers = reload();
      const { done: told, answers: resized } = answered();
      pool.resize(size, told);
      await done();
      expect([answers, resized, living()]).toEqual([[undefined], [undefined], size]);
      expect(ready.fewest).toBe(Math.min(3, size));
      stop();
    }
  });

  it('is called off by a stop, and its replacement goes with the others', async () => {
    const { reload, pool, done, pass, living, clock } = fleet(
      { size: 1 },
      starting('ready', 'hangs'),
    );
    const answers = reload();
    await done();
    pool.stop(() => undefined);
    await pass(LIMITS.terminateGraceMs);
    expect([answers, living(), pool.statistics.state]).toEqual([['pool_stopped'], 0, 'stopped']);
    expect(clock.pending).toBe(0);
  });

  it('is called off by a failure of the pool', async () => {
    const script = starting('ready', 'hangs');
    const { reload, done, world, pool } = fleet({ size: 1, maxRestarts: 0 }, script);
    const answers = reload();
    await done();
    world.processes[0]!.exit(1, null);
    await done();
    expect([answers, pool.statistics.state]).toEqual([['pool_failed'], 'failed']);
  });
});

describe('a call that left its worker in an unknown state', () => {
  it('while that is being retired costs it, and nobody takes its place twice', async () => {
    const { reload, call, done, pass, ids, world } = fleet({ size: 1 });
    const abort = new AbortController();
    const running = call('hang', {}, { signal: abort.signal });
    await done();
    const answers = reload();
    await done();
    abort.abort();
    await pass(LIMITS.cancelFlagMs + LIMITS.cancelRaiseMs + LIMITS.cancelInterruptMs);
    await pass(LIMITS.cancelDrainMs);
    expect([running.state, answers, ids()]).toEqual(['rejected', [undefined], ['1']]);
    expect(world.processes).toHaveLength(2);
  });
});
