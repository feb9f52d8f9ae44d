import { describe, expect, it } from 'vitest';
import { fromCallback, setup, type AnyActorLogic } from 'xstate';
import { LIMITS } from '../../../actors/ground/limits.ts';
import type { Started } from '../../../actors/lifecycle/start-function.ts';
import { hold, later } from './held-child.ts';

const idle = fromCallback(() => undefined);
const crash = () => {
  throw new Error('boom');
};
/** Crashes when it is told to; runs `dispose` when it ends. */
const brittle = (dispose?: () => unknown): AnyActorLogic =>
  fromCallback(({ receive }) => {
    receive(crash);
    return dispose;
  });
const CRASHED = 'crashed 1: Error: boom';

describe('the clean-up of a child that is stopped', () => {
  const cleaning = (cleanUp: () => unknown) => hold(() => ({ logic: idle, cleanUp }));

  it('is awaited within the shutdown time', async () => {
    const { promise, resolve } = later();
    const { log, stop, advance, settle, child } = cleaning(() => promise);
    stop(100);
    await advance(99);
    const before = [...log, child.state];
    resolve();
    await settle();
    expect([before, log]).toEqual([
      ['ready 1', 'stopping'],
      ['ready 1', 'stopped 1: shutdown'],
    ]);
  });

  it('that takes longer is left behind, and the child counts as killed', async () => {
    const { log, stop, advance } = cleaning(() => later().promise);
    stop(100);
    await advance(100);
    expect(log).toEqual(['ready 1', 'stopped 1: killed']);
  });

  it('is awaited without an end with infinity', async () => {
    const { promise, resolve } = later();
    const { log, stop, advance, settle } = cleaning(() => promise);
    stop('infinity');
    await advance(1_000_000);
    const before = [...log];
    resolve();
    await settle();
    expect([before, log]).toEqual([['ready 1'], ['ready 1', 'stopped 1: shutdown']]);
  });

  it('runs after brutal_kill too, and nobody waits for it', () => {
    let ran = 0;
    const { log, stop } = cleaning(() => {
      ran += 1;
      return later().promise;
    });
    stop('brutal_kill');
    expect([ran, log]).toEqual([1, ['ready 1', 'stopped 1: killed']]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('stuck');
      },
    ],
    ['rejects', () => Promise.reject(new Error('stuck'))],
  ])('that %s changes nothing about the end, and is told of', async (_what, cleanUp) => {
    const { log, stop, settle, late } = cleaning(cleanUp);
    stop();
    await settle();
    expect(log).toEqual(['ready 1', 'stopped 1: shutdown']);
    expect(late).toMatchObject([{ path: 'sup/a', epoch: 1, error: { message: 'stuck' } }]);
  });
});

describe('the disposal of a callback that is stopped', () => {
  it('runs once, and is awaited within the shutdown time', async () => {
    const { promise, resolve } = later();
    let ran = 0;
    const logic = fromCallback(() => () => {
      ran += 1;
      return promise;
    });
    const { log, stop, settle } = hold(logic);
    stop();
    await settle();
    const before = [...log, ran];
    resolve();
    await settle();
    expect([before, log, ran]).toEqual([['ready 1', 1], ['ready 1', 'stopped 1: shutdown'], 1]);
  });
});

describe('the clean-up of a child that has crashed', () => {
  const cleaning = (cleanUp: () => unknown) => hold(() => ({ logic: brittle(), cleanUp }));

  it('runs once after a crash, and is over before the supervisor hears of it', async () => {
    const { promise, resolve } = later();
    let ran = 0;
    const { child, log, settle } = cleaning(() => {
      ran += 1;
      return promise;
    });
    child.ref.send({ type: 'die' });
    child.restart(2, 0);
    await settle();
    const before = [...log, child.state];
    resolve();
    await settle();
    child.restart(2, 0);
    await settle();
    expect([before, log, ran]).toEqual([
      ['ready 1', 'crashed'],
      ['ready 1', CRASHED, 'ready 2'],
      1,
    ]);
  });

  it('that takes too long is waited for no longer', async () => {
    const { child, log, advance } = cleaning(() => later().promise);
    child.ref.send({ type: 'die' });
    await advance(LIMITS.cleanUpTimeoutMs - 1);
    const before = log.at(-1);
    await advance(1);
    expect([before, log.at(-1)]).toEqual(['ready 1', CRASHED]);
  });

  it('runs for each incarnation that was opened', () => {
    let ran = 0;
    const { child } = cleaning(() => (ran += 1));
    for (const epoch of [2, 3, 4]) {
      child.ref.send({ type: 'die' });
      child.restart(epoch, 0);
    }
    expect(ran).toBe(3);
  });

  it('is awaited by a stop that comes first', async () => {
    const { promise, resolve } = later();
    const { child, log, stop, settle } = cleaning(() => promise);
    child.ref.send({ type: 'die' });
    stop(5_000);
    await settle();
    const before = [...log, child.state];
    resolve();
    await settle();
    expect([before, log.at(-1)]).toEqual([['ready 1', 'stopping'], 'stopped 1: Error: boom']);
  });

  it('is not awaited by a kill', () => {
    const { child, log, stop } = cleaning(() => later().promise);
    child.ref.send({ type: 'die' });
    stop('brutal_kill');
    expect(log.at(-1)).toBe('stopped 1: Error: boom');
  });

  it('runs and is awaited when what was opened did not become ready in time', async () => {
    const { promise, resolve } = later();
    const opening = setup({}).createMachine({ tags: 'starting' });
    let ran = 0;
    const start = (): Started => ({
      logic: opening,
      cleanUp: () => {
        ran += 1;
        return promise;
      },
    });
    const { child, log, advance, settle } = hold(start, { startTimeoutMs: 100 });
    await advance(100);
    const before = [...log, child.state, ran];
    resolve();
    await settle();
    expect([before, log]).toEqual([['crashed', 1], ['crashed 1: timeout of start']]);
  });
});

describe('the disposal of a callback that has crashed', () => {
  it('runs once after an error, where XState alone would not call it', () => {
    let ran = 0;
    const { child, stop } = hold(brittle(() => (ran += 1)));
    child.ref.send({ type: 'die' });
    const before = ran;
    stop();
    expect([before, ran]).toEqual([1, 1]);
  });

  it('is over before the supervisor hears of the crash', async () => {
    const { promise, resolve } = later();
    const { child, log, settle } = hold(brittle(() => promise));
    child.ref.send({ type: 'die' });
    await settle();
    const before = [...log, child.state];
    resolve();
    await settle();
    expect([before, log.at(-1)]).toEqual([['ready 1', 'crashed'], CRASHED]);
  });

  it('that throws is told of, and the next start comes all the same', () => {
    const { child, log, late } = hold(brittle(crash));
    child.ref.send({ type: 'die' });
    child.restart(2, 0);
    expect([log.at(-1), late]).toMatchObject(['ready 2', [{ error: { message: 'boom' } }]]);
  });
});
