// What must hold of pools, since it once did not? Scripted workers under virtual time; each test is a row of docs/lessons.md.
import { afterEach, describe, expect, it } from 'vitest';

import { heldOf } from '../support/collector.ts';
import {
  fateOf,
  microtasks,
  request,
  scriptedPool,
  type ScriptedPool,
} from '../support/scripted-pool.ts';
import type { StartScript } from '../support/scripted-world.ts';

const FEW = 100;

let of: ScriptedPool;
afterEach(() => {
  of.stop();
  expect(of.world.callsToTheDead).toEqual([]);
});

/** The pool, with all that happens at once behind it. */
function settled(...given: Parameters<typeof scriptedPool>): ScriptedPool {
  of = scriptedPool(...given);
  of.settle();
  return of;
}

describe('a worker that takes its time to start', () => {
  it('holds up no call of the others (B12)', async () => {
    const starts: StartScript['type'][] = ['ready', 'ready', 'hangs'];
    const nextStart = (): StartScript => ({ type: starts.shift() as 'ready' | 'hangs' });
    const { world, pool, clock } = settled({ size: 2, startTimeoutMs: 60_000 }, { nextStart });
    world.processes[0]!.exit(1, null);
    of.advance(1);
    expect(world.processes).toHaveLength(3);
    const startedMs = clock.nowMs();
    const calls = Array.from({ length: 20 }, () => fateOf(pool.call(request('echo'))));
    of.settle();
    await microtasks();
    expect(calls.map(({ state }) => state)).toEqual(calls.map(() => 'resolved'));
    expect(clock.nowMs()).toBe(startedMs);
  });
});

describe('a session', () => {
  it('outlives the caller who began it, and all workers (B18)', async () => {
    const { world, pool } = settled({ size: 2, maxRestarts: 10 });
    const caller = new AbortController();
    const inSession = { sessionId: 's', signal: caller.signal };
    const created = fateOf(pool.call(request('create', { id: 'a' }, inSession)));
    of.settle();
    await microtasks();
    expect(created).toMatchObject({ state: 'resolved' });
    caller.abort();
    for (const process of [...world.processes]) process.exit(null, 'SIGKILL');
    of.advance(1_000);
    const used = fateOf(pool.call(request('use', { id: 'a' }, { sessionId: 's' })));
    of.settle();
    await microtasks();
    expect(used.state).toBe('resolved');
    expect(used.value).toContain('used a');
  });
});

describe('a stream of a session', () => {
  it('goes to the worker of that session, behind its calls (A9)', async () => {
    const { world, pool } = settled({ size: 2 });
    const inSession = { sessionId: 's' };
    const hung = fateOf(pool.call(request('hang', {}, inSession)));
    const stream = { credit: 8, item: () => undefined };
    const { settled: end } = pool.open(request('echo', {}, { ...inSession, stream }));
    const read = fateOf(end);
    of.settle();
    await microtasks();
    expect([hung.state, read.state]).toEqual(['pending', 'pending']);
    expect(world.callsWritten.map(({ op }) => op)).toEqual(['hang']);
    const own = world.processes.find(({ calls }) => calls.length > 0)!;
    own.reply(own.calls[0]!.id, 'done');
    of.settle();
    await microtasks();
    expect(own.calls.map(({ op }) => op)).toEqual(['hang', 'echo']);
    expect([hung.state, read.state]).toEqual(['resolved', 'resolved']);
  });
});

describe('a call that was given up while it waited', () => {
  it('is kept by nobody, though the queue goes on waiting (B30)', async () => {
    const { pool } = settled({ size: 1, queueLengthMax: 2_000 });
    const hung = fateOf(pool.call(request('hang', {}, { sessionId: 's' })));
    const keep = fateOf(pool.call(request('echo', {}, { checkoutTimeoutMs: 30_000 })));
    const refs: WeakRef<object>[] = [];
    const giveUp = (n: number): void => {
      const args = { n, big: 'x'.repeat(1_000) };
      const caller = new AbortController();
      const sessionId = n % 2 === 0 ? 's' : undefined;
      fateOf(pool.call(request('echo', args, { sessionId, signal: caller.signal })));
      refs.push(new WeakRef(args));
      caller.abort();
    };
    for (let n = 0; n < 1_000; n += 1) giveUp(n);
    of.settle();
    await microtasks();
    expect(pool.statistics.counters.cancelled).toBe(1_000);
    expect(pool.statistics.gauges).toMatchObject({ queued: 1, running: 1 });
    expect([hung.state, keep.state]).toEqual(['pending', 'pending']);
    // A few may still stand where the queue looks only now and then.
    expect(await heldOf(refs, FEW)).toBeLessThanOrEqual(FEW);
  });
});

describe('the counts of a pool', () => {
  it('agree with each other at every moment, and each call is counted once for what became of it (B16, B17)', async () => {
    of = scriptedPool({
      size: 2,
      maxRestarts: 100,
      queueLengthMax: 3,
      quarantine: { crashes: 100 },
    });
    of.settle();
    const { pool, bus } = of;
    const disagreements: unknown[] = [];
    let looks = 0;
    const look = (): void => {
      const { counters, gauges } = pool.statistics;
      const { accepted, completed, failed, cancelled } = counters;
      looks += 1;
      if (accepted !== completed + failed + cancelled + gauges.queued + gauges.running) {
        disagreements.push({ counters, gauges });
      }
    };
    bus.on('*', look);
    const caller = new AbortController();
    const calls = [
      ...[1, 2, 3].map((n) => fateOf(pool.call(request('echo', { n })))),
      fateOf(pool.call(request('use', { id: 'unknown' }))),
      fateOf(pool.call(request('echo', {}, { signal: caller.signal }))),
      fateOf(pool.call(request('echo', { n: 'one too many' }))),
    ];
    look();
    caller.abort();
    look();
    of.settle();
    calls.push(fateOf(pool.call(request('exit'))));
    look();
    of.advance(1_000);
    calls.push(fateOf(pool.call(request('hang', {}, { timeoutMs: 100 }))));
    of.advance(30_000);
    await microtasks();
    look();
    expect(disagreements).toEqual([]);
    expect(looks).toBeGreaterThan(10);
    expect(calls.map(({ error }) => error?.code)).toEqual([
      ...[undefined, undefined, undefined],
      ...['program_not_found', 'aborted', 'overloaded', 'worker_crashed', 'deadline_exceeded'],
    ]);
    const { counters } = pool.statistics;
    expect(counters).toMatchObject({ accepted: 7, completed: 3, failed: 3, cancelled: 1 });
    expect(counters.refused).toMatchObject({ overloaded: 1 });
  });
});
