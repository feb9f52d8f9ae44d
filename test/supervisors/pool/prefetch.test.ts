import { describe, expect, it } from 'vitest';
import { scriptedPython } from '../../support/scripted-python.ts';
import { inSession, pooled, remember, shown, STAGES_MS } from './calling.ts';

const perWorker = ({ world }: ReturnType<typeof pooled>): readonly number[] =>
  world.processes.map(({ calls }) => calls.length);

describe('calls that are sent ahead', () => {
  it('are none unless it is asked for', async () => {
    const setup = pooled({ size: 2 });
    for (let calls = 0; calls < 4; calls += 1) setup.call('hang');
    await setup.done();
    expect([perWorker(setup), setup.pool.statistics.gauges.queued]).toEqual([[1, 1], 2]);
  });

  it('are sent only when no worker is idle, and evenly', async () => {
    const setup = pooled({ size: 2, prefetch: 2 });
    const seen = [];
    for (let calls = 0; calls < 7; calls += 1) {
      setup.call('hang');
      await setup.done();
      seen.push(perWorker(setup));
    }
    expect(seen).toEqual([
      ...[
        [1, 0],
        [1, 1],
      ],
      ...[
        [2, 1],
        [2, 2],
      ],
      ...[
        [3, 2],
        [3, 3],
        [3, 3],
      ],
    ]);
  });

  it('that waited for a worker which has died do not leave another one idle', async () => {
    const setup = pooled({ size: 3, prefetch: 2 }, scriptedPython());
    const ids = Array.from({ length: 15 }, (_, n) => `s${n}`);
    for (const id of ids) {
      setup.call('echo', {}, inSession(id));
      await setup.done();
    }
    const victim = setup.pool.workerOf('s0')!;
    const bound = ids.filter((id) => setup.pool.workerOf(id) === victim);
    const others = setup.world.processes.filter(({ pid }) => pid !== victim.pid);
    const before = others.map(({ calls }) => calls.length);
    // Three fill it, two wait for it.
    for (const id of bound) setup.call('hang', {}, inSession(id));
    setup.world.processes.find(({ pid }) => pid === victim.pid)?.exit(null, 'SIGKILL');
    setup.settle();
    expect([bound.length, others.map(({ calls }, n) => calls.length - before[n]!)]).toEqual([
      5,
      [1, 1],
    ]);
  });

  it('run one after the other, in order', async () => {
    const setup = pooled({ prefetch: 3 }, scriptedPython());
    const fates = [1, 2, 3, 4].map((n) => setup.call('echo', { n }));
    await setup.done();
    expect(fates.map(({ value }) => (value as { args: unknown }).args)).toEqual([
      ...[{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }],
    ]);
  });

  it('were not sent, as far as their callers can tell, when their worker dies', async () => {
    const setup = pooled({ prefetch: 2 }, scriptedPython());
    const fates = [setup.call('hang'), setup.call('echo'), setup.call('echo')];
    setup.settle();
    expect(perWorker(setup)).toEqual([3]);
    setup.world.processes[0]?.exit(null, 'SIGKILL');
    await setup.done();
    expect(fates.map(shown)).toEqual([
      'worker_crashed maybeExecuted',
      'worker_crashed notSent',
      'worker_crashed notSent',
    ]);
  });

  it('keep a session in order, one at a time', async () => {
    const setup = pooled({ size: 2, prefetch: 2 });
    for (let calls = 0; calls < 3; calls += 1) setup.call('hang', {}, inSession('s'));
    await setup.done();
    expect([perWorker(setup), setup.pool.statistics.gauges.queued]).toEqual([[1, 0], 2]);
  });

  it.each([
    [1, 1_024],
    [1_024, 1_024],
  ])(
    'are as many as there may be, %i at a time and %i ahead: the stack holds what had waited',
    async (concurrency, prefetch) => {
      const setup = pooled(
        { prefetch, queueLengthMax: 5_000 },
        { ...scriptedPython(concurrency), nextStart: onceHanging() },
      );
      const patient = { checkoutTimeoutMs: 30_000 };
      const fates = Array.from({ length: 3_000 }, () => setup.call('echo', {}, patient));
      await setup.pass(0);
      setup.world.processes[0]?.exit(1, null);
      await setup.pass(1_000);
      expect(new Set(fates.map(({ state }) => state))).toEqual(new Set(['resolved']));
    },
  );
});

