import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../../actors/ground/deadlines.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

function setUp() {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock);
  const expired: string[] = [];
  const arm = (name: string, atMs: number) => deadlines.arm(atMs, () => expired.push(name));
  return { clock, deadlines, expired, arm };
}

describe('deadlines', () => {
  it('do not expire before their time', () => {
    const { clock, expired, arm } = setUp();
    arm('a', 100);
    clock.advance(99);
    expect(expired).toEqual([]);
  });

  it('expire at their time', () => {
    const { clock, expired, arm } = setUp();
    arm('a', 100);
    clock.advance(100);
    expect(expired).toEqual(['a']);
  });

  it('expire once', () => {
    const { clock, expired, arm } = setUp();
    arm('a', 100);
    clock.advance(1000);
    expect(expired).toEqual(['a']);
  });

  it('expire in the order of their times, whatever the order of arming', () => {
    const { clock, expired, arm } = setUp();
    arm('c', 300);
    arm('a', 100);
    arm('b', 200);
    clock.advance(1000);
    expect(expired).toEqual(['a', 'b', 'c']);
  });

  it('expire also when their time had passed before they were armed', () => {
    const { clock, expired, arm } = setUp();
    clock.advance(500);
    arm('late', 100);
    clock.advance(0);
    expect(expired).toEqual(['late']);
  });

  it('share one timer', () => {
    const { clock, arm } = setUp();
    for (const atMs of [300, 100, 200]) arm(String(atMs), atMs);
    expect(clock.pending).toBe(1);
  });

  it('may arm another one while they expire', () => {
    const { clock, deadlines, expired, arm } = setUp();
    deadlines.arm(100, () => arm('next', 200));
    clock.advance(200);
    expect(expired).toEqual(['next']);
  });

  it('leave no timer when all have expired', () => {
    const { clock, arm } = setUp();
    arm('a', 100);
    clock.advance(100);
    expect(clock.pending).toBe(0);
  });

  it('leave no timer and expire no more once cleared', () => {
    const { clock, deadlines, expired, arm } = setUp();
    arm('a', 100);
    deadlines.clear();
    const { pending } = clock;
    clock.advance(1000);
    expect({ pending, expired }).toEqual({ pending: 0, expired: [] });
  });

  it('do not expire when they are cleared between their timer and the poll', () => {
    const { clock, deadlines, expired, arm } = setUp();
    arm('a', 100);
    clock.advance(100, () => undefined);
    deadlines.clear();
    clock.poll();
    expect(expired).toEqual([]);
  });
});

describe('a deadline that is disarmed', () => {
  it('does not expire', () => {
    const { clock, expired, arm } = setUp();
    arm('a', 100).disarm();
    clock.advance(1000);
    expect(expired).toEqual([]);
  });

  it('is not counted any more, however often it is disarmed', () => {
    const { deadlines, arm } = setUp();
    const a = arm('a', 100);
    arm('b', 200);
    a.disarm();
    a.disarm();
    expect(deadlines.size).toBe(1);
  });

  it('was expired before, so nothing happens', () => {
    const { clock, deadlines, arm } = setUp();
    const a = arm('a', 100);
    clock.advance(100);
    a.disarm();
    expect(deadlines.size).toBe(0);
  });

  it('was cleared before, so nothing happens', () => {
    const { deadlines, arm } = setUp();
    const a = arm('a', 100);
    deadlines.clear();
    a.disarm();
    expect(deadlines.size).toBe(0);
  });

  it('keeps no other from expiring', () => {
    const { clock, expired, arm } = setUp();
    const first = arm('a', 100);
    arm('b', 200);
    first.disarm();
    clock.advance(200);
    expect(expired).toEqual(['b']);
  });

  it('by an event of the same poll as its timer wins over its expiry', () => {
    const { clock, expired, arm } = setUp();
    const call = arm('a', 100);
    // Time has passed and the timer has fired; the sockets are read before deadlines are judged.
    clock.advance(100, () => undefined);
    call.disarm();
    clock.poll();
    expect(expired).toEqual([]);
  });
});

describe('many disarmed deadlines', () => {
  it('are no longer counted', () => {
    const { deadlines, arm } = setUp();
    const fast = Array.from({ length: 200 }, (_, index) => arm(`fast ${index}`, 100));
    arm('slow', 5_000);
    for (const one of fast) one.disarm();
    expect(deadlines.size).toBe(1);
  });

  it('leave live ones as they were', () => {
    const { clock, expired, arm } = setUp();
    const all = Array.from({ length: 500 }, (_, index) => arm(String(index), 100 + index));
    for (const [index, one] of all.entries()) if (index % 5 !== 0) one.disarm();
    clock.advance(1000);
    expect(expired).toEqual(Array.from({ length: 100 }, (_, index) => String(index * 5)));
  });
});
