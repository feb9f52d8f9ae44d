import { describe, expect, it } from 'vitest';
import { fromCallback, fromPromise, setup } from 'xstate';
import { exit } from '../../../actors/lifecycle/exit.ts';
import type { StartContext, Started } from '../../../actors/lifecycle/start-function.ts';
import { hold, later } from './held-child.ts';

const idle = fromCallback(() => undefined);
const fail = (error: unknown) => () => {
  throw error;
};

describe('a child of XState logic', () => {
  it('is ready as soon as it runs', () => {
    const { log, child } = hold(idle);
    expect([log, child.state, child.epoch]).toEqual([['ready 1'], 'ready', 1]);
  });

  it('is given the input of its specification', () => {
    const given: unknown[] = [];
    hold(
      fromCallback(({ input }) => {
        given.push(input);
      }),
      { input: { some: 'thing' } },
    );
    expect(given).toEqual([{ some: 'thing' }]);
  });

  it('is told on the bus as starting, then as ready', () => {
    const { told } = hold(idle);
    expect(told).toEqual([
      ['child.starting', { path: 'sup/a', epoch: 1 }],
      ['child.ready', { path: 'sup/a', epoch: 1, pid: undefined, info: undefined }],
    ]);
  });

  it('that throws in its first breath has not started', () => {
    const { log, child } = hold(fromCallback(fail(new Error('no'))));
    expect([log, child.state]).toEqual([['crashed 1: Error: no'], 'crashed']);
  });

  it('that ends in its first breath has started, and ended then', () => {
    const done = setup({}).createMachine({
      ...{ initial: 'done', states: { done: { type: 'final' } } },
      output: exit({ type: 'shutdown', detail: 'nothing to do' }),
    });
    expect(hold(done).log).toEqual(['ready 1', 'crashed 1: shutdown (nothing to do)']);
  });

  it('with the tag `starting` is ready when it has left it', () => {
    const machine = setup({}).createMachine({
      initial: 'opening',
      states: { opening: { tags: 'starting', on: { opened: 'up' } }, up: {} },
    });
    const { log, child } = hold(machine);
    const before = [...log, child.state];
    child.ref.send({ type: 'opened' });
    expect([before, log, child.state]).toEqual([['spawning'], ['ready 1'], 'ready']);
  });

  it('that ends with the tag `starting` has not started', () => {
    const machine = setup({}).createMachine({
      initial: 'opening',
      states: { opening: { tags: 'starting', on: { give: 'up' } }, up: { type: 'final' } },
    });
    const { log, child } = hold(machine);
    child.ref.send({ type: 'give' });
    expect(log).toEqual(['crashed 1: normal']);
  });

  it('of a promise is ready at once, and ends with what its output says', async () => {
    const { promise, resolve } = later<unknown>();
    const { log, settle } = hold(fromPromise(() => promise));
    const before = [...log];
    resolve(exit('shutdown'));
    await settle();
    expect([before, log]).toEqual([['ready 1'], ['ready 1', 'crashed 1: shutdown']]);
  });
});

describe('a start function', () => {
  it('is given the input, and who is started', () => {
    const given: unknown[] = [];
    const { child } = hold(
      (input: never, { epoch, self, signal }: StartContext) => {
        given.push(input, epoch, self.path, signal.aborted);
        return { logic: idle };
      },
      { input: 7 },
    );
    expect([given, child.ref.epoch]).toEqual([[7, 1, 'sup/a', false], 1]);
  });

  it('gives the logic, its input, and what the caller is told besides', () => {
    const given: unknown[] = [];
    const logic = fromCallback(({ input }) => {
      given.push(input);
    });
    const { facts } = hold(() => ({ logic, input: 'inner', info: { port: 80 } }), {
      input: 'outer',
    });
    expect([given, facts]).toMatchObject([['inner'], [{ info: { port: 80 } }]]);
  });

  it('that takes its time is awaited', async () => {
    const { promise, resolve } = later<Started>();
    const { log, settle, child } = hold(() => promise);
    await settle();
    const before = [...log, child.state];
    resolve({ logic: idle, info: 1 });
    await settle();
    expect([before, log]).toEqual([['spawning'], ['ready 1']]);
  });

  it.each([
    ['at once', () => 'ignore' as const],
    ['later', () => Promise.resolve('ignore' as const)],
  ])('may say that there is nothing to run: %s', async (_when, start) => {
    const { log, settle, child } = hold(start);
    await settle();
    expect([log, child.state, child.ref.exitReason]).toEqual([
      ...[['ignored 1'], 'stopped', { type: 'normal' }],
    ]);
  });

  it.each([
    ['throws', fail(new Error('no')), 'Error: no'],
    ['throws what is no error', fail('no'), 'Error: no'],
    ['rejects', () => Promise.reject(new Error('no')), 'Error: no'],
    [
      'gives no logic',
      () => ({}) as Started,
      "TypeError: start of sup/a: gave neither { logic } nor 'ignore'",
    ],
  ])('that %s has failed', async (_what, start, reason) => {
    const { log, settle } = hold(start);
    await settle();
    expect(log).toEqual([`crashed 1: ${reason}`]);
  });

  it('that takes too long has failed, is told so by its signal, and is not heard any more', async () => {
    const { promise, resolve } = later<Started>();
    let signal: AbortSignal | undefined;
    const held = hold(
      (_input: never, context: StartContext) => {
        signal = context.signal;
        return promise;
      },
      { startTimeoutMs: 100 },
    );
    await held.advance(99);
    const before = [...held.log, signal?.aborted];
    await held.advance(1);
    resolve({ logic: idle });
    await held.settle();
    expect([before, held.log]).toEqual([[false], ['crashed 1: timeout of start']]);
    expect([signal?.aborted, held.child.ref.exitReason]).toEqual([
      true,
      { type: 'timeout', what: 'start' },
    ]);
  });

  it('that comes too late has what it opened closed, once', async () => {
    const { promise, resolve } = later<Started>();
    let closed = 0;
    const held = hold(() => promise, { startTimeoutMs: 100 });
    await held.advance(100);
    resolve({ logic: idle, cleanUp: () => (closed += 1) });
    await held.settle();
    expect([closed, held.log.length]).toEqual([1, 1]);
  });

  it('takes no events while it is pending: they are dead letters', async () => {
    const { promise, resolve } = later<Started>();
    const { child, dead, settle } = hold(() => promise);
    child.ref.send({ type: 'early' });
    resolve({ logic: idle });
    await settle();
    child.ref.send({ type: 'in time' });
    expect(dead).toEqual([{ path: 'sup/a', epoch: 1, event: 'early' }]);
  });
});

describe('input that is not kept', () => {
  it('is let go of by a child that is never started again', () => {
    const { log, child } = hold(fromCallback(fail(new Error('no'))), { keepsInput: false });
    child.restart(2, 0);
    expect(log.at(-1)).toMatch(/^stopped 2: Error: sup\/a: started again after its input/u);
  });
});
