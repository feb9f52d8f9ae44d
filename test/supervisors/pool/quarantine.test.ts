import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { Quarantine } from '../../../supervisors/pool/quarantine.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const args = (value: object) => encodeValue(value, 'args');
const A = args({ a: 1 });
const B = args({ a: 2 });

function setUp(crashes = 2) {
  const clock = new VirtualClock();
  const quarantine = new Quarantine({ crashes, forMs: 1_000 }, clock);
  const crash = (op: string, of = A, times = 1): void => {
    for (let time = 0; time < times; time += 1) quarantine.onCrash(op, of);
  };
  const isPoisoned = (op: string, of = A): boolean => quarantine.crashesOf(op, of) !== undefined;
  return { clock, quarantine, crash, isPoisoned };
}

/** Arguments that nobody may look at. */
const UNREAD = {
  get json(): never {
    throw new Error('it was looked at');
  },
  tagged: false,
  segments: [],
};

describe('a call', () => {
  it('is poison after as many crashes as are allowed, not before', () => {
    const { quarantine, crash, isPoisoned } = setUp();
    expect(isPoisoned('train', A)).toBe(false);
    crash('train');
    expect(quarantine.crashesOf('train', A)).toBeUndefined();
    crash('train');
    expect([isPoisoned('train', A), quarantine.crashesOf('train', A)]).toEqual([true, 2]);
  });

  it('is suspect from the first crash on, with its own arguments only', () => {
    const { clock, quarantine, crash } = setUp();
    expect(quarantine.isSuspect('train', A)).toBe(false);
    crash('train');
    expect([quarantine.isSuspect('train', A), quarantine.isSuspect('train', B)]).toEqual([
      true,
      false,
    ]);
    clock.advance(1_000);
    expect(quarantine.isSuspect('train', A)).toBe(false);
  });

  it('is free of suspicion once it was answered, with its own arguments only', () => {
    const { quarantine, crash, isPoisoned } = setUp();
    crash('train', A);
    crash('train', B);
    quarantine.onAnswer('train', A);
    quarantine.onAnswer('test', B);
    expect([quarantine.isSuspect('train', A), quarantine.isSuspect('train', B)]).toEqual([
      false,
      true,
    ]);
    crash('train', A);
    expect([isPoisoned('train', A), quarantine.isEmpty]).toEqual([false, false]);
    quarantine.onAnswer('train', A);
    quarantine.onAnswer('train', B);
    expect(quarantine.isEmpty).toBe(true);
  });

  it('is poison at the first crash where that is the limit', () => {
    const { crash, isPoisoned } = setUp(1);
    crash('train');
    expect(isPoisoned('train', A)).toBe(true);
  });

  it('is another one with other arguments, or of another operation', () => {
    const { crash, isPoisoned } = setUp();
    crash('train', A, 2);
    crash('save', B, 1);
    expect([isPoisoned('train', B), isPoisoned('save', A)]).toEqual([false, false]);
  });

  it('is the same by its value, not by its object', () => {
    const { crash, isPoisoned } = setUp();
    crash('train', args({ x: [1, { y: 'z' }] }), 2);
    expect(isPoisoned('train', args({ x: [1, { y: 'z' }] }))).toBe(true);
  });

  it('is told by its arrays too, and by where one ends and the next begins', () => {
    const { crash, isPoisoned } = setUp();
    const arrays = (...parts: number[][]) =>
      args({ parts: parts.map((part) => Uint8Array.from(part)) });
    crash('train', arrays([1, 2, 3]), 2);
    expect(isPoisoned('train', arrays([1, 2, 3]))).toBe(true);
    expect(isPoisoned('train', arrays([1, 2, 4]))).toBe(false);
    crash('train', { ...arrays([1], [2, 3]), json: null }, 2);
    expect(isPoisoned('train', { ...arrays([1], [2, 3]), json: null })).toBe(true);
    expect(isPoisoned('train', { ...arrays([1, 2], [3]), json: null })).toBe(false);
  });

  it('is free again when its time is over, which begins with its last crash', () => {
    const { clock, quarantine, crash, isPoisoned } = setUp();
    crash('train', A, 2);
    clock.advance(900);
    crash('train');
    clock.advance(999);
    expect(quarantine.crashesOf('train', A)).toBe(3);
    clock.advance(1);
    expect(isPoisoned('train', A)).toBe(false);
    crash('train');
    expect(isPoisoned('train', A)).toBe(false);
  });

  it('that ran for longer than that brings its own crashes along', () => {
    const { clock, quarantine, isPoisoned } = setUp();
    expect(quarantine.onCrash('train', A)).toBe(1);
    clock.advance(3_600_000);
    expect(quarantine.onCrash('train', A, 1)).toBe(2);
    expect(isPoisoned('train', A)).toBe(true);
    expect(quarantine.onCrash('train', A, 1)).toBe(3);
  });
});

describe('a question', () => {
  it('looks at no argument while nothing is suspect', () => {
    const { isPoisoned } = setUp();
    expect(isPoisoned('train', UNREAD)).toBe(false);
  });

  it('looks at no argument of an operation that is not suspect', () => {
    const { crash, isPoisoned } = setUp();
    crash('train', A, 2);
    expect(isPoisoned('save', UNREAD)).toBe(false);
    expect(() => isPoisoned('train', UNREAD)).toThrow('it was looked at');
  });

  it('looks at none again when all suspects of the operation are forgotten, and not before', () => {
    const { clock, crash, isPoisoned } = setUp();
    crash('train', A, 2);
    clock.advance(500);
    crash('train', B);
    clock.advance(500);
    crash('save');
    expect(isPoisoned('train', A)).toBe(false);
    expect(() => isPoisoned('train', UNREAD)).toThrow('it was looked at');
    clock.advance(500);
    expect(isPoisoned('train', A)).toBe(false);
    expect(isPoisoned('train', UNREAD)).toBe(false);
  });
});

describe('suspects', () => {
  it('are bounded: the one whose crash is longest ago is forgotten', () => {
    const { crash, isPoisoned } = setUp(1);
    const of = (index: number) => args({ index });
    for (let index = 0; index < LIMITS.quarantineEntriesMax; index += 1) crash('train', of(index));
    crash('train', of(0));
    expect(isPoisoned('train', of(1))).toBe(true);
    crash('save');
    const found = [0, 1, 2].map((index) => isPoisoned('train', of(index)));
    expect(found).toEqual([true, false, true]);
    expect(isPoisoned('save', A)).toBe(true);
  });
});
