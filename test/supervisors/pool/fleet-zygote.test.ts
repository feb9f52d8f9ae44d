// Do workers that are forked come and go as others do, and what is left of an order when their zygote dies?
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import type { PoolOptions } from '../../../supervisors/pool/pool-options.ts';
import { forkingPool } from '../../support/scripted-forks.ts';
import { fateOf, microtasks, request } from '../../support/scripted-pool.ts';
import { shown } from './calling.ts';
import { answered, LONG, starting, watched } from './fleet-watch.ts';

describe('a pool with a zygote', () => {
  function zygotes(options: PoolOptions = {}, script = starting()) {
    const setup = forkingPool(options, {
      ...script,
      onCall: (process, call) => {
        if (call.op === 'echo') process.reply(call.id, process.pid);
      },
    });
    const call = (op: string) => fateOf(setup.pool.call(request(op, {}, LONG)));
    const done = async (): Promise<void> => {
      setup.advance(0);
      await microtasks();
    };
    const advance = (ms: number): void => setup.advance(ms);
    return { ...setup, ...watched(setup), call, done, advance };
  }

  it('forks the workers that come by plan, too', async () => {
    const { pool, done, forks, ids } = zygotes();
    const { done: told, answers } = answered();
    pool.reload(told);
    await done();
    expect([answers, ids()]).toEqual([[undefined], ['2', '3']]);
    expect(forks.log).toEqual(['zygote', 'fork', 'fork', 'fork', 'fork']);
  });

  it('has its own workers again, as many as its size, after its zygote died in a reload, which that has done', async () => {
    const { pool, done, forks, ids, call, gauges } = zygotes();
    const busy = [call('hang'), call('hang')];
    await done();
    const { done: told, answers } = answered();
    pool.reload(told);
    await done();
    const during = [...ids()];
    forks.die('SIGKILL');
    await done();
    expect(busy.map(shown)).toEqual(Array(2).fill('worker_crashed maybeExecuted'));
    expect([during, answers, gauges()]).toMatchObject([
      ...[['0', '1', '2'], [undefined], { idle: 2, starting: 0, retiring: 0 }],
    ]);
    expect(ids()).toHaveLength(2);
  });

  it('takes the death of its zygote for no failure of the replacement that it takes along', async () => {
    const { pool, done, forks, ids, counters } = zygotes({}, starting('ready', 'ready', 'hangs'));
    const { done: told, answers } = answered();
    pool.reload(told);
    await done();
    forks.die('SIGKILL');
    await done();
    expect([answers, ids(), counters().startsFailed]).toEqual([[undefined], ['0', '1'], 0]);
  });

  it('keeps those that a resize has added over the death of its zygote', async () => {
    const { pool, done, forks, ids, bus } = zygotes();
    pool.resize(4, () => undefined);
    await done();
    const epochs: string[] = [];
    bus.on('child.ready', ({ path, epoch }) => epochs.push(`${path}#${epoch}`));
    forks.die('SIGKILL');
    await done();
    expect(ids()).toEqual(['0', '1', '2', '3']);
    expect(epochs.filter((one) => !one.includes('zygote'))).toEqual(
      [0, 1, 2, 3].map((id) => `p/${id}#2`),
    );
  });

  it('forgets the overflow over the death of its zygote', async () => {
    const { call, done, forks, ids } = zygotes({ overflow: 2 });
    for (let n = 0; n < 4; n += 1) call('hang');
    await done();
    const before = ids().length;
    forks.die('SIGKILL');
    await done();
    expect([before, ids()]).toEqual([4, ['0', '1']]);
  });

  it('stops and starts with its zygote', async () => {
    const { pool, done, forks, call, advance } = zygotes();
    pool.stop(() => undefined);
    await done();
    advance(LIMITS.zygoteShutdownMs);
    pool.start(() => undefined);
    const echo = call('echo');
    await done();
    expect([forks.log, echo.state]).toEqual([
      ['zygote', 'fork', 'fork', 'zygote', 'fork', 'fork'],
      'resolved',
    ]);
  });
});
