import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import {
  cancelCall,
  type CancelOptions,
  type CancelStep,
} from '../../../actors/worker/cancellation.ts';
import type { CancelMode } from '../../../actors/worker/cancellation.machine.ts';
import { JumpingClock } from './watched-worker.ts';

const FLAG_MS = LIMITS.cancelFlagMs;
const RAISE_MS = LIMITS.cancelRaiseMs;
const INTERRUPT_MS = LIMITS.cancelInterruptMs;
const DRAIN_MS = LIMITS.cancelDrainMs;

/** A call that is being cancelled, and what was done to it, each with its time. */
function cancelling(
  mode: CancelMode = 'sync',
  options: CancelOptions = {},
  ownMeans: Partial<Record<'flag' | 'raise' | 'interrupt', () => void>> = {},
) {
  const clock = new JumpingClock();
  const done: string[] = [];
  const steps: [step: CancelStep, atMs: number][] = [];
  const failures: Error[] = [];
  const means = {
    flag: () => void done.push('flag'),
    raise: () => void done.push('raise'),
    interrupt: () => void done.push('interrupt'),
    ...ownMeans,
  };
  const cancellation = cancelCall(
    options,
    {
      clock,
      flag: () => means.flag(),
      raise: () => means.raise(),
      interrupt: () => means.interrupt(),
      failed: (error) => failures.push(error),
    },
    mode,
    (step) => steps.push([step, clock.nowMs()]),
  );
  return { clock, done, steps, failures, means, cancellation };
}

describe('a call that nothing ends', () => {
  it('is flagged at once, then raised in, interrupted and condemned, each in its time', () => {
    const { clock, done, steps, cancellation } = cancelling();
    expect(done).toEqual(['flag']);
    clock.advance(60_000);
    expect(done).toEqual(['flag', 'raise', 'interrupt']);
    expect(steps).toEqual([
      ['flag', 0],
      ['raise', FLAG_MS],
      ['interrupt', FLAG_MS + RAISE_MS],
      ['kill', FLAG_MS + RAISE_MS + INTERRUPT_MS],
    ]);
    expect([cancellation.state, clock.pending]).toEqual(['condemned', 0]);
  });

  it('at threads is flagged only: what else there is would hit its neighbours, which may finish', () => {
    const { clock, done, steps, cancellation } = cancelling('threads');
    clock.advance(FLAG_MS);
    expect(cancellation.state).toBe('draining');
    clock.advance(60_000);
    expect(done).toEqual(['flag']);
    expect(steps).toEqual([
      ['flag', 0],
      ['drain', FLAG_MS],
      ['kill', FLAG_MS + DRAIN_MS],
    ]);
  });

  it('at asyncio has its task cancelled, and no SIGINT, which would hit the loop of all', () => {
    const { clock, done, steps } = cancelling('asyncio');
    clock.advance(60_000);
    expect(done).toEqual(['flag', 'raise']);
    expect(steps).toEqual([
      ['flag', 0],
      ['raise', FLAG_MS],
      ['drain', FLAG_MS + RAISE_MS],
      ['kill', FLAG_MS + RAISE_MS + DRAIN_MS],
    ]);
  });

  it('has the times that were given for it', () => {
    const { clock, steps } = cancelling('sync', { flagMs: 1, raiseMs: 2, interruptMs: 4 });
    clock.advance(7);
    expect(steps.map(([, atMs]) => atMs)).toEqual([0, 1, 3, 7]);
    const threads = cancelling('threads', { flagMs: 1, drainMs: 8 });
    threads.clock.advance(9);
    expect(threads.steps.at(-1)).toEqual(['kill', 9]);
  });
});

