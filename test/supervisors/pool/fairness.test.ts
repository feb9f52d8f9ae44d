import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { routed, type Routed } from './routed.ts';

const LONG = { checkoutTimeoutMs: 30_000 } as const;

/** Every call takes so long. */
const RUN_MS = 10;

/** Calls that take their time, and in which order they were begun. */
function slow(size = 1, more = {}) {
  const setup: Routed = routed({ size, ...more });
  const order: string[] = [];
  setup.python.acts.set('work', (process, { id, session }) => {
    order.push(session ?? '-');
    setup.clock.setTimeout(() => {
      if (process.isAlive) process.reply(id, null);
    }, RUN_MS);
    return false;
  });
  const work = (session?: string, rest = {}) =>
    setup.call('work', {}, { ...LONG, ...(session !== undefined && inSession(session)), ...rest });
  return { ...setup, order, work };
}

describe('a greedy session', () => {
  it('with 500 calls waiting makes a modest one wait for no more than a turn', async () => {
    const { work, pass, order } = slow();
    for (let calls = 0; calls < 500; calls += 1) work('greedy');
    for (let calls = 0; calls < 5; calls += 1) work('modest');
    await pass(RUN_MS * 12);
    expect(order.slice(0, 10)).toEqual(Array(5).fill(['greedy', 'modest']).flat());
  });

  it('makes nobody wait longer than there are others, whatever it adds meanwhile', async () => {
    const { work, pass, order } = slow();
    for (let calls = 0; calls < 100; calls += 1) work('greedy');
    const modest = ['a', 'b', 'c', 'd'];
    for (const one of modest) work(one);
    for (let rounds = 0; rounds < 10; rounds += 1) {
      work('greedy');
      await pass(RUN_MS);
    }
    expect(order.slice(0, 6)).toEqual(['greedy', 'a', 'b', 'c', 'd', 'greedy']);
  });

  it('does not hold up calls without a session either', async () => {
    const { work, pass, order } = slow();
    for (let calls = 0; calls < 100; calls += 1) work('greedy');
    for (let calls = 0; calls < 3; calls += 1) work();
    await pass(RUN_MS * 6);
    expect(order.slice(0, 6)).toEqual(['greedy', '-', '-', '-', 'greedy', 'greedy']);
  });

  it('has but one worker at a time: the others are for the modest', async () => {
    const { work, pass, order, router } = slow(2);
    for (let calls = 0; calls < 50; calls += 1) work('greedy');
    work('modest');
    await pass(0);
    expect([order, router.statistics().gauges.busy]).toEqual([['greedy', 'modest'], 2]);
  });
});

