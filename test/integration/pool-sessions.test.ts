// What becomes of a session when its worker is busy, or gone? Affinity, loss, rebuilding and the bounds of sessions, on real processes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Affinity, BridgeConfig, PoolOptions, Runtime } from '../../src/index.ts';
import {
  assertBalanced,
  idleWorkers,
  makeGate,
  poolRuntime,
  whenStatistics,
  type Gate,
} from '../support/pool-runtime.ts';
import { forgetfulAdapter, snapshotAdapter } from '../support/pool-adapters.ts';
import { nextEvent, rejection } from '../support/real-runtime.ts';

const ALICE = { sessionId: 'alice' };

let runtime: Runtime;
let gate: Gate;

beforeEach(() => {
  gate = makeGate();
});
afterEach(async () => {
  gate.open();
  assertBalanced(runtime);
  await runtime.stop();
});

async function start(pool: PoolOptions = {}, more: Partial<BridgeConfig> = {}): Promise<void> {
  runtime = await poolRuntime({ size: 2, ...pool }, { callbacks: gate.callbacks, ...more });
  await idleWorkers(runtime, pool.size ?? 2);
}

const pool = () => runtime.pool('pool');
const workerOf = (sessionId: string): string | undefined => pool().workerOf(sessionId)?.workerId;

/** Alice's worker is busy with somebody else's call, and the other one is idle. */
async function busyWorkerOfAlice(): Promise<void> {
  await pool().call('put', { id: 'n', value: 1 }, ALICE);
  const others = ['bob', 'carol', 'dave'];
  for (const sessionId of others) await pool().call('put', { id: 'n', value: 9 }, { sessionId });
  const neighbour = others.find((each) => workerOf(each) === workerOf('alice'));
  void pool()
    .call('hold', {}, { sessionId: neighbour })
    .catch(() => undefined);
  await gate.held(1);
}

/** End the worker that holds the session. */
function kill({ sessionId }: { readonly sessionId: string }): void {
  const { pid = 0 } = pool().workerOf(sessionId) ?? {};
  expect(pid).toBeGreaterThan(0);
  process.kill(pid, 'SIGKILL');
}

describe('affinity', () => {
  it('required: waits for its own worker, as long as it may', async () => {
    await start();
    await busyWorkerOfAlice();
    const before = workerOf('alice');
    for (const checkoutTimeoutMs of [0, 50]) {
      const error = await rejection(
        pool().call('get', { id: 'n' }, { ...ALICE, checkoutTimeoutMs }),
      );
      expect(error).toMatchObject({ code: 'checkout_timeout', outcome: 'notSent' });
    }
    const value = pool().call('get', { id: 'n' }, ALICE);
    gate.open();
    expect(await value).toBe(1);
    expect(workerOf('alice')).toBe(before);
  });

  it.each<Affinity>(['preferred', 'none'])(
    '%s: takes the idle worker, which is told first what the session has',
    async (affinity) => {
      await start();
      await busyWorkerOfAlice();
      const value = await pool().call('get', { id: 'n' }, { ...ALICE, affinity });
      expect(value).toBe(1);
      expect(pool().statistics().counters.replayed).toBeGreaterThanOrEqual(1);
    },
  );

  it("preferred: the worker that had room is the session's own from then on", async () => {
    await start({ affinity: 'preferred' });
    await busyWorkerOfAlice();
    const before = workerOf('alice');
    await pool().call('add', { id: 'n', by: 1 }, ALICE);
    expect(workerOf('alice')).not.toBe(before);
    gate.open();
    await idleWorkers(runtime, 2);
    expect(await pool().call('get', { id: 'n' }, ALICE)).toBe(2);
    expect(workerOf('alice')).not.toBe(before);
  });
});