describe('a call that ends', () => {
  it.each([
    ['sync', 0, 'flag'],
    ['sync', FLAG_MS - 1, 'flag'],
    ['sync', FLAG_MS, 'raise'],
    ['sync', FLAG_MS + RAISE_MS, 'interrupt'],
    ['sync', FLAG_MS + RAISE_MS + INTERRUPT_MS, 'kill'],
    ['threads', FLAG_MS, 'flag'],
    ['threads', FLAG_MS + DRAIN_MS, 'kill'],
    ['asyncio', FLAG_MS, 'raise'],
    ['asyncio', FLAG_MS + RAISE_MS, 'raise'],
    ['asyncio', FLAG_MS + RAISE_MS + DRAIN_MS, 'kill'],
  ] as const)('at %s after %i ms has needed: %s', (mode, afterMs, stage) => {
    const { clock, cancellation } = cancelling(mode);
    clock.advance(afterMs);
    expect(cancellation.settled()).toBe(stage);
  });

  it('is let alone from then on', () => {
    const { clock, steps, cancellation } = cancelling();
    clock.advance(FLAG_MS);
    cancellation.settled();
    expect([cancellation.state, clock.pending]).toEqual(['settled', 0]);
    clock.advance(60_000);
    expect(steps.map(([step]) => step)).toEqual(['flag', 'raise']);
  });

  it('has needed the same when it is asked again', () => {
    const { clock, cancellation } = cancelling();
    clock.advance(FLAG_MS);
    expect([cancellation.settled(), cancellation.settled()]).toEqual(['raise', 'raise']);
  });

  it.each([
    ['sync', FLAG_MS, 'flag'],
    ['sync', FLAG_MS + RAISE_MS, 'raise'],
    ['sync', FLAG_MS + RAISE_MS + INTERRUPT_MS, 'interrupt'],
    ['threads', FLAG_MS + DRAIN_MS, 'flag'],
  ] as const)(
    'at %s at %i ms by an answer that lay in the socket needed no further stage than %s (T5, R6)',
    (mode, dueMs, stage) => {
      const { clock, steps, cancellation } = cancelling(mode);
      clock.advance(dueMs - 1);
      const before = steps.length;
      // The timer fires, and the sockets have not been read since.
      clock.advance(1, () => undefined);
      expect(cancellation.settled()).toBe(stage);
      clock.poll();
      clock.advance(60_000);
      expect(steps.length).toBe(before);
    },
  );

  it('while we were away is not condemned: each stage has its time when it is its turn (T2)', () => {
    const { clock, steps } = cancelling();
    clock.jump(60_000);
    clock.advance(FLAG_MS);
    expect(steps.map(([step]) => step)).toEqual(['flag', 'raise']);
    clock.advance(RAISE_MS - 1);
    expect(steps.map(([step]) => step)).toEqual(['flag', 'raise']);
  });
});

describe('a cancellation', () => {
  it('that is stopped goes no further', () => {
    const { clock, steps, cancellation } = cancelling();
    clock.advance(FLAG_MS, () => undefined);
    cancellation.stop();
    clock.poll();
    clock.advance(60_000);
    expect([steps.length, clock.pending]).toEqual([1, 0]);
    expect(cancellation.settled()).toBe('flag');
  });

  it('whose means throw is over, and says so once', () => {
    const { clock, steps, failures, means } = cancelling();
    means.raise = () => {
      throw new Error('no');
    };
    clock.advance(60_000);
    expect(failures.map(({ message }) => message)).toEqual(['no']);
    expect([steps.length, clock.pending]).toEqual([1, 0]);
  });

  it('that fails at once says so behind its own beginning, when its caller can act on it', () => {
    const flag = (): never => {
      throw new Error('no');
    };
    const { clock, steps, failures } = cancelling('sync', {}, { flag });
    expect(failures).toEqual([]);
    clock.poll();
    clock.advance(60_000);
    expect(failures.map(({ message }) => message)).toEqual(['no']);
    expect([steps, clock.pending]).toEqual([[], 0]);
  });

  it('tells each step once and in order, and says the last one, whenever the call ends', () => {
    const modes = fc.constantFrom<CancelMode>('sync', 'threads', 'asyncio');
    const allMs = FLAG_MS + RAISE_MS + INTERRUPT_MS + DRAIN_MS;
    const order: readonly CancelStep[] = ['flag', 'raise', 'interrupt', 'drain', 'kill'];
    fc.assert(
      fc.property(modes, fc.nat(allMs + 1), (mode, endsAtMs) => {
        const { clock, done, steps, cancellation } = cancelling(mode);
        clock.advance(endsAtMs);
        const stage = cancellation.settled();
        clock.advance(2 * allMs);
        const told = steps.map(([step]) => step);
        expect(told).toEqual(order.filter((step) => told.includes(step)));
        expect(stage).toBe(told.filter((step) => step !== 'drain').at(-1));
        expect(done).toEqual(told.filter((step) => step !== 'drain' && step !== 'kill'));
      }),
    );
  });
});
