// What do callers get whose calls travel together? Real Python, real sockets.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { createRuntime, defineAdapter, type PoolOptions, type Runtime } from '../../src/index.ts';
import { fixture, PYTHON, rejection, until } from '../support/real-runtime.ts';

const PRINTED_MS = 10_000;
/** Longer than a loaded machine needs for taking in as many calls as are made at once here. */
const BATCH = { maxSize: 8, maxWaitMs: 500 };

const adapter = defineAdapter({
  framework: 'batch',
  operations: {
    ...Object.fromEntries(
      ['square', 'reverse', 'one_by_one', 'wait'].map((op) => [op, { batch: BATCH }]),
    ),
    ...{ once: { batch: BATCH, idempotent: true }, runs: {}, pid: {} },
  },
});

let runtime: Runtime;
afterEach(async () => {
  await runtime.stop();
});
const bridge = () => runtime.pool('batch');

async function start(pool: PoolOptions = {}): Promise<void> {
  runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    bridges: {
      batch: { adapter, scriptPath: fixture('batch_bridge.py'), pool: { size: 1, ...pool } },
    },
  });
}

/** What became of each. */
function fates(calls: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  return Promise.all(
    calls.map((call) =>
      call.catch((error: unknown) => {
        const { code, outcome } = error as { readonly code: string; readonly outcome: string };
        return `${code} ${outcome}`;
      }),
    ),
  );
}

/** Resolves once the worker has printed this line. */
function printed(line: string): () => Promise<number> {
  let seen = 0;
  runtime.on('worker.output', (fact) => {
    if (fact.line === line) seen += 1;
  });
  return () => until(() => seen > 0, PRINTED_MS);
}

describe('calls of a batched operation', () => {
  it('are one call of Python, and each is answered for itself', async () => {
    await start();
    const numbers = Array.from({ length: 16 }, (_, n) => n);
    const calls = numbers.map((n) => bridge().call('square', { n }));
    expect(await fates(calls)).toEqual(
      numbers.map((n) => (n % 2 === 0 ? n ** 2 : 'python_error maybeExecuted')),
    );
    expect(await bridge().call('runs')).toEqual([8, 8]);
    expect(bridge().statistics().counters).toMatchObject({ batches: 2, batchedCalls: 16 });
    expect(await rejection(bridge().call('square', { n: 3 }))).toMatchObject({
      message: 'ValueError: 3 is odd',
    });
  });

  it('are run one after the other where the handler takes one at a time', async () => {
    await start();
    const calls = [0, 1, 2].map((n) => bridge().call('one_by_one', { n }));
    expect(await fates(calls)).toEqual([0, 'python_error maybeExecuted', 4]);
    expect(await bridge().call('runs')).toEqual([1, 1, 1]);
    expect(bridge().statistics().counters).toMatchObject({ batches: 1, batchedCalls: 3 });
  });

  it('carry bytes there and back, each its own', async () => {
    await start();
    const blobs = [0, 1, 70_000, 3].map((length) => randomBytes(length));
    const calls = blobs.map((bytes, n) => bridge().call('reverse', { bytes, n: `call ${n}` }));
    const results = (await Promise.all(calls)) as readonly { bytes: Buffer; n: string }[];
    for (const [index, { bytes, n }] of results.entries()) {
      expect(n).toBe(`call ${index}`);
      expect(bytes.equals(Buffer.from(blobs[index] ?? []).reverse())).toBe(true);
    }
    expect(bridge().statistics().counters).toMatchObject({ batches: 1, batchedCalls: 4 });
  });

  it('that are too large together are sent one by one', async () => {
    await start();
    const blobs = [1, 2, 3].map((n) => Buffer.alloc(5 * 1024 * 1024, n));
    const calls = blobs.map((bytes, n) => bridge().call('reverse', { bytes, n }));
    const results = (await Promise.all(calls)) as readonly { bytes: Buffer }[];
    for (const [index, { bytes }] of results.entries())
      expect(bytes.equals(blobs[index] ?? Buffer.alloc(0))).toBe(true);
    expect(bridge().statistics().counters).toMatchObject({ batches: 0, completed: 3 });
  });

  it('in a session go by themselves', async () => {
    await start();
    const calls = [0, 2].map((n) => bridge().call('square', { n }, { sessionId: 'alice' }));
    expect(await fates(calls)).toEqual([0, 4]);
    expect(await bridge().call('runs')).toEqual([1, 1]);
  });
});

describe('a batch that runs', () => {
  it('goes on without the call whose caller has enough', async () => {
    await start();
    const isWaiting = printed('waiting');
    const abort = new AbortController();
    const calls = [0, 1].map((n) =>
      bridge().call('wait', { n, seconds: 1 }, n === 0 ? { signal: abort.signal } : {}),
    );
    const tree = runtime.tree();
    await isWaiting();
    abort.abort();
    const error = await rejection(calls[0] ?? Promise.resolve());
    expect(error).toMatchObject({ code: 'aborted', outcome: 'maybeExecuted' });
    expect(await calls[1]).toBe(1);
    expect(runtime.tree()).toEqual(tree);
    expect(bridge().statistics().counters).toMatchObject({ completed: 1, cancelled: 1 });
  });

  it('is cancelled when nobody waits for it any more, and its worker lives', async () => {
    await start();
    const pid = await bridge().call('pid');
    const isWaiting = printed('waiting');
    const abort = new AbortController();
    const calls = [0, 1].map((n) =>
      bridge().call('wait', { n, seconds: 60 }, { signal: abort.signal }),
    );
    const ends = fates(calls);
    await isWaiting();
    abort.abort();
    expect(await ends).toEqual(['aborted maybeExecuted', 'aborted maybeExecuted']);
    expect(await bridge().call('pid')).toBe(pid);
  });

  it('fails each of its calls when its worker is killed', async () => {
    await start();
    const pid = (await bridge().call('pid')) as number;
    const isWaiting = printed('waiting');
    const calls = [0, 1].map((n) => bridge().call('wait', { n, seconds: 60 }));
    const ends = fates(calls);
    await isWaiting();
    process.kill(pid, 'SIGKILL');
    expect(await ends).toEqual(['worker_crashed maybeExecuted', 'worker_crashed maybeExecuted']);
    const after = [2, 4].map((n) => bridge().call('square', { n }));
    expect(await fates(after)).toEqual([4, 16]);
    const { counters, gauges } = bridge().statistics();
    expect(counters.accepted).toBe(
      counters.completed + counters.failed + counters.cancelled + gauges.queued + gauges.running,
    );
    expect(gauges).toMatchObject({ queued: 0, running: 0 });
  });

  it('whose worker is killed is tried again call by call, where running it twice is as good as once', async () => {
    await start();
    const pid = (await bridge().call('pid')) as number;
    const isWaiting = printed('waiting');
    const folder = mkdtempSync(join(tmpdir(), 'batches-'));
    try {
      const marker = join(folder, 'ran');
      const calls = [0, 1].map((n) => bridge().call('once', { n, marker }));
      await isWaiting();
      process.kill(pid, 'SIGKILL');
      expect(await fates(calls)).toEqual([0, 1]);
      expect(bridge().statistics().counters).toMatchObject({ batches: 1, retried: 2 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
