// What becomes of a call whose pool ends before its next try, and what does it say of the tries that it had?
import { describe, expect, it } from 'vitest';
import { inSession, shown } from './calling.ts';
import { living, LONG, starting } from './fleet-watch.ts';

const RETRIED = { isIdempotent: true, maxRetries: 2 };

describe('a call that could be tried again', () => {
  it('fails with its worker when the pool has been stopped, since nobody would take it any more', async () => {
    const { call, done, pass, world, stopPool } = living({ size: 1, shutdownMs: 100 });
    call('create', { id: 'x' }, inSession('s'));
    await done();
    world.processes[0]!.exit(null, 'SIGKILL');
    await done();
    // Brought up to date it may be sent; the answer to that never comes.
    world.processes[1]!.freeze();
    const waiting = call('use', { id: 'x' }, { ...inSession('s'), maxRetries: 2 });
    await done();
    stopPool();
    await pass(10_000);
    expect(shown(waiting)).toBe('worker_crashed notSent');
  });

  it('is told of the end of its pool, when it had a worker and would have waited for another one', async () => {
    const { call, done, pass, pool, stopPool } = living({ size: 1, prefetch: 1, shutdownMs: 100 });
    call('hang', {}, LONG);
    await done();
    const answers: (string | undefined)[] = [];
    // It waits for the call that the worker has.
    pool.checkout({ timeoutMs: 60_000, leaseMs: 60_000 }, (error) => {
      answers.push((error as (Error & { readonly code: string }) | undefined)?.code);
    });
    await done();
    stopPool();
    await pass(10_000);
    const { queued, running } = pool.statistics.gauges;
    expect([answers, queued, running]).toEqual([['pool_stopped'], 0, 0]);
  });

  it('may have been executed when one of its tries may have been, whatever ends the last one', async () => {
    const { call, done, pass, world } = living({ size: 1 }, starting('ready', 'hangs'));
    const hanging = call('hang', {}, { ...RETRIED, timeoutMs: 2_000 });
    const waiting = call('echo', {}, { ...RETRIED, timeoutMs: 2_000 });
    await done();
    world.processes[0]!.exit(null, 'SIGKILL');
    await pass(3_000);
    expect([shown(hanging), shown(waiting)]).toEqual([
      'deadline_exceeded maybeExecuted',
      'deadline_exceeded notSent',
    ]);
  });
});
