import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import {
  COMPUTES,
  GIL_HOLD_MS_MAX,
  HEARTBEAT_MS,
  silentWorker,
  WatchedWorker,
} from './watched-worker.ts';

const MISSES = LIMITS.heartbeatMissesMax;

describe('a worker that answers', () => {
  it('is pinged at once, and at every beat from then on', () => {
    const worker = new WatchedWorker();
    worker.answers = 'at once';
    expect(worker.pings).toEqual([1]);
    worker.beats(3);
    expect(worker.pings).toEqual([1, 2, 3, 4]);
  });

  it('is looked at by the system once, at the beginning', () => {
    const worker = new WatchedWorker();
    worker.pong();
    worker.answers = 'at once';
    worker.beats(100);
    expect([worker.reads, worker.liveness.state]).toEqual([1, 'beating']);
  });

  it('is not suspected for two silent beats', () => {
    const worker = silentWorker({ process: { state: 'stopped' } });
    worker.beats(MISSES - 1);
    worker.pong();
    worker.beats(MISSES - 1);
    expect([worker.liveness.state, worker.verdicts]).toEqual(['beating', []]);
  });

  it('says nothing with a pong that nobody asked for', () => {
    const worker = silentWorker({ process: { state: 'stopped' } });
    worker.beats(MISSES - 1);
    worker.liveness.pong(999);
    worker.beats(1);
    expect(worker.verdicts).toEqual([{ type: 'stopped' }]);
  });
});

describe('a stopped worker (P5)', () => {
  it('is found at the third missed beat, without a dump that it could not write', () => {
    const worker = silentWorker({ process: { state: 'stopped' } });
    worker.clock.advance(MISSES * HEARTBEAT_MS - 1);
    expect(worker.verdicts).toEqual([]);
    worker.clock.advance(1);
    expect([worker.verdicts, worker.dumps]).toEqual([[{ type: 'stopped' }], 0]);
    expect(worker.liveness.state).toBe('over');
  });

  it.each(['suspected', 'holding'])('is found while it is %s too', (state) => {
    const worker = silentWorker({ cpuPerBeatMs: state === 'holding' ? COMPUTES : 0 });
    worker.beats(MISSES);
    expect(worker.liveness.state).toBe(state);
    worker.process = { state: 'stopped' };
    worker.beats(1);
    expect([worker.verdicts, worker.dumps]).toEqual([[{ type: 'stopped' }], 0]);
  });
});

describe('a worker that neither answers nor works (P5)', () => {
  it('is suspected at the third missed beat, asked for its stacks at the next, and then judged', () => {
    const worker = silentWorker();
    worker.beats(MISSES);
    expect([worker.liveness.state, worker.dumps]).toEqual(['suspected', 0]);
    worker.beats(1);
    expect([worker.liveness.state, worker.dumps]).toEqual(['dumping', 1]);
    worker.clock.advance(LIMITS.dumpMs - 1);
    expect(worker.verdicts).toEqual([]);
    worker.clock.advance(1);
    expect(worker.verdicts).toEqual([{ type: 'frozen' }]);
    expect([worker.liveness.state, worker.dumps, worker.clock.pending]).toEqual(['over', 1, 0]);
  });

  it('is known by its own threads that wait for the interpreter lock', () => {
    // Measured on Python 3.13: 8 threads that wait take 91 ms of CPU time in a beat.
    const worker = silentWorker({ process: { threads: 9 }, cpuPerBeatMs: 91 });
    worker.beats(MISSES + 1);
    expect(worker.liveness.state).toBe('dumping');
  });

  it('is saved by an answer while its stacks are written', () => {
    const worker = silentWorker();
    worker.beats(MISSES + 1);
    worker.pong();
    worker.clock.advance(LIMITS.dumpMs);
    expect([worker.liveness.state, worker.verdicts]).toEqual(['beating', []]);
  });

  it('is saved by an answer that lay in the socket when the time of the dump was over', () => {
    const worker = silentWorker();
    worker.beats(MISSES + 1);
    worker.clock.advance(LIMITS.dumpMs, () => undefined);
    worker.pong();
    worker.clock.poll();
    expect([worker.liveness.state, worker.verdicts]).toEqual(['beating', []]);
  });

  it('has all its beats again after an answer', () => {
    const worker = silentWorker();
    worker.beats(MISSES);
    worker.pong();
    // The beat behind the answer is an answered one.
    worker.beats(MISSES);
    expect(worker.liveness.state).toBe('beating');
    worker.beats(1);
    expect(worker.liveness.state).toBe('suspected');
  });
});

