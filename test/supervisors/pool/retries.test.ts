import { describe, expect, it } from 'vitest';
import type { CallRequest } from '../../../supervisors/pool/call-row.ts';
import { PoolFailedError } from '../../../actors/ground/errors.ts';
import { inSession, shown } from './calling.ts';
import { routed, type Routed } from './routed.ts';

const RETRIED: Partial<CallRequest> = { isIdempotent: true, maxRetries: 2 };
const LIMITED = { code: 'rate_limited' };
/** Beyond every wait of two retries. */
const ALL_MS = 1_000;

/** Fails the first `times` calls of `op`, as a provider would. */
function failing(setup: Routed, op: string, times: number, code = 'rate_limited'): void {
  const left = { times };
  setup.python.acts.set(op, (process, { id }) => {
    if (left.times === 0) return true;
    left.times -= 1;
    process.fail(id, code);
    return false;
  });
}

const sentOf = (setup: Routed, op: string): number =>
  setup.sent().filter((sent) => sent.startsWith(op)).length;

describe('a call that has failed is tried again', () => {
  it('when its operation is idempotent and the failure may pass, as often as it allows', async () => {
    const setup = routed();
    failing(setup, 'echo', 2);
    const call = setup.call('echo', {}, RETRIED);
    await setup.pass(ALL_MS);
    const { retried, completed, accepted } = setup.router.statistics().counters;
    expect([call.state, retried, completed, accepted]).toEqual(['resolved', 2, 1, 1]);
  });

  it('and is queued while it waits for that', async () => {
    const setup = routed();
    failing(setup, 'echo', 1);
    setup.call('echo', {}, RETRIED);
    await setup.done();
    const { queued, running, idle } = setup.router.statistics().gauges;
    expect([queued, running, idle]).toEqual([1, 0, 1]);
    expect(setup.told('call.retried')).toMatchObject([{ pool: 'p', op: 'echo', attempt: 2 }]);
  });

  it('at once, on another worker, when it was never sent', async () => {
    const setup = routed({ size: 2 });
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    setup.world.processes[setup.router.boundWorker('s')!.pid! - 1]!.exit(null, 'SIGKILL');
    await setup.done();
    let died = 0;
    setup.python.acts.set('create', (process) => {
      died += 1;
      if (died > 1) return true;
      process.exit(null, 'SIGKILL');
      return false;
    });
    const at = setup.clock.nowMs();
    // Not idempotent: it has not run.
    const call = setup.call('state', {}, { ...inSession('s'), maxRetries: 1 });
    await setup.done();
    expect([call.value, setup.clock.nowMs(), died]).toEqual([['create x'], at, 2]);
  });

  it('after its worker crashed, when it is idempotent', async () => {
    const setup = routed();
    let crashes = 0;
    setup.python.acts.set('echo', (process) => {
      crashes += 1;
      if (crashes > 1) return true;
      process.exit(9, null);
      return false;
    });
    const call = setup.call('echo', {}, RETRIED);
    await setup.pass(ALL_MS);
    expect([call.value, crashes]).toEqual(['echo in 2', 2]);
  });

  it('in its place: later calls of its session wait for it', async () => {
    const setup = routed();
    failing(setup, 'echo', 1);
    const first = setup.call('echo', { n: 'a' }, { ...RETRIED, ...inSession('s') });
    const second = setup.call('echo', { n: 'b' }, inSession('s'));
    await setup.done();
    const between = [shown(first), shown(second)];
    await setup.pass(ALL_MS);
    expect(between).toEqual(['pending', 'pending']);
    expect(setup.sent()).toEqual(['echo a of s', 'echo a of s', 'echo b of s']);
  });

  it('and holds up nobody else meanwhile', async () => {
    const setup = routed();
    failing(setup, 'echo', 1);
    setup.call('echo', {}, { ...RETRIED, ...inSession('s') });
    await setup.done();
    const others = [setup.call('state'), setup.call('state', {}, inSession('t'))];
    await setup.done();
    expect(others.map(({ state }) => state)).toEqual(['resolved', 'resolved']);
  });
});