describe('a waiting call that was sent ahead', () => {
  it('whose deadline passes was not sent, and its worker goes on', async () => {
    const setup = pooled({ prefetch: 1 }, scriptedPython());
    const running = setup.call('hang');
    const late = setup.call('echo', {}, { timeoutMs: 100 });
    await setup.pass(100);
    expect([shown(late), setup.world.processes.length]).toEqual(['deadline_exceeded notSent', 1]);
    expect(late.error).toMatchObject({ cancellation: { stage: 'withdrawn' }, retryable: true });
    setup.python(1).finish(1, 'done');
    const next = setup.call('echo');
    await setup.done();
    expect([shown(running), next.state]).toEqual(['done', 'resolved']);
  });

  it('makes room for another when it is withdrawn', async () => {
    const setup = pooled({ prefetch: 1 }, scriptedPython());
    setup.call('hang');
    setup.call('echo', {}, { timeoutMs: 100 });
    const queued = setup.call('echo', { n: 'queued' });
    await setup.pass(100);
    expect(setup.world.callsWritten.map(({ args }) => args['n'])).toEqual([
      undefined,
      undefined,
      'queued',
    ]);
    setup.python(1).finish(1, 'done');
    await setup.done();
    expect(queued.state).toBe('resolved');
  });

  it('keeps its session waiting only until it is withdrawn', async () => {
    const setup = pooled({ prefetch: 1 }, scriptedPython());
    setup.call('hang');
    setup.call('echo', {}, { ...inSession('s'), timeoutMs: 100 });
    const next = setup.call('echo', {}, inSession('s'));
    await setup.pass(100);
    setup.python(1).finish(1, 'done');
    await setup.done();
    expect(next.state).toBe('resolved');
  });

  it('that changes state and was withdrawn costs no worker: it has changed nothing', async () => {
    const setup = pooled({ prefetch: 1 }, scriptedPython());
    setup.call('hang');
    const late = setup.call('create', { id: 'x' }, { timeoutMs: 100 });
    await setup.pass(100);
    setup.python(1).finish(1, 'done');
    await setup.pass(STAGES_MS);
    expect([shown(late), setup.world.processes.length]).toEqual(['deadline_exceeded notSent', 1]);
  });
});

describe('a worker that runs several calls at a time', () => {
  it('is sent as many, and answers in any order', async () => {
    const setup = pooled({}, scriptedPython(3));
    const fates = [1, 2, 3, 4].map(() => setup.call('hang'));
    await setup.done();
    expect([perWorker(setup), setup.pool.statistics.gauges.queued]).toEqual([[3], 1]);
    for (const id of [3, 1]) setup.python(1).finish(id, id);
    await setup.done();
    expect(fates.map(shown)).toEqual([1, 'pending', 3, 'pending']);
    expect(perWorker(setup)).toEqual([4]);
  });

  it('loses all that it ran with its end, and what was sent ahead was not sent', async () => {
    const setup = pooled({ prefetch: 1 }, scriptedPython(2));
    const fates = [1, 2, 3].map(() => setup.call('hang'));
    setup.settle();
    setup.world.processes[0]?.exit(null, 'SIGKILL');
    await setup.done();
    expect(fates.map(shown)).toEqual([
      'worker_crashed maybeExecuted',
      'worker_crashed maybeExecuted',
      'worker_crashed notSent',
    ]);
  });

  it('runs the calls of several sessions, each of them in order', async () => {
    const setup = pooled({}, scriptedPython(4));
    for (const id of ['s', 't', 's', 't']) setup.call('hang', {}, inSession(id));
    await setup.done();
    expect(setup.world.callsWritten.map(({ session }) => session)).toEqual(['s', 't']);
  });

  it('is told of what it lacks before it is sent any other call', async () => {
    const held: (() => void)[] = [];
    const setup = pooled(
      {},
      {
        concurrency: 2,
        onCall: (process, call) => {
          if (process.pid === 2 && call.op === 'create') held.push(() => remember(process, call));
          else remember(process, call);
        },
      },
    );
    setup.call('create', { id: 'x' });
    await setup.done();
    setup.call('exit');
    await setup.done();
    setup.call('use', { id: 'x' });
    setup.call('echo');
    await setup.done();
    const before = setup.world.processes[1]?.calls.map(({ op }) => op);
    for (const release of held) release();
    await setup.done();
    expect([before, setup.world.processes[1]?.calls.map(({ op }) => op)]).toEqual([
      ['create'],
      ['create', 'use', 'echo'],
    ]);
  });
});

function onceHanging() {
  let starts = 0;
  return () => {
    starts += 1;
    return starts === 1 ? ({ type: 'hangs' } as const) : ({ type: 'ready' } as const);
  };
}
