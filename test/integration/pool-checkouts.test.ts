// Whose is a worker that somebody holds alone, and how does that end? On real processes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { CheckedOutWorker, Runtime } from '../../src/index.ts';
import {
  assertBalanced,
  idleWorkers,
  makeGate,
  poolRuntime,
  type Gate,
} from '../support/pool-runtime.ts';
import { rejection, until, workersOf } from '../support/real-runtime.ts';

let runtime: Runtime;
let gate: Gate;

beforeEach(async () => {
  gate = makeGate();
  runtime = await poolRuntime({ size: 2 }, { callbacks: gate.callbacks });
  await idleWorkers(runtime, 2);
});
afterEach(async () => {
  gate.open();
  assertBalanced(runtime);
  await runtime.stop();
});

const pool = () => runtime.pool('pool');
const pidOf = (worker: CheckedOutWorker): Promise<unknown> => worker.call('who');

describe('a worker that is held', () => {
  it("has nobody else's calls, and runs those of its holder in order", async () => {
    const worker = await pool().checkout();
    const pid = await pidOf(worker);
    expect(pool().statistics().gauges).toMatchObject({ held: 1, running: 1 });
    const others = await Promise.all(Array.from({ length: 20 }, () => pool().call('who')));
    expect(others).not.toContain(pid);
    const values = await Promise.all([
      worker.call('put', { id: 'n', value: 1 }),
      worker.call('add', { id: 'n', by: 2 }),
      worker.call('add', { id: 'n', by: 3 }),
      worker.call('get', { id: 'n' }),
    ]);
    expect(values).toEqual(['n', 3, 6, 6]);
    await worker.checkIn();
    expect(pool().statistics().gauges).toMatchObject({ held: 0, running: 0, idle: 2 });
  });

  it('is named by its worker and epoch', async () => {
    await using worker = await pool().checkout({ sessionId: 'alice' });
    expect(pool().workerOf('alice')).toMatchObject({
      workerId: worker.workerId,
      epoch: worker.epoch,
      pid: await pidOf(worker),
    });
  });

  it("is in the session of its checkout, and what it makes there stays the session's", async () => {
    const alice = { sessionId: 'alice' };
    await pool().call('put', { id: 'n', value: 1 }, alice);
    {
      await using worker = await pool().checkout(alice);
      expect(await worker.call('get', { id: 'n' })).toBe(1);
      await worker.call('add', { id: 'n', by: 1 });
    }
    process.kill(pool().workerOf('alice')?.pid ?? 0, 'SIGKILL');
    expect(await pool().call('get', { id: 'n' }, alice)).toBe(2);
  });

  it('gives the items of a generator as any other', async () => {
    await using worker = await pool().checkout();
    const seen = [];
    for await (const item of worker.stream('who')) seen.push(item);
    expect(seen).toEqual([await pidOf(worker)]);
  });

  it('comes back to all when its holder is done with it, whatever happened', async () => {
    const broken = async (): Promise<void> => {
      await using worker = await pool().checkout();
      await worker.call('exit_twice');
    };
    expect(await rejection(broken())).toMatchObject({ code: 'unknown_operation' });
    await idleWorkers(runtime, 2);
  });
});

describe('a checkout', () => {
  it('that is checked in twice is told that it has ended, and harms nobody', async () => {
    const worker = await pool().checkout();
    await worker.checkIn();
    const next = [await pool().checkout(), await pool().checkout()];
    expect(await rejection(worker.checkIn())).toMatchObject({ code: 'checkout_ended' });
    expect(await rejection(worker.call('who'))).toMatchObject({
      code: 'checkout_ended',
      outcome: 'notSent',
    });
    // Both are still held by those who came after it.
    expect(pool().statistics().gauges).toMatchObject({ held: 2, idle: 0 });
    await Promise.all(next.map((each) => each.checkIn()));
  });

  it('ends the calls that still run when it is checked in', async () => {
    const worker = await pool().checkout();
    const held = worker.call('hold');
    await gate.held(1);
    const ended = rejection(held);
    await worker.checkIn();
    expect(await ended).toMatchObject({ outcome: 'maybeExecuted' });
    expect(await rejection(worker.call('who'))).toMatchObject({ code: 'checkout_ended' });
  });

  it('that makes no call for its lease is reclaimed', async () => {
    const worker = await pool().checkout({ leaseMs: 100 });
    // Longer than the lease, and no reason to end it: it is in use.
    await worker.call('work', { seconds: 0.3 });
    await until(() => pool().statistics().gauges.held === 0, 5_000);
    expect(await rejection(worker.call('who'))).toMatchObject({ code: 'checkout_ended' });
    expect(await rejection(worker.checkIn())).toMatchObject({ code: 'checkout_ended' });
    expect(await pool().call('who')).toBeTypeOf('number');
  });

  it('ends with its worker: what runs there has crashed, what comes later is told', async () => {
    const worker = await pool().checkout();
    const pid = (await pidOf(worker)) as number;
    const held = rejection(worker.call('hold'));
    const behind = rejection(worker.call('who'));
    await gate.held(1);
    process.kill(pid, 'SIGKILL');
    expect(await held).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(await behind).toMatchObject({ outcome: 'notSent' });
    expect(await rejection(worker.call('who'))).toMatchObject({ code: 'checkout_ended' });
    await idleWorkers(runtime, 2);
    expect(workersOf(runtime).map((each) => each.pid)).not.toContain(pid);
  });

  it('waits for a worker as a call does: its time, its signal, now or not at all', async () => {
    const held = [pool().call('hold'), pool().call('hold')];
    await gate.held(2);
    const now = await rejection(pool().checkout({ timeoutMs: 0 }));
    expect(now).toMatchObject({ code: 'checkout_timeout', outcome: 'notSent' });
    const soon = await rejection(pool().checkout({ timeoutMs: 50 }));
    expect(soon).toMatchObject({ code: 'checkout_timeout', outcome: 'notSent' });
    const controller = new AbortController();
    const aborted = rejection(pool().checkout({ signal: controller.signal }));
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'aborted', outcome: 'notSent' });
    const patient = pool().checkout({ timeoutMs: 10_000 });
    gate.open();
    await Promise.all(held);
    await (await patient).checkIn();
  });

  it.each([
    [{ timeoutMs: -1 }, 'options.timeoutMs'],
    [{ leaseMs: 0 }, 'options.leaseMs'],
    [{ sessionId: '' }, 'options.sessionId'],
    [{ signal: {} as never }, 'options.signal'],
    [{ affinity: 'sticky' as never }, 'options.affinity'],
  ])('with bad options is refused: %j', async (options, field) => {
    expect(await rejection(pool().checkout(options))).toMatchObject({
      code: 'invalid_config',
      field,
    });
  });
});
