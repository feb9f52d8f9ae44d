import { afterEach, describe, expect, it, vi } from 'vitest';
import { Actor } from 'xstate';
import { SHUTDOWN } from '../../../actors/ground/exit-reason.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { oneWorker as setUp, readyWorker as ready } from './one-worker.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a worker', () => {
  it('tells nothing from inside its own start', () => {
    expect(setUp().facts).toEqual([]);
  });

  it('is ready, for its supervisor first and then for its router', () => {
    const { settle, log } = setUp();
    settle();
    expect(log).toEqual(['child.ready', 'watcher: ready']);
  });

  it('answers a call with the reply', () => {
    const { send, settle, outcomes } = ready();
    send('echo');
    settle();
    expect(outcomes).toMatchObject([{ type: 'replied', reply: { ok: true, result: {} } }]);
  });

  it('never settles a call from inside send', () => {
    const { send, outcomes } = ready();
    send('echo');
    expect(outcomes).toEqual([]);
  });

  it('settles a call once, though its worker dies after the reply', () => {
    const { send, settle, process, outcomes } = ready();
    send('echo');
    settle();
    process().exit(9, null);
    settle();
    expect(outcomes.map(({ type }) => type)).toEqual(['replied']);
  });

  it('settles every call that it had when it crashes, in their order', () => {
    const { send, settle, outcomes } = ready();
    send('hang');
    send('exit');
    settle();
    const reason = { type: 'exit_status', status: 9 };
    const report = { reason, stderrTail: '', crashCause: 'unknown' };
    expect(outcomes).toEqual([
      { type: 'crashed', report, outcome: 'maybeExecuted' },
      { type: 'crashed', report, outcome: 'notSent' },
    ]);
  });

  it('drops a second reply to a call, and says so', () => {
    const { send, settle, process, outcomes, dropped } = ready();
    send('echo');
    settle();
    process().reply(1, 'again');
    settle();
    expect(outcomes).toHaveLength(1);
    expect(dropped).toEqual([{ path: 'p/0', epoch: 1, callId: 1 }]);
  });

  it('drops a reply to a call that never was, and says so', () => {
    const { settle, process, dropped } = ready();
    process().reply(99, 'who asked?');
    settle();
    expect(dropped).toEqual([{ path: 'p/0', epoch: 1, callId: 99 }]);
  });

  it('fails a call that waits for its end with that end, whatever ids its worker replies to', () => {
    const { worker, settle, process, dropped } = ready();
    const ends: unknown[] = [];
    worker.whenEnded(({ reason }) => ends.push(reason));
    process().reply(1, 'who asked?');
    settle();
    process().exit(9, null);
    settle();
    expect(ends).toEqual([{ type: 'exit_status', status: 9 }]);
    expect(dropped).toEqual([{ path: 'p/0', epoch: 1, callId: 1 }]);
  });

  it('is told whose output it prints: of no call when none was sent, though one waits for its end', () => {
    const { worker, bus, settle, process } = ready();
    const calls: unknown[] = [];
    bus.on('worker.output', ({ callId }) => calls.push(callId));
    worker.whenEnded(() => undefined);
    process().emitBytes('stdout', Buffer.from('line\n'));
    settle();
    expect(calls).toEqual([undefined]);
  });

  it('goes on with its epoch, process and scratch folder when it is restarted', () => {
    const { worker, process, settle, advance, facts, scratches } = ready();
    process().exit(9, null);
    settle();
    worker.restart(2, 0);
    advance(0);
    expect(facts.at(-1)).toEqual({ type: 'child.ready', id: '0', epoch: 2 });
    expect([worker.epoch, worker.pid, [...scratches]]).toEqual([2, 2, ['p-0-2']]);
  });

  it('never gives the number of a call again, also not to another incarnation', () => {
    const { worker, process, settle, advance, send, world } = ready();
    send('echo');
    settle();
    process().exit(9, null);
    settle();
    worker.restart(2, 0);
    advance(0);
    send('echo');
    expect(world.callsWritten.map(({ id }) => id)).toEqual([1, 2]);
  });

  it('leaves no timer, call or scratch folder once it is stopped', () => {
    const { worker, send, advance, clock, outcomes, scratches } = ready();
    send('hang');
    worker.stop(1_000, SHUTDOWN);
    advance(60_000);
    expect([worker.state, clock.pending, outcomes.length, scratches.size]).toEqual([
      'stopped',
      0,
      1,
      0,
    ]);
  });
});

describe('the end of a worker is told in order', () => {
  it.each([
    ['idle', 'echo', ['watcher: unavailable', 'child.unavailable', 'child.crashed']],
    [
      'busy',
      'hang',
      ['watcher: unavailable', 'child.unavailable', 'call: crashed', 'child.crashed'],
    ],
  ])('when it crashes %s', (_what, op, order) => {
    const { send, settle, process, log } = ready();
    send(op);
    settle();
    log.length = 0;
    process().exit(9, null);
    settle();
    expect(log).toEqual(order);
  });

  it('when it never was ready: a crash alone, while starting', () => {
    const { settle, facts } = setUp({ script: { type: 'exits_before_hello', status: 3 } });
    settle();
    expect(facts).toMatchObject([{ type: 'child.crashed', report: { reason: { status: 3 } } }]);
  });

  it('when it is stopped: unavailable at once, stopped with the end', () => {
    const { worker, settle, log } = ready();
    worker.stop(5_000, SHUTDOWN);
    const before = [...log];
    settle();
    expect([before, log]).toEqual([
      ['watcher: unavailable', 'child.unavailable'],
      ['watcher: unavailable', 'child.unavailable', 'child.stopped'],
    ]);
  });

  it('when its bridge does not start: a crash with Python’s traceback', () => {
    const { settle, facts } = setUp({ script: { type: 'import_fails' } });
    settle();
    expect(facts).toMatchObject([
      { type: 'child.crashed', report: { reason: { error: { traceback: 'Traceback: no' } } } },
    ]);
  });
});

describe('the cost of a call in events of the machine', () => {
  it('is at most two', () => {
    const sent = vi.spyOn(Actor.prototype, 'send');
    const { send, settle } = ready();
    sent.mockClear();
    send('echo');
    settle();
    expect(sent).toHaveBeenCalledTimes(2);
  });

  it('is none from one queued call to the next', () => {
    const sent = vi.spyOn(Actor.prototype, 'send');
    const { worker, settle } = ready();
    sent.mockClear();
    let left = 10;
    const next = (): void => {
      left -= 1;
      const message = { op: 'echo', args: encodeValue({}, 'args'), session: null, deadlineMs: 5 };
      if (left >= 0) worker.send(message, next);
    };
    next();
    settle();
    expect(sent).toHaveBeenCalledTimes(2);
  });
});
