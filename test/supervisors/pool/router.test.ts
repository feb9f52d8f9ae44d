import { describe, expect, it } from 'vitest';
import type { Fate } from '../../support/scripted-pool.ts';
import { inSession, pooled, shown, STAGES_MS } from './calling.ts';

describe('a call', () => {
  it('is answered with what Python returned', async () => {
    const { call, done } = pooled();
    const echo = call('echo', { a: 1 });
    await done();
    expect(shown(echo)).toEqual({ pid: 1, args: { a: 1 } });
  });

  it("is rejected with Python's error, and with the name of the pool", async () => {
    const { call, done } = pooled();
    const use = call('use', { id: 'x' });
    await done();
    expect(use.error).toMatchObject({
      code: 'program_not_found',
      bridge: 'p',
      traceback: 'Traceback',
    });
  });

  it('with a value that cannot cross is refused with its path, and never sent', async () => {
    const { call, done, world } = pooled();
    const bad = call('echo', { rows: [new Map()] });
    await done();
    expect(bad.error).toMatchObject({ code: 'unencodable', path: 'args.rows[0]' });
    expect(world.callsWritten).toEqual([]);
  });

  it('that changes state may be made with a proxy: what it stands for is sent and remembered', async () => {
    const { call, done, pool } = pooled();
    call('create', new Proxy({ id: 'x', inner: new Proxy({}, {}) }, {}));
    call('exit');
    const use = call('use', { id: 'x' });
    await done();
    expect(shown(use)).toBe('used x in 2');
    expect(pool.statistics.counters).toMatchObject({ accepted: 3, refused: {} });
  });

  it('that is larger than a frame fails alone: its worker goes on', async () => {
    const { call, done } = pooled();
    const huge = call('echo', { text: 'x'.repeat(64 * 1024 * 1024) });
    const next = call('echo');
    await done();
    expect([shown(huge), shown(next)]).toEqual(['unencodable notSent', { pid: 1, args: {} }]);
  });

  it('made before a worker is ready simply waits', async () => {
    const setup = pooled({}, { nextStart: () => ({ type: 'hangs' }) });
    const early = setup.call('echo');
    await setup.done();
    expect([shown(early), setup.pool.statistics.gauges.queued]).toEqual(['pending', 1]);
  });

  it('that was lost with its worker may have been executed', async () => {
    const { call, done } = pooled();
    const lost = call('exit');
    await done();
    expect(shown(lost)).toBe('worker_crashed maybeExecuted');
  });

  it('after a crash goes to the next incarnation', async () => {
    const { call, done } = pooled();
    call('exit');
    const next = call('echo');
    await done();
    expect(next.value).toMatchObject({ pid: 2 });
  });

  it('tells the worker what remains of its time when it is written', async () => {
    const { call, pass, world } = pooled({ size: 1 });
    call('hang', {}, { timeoutMs: 100 });
    call('echo', {}, { timeoutMs: 1_000 });
    await pass(100 + STAGES_MS);
    expect(world.callsWritten.map(({ deadlineMs }) => deadlineMs)).toEqual([100, 900 - STAGES_MS]);
  });
});

describe('the queue of a pool', () => {
  const full = () => {
    const setup = pooled({ queueLengthMax: 2 });
    for (let calls = 0; calls < 3; calls += 1) setup.call('hang');
    return setup;
  };

  it('refuses what would exceed its bound, at once', async () => {
    const { call, done, pool } = full();
    const refused = call('echo');
    await done();
    expect(shown(refused)).toBe('overloaded notSent');
    const { gauges, counters } = pool.statistics;
    expect([gauges.queued, counters.accepted, counters.refused]).toEqual([2, 3, { overloaded: 1 }]);
  });

  it.each([
    ['arms no deadline', ({ clock }: ReturnType<typeof full>) => clock.pending],
    ['makes no session', ({ pool }: ReturnType<typeof full>) => pool.statistics.gauges.sessions],
    ['sends nothing', ({ world }: ReturnType<typeof full>) => world.callsWritten.length],
    ['replaces no worker', ({ world }: ReturnType<typeof full>) => world.processes.length],
  ])('has no side effect when it refuses: it %s', async (_what, measure) => {
    const setup = full();
    const before = measure(setup);
    setup.call('echo', {}, inSession('new'));
    await setup.done();
    expect(measure(setup)).toBe(before);
  });

  it('gives up its calls in the order in which they came', async () => {
    const { call, done, world } = pooled();
    for (const n of [1, 2, 3, 4]) call('echo', { n });
    await done();
    expect(world.callsWritten.map(({ args }) => args['n'])).toEqual([1, 2, 3, 4]);
  });

  it('keeps a worker busy with one call at a time', async () => {
    const { call, done, pool } = pooled();
    call('hang');
    call('hang');
    await done();
    expect(pool.statistics.gauges).toMatchObject({ busy: 1, idle: 0, queued: 1 });
  });
});

