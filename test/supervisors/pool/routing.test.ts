import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { routed, type Routed } from './routed.ts';

const pidOf = (setup: Routed, id: string) => setup.router.boundWorker(id)?.pid;

/** A session, bound, with a thing in its journal. */
async function withSession(setup: Routed, id = 's', more = {}): Promise<void> {
  setup.call('create', { id: `${id}1` }, { ...inSession(id), ...more });
  await setup.done();
}

describe('a session that requires its worker', () => {
  it('waits for it, though another is idle, as long as its checkout time', async () => {
    const setup = routed({ size: 2 });
    await withSession(setup);
    const pid = pidOf(setup, 's');
    setup.call('hang', { n: 1 }, inSession('s'));
    const waits = setup.call('state', {}, { ...inSession('s'), checkoutTimeoutMs: 100 });
    await setup.pass(99);
    const before = shown(waits);
    await setup.pass(1);
    expect([before, shown(waits), pidOf(setup, 's')]).toEqual([
      'pending',
      'checkout_timeout notSent',
      pid,
    ]);
  });

  it('goes on elsewhere in the very tick in which its worker dies', async () => {
    const setup = routed({ size: 2 });
    await withSession(setup);
    const pid = pidOf(setup, 's')!;
    setup.call('hang', { n: 1 }, inSession('s'));
    const waits = setup.call('state', {}, inSession('s'));
    setup.settle();
    const sentBefore = setup.world.callsWritten.length;
    const at = setup.clock.nowMs();
    setup.world.processes[pid - 1]!.exit(null, 'SIGKILL');
    // Not one timer fires: nothing but the fact of the end is told.
    setup.settle();
    expect(setup.sent().slice(sentBefore)).toEqual(['create s1 of s', 'state of s']);
    await setup.done();
    expect([waits.value, setup.clock.nowMs()]).toEqual([['create s1'], at]);
  });

  it('is bound to the incarnation, not to the worker: the next one of its name is told everything', async () => {
    const setup = routed();
    await withSession(setup);
    setup.call('exit');
    await setup.done();
    const before = setup.router.boundWorker('s');
    const state = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([before, state.value, setup.worker(0).epoch]).toEqual([undefined, ['create s1'], 2]);
    expect(setup.told('session.bound').map(({ worker, epoch }) => [worker, epoch])).toEqual([
      ['p/0', 1],
      ['p/0', 2],
    ]);
  });
});

describe('a session that prefers its worker', () => {
  const preferred = { ...inSession('s'), affinity: 'preferred' } as const;

  it('goes to it while that has room, and to the least loaded one else, which is its own from then on', async () => {
    const setup = routed({ size: 2 });
    await withSession(setup);
    const home = pidOf(setup, 's');
    const first = setup.call('echo', {}, preferred);
    await setup.done();
    setup.call('hang', { n: 1 });
    setup.call('hang', { n: 2 });
    await setup.done();
    setup.python.finish([1, 2].find((n) => setup.python.held.get(n)!.process.pid !== home));
    await setup.done();
    const moved = setup.call('state', {}, preferred);
    await setup.done();
    expect([first.value, moved.value]).toEqual([`echo in ${home}`, ['create s1']]);
    expect(pidOf(setup, 's')).toBe(3 - home!);
  });

  it('waits for whoever is free first when nobody has room', async () => {
    const setup = routed({ size: 2 });
    await withSession(setup);
    const home = pidOf(setup, 's');
    for (const n of [1, 2]) setup.call('hang', { n });
    const waits = setup.call('state', {}, preferred);
    await setup.done();
    setup.python.finish([1, 2].find((n) => setup.python.held.get(n)!.process.pid !== home));
    await setup.done();
    expect([waits.value, pidOf(setup, 's')]).toEqual([['create s1'], 3 - home!]);
  });

  it('is told what it lacks when it comes back to a worker that had an earlier state of it', async () => {
    const setup = routed({ size: 2 });
    await withSession(setup);
    const home = pidOf(setup, 's')!;
    setup.call('hang', { n: 'home' }, { affinity: 'none' });
    setup.call('hang', { n: 'other' }, { affinity: 'none' });
    await setup.done();
    const at = (pid: number) =>
      ['home', 'other'].find((n) => setup.python.held.get(n)?.process.pid === pid);
    const keep = at(home);
    setup.python.finish(at(3 - home));
    await setup.done();
    setup.call('create', { id: 's2' }, preferred);
    await setup.done();
    const away = pidOf(setup, 's');
    setup.python.finish(keep);
    setup.call('hang', { n: 3 }, { ...inSession('t') });
    await setup.done();
    // Whatever is idle now: it is told of what it has not.
    const all = [
      setup.call('state', {}, preferred),
      setup.call('state', {}, { ...preferred, affinity: 'none' }),
    ];
    await setup.done();
    expect([away, all.map(({ value }) => value)]).toEqual([
      3 - home,
      [
        ['create s1', 'create s2'],
        ['create s1', 'create s2'],
      ],
    ]);
  });
});

describe('a session without affinity', () => {
  const none = { affinity: 'none' } as const;

  it('goes to the least loaded worker, which is told what it lacks', async () => {
    const setup = routed({ size: 2, ...none });
    await withSession(setup);
    await withSession(setup, 't');
    const home = pidOf(setup, 's')!;
    setup.call('hang', { n: 1 }, inSession('t'));
    await setup.done();
    const busy = setup.python.held.get(1)!.process.pid;
    const state = setup.call('state', {}, inSession('s'));
    await setup.done();
    expect([state.value, pidOf(setup, 's')]).toEqual([['create s1'], 3 - busy]);
    expect([1, 2]).toContain(home);
  });

  it('has its calls run in order all the same, one at a time', async () => {
    const setup = routed({ size: 3, ...none });
    for (const n of [1, 2, 3]) setup.call('hang', { n }, inSession('s'));
    await setup.done();
    const seen = [setup.sent()];
    for (const n of [1, 2]) {
      setup.python.finish(n);
      await setup.done();
      seen.push(setup.sent());
    }
    expect(seen.map((sent) => sent.length)).toEqual([1, 2, 3]);
    expect(seen.at(-1)).toEqual(['hang 1 of s', 'hang 2 of s', 'hang 3 of s']);
  });
});

describe('a configuration of the bridge', () => {
  it('reaches a session on whichever worker before its next call', async () => {
    const setup = routed({ size: 2 });
    await withSession(setup, 's');
    await withSession(setup, 't');
    setup.call('configure', { id: 'lm' });
    await setup.done();
    const sentBefore = setup.world.callsWritten.length;
    for (const id of ['s', 't']) setup.call('echo', {}, inSession(id));
    await setup.done();
    expect(setup.sent().slice(sentBefore).sort()).toEqual([
      'configure lm',
      'echo of s',
      'echo of t',
    ]);
  });
});
