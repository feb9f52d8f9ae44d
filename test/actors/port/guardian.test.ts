// Does a run always have a guardian that knows everything? Scripted guardians under virtual time.
import { beforeEach, describe, expect, it } from 'vitest';

import { Bus, type BusEvents } from '../../../actors/ground/bus.ts';
import type { ExitReason } from '../../../actors/ground/exit-reason.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import {
  Guardian,
  replacementWaitMs,
  type GuardedGroup,
  type GuardianProcess,
} from '../../../actors/port/guardian.ts';
import type { Host, ProcessReading } from '../../../actors/port/host.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const KILLED: ExitReason = { type: 'signal', signal: 'SIGKILL' };
const WORKER: GuardedGroup = { pid: 100, startTicks: 7, incarnation: 'run/a/1/1' };
const OTHER: GuardedGroup = { pid: 200, startTicks: 8, incarnation: 'run/b/1/2' };

class Scripted implements GuardianProcess {
  readonly pid: number;
  readonly lines: string[] = [];
  readonly orders: ('end' | 'kill')[] = [];
  readonly exit: (reason: ExitReason) => void;
  backlogBytes = 0;

  constructor(pid: number, exit: (reason: ExitReason) => void) {
    this.pid = pid;
    this.exit = exit;
  }

  tell(line: string): void {
    this.lines.push(line);
  }

  end(): void {
    this.orders.push('end');
  }

  kill(): void {
    this.orders.push('kill');
  }
}

let clock: VirtualClock;
let guardian: Guardian;
let started: Scripted[];
let refusal: Error | undefined;
let state: ProcessReading['state'];
let replaced: BusEvents['guardian.replaced'][];
let absent: BusEvents['guardian.absent'][];

beforeEach(() => {
  clock = new VirtualClock();
  started = [];
  refusal = undefined;
  state = 'sleeping';
  replaced = [];
  absent = [];
  const bus = new Bus();
  bus.on('guardian.replaced', (event) => replaced.push(event));
  bus.on('guardian.absent', (event) => absent.push(event));
  const host: Host = {
    readProcess: () => ({ state }) as ProcessReading,
    countOpenFiles: () => undefined,
  };
  const spawnGuardian = (onExit: (reason: ExitReason) => void): GuardianProcess => {
    if (refusal !== undefined) throw refusal;
    const process = new Scripted(1_000 + started.length, onExit);
    started.push(process);
    return process;
  };
  guardian = new Guardian({ clock, bus, host, spawnGuardian });
});

const latest = (): Scripted => started.at(-1)!;

describe('a guardian', () => {
  it('is one, however often it is asked to start', () => {
    guardian.start();
    guardian.start();
    expect(started).toHaveLength(1);
    expect(guardian.pid).toBe(1_000);
  });

  it('is told each group and its end in one line each', () => {
    guardian.start();
    guardian.add(WORKER);
    guardian.end(WORKER);
    expect(latest().lines).toEqual(['add 100 7 run/a/1/1\n', 'end 100 7 run/a/1/1\n']);
  });

  it('is told of groups that were there before it', () => {
    guardian.add(WORKER);
    guardian.start();
    expect(latest().lines).toEqual(['add 100 7 run/a/1/1\n']);
  });
});

