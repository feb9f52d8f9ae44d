import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { scriptedPython } from '../../support/scripted-python.ts';
import { readyWorker } from './one-worker.ts';

type Python = ReturnType<typeof scriptedPython>;

/** A worker over a model of Python's loop; `cancel` writes down what it is told of each call. */
function setUp(python: Python = scriptedPython(), more: Partial<Python> = {}) {
  const setup = readyWorker({ world: { ...python, ...more } });
  const told: string[] = [];
  const steps: string[] = [];
  setup.bus.on('call.cancelling', ({ callId, step }) => steps.push(`${callId} ${step}`));
  const cancel = (id: number): void => {
    setup.worker.cancel(id, (fact) => {
      told.push([id, fact.type, fact.type === 'over' ? fact.stage : ''].join(' ').trim());
    });
  };
  return { ...setup, told, steps, cancel, python };
}

const STAGES = [
  ['flag', 0],
  ['raise', LIMITS.cancelFlagMs],
  ['interrupt', LIMITS.cancelFlagMs + LIMITS.cancelRaiseMs],
  ['kill', LIMITS.cancelFlagMs + LIMITS.cancelRaiseMs + LIMITS.cancelInterruptMs],
] as const;

describe('a running call that is cancelled', () => {
  it.each(STAGES.slice(0, 3))(
    'ends at the stage that ends it: %s, begun after %i ms',
    (stage, atMs) => {
      const { send, cancel, settle, advance, told, outcomes, process } = setUp();
      const id = send('hang', { endedBy: stage });
      settle();
      cancel(id);
      advance(Math.max(0, atMs - 1));
      const before = stage === 'flag' ? 0 : outcomes.length;
      advance(1);
      expect([before, told]).toEqual([0, ['1 started', `1 over ${stage}`]]);
      expect(outcomes).toMatchObject([
        { type: 'replied', reply: { error: { code: 'cancelled' } } },
      ]);
      expect(process().isAlive).toBe(true);
    },
  );

  it('that nothing ends is condemned when all stages are over: its worker waits for its replacement', () => {
    const { send, cancel, settle, advance, told, outcomes, process } = setUp();
    const id = send('hang', { endedBy: 'kill' });
    settle();
    cancel(id);
    advance(STAGES[3][1] - 1);
    const before = [...told];
    advance(1);
    expect([before, told]).toEqual([['1 started'], ['1 started', '1 condemned']]);
    expect([outcomes, process().isAlive]).toEqual([[], true]);
  });

  it('that was condemned is over, by kill, with its process', () => {
    const { send, cancel, settle, advance, told, log, process } = setUp();
    const id = send('hang', { endedBy: 'kill' });
    settle();
    cancel(id);
    advance(STAGES[3][1]);
    process().exit(null, 'SIGKILL');
    settle();
    expect(told).toEqual(['1 started', '1 condemned', '1 over kill']);
    expect(log).toContain('call: crashed');
  });

  it('is told of on the bus, each stage once', () => {
    const { send, cancel, settle, advance, steps } = setUp();
    const id = send('hang', { endedBy: 'kill' });
    settle();
    cancel(id);
    cancel(id);
    advance(10_000);
    expect(steps).toEqual(['1 flag', '1 raise', '1 interrupt', '1 kill']);
  });

  it('sends what the protocol says, and nothing more once it has ended', () => {
    const { send, cancel, settle, advance, process, clock } = setUp();
    const id = send('hang', { endedBy: 'raise' });
    settle();
    const timers = clock.pending;
    cancel(id);
    advance(1_000);
    expect(process().said).toEqual(['cancel 1 flag', 'cancel 1 raise']);
    expect(clock.pending).toBe(timers);
  });

  it('that ended by itself meanwhile was answered as ever, and needed the flag at most', () => {
    const { send, cancel, settle, told, outcomes, process, python } = setUp();
    const id = send('hang', { endedBy: 'kill' });
    settle();
    cancel(id);
    python.loopOf(process()).finish(id, 'in time');
    settle();
    expect(told).toEqual(['1 started', '1 over flag']);
    expect(outcomes).toMatchObject([{ reply: { ok: true, result: 'in time' } }]);
  });

  it('that is not in flight is over at once', () => {
    const { cancel, told } = setUp();
    cancel(7);
    expect(told).toEqual(['7 over flag']);
  });

  it('at asyncio is never interrupted: its neighbours finish first', () => {
    const { send, cancel, settle, advance, steps, told } = setUp(scriptedPython(2));
    const id = send('hang', { endedBy: 'kill' });
    send('hang');
    settle();
    cancel(id);
    advance(LIMITS.cancelFlagMs + LIMITS.cancelRaiseMs + LIMITS.cancelDrainMs - 1);
    const before = [...steps];
    advance(1);
    expect(before).toEqual(['1 flag', '1 raise', '1 drain']);
    expect([steps.at(-1), told]).toEqual(['1 kill', ['1 started', '1 condemned']]);
  });

  it('in threads is only asked: nothing else reaches one thread alone', () => {
    const { send, cancel, settle, advance, steps } = setUp(scriptedPython(2, 'threads'));
    const id = send('hang', { endedBy: 'kill' });
    settle();
    cancel(id);
    advance(LIMITS.cancelFlagMs + LIMITS.cancelDrainMs);
    expect(steps).toEqual(['1 flag', '1 drain', '1 kill']);
  });
});

