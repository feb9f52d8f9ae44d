import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import type { CallRequest } from '../../../supervisors/pool/call-row.ts';
import { BATCH, batching } from './batching.ts';
import { shown } from './calling.ts';

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
