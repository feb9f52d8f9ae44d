import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { BATCH, batching, work } from './batching.ts';
import { shown, STAGES_MS } from './calling.ts';

describe('one call of a batch', () => {
  it('has its own error', async () => {
    const setup = batching();
    const fates = [{ n: 1 }, { fail: true }, { n: 3 }].map((args) => setup.embed(args));
    await setup.pass(BATCH.maxWaitMs);
    expect(fates.map(shown)).toEqual([1, 'python_error maybeExecuted', 3]);
    expect(setup.books()).toMatchObject({ completed: 2, failed: 1 });
  });

  it('that breaks its worker for all that come after has it replaced, and the others have their answers', async () => {
    const setup = batching();
    const fates = [{ n: 1 }, { device: true }].map((args) => setup.embed(args));
    await setup.pass(BATCH.maxWaitMs);
    expect(fates.map(shown)).toEqual([1, 'python_error maybeExecuted']);
    await setup.pass(1_000);
    expect(setup.world.processes).toHaveLength(2);
  });

  it('fails with all others when the worker refuses the batch, each with an error object of its own', async () => {
    const setup = batching();
    const fates = [1, 2].map((n) => setup.call('whole', { n }, { batch: BATCH }));
    await setup.pass(BATCH.maxWaitMs);
    expect(fates.map(shown)).toEqual(
      Array.from({ length: 2 }, () => 'invalid_batch maybeExecuted'),
    );
    expect(fates[0]?.error).not.toBe(fates[1]?.error);
  });

  it('that is tried again goes alone', async () => {
    const setup = batching({ size: 2 });
    const more = { isIdempotent: true, maxRetries: 1 };
    const fates = [1, 2].map((n) => setup.embed({ n, hang: true }, more));
    await setup.pass(BATCH.maxWaitMs);
    expect(setup.sizes()).toEqual([2]);
    setup.world.processes.find(({ calls }) => calls.length > 0)?.exit(9, null);
    await setup.pass(1_000);
    expect([setup.sizes(), fates.map(shown)]).toEqual([
      [2, 0, 0],
      ['pending', 'pending'],
    ]);
    expect(setup.books()).toMatchObject({ running: 2 });
    expect(setup.pool.statistics.counters).toMatchObject({ retried: 2, batches: 1 });
  });

  it('is retried or not by its own right when the worker dies', async () => {
    const setup = batching({ size: 2 });
    const fates = [
      setup.embed({ n: 1, hang: true }),
      setup.embed({ n: 2 }, { isIdempotent: true, maxRetries: 1 }),
    ];
    await setup.pass(BATCH.maxWaitMs);
    setup.world.processes.find(({ calls }) => calls.length > 0)?.exit(9, null);
    await setup.pass(1_000);
    expect(fates.map(shown)).toEqual(['worker_crashed maybeExecuted', 2]);
    expect(setup.books()).toMatchObject({ completed: 1, failed: 1 });
  });

  it('of which workers die is kept apart from others, so that they are not blamed with it', async () => {
    const setup = batching({ quarantine: { crashes: 2, forMs: 60_000 }, breaker: false });
    const first = [{ n: 1 }, { n: 2, exit: true }].map((args) => setup.embed(args));
    await setup.pass(BATCH.maxWaitMs);
    expect(first.map(shown)).toEqual(
      Array.from({ length: 2 }, () => 'worker_crashed maybeExecuted'),
    );
    await setup.pass(1_000);
    const second = [{ n: 1 }, { n: 2, exit: true }, { n: 3 }].map((args) => setup.embed(args));
    await setup.pass(1_000);
    expect(setup.sizes()).toEqual([2, 0, 0, 0]);
    expect(second.map(shown)).toEqual([1, 'worker_crashed maybeExecuted', 3]);
    const third = [{ n: 1 }, { n: 2, exit: true }].map((args) => setup.embed(args));
    await setup.pass(1_000);
    expect(third.map(shown)).toEqual([1, 'poisoned notSent']);
  });
});

