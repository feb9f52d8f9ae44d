// Who waits for a worker, for how long, and who is refused? The options of the queue, on real processes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { PoolOptions, Runtime } from '../../src/index.ts';
import {
  assertBalanced,
  idleWorkers,
  makeGate,
  poolRuntime,
  type Gate,
} from '../support/pool-runtime.ts';
import { rejection, workersOf } from '../support/real-runtime.ts';

let runtime: Runtime;
let gate: Gate;
let folder: string;

beforeEach(() => {
  gate = makeGate();
  folder = mkdtempSync(path.join(tmpdir(), 'caduceus-test-'));
});
afterEach(async () => {
  gate.open();
  assertBalanced(runtime);
  await runtime.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: PoolOptions): Promise<void> {
  runtime = await poolRuntime(options, { callbacks: gate.callbacks });
  await idleWorkers(runtime, options.size ?? 1);
}

const pool = () => runtime.pool('pool');

/** Keep every worker busy until the gate is opened. */
async function hold(count: number): Promise<readonly Promise<unknown>[]> {
  const calls = Array.from({ length: count }, () => pool().call('hold'));
  await gate.held(count);
  return calls;
}

describe('the options of the queue', () => {
  it('size: so many calls run at a time, each in a process of its own', async () => {
    await start({ size: 3 });
    const held = await hold(3);
    expect(workersOf(runtime)).toHaveLength(3);
    expect(pool().statistics().gauges).toMatchObject({ running: 3, queued: 0, busy: 3 });
    gate.open();
    expect(new Set(await Promise.all(held)).size).toBe(3);
  });

  it('checkoutTimeoutMs of 0, of the pool or of a call: now or not at all', async () => {
    await start({ size: 1, checkoutTimeoutMs: 0 });
    expect(await pool().call('who')).toBeTypeOf('number');
    const held = await hold(1);
    const error = await rejection(pool().call('who'));
    expect(error).toMatchObject({ code: 'checkout_timeout', outcome: 'notSent' });
    const waits = pool().call('who', {}, { checkoutTimeoutMs: 10_000 });
    expect(pool().statistics().gauges.queued).toBe(1);
    gate.open();
    expect(await waits).toBeTypeOf('number');
    await Promise.all(held);
  });

  it('checkoutTimeoutMs: no call waits longer for a worker', async () => {
    await start({ size: 1, checkoutTimeoutMs: 50 });
    const held = await hold(1);
    const error = await rejection(pool().call('who'));
    expect(error).toMatchObject({ code: 'checkout_timeout', outcome: 'notSent' });
    expect(error.message).toContain('50 ms');
    gate.open();
    await Promise.all(held);
  });

  it('callTimeoutMs: no call takes longer in all', async () => {
    await start({ size: 1, callTimeoutMs: 300 });
    const error = await rejection(pool().call('work', { seconds: 60 }));
    expect(error).toMatchObject({ code: 'deadline_exceeded', timeoutMs: 300 });
    expect(await pool().call('who', {}, { timeoutMs: 10_000 })).toBeTypeOf('number');
  });

  it('queueLengthMax: one more is refused at once, and was never accepted', async () => {
    await start({ size: 1, queueLengthMax: 2 });
    const held = await hold(1);
    const waiting = [pool().call('who'), pool().call('who')];
    const { accepted } = pool().statistics().counters;
    const error = await rejection(pool().call('who'));
    expect(error).toMatchObject({
      code: 'overloaded',
      limit: 'queueLengthMax',
      outcome: 'notSent',
    });
    expect(pool().statistics().counters).toMatchObject({ accepted, refused: { overloaded: 1 } });
    gate.open();
    expect(await Promise.all([...held, ...waiting])).toHaveLength(3);
  });

  it('queueBytesMax: large calls are refused before there are many', async () => {
    await start({ size: 1, queueBytesMax: 3_000_000 });
    const held = await hold(1);
    const large = (): Promise<unknown> =>
      pool().call('put', { id: 'x', value: new Uint8Array(1_000_000) });
    const waiting = [large(), large()];
    const error = await rejection(large());
    expect(error).toMatchObject({ code: 'overloaded', limit: 'queueBytesMax', outcome: 'notSent' });
    expect(pool().statistics().gauges.queuedBytes).toBeGreaterThanOrEqual(2_000_000);
    gate.open();
    await Promise.all([...held, ...waiting]);
    expect(pool().statistics().gauges.queuedBytes).toBe(0);
  });
});

describe('the options of retries', () => {
  const tries = (): string => path.join(folder, 'tries');

  it('maxRetries: an idempotent call is tried again on another worker when its own has died', async () => {
    await start({ size: 2 });
    const pid = await pool().call('exit_once', { done: tries() });
    expect(workersOf(runtime).map((worker) => worker.pid)).toContain(pid);
    expect(pool().statistics().counters).toMatchObject({ accepted: 1, completed: 1, retried: 1 });
  });

  it('maxRetries of 0, of the pool or of a call: it is not', async () => {
    await start({ size: 2 });
    const error = await rejection(pool().call('exit_once', { done: tries() }, { maxRetries: 0 }));
    expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(pool().statistics().counters).toMatchObject({ failed: 1, retried: 0 });
  });

  it('a call that is not idempotent and may have run is never tried again', async () => {
    await start({ size: 2, maxRetries: 5 });
    const error = await rejection(pool().call('exit'));
    expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(pool().statistics().counters.retried).toBe(0);
  });

  it('retryBudget: without a token nothing is tried again', async () => {
    await start({ size: 2, retryBudget: { ratio: 0, burst: 0 } });
    const error = await rejection(pool().call('exit_once', { done: tries() }));
    expect(error).toMatchObject({ code: 'worker_crashed' });
    expect(pool().statistics().counters.retried).toBe(0);
  });
});
