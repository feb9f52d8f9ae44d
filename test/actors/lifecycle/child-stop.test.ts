import { describe, expect, it } from 'vitest';
import { fromCallback, setup } from 'xstate';
import { exit } from '../../../actors/lifecycle/exit.ts';
import type { StartContext, Started } from '../../../actors/lifecycle/start-function.ts';
import { hold, later } from './held-child.ts';

const idle = fromCallback(() => undefined);

/** Traps exits: told to shut down, it ends after so many ms with `reason`. */
const trapping = (ms: number, reason: Parameters<typeof exit>[0] = 'shutdown') =>
  setup({}).createMachine({
    initial: 'up',
    states: {
      up: { on: { 'caduceus.shutdown': 'ending', deaf: 'deaf', careful: 'careful' } },
      ending: { after: { [ms]: 'ended' } },
      deaf: {},
      careful: { on: { 'caduceus.shutdown': { guard: () => false, target: 'ending' } } },
      ended: { type: 'final' },
    },
    output: exit(reason),
  });

describe('a child that does not trap exits', () => {
  it('ends at once with shutdown, however long it may take', () => {
    const { log, child, stop } = hold(idle);
    stop(5_000);
    expect([log, child.state, child.ref.exitReason]).toEqual([
      ...[['ready 1', 'stopped 1: shutdown'], 'stopped', { type: 'shutdown' }],
    ]);
  });

  it.each([0, 'infinity'] as const)('does so with shutdown %s too', (shutdown) => {
    const { log, stop } = hold(idle);
    stop(shutdown);
    expect(log).toEqual(['ready 1', 'stopped 1: shutdown']);
  });

  it('is killed by brutal_kill', () => {
    const { log, child, stop } = hold(idle);
    stop('brutal_kill');
    expect([log, child.ref.exitReason]).toEqual([
      ['ready 1', 'stopped 1: killed'],
      { type: 'killed' },
    ]);
  });
});

describe('a child that traps exits', () => {
  it('ends by itself within its time, with its own reason', async () => {
    const { log, advance, stop, child } = hold(trapping(50, { type: 'shutdown', detail: 'done' }));
    stop(100);
    const before = [...log, child.state];
    await advance(50);
    expect([before, log]).toEqual([
      ['ready 1', 'stopping'],
      ['ready 1', 'stopped 1: shutdown (done)'],
    ]);
  });

  it('is killed when its time is over, and what it still does is of no effect', async () => {
    const { log, advance, stop, clock, child } = hold(trapping(101));
    stop(100);
    await advance(100);
    const before = [...log];
    await advance(1_000);
    expect([before, log]).toEqual([
      ['ready 1', 'stopped 1: killed'],
      ['ready 1', 'stopped 1: killed'],
    ]);
    expect([child.ref.exitReason, clock.pending]).toEqual([{ type: 'killed' }, 0]);
  });

  it('is killed after no time with shutdown 0', async () => {
    const { log, advance, stop } = hold(trapping(1));
    stop(0);
    await advance(0);
    expect(log).toEqual(['ready 1', 'stopped 1: killed']);
  });

  it('is waited for without an end with infinity', async () => {
    const { log, advance, stop } = hold(trapping(1_000_000));
    stop('infinity');
    await advance(999_999);
    const before = [...log];
    await advance(1);
    expect([before, log]).toEqual([['ready 1'], ['ready 1', 'stopped 1: shutdown']]);
  });

  it('is not asked by brutal_kill', () => {
    const { log, stop } = hold(trapping(1));
    stop('brutal_kill');
    expect(log).toEqual(['ready 1', 'stopped 1: killed']);
  });

  it('is killed by a brutal_kill that comes after the question; any other second order changes nothing', async () => {
    const { log, advance, stop } = hold(trapping(100));
    stop(1_000);
    stop(1);
    stop('infinity');
    await advance(50);
    const before = [...log];
    stop('brutal_kill');
    expect([before, log]).toEqual([['ready 1'], ['ready 1', 'stopped 1: killed']]);
  });

  it.each(['deaf', 'careful'])('but not in its present state ends at once: %s', (type) => {
    const { log, child, stop } = hold(trapping(50));
    child.ref.send({ type });
    stop(100);
    expect(log).toEqual(['ready 1', 'stopped 1: shutdown']);
  });

  it('and throws on the way ends with its error', () => {
    const machine = setup({}).createMachine({
      on: {
        'caduceus.shutdown': {
          actions: () => {
            throw new Error('on the way');
          },
        },
      },
    });
    const { log, stop } = hold(machine);
    stop(100);
    expect(log).toEqual(['ready 1', 'stopped 1: Error: on the way']);
  });

  it('and whose guard throws at the question is stopped like one that takes none', () => {
    const machine = setup({}).createMachine({
      on: {
        'caduceus.shutdown': {
          guard: () => {
            throw new Error('who knows');
          },
        },
      },
    });
    const { log, stop } = hold(machine);
    stop(100);
    expect(log).toEqual(['ready 1', 'stopped 1: shutdown']);
  });
});