describe('a worker that works and does not answer', () => {
  it('is left alone until the bound, counted from the suspicion, then dumped and judged', () => {
    const worker = silentWorker({ cpuPerBeatMs: COMPUTES });
    worker.beats(MISSES);
    worker.clock.advance(GIL_HOLD_MS_MAX - 1);
    expect([worker.liveness.state, worker.dumps]).toEqual(['holding', 0]);
    worker.clock.advance(1);
    expect([worker.liveness.state, worker.dumps]).toEqual(['dumping', 1]);
    worker.clock.advance(LIMITS.dumpMs);
    expect(worker.verdicts).toEqual([{ type: 'gil_held', heldMs: GIL_HOLD_MS_MAX }]);
  });

  it('is beating again with its next answer, however long that took', () => {
    const worker = silentWorker({ cpuPerBeatMs: COMPUTES });
    worker.clock.advance(MISSES * HEARTBEAT_MS + GIL_HOLD_MS_MAX - 1);
    worker.pong();
    worker.answers = 'at once';
    worker.beats(20);
    expect([worker.liveness.state, worker.verdicts]).toEqual(['beating', []]);
  });

  it('is not measured by how long it was silent before', () => {
    const worker = silentWorker({ cpuPerBeatMs: COMPUTES });
    for (let round = 0; round < 5; round += 1) {
      worker.clock.advance(GIL_HOLD_MS_MAX);
      worker.pong();
    }
    expect([worker.liveness.state, worker.verdicts]).toEqual(['beating', []]);
  });

  it('is suspected when it stops working, and frozen when it goes on like that', () => {
    const worker = silentWorker({ process: { cpuMs: 5_000 } });
    worker.process = { state: 'running' };
    worker.beats(MISSES);
    expect(worker.liveness.state).toBe('holding');
    worker.process = { cpuMs: 5_000 };
    worker.beats(1);
    expect(worker.liveness.state).toBe('holding');
    worker.beats(1);
    expect(worker.liveness.state).toBe('suspected');
    worker.beats(1);
    worker.clock.advance(LIMITS.dumpMs);
    expect(worker.verdicts).toEqual([{ type: 'frozen' }]);
  });

  it('is held, and no longer suspected, when it works again', () => {
    const worker = silentWorker();
    worker.beats(MISSES);
    expect(worker.liveness.state).toBe('suspected');
    worker.process = { state: 'running' };
    worker.beats(1);
    expect(worker.liveness.state).toBe('holding');
  });

  it('cannot put the bound off by idling every other beat', () => {
    const worker = silentWorker();
    for (let beat = 0; beat < MISSES + GIL_HOLD_MS_MAX / HEARTBEAT_MS; beat += 1) {
      expect(worker.dumps).toBe(0);
      worker.process = beat % 2 === 0 ? { state: 'running' } : {};
      worker.beats(1);
    }
    worker.clock.advance(LIMITS.dumpMs);
    expect(worker.verdicts).toEqual([{ type: 'gil_held', heldMs: GIL_HOLD_MS_MAX }]);
  });

  it('is left alone where the system tells nothing, until the same bound', () => {
    const worker = silentWorker({ process: undefined });
    worker.beats(MISSES);
    worker.clock.advance(GIL_HOLD_MS_MAX - 1);
    expect(worker.liveness.state).toBe('holding');
    worker.clock.advance(1 + LIMITS.dumpMs);
    expect(worker.verdicts).toEqual([{ type: 'gil_held', heldMs: GIL_HOLD_MS_MAX }]);
  });
});

describe('a worker that has ended', () => {
  it('and is a zombie gets no verdict: its exit tells (P9)', () => {
    const worker = silentWorker({ process: { state: 'zombie' } });
    worker.beats(50);
    expect([worker.verdicts, worker.dumps]).toEqual([[], 0]);
  });

  it('and has left its pid to another process gets no verdict for that one (P16)', () => {
    const worker = silentWorker();
    worker.beats(MISSES - 1);
    worker.process = { startTicks: 200, state: 'stopped' };
    worker.beats(50);
    expect([worker.verdicts, worker.liveness.state]).toEqual([[], 'beating']);
  });

  it('is pinged no more after stop, and nothing is left that could fire', () => {
    const worker = silentWorker({ process: { state: 'stopped' } });
    worker.beats(MISSES - 1);
    worker.liveness.stop();
    expect([worker.liveness.state, worker.clock.pending]).toEqual(['over', 0]);
    worker.beats(10);
    worker.pong();
    expect([worker.pings.length, worker.verdicts]).toEqual([MISSES, []]);
  });

  it('gets no verdict when it is stopped during its dump', () => {
    const worker = silentWorker();
    worker.beats(MISSES + 1);
    worker.liveness.stop();
    worker.clock.advance(10 * LIMITS.dumpMs);
    expect([worker.verdicts, worker.clock.pending]).toEqual([[], 0]);
  });

  it('gets one verdict and no ping after it', () => {
    const worker = silentWorker({ process: { state: 'stopped' } });
    worker.beats(50);
    worker.pong();
    expect([worker.verdicts.length, worker.pings.length]).toEqual([1, MISSES]);
    expect(worker.clock.pending).toBe(0);
  });
});