describe('the caller of one call of a batch', () => {
  it('that has enough while it is held back was not sent', async () => {
    const setup = batching();
    const abort = new AbortController();
    const fates = [setup.embed({ n: 1 }), setup.embed({ n: 2 }, { signal: abort.signal })];
    await setup.done();
    abort.abort();
    await setup.done();
    expect(fates.map(shown)).toEqual(['pending', 'aborted notSent']);
    await setup.pass(BATCH.maxWaitMs);
    expect([setup.sizes(), fates.map(shown)]).toEqual([[0], [1, 'aborted notSent']]);
    expect(setup.books()).toMatchObject({ completed: 1, cancelled: 1 });
  });

  it('that has enough while it runs is told at once, and the others go on', async () => {
    const setup = batching();
    const abort = new AbortController();
    const fates = [
      setup.embed({ n: 1, hang: true }),
      setup.embed({ n: 2 }, { signal: abort.signal }),
    ];
    await setup.pass(BATCH.maxWaitMs);
    abort.abort();
    await setup.done();
    expect(fates.map(shown)).toEqual(['pending', 'aborted maybeExecuted']);
    expect(setup.world.processes[0]?.said).toEqual([]);
    expect(setup.books()).toMatchObject({ running: 1, cancelled: 1 });
    const outcomes = [1, 2].map((result) => ({ ok: true, result }));
    setup.world.processes[0]?.reply(1, outcomes);
    await setup.done();
    expect(fates.map(shown)).toEqual([1, 'aborted maybeExecuted']);
    expect(fates[1]?.error).toMatchObject({ cancellation: { stage: 'flag' } });
  });

  it('hears how the batch was ended when nobody waits for it any more', async () => {
    const setup = batching();
    const aborts = [new AbortController(), new AbortController()];
    const fates = aborts.map(({ signal }, n) => setup.embed({ n, hang: true }, { signal }));
    await setup.pass(BATCH.maxWaitMs);
    aborts[0]?.abort();
    await setup.done();
    expect(setup.world.processes[0]?.said).toEqual([]);
    aborts[1]?.abort();
    await setup.done();
    expect(fates.map(shown)).toEqual(['aborted maybeExecuted', 'aborted maybeExecuted']);
    expect(setup.world.processes[0]?.said).toEqual(['cancel 1 flag']);
    await setup.pass(LIMITS.cancelFlagMs);
    setup.world.processes[0]?.fail(1, 'cancelled');
    await setup.done();
    for (const { error } of fates)
      expect(error).toMatchObject({ cancellation: { stage: 'raise' } });
    expect(setup.books()).toMatchObject({ cancelled: 2, running: 0 });
  });

  it('loses its worker only when nobody waits for the batch and nothing else ends it', async () => {
    const setup = batching();
    const fates = [100, 200].map((timeoutMs, n) => setup.embed({ n, hang: true }, { timeoutMs }));
    await setup.pass(100);
    expect(fates.map(shown)).toEqual(['deadline_exceeded maybeExecuted', 'pending']);
    expect(setup.world.processes[0]?.said).toEqual([]);
    await setup.pass(100);
    expect(fates.map(shown)).toEqual(
      Array.from({ length: 2 }, () => 'deadline_exceeded maybeExecuted'),
    );
    await setup.pass(STAGES_MS + LIMITS.cancelDrainMs);
    expect(setup.world.processes).toHaveLength(2);
    for (const { error } of fates) expect(error).toMatchObject({ cancellation: { stage: 'kill' } });
    expect(setup.books()).toMatchObject({ failed: 2, running: 0 });
  });

  it('that has the later deadline lends it to the whole batch', async () => {
    const setup = batching();
    setup.embed({ n: 1 }, { timeoutMs: 1_000 });
    setup.embed({ n: 2 }, { timeoutMs: 9_000 });
    await setup.pass(BATCH.maxWaitMs);
    expect(setup.world.callsWritten[0]).toMatchObject({ batch: 2, deadlineMs: 8_990 });
  });

  it('that gets no worker in its time is told so, and the others wait on', async () => {
    const setup = batching();
    setup.call('hang', {});
    setup.call('embed', { hang: true }, { batch: { maxSize: 1, maxWaitMs: 0 } });
    await setup.done();
    const fates = [100, 5_000].map((checkoutTimeoutMs, n) =>
      setup.embed({ n }, { checkoutTimeoutMs }),
    );
    await setup.pass(100);
    expect(fates.map(shown)).toEqual(['checkout_timeout notSent', 'pending']);
  });
});

