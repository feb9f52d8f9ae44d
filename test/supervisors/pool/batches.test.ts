import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import type { CallRequest } from '../../../supervisors/pool/call-row.ts';
import type { PoolOptions } from '../../../supervisors/pool/pool-options.ts';
import type { CallMessage, ScriptedProcess, WorldOptions } from '../../support/scripted-world.ts';
import { pooled, shown, STAGES_MS } from './calling.ts';

const BATCH = { maxSize: 4, maxWaitMs: 10 };

type Args = Readonly<Record<string, unknown>>;

/** The calls of a batch, or the one call. */
function callsIn({ args, batch }: CallMessage): readonly Args[] {
  return batch === undefined ? [args] : (args['calls'] as readonly Args[]);
}

/** What each call asks for: `fail`, `exit` (of the process), `hang`, `device` (an error of its GPU); else its `n` comes back. */
function work(process: ScriptedProcess, call: CallMessage): void {
  const calls = callsIn(call);
  if (calls.some(({ exit }) => exit === true)) {
    process.exit(9, null);
    return;
  }
  if (calls.some(({ hang }) => hang === true)) return;
  const error = (message: string) => {
    return { type: 'RuntimeError', message, traceback: 'T', code: 'python_error' };
  };
  if (call.op === 'whole') {
    process.fail(call.id, 'invalid_batch');
    return;
  }
  const outcomes = calls.map(({ n, fail, device }) => {
    if (fail === true) return { ok: false, error: error('no') };
    if (device === true)
      return { ok: false, error: error('CUDA error: an illegal memory access was encountered') };
    return { ok: true, result: n };
  });
  if (call.batch !== undefined) {
    process.reply(call.id, outcomes);
    return;
  }
  const [only] = outcomes;
  if (only?.ok === true) process.reply(call.id, only.result);
  else process.fail(call.id, 'python_error');
}

function batching(options: PoolOptions = {}, world: Partial<WorldOptions> = {}) {
  const setup = pooled(options, { onCall: work, ...world });
  const embed = (args: Args, more: Partial<CallRequest> = {}) =>
    setup.call('embed', args, { batch: BATCH, ...more });
  /** How many calls each message had, in the order in which they were written; 0 for one that is no batch. */
  const sizes = (): readonly number[] => setup.world.callsWritten.map(({ batch }) => batch ?? 0);
  const books = () => {
    const { gauges, counters } = setup.pool.statistics;
    const { accepted, completed, failed, cancelled } = counters;
    const { queued, running } = gauges;
    expect(accepted).toBe(completed + failed + cancelled + queued + running);
    return { accepted, completed, failed, cancelled, queued, running };
  };
  const { batches, batchedCalls } = { batches: 0, batchedCalls: 0 };
  expect(setup.pool.statistics.counters).toMatchObject({ batches, batchedCalls });
  return { ...setup, embed, sizes, books };
}