describe('a waiting call that is cancelled', () => {
  const waiting = (more: Partial<Python> = {}) => {
    const setup = setUp(scriptedPython(), more);
    const running = setup.send('hang');
    const id = setup.send('echo');
    setup.settle();
    return { ...setup, running, id };
  };

  it('is taken back: it never runs, and is never settled', () => {
    const { cancel, settle, id, running, told, outcomes, process, python, worker } = waiting();
    cancel(id);
    settle();
    expect([told, outcomes, process().said]).toEqual([['2 over withdrawn'], [], ['withdraw 2']]);
    python.loopOf(process()).finish(running, 'done');
    settle();
    expect([outcomes.length, worker.state]).toEqual([1, 'ready']);
  });

  it('that is taken back has an answer, which is no stray one', () => {
    const { cancel, settle, id, running, dropped, process, python } = waiting();
    cancel(id);
    settle();
    python.loopOf(process()).finish(running, 'done');
    settle();
    expect(dropped).toEqual([]);
  });

  it('that had started when its worker was asked is cancelled by stages', () => {
    const { cancel, settle, id, told, process } = waiting({
      onControl: (from, message) => {
        if (message['type'] === 'withdraw') {
          from.emit('control', { type: 'withdrawn', id: message['id'], ok: false });
        }
      },
    });
    cancel(id);
    settle();
    expect([told, process().said]).toEqual([['2 started'], ['withdraw 2', 'cancel 2 flag']]);
  });

  it('of which its worker does not say in time whether it has started keeps its caller no longer, and harms nobody', () => {
    const { cancel, advance, id, told, process } = waiting({ onControl: () => undefined });
    cancel(id);
    advance(LIMITS.withdrawMs - 1);
    const before = [...told];
    advance(60_000);
    // A handler that holds the interpreter lock keeps it from answering: whatever is done to the process would be done to that.
    expect([before, told, process().said]).toEqual([[], ['2 started'], ['withdraw 2']]);
  });

  it('of which its worker says so only then is over all the same', () => {
    const { cancel, advance, settle, id, told, process } = waiting({ onControl: () => undefined });
    cancel(id);
    advance(LIMITS.withdrawMs);
    process().emit('control', { type: 'withdrawn', id, ok: true });
    settle();
    expect(told).toEqual(['2 started', '2 over withdrawn']);
  });

  it('that was answered before its worker could say so is over, and leaves no timer', () => {
    const { cancel, settle, id, told, process, clock } = waiting({ onControl: () => undefined });
    const timers = clock.pending;
    cancel(id);
    process().reply(id, 'first');
    settle();
    expect([told, clock.pending]).toEqual([['2 over flag'], timers]);
  });

  it('that dies with its worker was not sent', () => {
    const { cancel, settle, id, told, outcomes, process } = waiting({ onControl: () => undefined });
    cancel(id);
    process().exit(null, 'SIGKILL');
    settle();
    expect(outcomes).toMatchObject([{ outcome: 'maybeExecuted' }, { outcome: 'notSent' }]);
    expect(told).toEqual(['2 over kill']);
  });

  it('at a concurrency is one beyond those that may run', () => {
    const { send, settle, cancel, process } = setUp(scriptedPython(2));
    const ids = [send('hang'), send('hang'), send('hang')];
    settle();
    for (const id of ids) cancel(id);
    settle();
    expect(process().said.slice(0, 3)).toEqual(['cancel 1 flag', 'cancel 2 flag', 'withdraw 3']);
  });
});

describe('the calls of an incarnation that has ended', () => {
  it('may have run as far as it ran them at a time', () => {
    const { send, settle, process, outcomes } = setUp(scriptedPython(2));
    for (let calls = 0; calls < 3; calls += 1) send('hang');
    settle();
    process().exit(9, null);
    settle();
    expect(outcomes.map((one) => one.type === 'crashed' && one.outcome)).toEqual([
      ...['maybeExecuted', 'maybeExecuted', 'notSent'],
    ]);
  });

  it.each([
    ['before its end is known', 'garbage first'],
    ['when its exit is known already', 'exit first'],
  ])(
    'may have run, all of them, when its wire was broken %s: what it answered then is not read',
    (_what, order) => {
      const { send, settle, process, outcomes, world } = setUp();
      for (let calls = 0; calls < 2; calls += 1) send('hang');
      settle();
      process().emitBytes('replies', Buffer.from('GET / HTTP/1.1\r\n'));
      process().reply(1, 'not heard of');
      process().exit(9, null);
      // The last channel is that of the process.
      if (order === 'exit first') world.step(world.pending - 1);
      settle();
      expect(outcomes.map((one) => one.type === 'crashed' && one.outcome)).toEqual([
        ...['maybeExecuted', 'maybeExecuted'],
      ]);
      expect(process().isKnownDead).toBe(true);
    },
  );

  it('leave no timer of their cancellation', () => {
    const { send, settle, cancel, process, clock, advance } = setUp();
    const [one, two] = [send('hang', { endedBy: 'kill' }), send('hang')];
    settle();
    cancel(one);
    cancel(two);
    process().exit(null, 'SIGKILL');
    advance(0);
    expect(clock.pending).toBe(0);
  });
});