describe('a guardian that dies', () => {
  beforeEach(() => {
    guardian.start();
    guardian.add(WORKER);
    guardian.add(OTHER);
    guardian.end(WORKER);
  });

  it('is replaced at once by one that is told everything, ends included', () => {
    latest().exit(KILLED);
    expect(started).toHaveLength(2);
    expect(latest().lines).toEqual(['add 200 8 run/b/1/2\n', 'end 100 7 run/a/1/1\n']);
    expect(replaced).toEqual([{ reason: KILLED, pid: 1_001, groupsCount: 1 }]);
  });

  it('is followed by what its successor is told', () => {
    latest().exit(KILLED);
    guardian.end(OTHER);
    expect(latest().lines.at(-1)).toBe('end 200 8 run/b/1/2\n');
    expect(started[0]!.lines).toHaveLength(3);
  });

  it('too often is replaced when the window allows it, and its absence is told', () => {
    for (let death = 0; death < LIMITS.guardianReplacementsMax; death += 1) latest().exit(KILLED);
    expect(started).toHaveLength(LIMITS.guardianReplacementsMax + 1);
    clock.advance(1_000);
    latest().exit(KILLED);
    expect(started).toHaveLength(LIMITS.guardianReplacementsMax + 1);
    expect(guardian.pid).toBeUndefined();
    const waitMs = LIMITS.guardianReplacementPeriodMs - 1_000;
    expect(absent).toEqual([{ reason: KILLED, waitMs }]);
    clock.advance(waitMs - 1);
    expect(started).toHaveLength(LIMITS.guardianReplacementsMax + 1);
    clock.advance(1);
    expect(started).toHaveLength(LIMITS.guardianReplacementsMax + 2);
    expect(latest().lines).toContain('add 200 8 run/b/1/2\n');
  });

  it('and cannot be replaced is tried again until it can, within the rate', () => {
    refusal = new Error('EMFILE');
    latest().exit(KILLED);
    clock.advance(1_000);
    expect(absent).toHaveLength(1);
    refusal = undefined;
    clock.advance(LIMITS.guardianReplacementPeriodMs);
    expect(started).toHaveLength(2);
    expect(replaced.at(-1)).toMatchObject({ pid: 1_001 });
    expect(clock.pending).toBe(0);
  });

  it('is told of no more ends than may have been missed', () => {
    for (let serial = 0; serial < 2 * LIMITS.guardianEndsKept; serial += 1) {
      guardian.end({ ...WORKER, incarnation: `run/c/1/${serial}` });
    }
    latest().exit(KILLED);
    expect(latest().lines).toHaveLength(1 + LIMITS.guardianEndsKept);
  });
});

describe('a guardian that does not guard', () => {
  it('because it is stopped is killed, so that another one does', () => {
    guardian.start();
    guardian.add(WORKER);
    expect(latest().orders).toEqual([]);
    state = 'stopped';
    guardian.add(OTHER);
    expect(latest().orders).toEqual(['kill']);
  });

  it('because it does not read is killed', () => {
    guardian.start();
    latest().backlogBytes = LIMITS.guardianBacklogBytesMax + 1;
    guardian.end(WORKER);
    expect(latest().orders).toEqual(['kill']);
  });
});

describe('the end of a run', () => {
  it('closes the guardian, waits for it and replaces it no more', () => {
    const over: string[] = [];
    guardian.start();
    guardian.close(() => over.push('first'));
    guardian.close(() => over.push('second'));
    expect([latest().orders, over]).toEqual([['end'], []]);
    latest().exit({ type: 'normal' });
    expect(over).toEqual(['first', 'second']);
    expect([started.length, replaced, clock.pending]).toEqual([1, [], 0]);
  });

  it('does not wait for ever: a guardian that stays is killed', () => {
    guardian.start();
    guardian.close(() => undefined);
    clock.advance(LIMITS.guardianEndTimeoutMs);
    expect(latest().orders).toEqual(['end', 'kill']);
  });

  it('is told also when there is no guardian', () => {
    const over: string[] = [];
    guardian.close(() => over.push('never started'));
    expect(over).toEqual([]);
    clock.poll();
    guardian.start();
    expect([over, started]).toEqual([['never started'], []]);
  });

  it('is told also while there is none for a while, and none comes after it', () => {
    const over: string[] = [];
    guardian.start();
    for (let death = 0; death <= LIMITS.guardianReplacementsMax; death += 1) latest().exit(KILLED);
    const before = started.length;
    guardian.close(() => over.push('over'));
    clock.advance(10 * LIMITS.guardianReplacementPeriodMs);
    clock.poll();
    expect([over, started.length]).toEqual([['over'], before]);
  });
});

describe('the rate of replacements', () => {
  const { guardianReplacementsMax: max, guardianReplacementPeriodMs: periodMs } = LIMITS;

  it('lets so many pass at once', () => {
    expect(replacementWaitMs([], 5)).toBe(0);
    expect(
      replacementWaitMs(
        Array.from({ length: max - 1 }, () => 5),
        5,
      ),
    ).toBe(0);
  });

  it('waits until the oldest that counts has left the window', () => {
    const times = [0, ...Array.from({ length: max }, (_, at) => 10 + at)];
    expect(replacementWaitMs(times, 100)).toBe(10 + periodMs - 100);
    expect(replacementWaitMs(times, 10 + periodMs)).toBe(0);
  });
});
