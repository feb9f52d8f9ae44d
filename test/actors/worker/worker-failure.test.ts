import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SHUTDOWN } from '../../../actors/ground/exit-reason.ts';
import type { Transport } from '../../../actors/port/transport.ts';
import type { ScriptedWorld } from '../../support/scripted-world.ts';
import { oneWorker as setUp, readyWorker as ready } from './one-worker.ts';

describe('a start that fails before there is a process', () => {
  const refusing = () => ({
    spawn: () => {
      throw new Error('no file descriptors');
    },
  });

  it('is a crash like any other, with its own reason', () => {
    const { settle, facts } = setUp({ spawner: refusing });
    settle();
    expect(facts).toMatchObject([
      { type: 'child.crashed', report: { reason: { error: { message: 'no file descriptors' } } } },
    ]);
  });

  it('leaves no scratch folder', () => {
    const { settle, scratches } = setUp({ spawner: refusing });
    settle();
    expect([...scratches]).toEqual([]);
  });
});

describe('a worker whose machine throws', () => {
  // XState throws an error that nobody listens for in a timer, which would end the process.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Writing the request to shut down fails, as nothing ever should. */
  const throwing = (world: ScriptedWorld): Transport => ({
    address: 'scripted',
    expect: (nonce, listener) => {
      const link = world.expect(nonce, listener);
      return {
        close: () => link.close(),
        write: (lane, bytes) => {
          const text = Buffer.concat(bytes instanceof Uint8Array ? [bytes] : bytes).toString();
          if (text.includes('"shutdown"')) throw new Error('impossible');
          link.write(lane, bytes);
        },
      };
    },
  });

  it('kills its process and ends with that error', () => {
    const { worker, process, settle, facts } = ready({ transport: throwing });
    worker.stop(5_000, SHUTDOWN);
    settle();
    expect(process().isAlive).toBe(false);
    expect(facts.at(-1)).toMatchObject({
      type: 'child.stopped',
      reason: { type: 'error', error: { message: 'impossible' } },
    });
  });

  it('is stopped, and every watcher hears of it once', () => {
    const { worker, bus, settle, facts } = ready({ transport: throwing });
    const stops: unknown[] = [];
    bus.on('child.stopped', ({ path, epoch, reason }) => stops.push([path, epoch, reason.type]));
    worker.stop(5_000, SHUTDOWN);
    settle();
    expect([worker.state, stops]).toEqual(['stopped', [['p/0', 1, 'error']]]);
    expect(facts.filter(({ type }) => type === 'child.stopped')).toHaveLength(1);
  });

  it('is unavailable before its calls fail, so that it is sent no other', () => {
    const { worker, send, settle, log } = ready({ transport: throwing });
    send('hang');
    worker.stop(5_000, SHUTDOWN);
    settle();
    expect(log.filter((line) => line !== 'child.unavailable')).toEqual([
      'watcher: unavailable',
      'call: crashed',
      'child.stopped',
    ]);
  });

  it('does not end the process that it runs in', () => {
    const { worker, settle } = ready({ transport: throwing });
    worker.stop(5_000, SHUTDOWN);
    settle();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no scratch folder and no timer', () => {
    const { worker, settle, scratches, clock } = ready({ transport: throwing });
    worker.stop(5_000, SHUTDOWN);
    settle();
    expect([[...scratches], clock.pending]).toEqual([[], 0]);
  });
});