describe('a turn', () => {
  it('is kept by a session whose call is tried again', async () => {
    const { work, pass, order, python } = slow(1, { retryBudget: { ratio: 1, burst: 10 } });
    let failures = 1;
    const act = python.acts.get('work')!;
    python.acts.set('work', (process, call) => {
      if (call.session !== 'a' || failures === 0) return act(process, call);
      failures -= 1;
      process.fail(call.id, 'rate_limited');
      return false;
    });
    work('a', { isIdempotent: true, maxRetries: 1 });
    for (const one of ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p'])
      work(one);
    await pass(300);
    // It waits for a tenth of a second, and comes before all that are still there.
    expect(order.indexOf('a')).toBe(10);
  });

  it('is kept by a session that moves', async () => {
    const { call, work, pass, order, router, python, worker } = slow(2);
    for (const one of ['a', 'b']) work(one);
    await pass(RUN_MS);
    const home = router.boundWorker('a')!;
    const other = router.boundWorker('b')!;
    order.length = 0;
    call('hang', { n: 'home' }, inSession('a'));
    call('hang', { n: 'other' }, inSession('b'));
    await pass(0);
    work('a');
    work('c');
    python.finish('home');
    expect([home, other].map(({ id }) => id).sort()).toEqual(['0', '1']);
    router.retire(home, { because: 'test', drainMs: 1_000 }, () => undefined);
    python.finish('other');
    await pass(RUN_MS);
    expect([worker(0).state !== undefined, order]).toEqual([true, ['c', 'a']]);
  });

  it('is kept by a session whose first call is given up', async () => {
    const { work, pass, order, call, python } = slow();
    call('hang', { n: 1 });
    const controller = new AbortController();
    work('a', { signal: controller.signal });
    work('a');
    work('b');
    await pass(0);
    controller.abort();
    python.finish(1);
    await pass(RUN_MS * 3);
    expect(order).toEqual(['a', 'b']);
  });
});

describe('a session that waits for its own worker', () => {
  it('holds up nobody: others go to whoever has room', async () => {
    const { work, call, pass, router } = slow(2);
    work('a');
    await pass(RUN_MS);
    call('hang', { n: 1 }, inSession('a'));
    for (let calls = 0; calls < 10; calls += 1) work('a');
    const others = ['b', 'c', 'd'].map((one) => work(one));
    await pass(RUN_MS * 4);
    expect(others.map(({ state }) => state)).toEqual(Array(3).fill('resolved'));
    expect(router.statistics().gauges.queued).toBe(10);
  });
});

describe('refusal', () => {
  it('comes in the very turn of the call, and costs what it costs with an empty queue', async () => {
    const setup = routed({ queueLengthMax: 2 });
    setup.call('hang', { n: 1 });
    for (let calls = 0; calls < 2; calls += 1) setup.call('echo');
    const refused = setup.call('echo', {}, inSession('new'));
    await Promise.resolve();
    await Promise.resolve();
    expect(shown(refused)).toBe('overloaded notSent');
    expect(refused.error?.message).toMatch(/queueLengthMax/u);
    const { gauges, counters } = setup.router.statistics();
    expect([gauges.sessions, counters.refused]).toEqual([0, { overloaded: 1 }]);
  });

  it('by bytes leaves room for what is small', async () => {
    const setup = routed({ queueBytesMax: 2_000 });
    setup.call('hang', { n: 1 });
    const [first, large, small] = [1_500, 1_000, 100].map((size) =>
      setup.call('echo', { text: 'x'.repeat(size) }),
    );
    await setup.done();
    expect([first, large, small].map((fate) => shown(fate!))).toEqual([
      ...['pending', 'overloaded notSent', 'pending'],
    ]);
    expect(large!.error?.message).toMatch(/queueBytesMax/u);
    setup.python.finish(1);
    await setup.done();
    expect(setup.router.statistics().gauges.queuedBytes).toBe(0);
  });

  it('is none of the queue when a worker is free: what does not wait may be of any size', async () => {
    const setup = routed({ queueBytesMax: 10 });
    const large = setup.call('echo', { text: 'x'.repeat(10_000) });
    await setup.done();
    expect(large.state).toBe('resolved');
  });

  it('is what a call gets that says now or not at all, when no worker is free', async () => {
    const setup = routed();
    const now = { checkoutTimeoutMs: 0 };
    const first = setup.call('hang', { n: 1 }, now);
    const second = setup.call('echo', {}, { ...now, ...inSession('s') });
    await setup.done();
    expect([shown(first), shown(second)]).toEqual(['pending', 'checkout_timeout notSent']);
    const { counters, gauges } = setup.router.statistics();
    expect([counters.refused, counters.accepted, gauges.sessions]).toEqual([
      { checkout_timeout: 1 },
      1,
      0,
    ]);
  });
});

describe('a call that can make it no more', () => {
  const RUNS = 16;

  /** A pool that has seen so many runs of `work`. */
  async function experienced(runs = RUNS) {
    const setup = slow();
    for (let calls = 0; calls < runs; calls += 1) {
      setup.work();
      await setup.pass(RUN_MS);
    }
    setup.order.length = 0;
    setup.call('hang', { n: 1 });
    return setup;
  }

  it('is failed when its turn comes, before it wastes a worker', async () => {
    const setup = await experienced();
    const hopeless = setup.work('s', { timeoutMs: 100 });
    const other = setup.work('s');
    await setup.pass(100 - RUN_MS + 1);
    setup.python.finish(1);
    await setup.done();
    expect([shown(hopeless), setup.order]).toEqual(['deadline_exceeded notSent', ['s']]);
    await setup.pass(RUN_MS);
    const { shed, failed } = setup.router.statistics().counters;
    expect([other.state, shed, failed]).toEqual(['resolved', 1, 1]);
  });

  it('is sent while it has as much time left as the fastest run took', async () => {
    const setup = await experienced();
    const close = setup.work(undefined, { timeoutMs: 100 });
    await setup.pass(100 - RUN_MS);
    setup.python.finish(1);
    await setup.done();
    expect([shown(close), setup.order]).toEqual(['pending', ['-']]);
  });

  it('is not judged by fewer than sixteen runs', async () => {
    const setup = await experienced(RUNS - 1);
    setup.work(undefined, { timeoutMs: 100 });
    await setup.pass(99);
    setup.python.finish(1);
    await setup.done();
    expect([setup.order, setup.router.statistics().counters.shed]).toEqual([['-'], 0]);
  });

  it('is not judged by runs of other operations', async () => {
    const setup = await experienced();
    const other = setup.call('echo', {}, { timeoutMs: 100 });
    await setup.pass(99);
    setup.python.finish(1);
    await setup.done();
    expect(other.state).toBe('resolved');
  });
});
