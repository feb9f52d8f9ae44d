import { describe, expect, it } from 'vitest';
import { inSession } from './calling.ts';
import { held } from './holding.ts';
import { routed } from './routed.ts';

describe('the statistics of a router', () => {
  it('begin with nothing', () => {
    const nothing = { count: 0, min: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 };
    expect(routed({ size: 2 }).router.statistics()).toEqual({
      gauges: {
        ...{ idle: 2, busy: 0, held: 0, leaving: 0, queued: 0, queuedBytes: 0, running: 0 },
        ...{ sessions: 0, oldestWaitMs: 0, breaker: 'none' },
      },
      counters: {
        ...{ accepted: 0, completed: 0, failed: 0, cancelled: 0, refused: {}, shed: 0, retried: 0 },
        ...{ replayed: 0, lost: 0, rebuilt: 0, expired: 0, quarantined: 0, batches: 0 },
        ...{ batchedCalls: 0, internal: 0 },
      },
      waitMs: nothing,
      runMs: nothing,
    });
  });

  it('tell every worker once: idle, busy, held or leaving', async () => {
    const setup = routed({ size: 4 });
    await held(setup);
    setup.call('hang', { n: 1 }, inSession('s'));
    setup.call('hang', { n: 2 }, inSession('t'));
    await setup.done();
    setup.router.retire(
      setup.router.boundWorker('t')!,
      { because: 'test', drainMs: 1_000 },
      () => undefined,
    );
    const { idle, busy, held: ofCheckouts, leaving } = setup.router.statistics().gauges;
    expect({ idle, busy, ofCheckouts, leaving }).toEqual({
      ...{ idle: 1, busy: 1, ofCheckouts: 1, leaving: 1 },
    });
  });

  it('tell how long the one waits that has waited longest, in a session or without', async () => {
    const setup = routed();
    setup.call('hang', { n: 1 }, inSession('s'));
    await setup.pass(100);
    setup.call('echo', {}, inSession('s'));
    await setup.pass(50);
    setup.call('echo');
    await setup.pass(25);
    const before = setup.router.statistics().gauges.oldestWaitMs;
    setup.python.finish(1);
    await setup.done();
    expect([before, setup.router.statistics().gauges.oldestWaitMs]).toEqual([75, 0]);
    expect(setup.router.load()).toMatchObject({ queued: 0, idle: 1, busy: 0 });
  });

  it('tell waits from acceptance to a worker, and runs from there to the answer, apart', async () => {
    const setup = routed();
    setup.call('hang', { n: 1 });
    setup.call('hang', { n: 2 });
    await setup.pass(40);
    setup.python.finish(1);
    await setup.pass(200);
    setup.python.finish(2);
    await setup.done();
    const { waitMs, runMs } = setup.router.statistics();
    expect([waitMs.count, runMs.count]).toEqual([2, 2]);
    // Two digits of each are kept.
    expect(waitMs.max / 40).toBeCloseTo(1, 1);
    expect(runMs.min / 40).toBeCloseTo(1, 1);
    expect(runMs.max / 200).toBeCloseTo(1, 1);
    expect(runMs.mean / 120).toBeCloseTo(1, 1);
  });

  it('tell a wait once, however often the call is tried', async () => {
    const setup = routed();
    const retried = { isIdempotent: true, maxRetries: 2 };
    setup.call('fail', { code: 'rate_limited' }, retried);
    await setup.pass(10_000);
    const { waitMs, counters } = setup.router.statistics();
    expect([waitMs.count, counters.retried, counters.failed]).toEqual([1, 2, 1]);
  });

  it('tell what was refused by its code, and count it nowhere else', async () => {
    const setup = routed({ queueLengthMax: 1 });
    setup.call('hang', { n: 1 });
    for (let calls = 0; calls < 3; calls += 1) setup.call('echo');
    setup.call('echo', { not: new Map() });
    setup.call('echo', {}, { checkoutTimeoutMs: 0, signal: AbortSignal.abort() });
    await setup.done();
    const { accepted, refused, failed, cancelled } = setup.router.statistics().counters;
    expect({ accepted, refused, failed, cancelled }).toEqual({
      ...{ accepted: 2, failed: 0, cancelled: 0 },
      refused: { overloaded: 2, unencodable: 1, aborted: 1 },
    });
  });

  it('are of the moment: what was given is not changed by what comes', async () => {
    const setup = routed();
    const before = setup.router.statistics();
    setup.call('echo', { not: new Map() });
    setup.call('echo');
    await setup.done();
    expect([before.counters.accepted, before.counters.refused]).toEqual([0, {}]);
  });

  it('tell an abort as cancelled, and a deadline as failed', async () => {
    const setup = routed();
    const controller = new AbortController();
    setup.call('hang', { n: 1 }, { timeoutMs: 100 });
    await setup.pass(100);
    setup.call('hang', { n: 2 }, { signal: controller.signal });
    setup.call('echo', {}, { signal: controller.signal });
    await setup.done();
    controller.abort();
    await setup.done();
    const { failed, cancelled } = setup.router.statistics().counters;
    expect({ failed, cancelled }).toEqual({ failed: 1, cancelled: 2 });
  });

  it('tell a stream that nobody reads on as cancelled', async () => {
    const setup = routed();
    const { router } = setup;
    const stream = { credit: 1, item: () => undefined };
    const open = router.open({
      ...{ op: 'hang', args: { n: 1 }, timeoutMs: 1_000, checkoutTimeoutMs: 1_000, stream },
    });
    setup.noted(open.settled);
    await setup.done();
    open.stop();
    await setup.done();
    expect(router.statistics().counters).toMatchObject({ cancelled: 1, failed: 0 });
  });
});
