// What must hold of sessions, since it once did not? Scripted workers under virtual time; each test is a row of docs/lessons.md.
import { afterEach, describe, expect, it } from 'vitest';

import {
  fateOf,
  microtasks,
  request,
  scriptedPool,
  type Fate,
  type ScriptedPool,
} from '../support/scripted-pool.ts';

let of: ScriptedPool;
afterEach(() => {
  of.stop();
  expect(of.world.callsToTheDead).toEqual([]);
});

function started(options: Parameters<typeof scriptedPool>[0]): ScriptedPool {
  of = scriptedPool({ maxRestarts: 100, ...options });
  of.settle();
  return of;
}

/** A call in the session, with all that happens at once behind it. */
async function inSession(op: string, args: object = {}): Promise<Fate> {
  const fate = fateOf(of.pool.call(request(op, { ...args }, { sessionId: 's' })));
  of.settle();
  await microtasks();
  return fate;
}

const done = { state: 'resolved' };
const lost = { state: 'rejected', error: { code: 'session_lost', outcome: 'notSent' } };

describe('a session whose worker has died', () => {
  it('is bound to the incarnation, not to the worker’s name: its waiting calls hear of it in the same tick, and nobody goes on without knowing (S7, A2)', async () => {
    const { world, pool, clock } = started({ size: 2, onSessionLoss: 'fail' });
    expect(await inSession('echo')).toMatchObject(done);
    const running = await inSession('hang');
    const waiting = await Promise.all([inSession('echo'), inSession('echo')]);
    const own = world.processes.find(({ calls }) => calls.length > 0)!;
    const atMs = clock.nowMs();
    own.exit(null, 'SIGKILL');
    of.settle();
    await microtasks();
    expect(clock.nowMs()).toBe(atMs);
    expect(running).toMatchObject({ error: { code: 'worker_crashed', outcome: 'maybeExecuted' } });
    expect(waiting).toMatchObject([lost, lost]);
    // Its worker of the same name is there again, and has nothing of it.
    of.advance(1_000);
    expect(await inSession('echo')).toMatchObject(lost);
    expect(pool.endSession('s')).toBe(true);
    expect(await inSession('echo')).toMatchObject(done);
  });

  it('goes on elsewhere with what it was, in the same tick, where it can be rebuilt (S7, A2)', async () => {
    const { world, clock } = started({ size: 2, onSessionLoss: 'rebuild' });
    expect(await inSession('create', { id: 'a' })).toMatchObject(done);
    await inSession('hang');
    const waiting = await inSession('use', { id: 'a' });
    const own = world.processes.find(({ calls }) => calls.length > 0)!;
    const atMs = clock.nowMs();
    own.exit(null, 'SIGKILL');
    of.settle();
    await microtasks();
    expect(waiting).toMatchObject(done);
    expect(waiting.value).not.toContain(`in ${own.pid}`);
    expect(clock.nowMs()).toBe(atMs);
  });
});

describe('the time of a session', () => {
  const ttlMs = 1_000;

  it('is counted from its last call, not from its first (B29)', async () => {
    const { pool } = started({ size: 1, sessions: { ttlMs } });
    expect(await inSession('create', { id: 'a' })).toMatchObject(done);
    for (let n = 0; n < 5; n += 1) {
      of.advance(ttlMs - 100);
      expect(await inSession('use', { id: 'a' })).toMatchObject(done);
      expect(pool.statistics.counters.expired).toBe(0);
    }
  });

  it('is its end: no call brings back what it was (B27, S8)', async () => {
    const { pool } = started({ size: 1, sessions: { ttlMs } });
    expect(await inSession('create', { id: 'a' })).toMatchObject(done);
    expect(pool.statistics.gauges.sessions).toBe(1);
    of.advance(ttlMs + 100);
    expect(pool.statistics.gauges.sessions).toBe(0);
    expect(pool.statistics.counters.expired).toBe(1);
    for (const process of of.world.processes) process.exit(null, 'SIGKILL');
    of.advance(1_000);
    const gone = { state: 'rejected', error: { code: 'program_not_found' } };
    expect(await inSession('use', { id: 'a' })).toMatchObject(gone);
    expect(await inSession('create', { id: 'a' })).toMatchObject(done);
    expect(await inSession('use', { id: 'a' })).toMatchObject(done);
  });
});

describe('a session that moves', () => {
  it('takes its state along, and loses no call (B26)', async () => {
    const { world, pool } = started({ size: 1, maxCallsPerWorker: 3, recycleJitter: 0 });
    expect(await inSession('create', { id: 'a' })).toMatchObject(done);
    const used: Fate[] = [];
    for (let n = 0; n < 12; n += 1) {
      used.push(await inSession('use', { id: 'a' }));
      of.advance(100);
    }
    await microtasks();
    expect(used.map(({ state }) => state)).toEqual(used.map(() => 'resolved'));
    expect(new Set(used.map(({ value }) => value)).size).toBeGreaterThan(2);
    expect(world.processes.length).toBeGreaterThan(3);
    expect(pool.statistics.counters.lost).toBe(0);
  });
});
