import { describe, expect, it } from 'vitest';
import { createActor, fromCallback } from 'xstate';
import { LIMITS } from '../../../actors/ground/limits.ts';
import type { Shutdown } from '../../../actors/lifecycle/child.ts';
import type { WorkerEvent } from '../../../actors/worker/worker-events.ts';
import { lifecycleStateOf } from '../../../actors/worker/worker-state.ts';
import { workerMachine } from '../../../actors/worker/worker.machine.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const START_TIMEOUT_MS = 30_000;
const GREETED = { type: 'process.greeted' } as const;
const READY = { type: 'process.ready' } as const;
const EXITED = {
  type: 'process.exited',
  report: { reason: { type: 'signal', signal: 'SIGKILL' }, stderrTail: '' },
} as const;
const stop = (shutdown: Shutdown) =>
  ({ type: 'worker.stop', shutdown, reason: { type: 'shutdown' } }) as const;

/** The machine with a process that does nothing by itself, under virtual time. */
function setUp(...events: readonly WorkerEvent[]) {
  const clock = new VirtualClock();
  const orders: string[] = [];
  const epochs: number[] = [];
  const machine = workerMachine.provide({
    actors: {
      process: fromCallback<WorkerEvent, { readonly epoch: number }>(({ input }) => {
        epochs.push(input.epoch);
        return () => orders.push('closed');
      }),
    },
    actions: {
      askToShutDown: () => orders.push('asked'),
      terminate: () => orders.push('terminated'),
      kill: () => orders.push('killed'),
    },
  });
  const input = { epoch: 1, startTimeoutMs: START_TIMEOUT_MS };
  const actor = createActor(machine, { clock, input }).start();
  for (const event of events) actor.send(event);
  return {
    ...{ actor, clock, orders, epochs },
    state: () => lifecycleStateOf(actor.getSnapshot()),
    reason: () => actor.getSnapshot().context.report.reason,
  };
}

describe('a start', () => {
  it('may take its whole hello time', () => {
    const { clock, orders } = setUp();
    clock.advance(LIMITS.helloTimeoutMs - 1);
    expect(orders).toEqual([]);
  });

  it('is over, and its process killed, when no hello comes', () => {
    const { actor, clock, orders, reason } = setUp();
    clock.advance(LIMITS.helloTimeoutMs);
    actor.send(EXITED);
    expect([orders[0], reason()]).toEqual(['killed', { type: 'timeout', what: 'hello' }]);
  });

  it('is over, and its process killed, when it is not ready in time', () => {
    const { actor, clock, orders, reason } = setUp(GREETED);
    clock.advance(START_TIMEOUT_MS);
    actor.send(EXITED);
    expect([orders[0], reason()]).toEqual(['killed', { type: 'timeout', what: 'start' }]);
  });

  it('has the time from its launch, not from its hello', () => {
    const { actor, clock, orders } = setUp();
    clock.advance(LIMITS.helloTimeoutMs - 1);
    actor.send(GREETED);
    clock.advance(START_TIMEOUT_MS - LIMITS.helloTimeoutMs + 1);
    expect(orders).toEqual(['killed']);
  });

  it('leaves no timer once it is ready', () => {
    expect(setUp(GREETED, READY).clock.pending).toBe(0);
  });
});

describe('a stop', () => {
  it('asks first, terminates after the shutdown time, kills after the grace, gives up after the reap', () => {
    const { actor, clock, orders, state, reason } = setUp(GREETED, READY, stop(3_000));
    const told: unknown[] = [];
    for (const ms of [2_999, 1, LIMITS.terminateGraceMs, LIMITS.reapTimeoutMs]) {
      clock.advance(ms);
      told.push([...orders]);
    }
    expect(told.slice(0, 3)).toEqual([
      ['asked'],
      ['asked', 'terminated'],
      ['asked', 'terminated', 'killed'],
    ]);
    expect([state(), reason()]).toEqual(['stopped', { type: 'timeout', what: 'reap' }]);
    expect([actor.getSnapshot().status, clock.pending]).toEqual(['done', 0]);
  });

  it('is done as soon as the process has ended', () => {
    const { actor, clock, state } = setUp(GREETED, READY, stop(3_000));
    actor.send(EXITED);
    expect([state(), clock.pending]).toEqual(['stopped', 0]);
  });

  it.each([
    ['idle', [GREETED, READY]],
    ['busy', [GREETED, READY, { type: 'call.started' }]],
  ] as const)('with infinite time waits for ever for an %s worker', (_what, events) => {
    const { clock, orders, state } = setUp(...events, stop('infinity'));
    clock.advance(1_000 * LIMITS.shutdownMs);
    expect([orders, state()]).toEqual([['asked'], events.length === 2 ? 'stopping' : 'draining']);
  });

  it('lets a running call go on for the shutdown time, then terminates', () => {
    const { clock, orders } = setUp(GREETED, READY, { type: 'call.started' }, stop(3_000));
    clock.advance(2_999);
    const before = [...orders];
    clock.advance(1);
    expect([before, orders]).toEqual([['asked'], ['asked', 'terminated']]);
  });

  it('kills at once when it is brutal', () => {
    expect(setUp(GREETED, READY, stop('brutal_kill')).orders).toEqual(['killed']);
  });

  it('that becomes brutal kills at once', () => {
    const { orders } = setUp(GREETED, READY, stop(3_000), stop('brutal_kill'));
    expect(orders).toEqual(['asked', 'killed']);
  });

  it.each([
    ['launching', []],
    ['importing', [GREETED]],
  ])('while it is %s does not ask: an import cannot hear', (_what, events) => {
    expect(setUp(...events, stop(3_000)).orders).toEqual(['terminated']);
  });

  it('while it exits kills, and is done with the exit', () => {
    const broken = { type: 'process.broken', cause: undefined } as const;
    const { actor, state } = setUp(GREETED, READY, broken, stop(3_000));
    actor.send(EXITED);
    expect(state()).toBe('stopped');
  });

  it('between two incarnations starts no other', () => {
    const restart = { type: 'worker.restart', epoch: 2, delayMs: 100 } as const;
    const { clock, epochs, state } = setUp(GREETED, READY, EXITED, restart, stop(3_000));
    clock.advance(1_000);
    expect([epochs, state(), clock.pending]).toEqual([[1], 'stopped', 0]);
  });
});

describe('a crash', () => {
  it('is given up, and says so, when the process cannot be reaped', () => {
    const broken = { type: 'process.broken', cause: undefined } as const;
    const { clock, orders, state, reason } = setUp(GREETED, READY, broken);
    clock.advance(LIMITS.reapTimeoutMs);
    expect([orders, state(), reason()]).toEqual([
      ['killed', 'closed'],
      'crashed',
      { type: 'timeout', what: 'reap' },
    ]);
  });

  it('waits for its verdict without a timer', () => {
    const { clock, state } = setUp(GREETED, READY, EXITED);
    expect([state(), clock.pending]).toEqual(['crashed', 0]);
  });
});

describe('a restart', () => {
  it.each([0, 250])('begins its epoch after %i ms, with a process of its own', (delayMs) => {
    const { clock, epochs } = setUp(EXITED, { type: 'worker.restart', epoch: 7, delayMs });
    clock.advance(delayMs);
    expect(epochs).toEqual([1, 7]);
  });

  it('does not begin before its time', () => {
    const { clock, epochs } = setUp(EXITED, { type: 'worker.restart', epoch: 7, delayMs: 250 });
    clock.advance(249);
    expect(epochs).toEqual([1]);
  });

  it('has let go of the old process before', () => {
    expect(setUp(EXITED).orders).toEqual(['closed']);
  });
});
