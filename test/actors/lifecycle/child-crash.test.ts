import { describe, expect, it } from 'vitest';
import { fromCallback, fromPromise, setup, spawnChild, type AnyActorLogic } from 'xstate';
import type { Started } from '../../../actors/lifecycle/start-function.ts';
import { hold, later } from './held-child.ts';

const crash = () => {
  throw new Error('boom');
};
/** Crashes when it is told to. */
const brittle = (): AnyActorLogic => fromCallback(({ receive }) => receive(crash));
const CRASHED = 'crashed 1: Error: boom';

describe('a crash', () => {
  it('is told at once, with its reason, and waits for a verdict', () => {
    const { log, child } = hold(brittle());
    child.ref.send({ type: 'die' });
    expect([log, child.state]).toEqual([['ready 1', CRASHED], 'crashed']);
    expect(child.ref.exitReason).toMatchObject({ type: 'error', error: { message: 'boom' } });
  });

  it('is told on the bus too', () => {
    const { told, child } = hold(brittle());
    child.ref.send({ type: 'die' });
    expect(told.at(-1)).toMatchObject([
      'child.crashed',
      { path: 'sup/a', epoch: 1, reason: { type: 'error' }, stderrTail: '', inFlightCalls: 0 },
    ]);
  });

  it('of a promise that rejects is one', async () => {
    const { log, settle } = hold(fromPromise(() => Promise.reject(new Error('boom'))));
    await settle();
    expect(log).toEqual(['ready 1', CRASHED]);
  });

  it('of an async callback that rejects is one', async () => {
    const { promise, reject } = later();
    const { log, settle } = hold(fromCallback((() => promise) as never));
    reject(new Error('boom'));
    await settle();
    expect(log).toEqual(['ready 1', CRASHED]);
  });

  it('of a machine is any throw of its actions, guards and assigns', () => {
    const machine = setup({}).createMachine({
      on: { act: { actions: crash }, ask: { guard: crash, actions: () => undefined } },
    });
    for (const type of ['act', 'ask']) {
      const { log, child } = hold(machine);
      child.ref.send({ type });
      expect(log).toMatchObject(['ready 1', expect.stringContaining('boom')]);
    }
  });

  it('that comes twice is one: what the dead are sent are dead letters', () => {
    const { log, child, dead } = hold(brittle());
    for (let time = 0; time < 3; time += 1) child.ref.send({ type: 'die' });
    expect([log.length, dead]).toEqual([
      2,
      [
        { path: 'sup/a', epoch: 1, event: 'die' },
        { path: 'sup/a', epoch: 1, event: 'die' },
      ],
    ]);
  });
});

describe('what a crashed actor had running', () => {
  /** A machine with a callback, and one with a callback inside of an invoked machine; its own action throws. */
  const family = (cleaned: string[]) => {
    const callback = (name: string) => fromCallback(() => () => void cleaned.push(name));
    const inner = setup({ actors: { leaf: callback('inner') } }).createMachine({
      invoke: { src: 'leaf' },
    });
    return setup({ actors: { leaf: callback('invoked'), inner } }).createMachine({
      invoke: [{ src: 'leaf' }, { src: 'inner' }],
      entry: spawnChild(callback('spawned')),
      on: { die: { actions: crash } },
    });
  };

  it('is stopped: XState alone would leave its children running', () => {
    const cleaned: string[] = [];
    const { child, log } = hold(family(cleaned));
    const before = [...cleaned];
    child.ref.send({ type: 'die' });
    expect([before, cleaned.sort(), log.length]).toEqual([[], ['inner', 'invoked', 'spawned'], 2]);
  });

  it('is stopped when it is told to, in any way', () => {
    for (const shutdown of ['brutal_kill', 5_000] as const) {
      const cleaned: string[] = [];
      hold(family(cleaned)).stop(shutdown);
      expect(cleaned.sort()).toEqual(['inner', 'invoked', 'spawned']);
    }
  });

  it('has no timer left', () => {
    const machine = setup({}).createMachine({
      initial: 'up',
      states: { up: { after: { 1_000: 'up' }, on: { die: { actions: crash } } } },
    });
    const { child, clock } = hold(machine);
    child.ref.send({ type: 'die' });
    child.restart(2, 0);
    child.stop('brutal_kill', { type: 'shutdown' });
    expect(clock.pending).toBe(0);
  });
});

describe('a restart', () => {
  it('is a new incarnation with the epoch that was ordered: the old reference stays dead', () => {
    const { child, dead } = hold(brittle());
    const old = child.ref;
    old.send({ type: 'die' });
    child.restart(7, 0);
    old.send({ type: 'hello' });
    expect([old.epoch, old.exitReason?.type, dead.length]).toEqual([1, 'error', 1]);
    expect([child.ref.epoch, child.ref.exitReason, child.epoch]).toEqual([7, undefined, 7]);
  });

  it('waits for its delay', async () => {
    const { child, log, advance } = hold(brittle());
    child.ref.send({ type: 'die' });
    child.restart(2, 100);
    await advance(99);
    const before = [log.at(-1), child.state];
    await advance(1);
    expect([before, log.at(-1), child.state]).toEqual([
      ...[[CRASHED, 'restarting'], 'ready 2', 'ready'],
    ]);
  });

  it('that waits is called off by a stop', async () => {
    const { child, log, advance, stop, clock } = hold(brittle());
    child.ref.send({ type: 'die' });
    child.restart(2, 100);
    stop();
    await advance(1_000);
    expect([log, clock.pending]).toEqual([['ready 1', CRASHED, 'stopped 2: Error: boom'], 0]);
  });

  it('is ignored unless it has crashed', () => {
    const { child, log } = hold(brittle());
    child.restart(2, 0);
    expect([log, child.epoch]).toEqual([['ready 1'], 1]);
  });

  it('calls the start function again, with the new epoch', () => {
    const epochs: number[] = [];
    const { child } = hold((_input: never, { epoch }) => {
      epochs.push(epoch);
      return { logic: brittle() };
    });
    child.ref.send({ type: 'die' });
    child.restart(2, 0);
    expect(epochs).toEqual([1, 2]);
  });

  it('that fails is told as a crash of the new epoch, while it starts', () => {
    const gate = { starts: 1 };
    const { child, log } = hold(() => {
      gate.starts -= 1;
      return gate.starts < 0 ? crash() : { logic: brittle() };
    });
    child.ref.send({ type: 'die' });
    child.restart(2, 0);
    child.restart(3, 0);
    expect(log).toEqual([
      ...['ready 1', CRASHED, 'crashed 2: Error: boom', 'crashed 3: Error: boom'],
    ]);
  });

  it('hears nothing of the old incarnation: a start that comes late is not taken for its own', async () => {
    const starts = [later<Started>(), later<Started>()];
    let begun = -1;
    const { child, log, advance, settle } = hold(
      () => {
        begun += 1;
        return starts[begun]!.promise;
      },
      { startTimeoutMs: 100 },
    );
    await advance(100);
    child.restart(2, 0);
    starts[0]!.resolve({ logic: brittle() });
    await settle();
    const before = [...log, child.state];
    starts[1]!.resolve({ logic: brittle() });
    await settle();
    expect([before, log.at(-1)]).toEqual([['crashed 1: timeout of start', 'spawning'], 'ready 2']);
  });
});