describe('a listener of the bus that acts at once', () => {
  it('cannot reach a worker that is gone, through the session that is still to be unbound', async () => {
    const { bus, call, done, world, pool } = pooled({ size: 2 });
    for (const id of ['a', 'b', 'c', 'd']) {
      call('echo', {}, inSession(id));
      await done();
    }
    const gone = pool.workerOf('a')!.pid;
    const others = ['a', 'b', 'c', 'd'].filter((id) => pool.workerOf(id)?.pid === gone);
    const late: Fate[] = [];
    bus.on('session.unbound', () => {
      for (const id of others) late.push(call('echo', {}, inSession(id)));
    });
    world.processes.find(({ pid }) => pid === gone)?.exit(null, 'SIGKILL');
    await done();
    expect(world.callsToTheDead).toEqual([]);
    expect(late.map(({ state }) => state)).toEqual(Array(4).fill('resolved'));
  });

  it.each(['session.bound', 'scope.replayed'] as const)(
    'may abort the call that %s tells of: it is not sent, and counted once',
    async (event) => {
      const { bus, call, done, world, pool } = pooled();
      call('create', { id: 'x' }, inSession('s'));
      await done();
      call('exit');
      await done();
      const controller = new AbortController();
      bus.on(event, () => controller.abort());
      const { signal } = controller;
      const aborted = call('use', { id: 'x' }, { ...inSession('s'), signal });
      await done();
      expect(shown(aborted)).toBe('aborted notSent');
      expect(world.callsWritten.filter(({ op }) => op === 'use')).toEqual([]);
      const { accepted, completed, failed, cancelled } = pool.statistics.counters;
      expect([accepted, completed, failed, cancelled]).toEqual([3, 1, 1, 1]);
    },
  );
});

describe('a session', () => {
  it('has its calls run in order, one at a time, though another worker is idle', async () => {
    const { call, done, world, pool } = pooled({ size: 2 });
    call('hang', {}, inSession('s'));
    call('echo', {}, inSession('s'));
    await done();
    expect([world.callsWritten.map(({ op }) => op), pool.statistics.gauges.idle]).toEqual([
      ['hang'],
      1,
    ]);
  });

  it('stays with its worker', async () => {
    const { call, done, pool } = pooled({ size: 3 });
    const all = [1, 2, 3, 4].map(() => call('echo', {}, inSession('s')));
    await done();
    expect(new Set(all.map(({ value }) => (value as { pid: number }).pid)).size).toBe(1);
    expect(pool.workerOf('s')?.pid).toBe((all[0]?.value as { pid: number }).pid);
  });

  it('holds up no other while it waits for its own worker', async () => {
    const { call, done } = pooled({ size: 2 });
    call('hang', {}, inSession('s'));
    const waiting = call('echo', {}, inSession('s'));
    const other = call('echo', {}, inSession('t'));
    const anonymous = call('echo');
    await done();
    expect([shown(waiting), other.state, anonymous.state]).toEqual([
      'pending',
      'resolved',
      'resolved',
    ]);
  });

  it('is given the worker with the fewest sessions', async () => {
    const { call, done, pool } = pooled({ size: 3 });
    for (const id of ['a', 'b', 'c']) {
      call('echo', {}, inSession(id));
      await done();
    }
    expect(new Set(['a', 'b', 'c'].map((id) => pool.workerOf(id)?.id)).size).toBe(3);
  });

  it('is bound nowhere once its worker has crashed', async () => {
    const { call, done, pool } = pooled();
    call('exit', {}, inSession('s'));
    await done();
    expect(pool.workerOf('s')).toBeUndefined();
  });

  it('is told of when it is bound and unbound', async () => {
    const { bus, call, done } = pooled();
    const told: unknown[] = [];
    for (const name of ['session.bound', 'session.unbound'] as const) {
      bus.on(name, ({ session, worker, epoch }) => told.push([name, session, worker, epoch]));
    }
    call('exit', {}, inSession('s'));
    await done();
    expect(told).toEqual([
      ['session.bound', 's', 'p/0', 1],
      ['session.unbound', 's', 'p/0', 1],
    ]);
  });

  it('goes on, in order, on another worker when its own crashes', async () => {
    const { call, done } = pooled({ size: 2 });
    call('exit', {}, inSession('s'));
    const [second, third] = [call('echo', {}, inSession('s')), call('echo', {}, inSession('s'))];
    await done();
    expect([second.state, third.state]).toEqual(['resolved', 'resolved']);
  });
});