describe('calls that come at about the same time', () => {
  it('travel together when the first of them has waited, and each is answered', async () => {
    const setup = batching();
    const fates = [1, 2, 3].map((n) => setup.embed({ n }));
    await setup.pass(BATCH.maxWaitMs - 1);
    expect([setup.sizes(), fates.map(shown)]).toEqual([[], ['pending', 'pending', 'pending']]);
    expect(setup.books()).toMatchObject({ queued: 3, running: 0 });
    await setup.pass(1);
    expect([setup.sizes(), fates.map(shown)]).toEqual([[3], [1, 2, 3]]);
    expect(setup.books()).toMatchObject({ completed: 3, queued: 0, running: 0 });
    expect(setup.pool.statistics.counters).toMatchObject({ batches: 1, batchedCalls: 3 });
    expect(setup.pool.statistics).toMatchObject({ waitMs: { count: 3 }, runMs: { count: 3 } });
  });

  it('travel at once when they are as many as go together', async () => {
    const setup = batching();
    const fates = [1, 2, 3, 4, 5].map((n) => setup.embed({ n }));
    await setup.done();
    expect([setup.sizes(), fates.map(shown)]).toEqual([[4], [1, 2, 3, 4, 'pending']]);
    await setup.pass(BATCH.maxWaitMs);
    expect([setup.sizes(), fates.map(shown)]).toEqual([
      [4, 0],
      [1, 2, 3, 4, 5],
    ]);
  });

  it('are held back by the wait of each, not by that of the last', async () => {
    const setup = batching();
    setup.embed({ n: 1 });
    await setup.pass(6);
    const late = setup.embed({ n: 2 });
    await setup.pass(4);
    expect([setup.sizes(), shown(late)]).toEqual([[2], 2]);
    setup.embed({ n: 3 });
    await setup.pass(9);
    expect(setup.sizes()).toEqual([2]);
    await setup.pass(1);
    expect(setup.sizes()).toEqual([2, 0]);
  });

  it('join those that wait for a worker, and nobody is held back then', async () => {
    const setup = batching();
    setup.call('embed', { hang: true }, { timeoutMs: 100, batch: { maxSize: 1, maxWaitMs: 0 } });
    await setup.done();
    const fates = [1, 2].map((n) => setup.embed({ n }));
    await setup.pass(BATCH.maxWaitMs);
    fates.push(setup.embed({ n: 3 }));
    await setup.done();
    expect(setup.sizes()).toEqual([0]);
    setup.world.processes[0]?.fail(setup.world.callsWritten[0]!.id, 'python_error');
    await setup.done();
    // The third had not waited its time; it goes with them all the same.
    expect([setup.sizes(), fates.map(shown)]).toEqual([
      [0, 3],
      [1, 2, 3],
    ]);
  });

  it('with a wait of none are sent at once while a worker is idle, and together when none is', async () => {
    const setup = batching();
    const batch = { maxSize: 3, maxWaitMs: 0 };
    const fates = [0, 1, 2, 3, 4].map((n) => setup.embed({ n, hang: n === 0 }, { batch }));
    await setup.done();
    expect(setup.sizes()).toEqual([0]);
    setup.world.processes[0]?.reply(setup.world.callsWritten[0]!.id, 0);
    await setup.done();
    expect([setup.sizes(), fates.map(shown)]).toEqual([
      [0, 3, 0],
      [0, 1, 2, 3, 4],
    ]);
  });

  it('go to different workers as different batches', async () => {
    const setup = batching({ size: 2 });
    for (let n = 0; n < 8; n += 1) setup.embed({ n, hang: true });
    await setup.done();
    expect(setup.world.processes.map(({ calls }) => calls.map(({ batch }) => batch))).toEqual([
      [4],
      [4],
    ]);
  });

  it.each<readonly [what: string, more: Partial<CallRequest>]>([
    ['in a session', { sessionId: 'alice' }],
    ['whose progress is heard', { onProgress: () => undefined }],
    ['that may call back', { onCallback: () => undefined }],
    ['of an operation without batches', { batch: undefined }],
    ['that change state', { change: { change: 'configure', key: 'k' } }],
    ['that find a worker now or not at all', { checkoutTimeoutMs: 0 }],
  ])('go by themselves, at once: %s', async (_what, more) => {
    const setup = batching({ size: 2 });
    const fates = [1, 2].map((n) => setup.embed({ n }, more));
    await setup.done();
    expect([setup.sizes(), fates.map(shown)]).toEqual([
      [0, 0],
      [1, 2],
    ]);
  });

  it('go by themselves, at once, where the worker speaks a version without batches', async () => {
    const setup = batching({}, { protocol: '2.1' });
    const fates = [1, 2, 3].map((n) => setup.embed({ n }));
    await setup.done();
    expect([setup.sizes(), fates.map(shown)]).toEqual([
      [0, 0, 0],
      [1, 2, 3],
    ]);
    expect(setup.pool.statistics.counters).toMatchObject({ batches: 0, batchedCalls: 0 });
  });

  it('of different operations do not travel together', async () => {
    const setup = batching({ size: 2 });
    const fates = ['embed', 'rank'].flatMap((op) =>
      [1, 2].map((n) => setup.call(op, { n }, { batch: BATCH })),
    );
    await setup.pass(BATCH.maxWaitMs);
    expect([setup.sizes(), fates.map(shown)]).toEqual([
      [2, 2],
      [1, 2, 1, 2],
    ]);
  });

  it('count one by one for the limit of those that wait', async () => {
    const setup = batching({ queueLengthMax: 2 });
    const fates = [1, 2, 3].map((n) => setup.embed({ n }));
    await setup.done();
    expect(fates.map(shown)).toEqual(['pending', 'pending', 'overloaded notSent']);
    await setup.pass(BATCH.maxWaitMs);
    expect(fates.map(shown)).toEqual([1, 2, 'overloaded notSent']);
    expect(setup.books()).toMatchObject({ accepted: 2, completed: 2 });
  });

  it('are no more in one message than its segments allow', async () => {
    const setup = batching();
    // Two of them have more than a frame may list.
    const empty = Buffer.alloc(0);
    const segments = Array.from({ length: LIMITS.segmentsMax / 2 + 1 }, () => empty);
    const fates = [1, 2].map((n) => setup.embed({ n, segments }));
    await setup.pass(BATCH.maxWaitMs);
    expect([setup.sizes(), fates.map(shown)]).toEqual([
      [0, 0],
      [1, 2],
    ]);
  });

  it('are held back for half of the time that they have, and not longer', async () => {
    const setup = batching();
    const fate = setup.embed({ n: 1 }, { batch: { maxSize: 4, maxWaitMs: 5_000 }, timeoutMs: 100 });
    await setup.pass(49);
    expect(shown(fate)).toBe('pending');
    await setup.pass(1);
    expect(shown(fate)).toBe(1);
  });
});

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