/** Whatever ends it then, what it did the first time it may have done. */
describe('a call that has failed is not tried again', () => {
  it.each<[string, string, object, Partial<CallRequest>]>([
    ['when it may have run and is not idempotent', 'fail', LIMITED, { maxRetries: 2 }],
    ['when it allows no retry', 'fail', LIMITED, { isIdempotent: true, maxRetries: 0 }],
    ['when the failure does not pass', 'fail', { code: 'python_error' }, RETRIED],
    ['when there is no time left for the wait', 'fail', LIMITED, { ...RETRIED, timeoutMs: 100 }],
  ])('%s', async (_what, op, args, more) => {
    const setup = routed();
    const call = setup.call(op, { ...args }, more);
    await setup.done();
    expect([call.state, sentOf(setup, op)]).toEqual(['rejected', 1]);
  });

  it('more often than it allows: then it fails with what was found last', async () => {
    const setup = routed();
    const call = setup.call('fail', LIMITED, RETRIED);
    await setup.pass(10_000);
    expect([shown(call), sentOf(setup, 'fail')]).toEqual(['rate_limited maybeExecuted', 3]);
  });

  it('beyond the budget of its pool', async () => {
    const setup = routed({ retryBudget: { ratio: 0, burst: 2 } });
    const calls = [1, 2, 3].map((n) =>
      setup.call('fail', { ...LIMITED, n }, { ...RETRIED, maxRetries: 1 }),
    );
    await setup.pass(10_000);
    expect([calls.map(shown), sentOf(setup, 'fail')]).toEqual([
      Array(3).fill('rate_limited maybeExecuted'),
      5,
    ]);
  });

  it('when it is a stream, of which something may have been read', async () => {
    const setup = routed();
    const stream = { credit: 1, item: () => undefined };
    const call = setup.call('fail', LIMITED, { ...RETRIED, stream });
    await setup.pass(ALL_MS);
    expect([shown(call), sentOf(setup, 'fail')]).toEqual(['rate_limited maybeExecuted', 1]);
  });

  it('when its caller has had enough while it waited for that: it is cancelled, and its session goes on', async () => {
    const setup = routed();
    failing(setup, 'echo', 1);
    const controller = new AbortController();
    const { signal } = controller;
    const call = setup.call('echo', {}, { ...RETRIED, ...inSession('s'), signal });
    const next = setup.call('state', {}, inSession('s'));
    await setup.done();
    controller.abort();
    await setup.done();
    expect([shown(call), next.state]).toEqual(['aborted maybeExecuted', 'resolved']);
    await setup.pass(ALL_MS);
    expect(sentOf(setup, 'echo')).toBe(1);
    const { cancelled, failed } = setup.router.statistics().counters;
    expect([cancelled, failed]).toEqual([1, 0]);
  });

  it('when its deadline passes while it waits for its worker then', async () => {
    const setup = routed();
    failing(setup, 'echo', 1);
    const call = setup.call('echo', {}, { ...RETRIED, timeoutMs: 500 });
    await setup.done();
    setup.call('hang', { n: 1 });
    await setup.pass(500);
    expect([shown(call), sentOf(setup, 'echo')]).toEqual(['deadline_exceeded maybeExecuted', 1]);
  });

  it('when its pool is closed while it waits for that, and its session can be used again later', async () => {
    const setup = routed();
    failing(setup, 'echo', 1);
    const call = setup.call('echo', {}, { ...RETRIED, ...inSession('s') });
    const next = setup.call('echo', {}, inSession('s'));
    await setup.done();
    setup.router.close(() => new PoolFailedError('p', 'no reason', undefined));
    await setup.pass(ALL_MS);
    expect([shown(call), shown(next), sentOf(setup, 'echo')]).toEqual([
      ...['pool_failed maybeExecuted', 'pool_failed notSent', 1],
    ]);
    setup.router.reopen();
    const later = setup.call('echo', {}, inSession('s'));
    await setup.done();
    expect(later.state).toBe('resolved');
  });
});

describe('a call that workers die of', () => {
  const crashing = (setup: Routed) => setup.call('exit', { n: 1 }, RETRIED);

  it('is tried again once, and no more after the second of them', async () => {
    const setup = routed();
    const call = crashing(setup);
    await setup.pass(10_000);
    expect([shown(call), setup.world.processes.length]).toEqual([
      'worker_crashed maybeExecuted',
      3,
    ]);
  });

  it('is refused then, and with it every call that is the same; others, and those of sessions, are not', async () => {
    const setup = routed();
    crashing(setup);
    await setup.pass(10_000);
    const same = [crashing(setup), setup.call('exit', { n: 1 }, inSession('s'))];
    const other = setup.call('echo', { n: 1 });
    await setup.done();
    expect([...same.map(shown), other.state]).toEqual([
      ...['poisoned notSent', 'worker_crashed maybeExecuted', 'resolved'],
    ]);
    const { refused, quarantined } = setup.router.statistics().counters;
    expect([refused, quarantined]).toEqual([{ poisoned: 1 }, 1]);
  });

  it('is let in again when that was long enough ago', async () => {
    const setup = routed({ quarantine: { crashes: 2, forMs: 1_000 } });
    crashing(setup);
    await setup.pass(500);
    const before = crashing(setup);
    await setup.pass(1_000);
    const after = setup.call('exit', { n: 1 });
    await setup.done();
    expect([shown(before), shown(after)]).toEqual([
      'poisoned notSent',
      'worker_crashed maybeExecuted',
    ]);
  });

  it('is not poison by crashes that were ordered', async () => {
    const setup = routed();
    for (let rounds = 0; rounds < 3; rounds += 1) {
      setup.call('hang', { n: 1, isDeaf: true }, { timeoutMs: 100 });
      await setup.pass(10_000);
    }
    const again = setup.call('hang', { n: 1 });
    await setup.done();
    expect([setup.world.processes.length, shown(again)]).toEqual([4, 'pending']);
  });

  it('is none of those that only waited in that worker', async () => {
    const setup = routed({ prefetch: 1 });
    for (let rounds = 0; rounds < 2; rounds += 1) {
      setup.call('hang', { n: rounds });
      setup.call('echo', { n: 'behind' });
      setup.settle();
      setup.world.processes.at(-1)!.exit(9, null);
      await setup.done();
    }
    const again = setup.call('echo', { n: 'behind' });
    await setup.done();
    expect(again.state).toBe('resolved');
  });
});
