import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { COMPUTES, GIL_HOLD_MS_MAX, HEARTBEAT_MS, silentWorker } from './watched-worker.ts';

const MISSES = LIMITS.heartbeatMissesMax;

describe('our own absence', () => {
  it('is no miss: a beat that is more than a beat late counts nothing (T2)', () => {
    const worker = silentWorker({ process: { state: 'stopped' } });
    worker.beats(MISSES - 1);
    worker.clock.jump(60_000);
    worker.beats(1);
    expect([worker.liveness.state, worker.verdicts]).toEqual(['beating', []]);
    expect(worker.pings.length).toBe(MISSES + 1);
  });

  it('is no miss however often it comes, as it does in a host that is short of CPU', () => {
    const worker = silentWorker({ process: { state: 'stopped' } });
    for (let beat = 0; beat < 20; beat += 1) {
      worker.clock.jump(HEARTBEAT_MS + 1);
      worker.beats(1);
    }
    expect([worker.liveness.state, worker.verdicts]).toEqual(['beating', []]);
  });

  it('ends no worker that holds the lock, however long it was (T2)', () => {
    const worker = silentWorker({ cpuPerBeatMs: COMPUTES });
    worker.beats(MISSES);
    worker.clock.jump(10 * GIL_HOLD_MS_MAX);
    worker.beats(2);
    expect([worker.liveness.state, worker.verdicts]).toEqual(['holding', []]);
  });

  it('makes no worker work: what it used meanwhile is not counted for the next beat', () => {
    const worker = silentWorker();
    worker.beats(MISSES - 1);
    worker.process = { cpuMs: 60_000 };
    worker.clock.jump(60_000);
    worker.beats(2);
    expect(worker.liveness.state).toBe('suspected');
  });

  it('lets the answer that came meanwhile count, when it was shorter than a beat', () => {
    const worker = silentWorker({ process: { state: 'stopped' } });
    worker.beats(MISSES - 1);
    worker.clock.jump(HEARTBEAT_MS - 1);
    worker.clock.advance(HEARTBEAT_MS, () => undefined);
    worker.pong();
    worker.clock.poll();
    expect([worker.liveness.state, worker.verdicts]).toEqual(['beating', []]);
  });

  it('hides no stopped worker: the next beat in time counts again', () => {
    const worker = silentWorker({ process: { state: 'stopped' } });
    worker.beats(MISSES - 1);
    worker.clock.jump(60_000);
    worker.beats(1);
    worker.beats(1);
    expect(worker.verdicts).toEqual([{ type: 'stopped' }]);
  });
});

describe('a slow worker (R5)', () => {
  it('is never suspected while each answer comes within three beats', () => {
    const delays = fc.array(fc.integer({ min: 0, max: MISSES * HEARTBEAT_MS }), {
      minLength: 1,
      maxLength: 40,
      size: 'max',
    });
    const states = fc.constantFrom('running', 'sleeping', 'stopped', 'uninterruptible' as const);
    fc.assert(
      fc.property(delays, states, (delaysMs, state) => {
        const worker = silentWorker({ process: { state } });
        const answer = (seq: number): void => {
          const delayMs = delaysMs[(seq - 1) % delaysMs.length] ?? 0;
          worker.clock.setTimeout(() => worker.liveness.pong(seq), delayMs);
        };
        answer(1);
        worker.onPing = (seq) => {
          worker.pings.push(seq);
          answer(seq);
        };
        for (let beat = 0; beat < 60; beat += 1) {
          worker.beats(1);
          expect(worker.liveness.state).toBe('beating');
        }
        expect([worker.verdicts, worker.dumps]).toEqual([[], 0]);
      }),
    );
  });

  it('is not frozen while it is ready to run and gets no core', () => {
    const worker = silentWorker({ process: { state: 'running', cpuMs: 70 } });
    worker.beats(MISSES + 5);
    expect([worker.liveness.state, worker.dumps]).toEqual(['holding', 0]);
  });
});

describe('a watch that fails', () => {
  it.each(['onPing', 'onDump'] as const)('at %s is over, and says so once', (port) => {
    const worker = silentWorker();
    worker.beats(1);
    worker[port] = () => {
      throw new Error('no');
    };
    worker.beats(20);
    expect(worker.failures.map(({ message }) => message)).toEqual(['no']);
    expect([worker.liveness.state, worker.clock.pending, worker.verdicts]).toEqual(['over', 0, []]);
  });
});