describe('a child that is stopped while it starts', () => {
  const starting = () => {
    const start = later<Started | 'ignore'>();
    let signal: AbortSignal | undefined;
    const held = hold((_input: never, context: StartContext) => {
      signal = context.signal;
      return start.promise;
    });
    return { ...held, ...start, isAborted: () => signal?.aborted };
  };

  it('is told so by its signal', () => {
    const { stop, isAborted } = starting();
    const before = isAborted();
    stop();
    expect([before, isAborted()]).toEqual([false, true]);
  });

  it('ends when its start gives up', async () => {
    const { stop, reject, settle, log } = starting();
    stop();
    await settle();
    const before = [...log];
    reject(new Error('aborted'));
    await settle();
    expect([before, log]).toEqual([[], ['stopped 1: shutdown']]);
  });

  it('has what it opened closed when its start comes after all, and awaited', async () => {
    const { stop, resolve, settle, log } = starting();
    const closed = later();
    stop();
    resolve({ logic: idle, cleanUp: () => closed.promise });
    await settle();
    const before = [...log];
    closed.resolve();
    await settle();
    expect([before, log]).toEqual([[], ['stopped 1: shutdown']]);
  });

  it('never runs', async () => {
    let ran = 0;
    const { stop, resolve, settle } = starting();
    stop();
    resolve({ logic: fromCallback(() => void (ran += 1)) });
    await settle();
    expect(ran).toBe(0);
  });

  it('ends when its start says that there is nothing to run', async () => {
    const { stop, resolve, settle, log } = starting();
    stop();
    resolve('ignore');
    await settle();
    expect(log).toEqual(['stopped 1: shutdown']);
  });

  it('is killed when its start gives no answer in time', async () => {
    const { stop, advance, log } = starting();
    stop(100);
    await advance(100);
    expect(log).toEqual(['stopped 1: killed']);
  });

  it('has what it opened closed even then', async () => {
    const { stop, advance, resolve, settle, log } = starting();
    let closed = 0;
    stop(100);
    await advance(100);
    resolve({ logic: idle, cleanUp: () => (closed += 1) });
    await settle();
    expect([closed, log]).toEqual([1, ['stopped 1: killed']]);
  });
});

describe('a child that has stopped', () => {
  it('does nothing more, whatever it is told', async () => {
    const { log, stop, child, settle, dead } = hold(idle);
    stop();
    log.length = 0;
    child.restart(2, 0);
    stop();
    stop('brutal_kill');
    child.ref.send({ type: 'hello' });
    await settle();
    expect([log, child.state, dead.length]).toEqual([[], 'stopped', 1]);
  });

  it('is told on the bus, with its reason', () => {
    const { bus, stop } = hold(idle);
    const told: unknown[] = [];
    bus.on('child.stopped', (event) => told.push(event));
    stop();
    expect(told).toEqual([{ path: 'sup/a', epoch: 1, reason: { type: 'shutdown' } }]);
  });
});