describe('a batch', () => {
  it('waits for what its worker must be told first, and one that is left by then is not sent', async () => {
    const setup = batching(
      { size: 1 },
      {
        onCall: (process, call) => {
          if (call.op !== 'configure' || process.pid === 1) work(process, call);
        },
      },
    );
    setup.call('configure', {}, { change: { change: 'configure', key: 'k' } });
    await setup.done();
    setup.world.processes[0]?.exit(9, null);
    await setup.pass(1_000);
    const abort = new AbortController();
    const fates = [1, 2, 3].map((n) => setup.embed({ n }, n === 2 ? { signal: abort.signal } : {}));
    await setup.pass(BATCH.maxWaitMs);
    abort.abort();
    await setup.done();
    expect(fates.map(shown)).toEqual(['pending', 'aborted notSent', 'pending']);
    const [, replay] = setup.world.callsWritten;
    setup.world.processes[1]?.reply(replay!.id, null);
    await setup.done();
    expect([setup.sizes(), fates.map(shown)]).toEqual([
      [0, 0, 2],
      [1, 'aborted notSent', 3],
    ]);
    expect(setup.books()).toMatchObject({ completed: 3, cancelled: 1 });
  });

  it('that waits for its turn at the worker can be taken back', async () => {
    const setup = batching({ prefetch: 1 });
    setup.call('embed', { hang: true }, { batch: { maxSize: 1, maxWaitMs: 0 } });
    const aborts = [new AbortController(), new AbortController()];
    const fates = aborts.map(({ signal }, n) => setup.embed({ n, hang: true }, { signal }));
    await setup.pass(BATCH.maxWaitMs);
    expect(setup.sizes()).toEqual([0, 2]);
    for (const abort of aborts) abort.abort();
    await setup.done();
    expect(setup.world.processes[0]?.said).toEqual(['withdraw 2']);
    setup.world.processes[0]?.emit('control', { type: 'withdrawn', id: 2, ok: true });
    await setup.done();
    // The first was told before it was known.
    expect(fates.map(shown)).toEqual(['aborted maybeExecuted', 'aborted notSent']);
    for (const { error } of fates)
      expect(error).toMatchObject({ cancellation: { stage: 'withdrawn' } });
    expect(setup.books()).toMatchObject({ cancelled: 2, running: 1 });
  });

  it('ends the wire when it is answered with another number of outcomes', async () => {
    const setup = batching(
      {},
      {
        onCall: (process, { id }) => process.reply(id, [{ ok: true, result: 1 }]),
      },
    );
    const fates = [1, 2].map((n) => setup.embed({ n }));
    await setup.pass(BATCH.maxWaitMs);
    await setup.pass(1_000);
    expect(fates.map(shown)).toEqual(
      Array.from({ length: 2 }, () => 'worker_crashed maybeExecuted'),
    );
  });

  it('whose arguments cannot be put together any more is sent call by call', async () => {
    const setup = batching({ size: 3 });
    const inner: Record<string, unknown> = {};
    const fates = [
      setup.embed({ n: 1, bytes: Buffer.from('a') }),
      setup.embed({ n: 2, bytes: Buffer.from('b'), inner }),
      setup.embed({ n: 3 }),
    ];
    inner['self'] = inner;
    await setup.pass(BATCH.maxWaitMs);
    expect(fates.map(shown)).toEqual([1, 'unencodable notSent', 3]);
    expect(setup.books()).toMatchObject({ completed: 2, failed: 1, queued: 0, running: 0 });
    expect(setup.pool.statistics.counters).toMatchObject({ batches: 0 });
  });

  it('that cannot be put together, in a pool that ends meanwhile, fails with that: nobody would send it call by call', async () => {
    const setup = batching(
      { size: 1 },
      {
        onCall: (process, call) => {
          if (call.op !== 'configure' || process.pid === 1) work(process, call);
        },
      },
    );
    setup.call('configure', {}, { change: { change: 'configure', key: 'k' } });
    await setup.done();
    setup.call('echo', { exit: true });
    await setup.done();
    const inner: Record<string, unknown> = {};
    const fates = [
      setup.embed({ n: 1, bytes: Buffer.from('a') }),
      setup.embed({ n: 2, bytes: Buffer.from('b'), inner }),
    ];
    inner['self'] = inner;
    await setup.pass(BATCH.maxWaitMs);
    setup.pool.close();
    const replay = setup.world.callsWritten.findLast(({ op }) => op === 'configure');
    setup.world.processes[1]?.reply(replay!.id, null);
    await setup.done();
    expect(fates.map(shown)).toEqual(['runtime_stopped notSent', 'runtime_stopped notSent']);
    expect(setup.books()).toMatchObject({ queued: 0, running: 0 });
  });

  it('is not sent by a pool that is stopped while it is held back', async () => {
    const setup = batching();
    const fates = [1, 2].map((n) => setup.embed({ n }));
    setup.stop();
    await setup.done();
    expect([setup.sizes(), fates.map(shown)]).toEqual([
      [],
      ['runtime_stopped notSent', 'runtime_stopped notSent'],
    ]);
    expect(setup.books()).toMatchObject({ failed: 2, queued: 0 });
  });
});