describe('a session whose worker is gone', () => {
  it('is rebuilt from its journal before its next call, where the adapter says what changes state', async () => {
    await start();
    await pool().call('put', { id: 'n', value: 1 }, ALICE);
    await pool().call('put', { id: 'other', value: 0 }, ALICE);
    await pool().call('add', { id: 'n', by: 2 }, ALICE);
    await pool().call('drop', { id: 'other' }, ALICE);
    kill(ALICE);
    expect(await pool().call('get', { id: 'n' }, ALICE)).toBe(3);
    expect(await pool().call('seen', {}, ALICE)).toEqual(['put n', 'add 2']);
    expect(pool().statistics().counters).toMatchObject({ lost: 0, rebuilt: 1 });
  });

  it('is lost where it does not, and nobody goes on without knowing until it is ended', async () => {
    await start({}, { adapter: forgetfulAdapter });
    await pool().call('put', { id: 'n', value: 1 }, ALICE);
    const held = rejection(pool().call('hold', {}, ALICE));
    const waiting = rejection(pool().call('get', { id: 'n' }, ALICE));
    await gate.held(1);
    kill(ALICE);
    expect(await held).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(await waiting).toMatchObject({ code: 'session_lost', outcome: 'notSent' });
    const later = await rejection(pool().call('get', { id: 'n' }, ALICE));
    expect(later).toMatchObject({ code: 'session_lost', outcome: 'notSent' });
    expect(pool().statistics().counters).toMatchObject({ lost: 1, rebuilt: 0 });
    await pool().endSession('alice');
    expect(await pool().call('get', { id: 'n' }, ALICE)).toBeNull();
  });

  it('is what onSessionLoss says: lost although it could be rebuilt', async () => {
    await start({ onSessionLoss: 'fail' });
    await pool().call('put', { id: 'n', value: 1 }, ALICE);
    const crashed = nextEvent(runtime, 'child.crashed');
    kill(ALICE);
    await crashed;
    expect(await rejection(pool().call('get', { id: 'n' }, ALICE))).toMatchObject({
      code: 'session_lost',
    });
  });

  it('is what onSessionLoss says: begun anew although nothing is known of it', async () => {
    await start({ onSessionLoss: 'rebuild' }, { adapter: forgetfulAdapter });
    await pool().call('put', { id: 'n', value: 1 }, ALICE);
    const crashed = nextEvent(runtime, 'child.crashed');
    kill(ALICE);
    await crashed;
    expect(await pool().call('get', { id: 'n' }, ALICE)).toBeNull();
  });

  it('with affinity none is never lost', async () => {
    await start({ affinity: 'none', onSessionLoss: 'fail' });
    await pool().call('put', { id: 'n', value: 1 }, ALICE);
    const crashed = nextEvent(runtime, 'child.crashed');
    process.kill((await pool().call('who', {}, ALICE)) as number, 'SIGKILL');
    await crashed;
    expect(await pool().call('get', { id: 'n' }, ALICE)).toBe(1);
  });
});

describe('the options of sessions', () => {
  it('ttlMs: a session without a call for so long is forgotten, by the worker too', async () => {
    await start({ sessions: { ttlMs: 200 } });
    await pool().call('put', { id: 'n', value: 1 }, ALICE);
    await whenStatistics(runtime, ({ counters }) => counters.expired === 1);
    expect(pool().statistics().gauges.sessions).toBe(0);
    expect(await pool().call('get', { id: 'n' }, ALICE)).toBeNull();
  });

  it('max: one more session is refused until one has ended', async () => {
    await start({ sessions: { max: 2 } });
    const who = (sessionId: string): Promise<unknown> => pool().call('who', {}, { sessionId });
    await Promise.all([who('a'), who('b')]);
    expect(await rejection(who('c'))).toMatchObject({ code: 'overloaded', outcome: 'notSent' });
    await pool().endSession('a');
    expect(await who('c')).toBeTypeOf('number');
  });

  it('journalEntriesMax: a change that its journal has no room for is refused before it is sent', async () => {
    await start({ sessions: { journalEntriesMax: 2 } });
    const put = (id: string): Promise<unknown> => pool().call('put', { id, value: 1 }, ALICE);
    await put('a');
    await put('b');
    const error = await rejection(put('c'));
    expect(error).toMatchObject({ code: 'overloaded', outcome: 'notSent' });
    expect(await pool().call('seen', {}, ALICE)).toEqual(['put a', 'put b']);
    await pool().call('drop', { id: 'a' }, ALICE);
    expect(await put('c')).toBe('c');
  });

  it('journalBytesMax: so is one that is too large for it', async () => {
    await start({ sessions: { journalBytesMax: 10_000 } });
    const put = (id: string): Promise<unknown> =>
      pool().call('put', { id, value: 'x'.repeat(6_000) }, ALICE);
    await put('a');
    expect(await rejection(put('b'))).toMatchObject({ code: 'overloaded', outcome: 'notSent' });
    await pool().call('drop', { id: 'a' }, ALICE);
    expect(await put('b')).toBe('b');
  });

  it('snapshotEvery: what a snapshot holds is not replayed step by step', async () => {
    await start({ sessions: { snapshotEvery: 2 } }, { adapter: snapshotAdapter });
    await pool().call('put', { id: 'n', value: 1 }, ALICE);
    for (const by of [1, 2]) await pool().call('add', { id: 'n', by }, ALICE);
    await whenStatistics(runtime, ({ counters }) => counters.internal >= 1);
    await pool().call('add', { id: 'n', by: 3 }, ALICE);
    kill(ALICE);
    expect(await pool().call('get', { id: 'n' }, ALICE)).toBe(7);
    expect(await pool().call('seen', {}, ALICE)).toEqual(['load', 'add 3']);
  });
});
