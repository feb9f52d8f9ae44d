import { describe, expect, it } from 'vitest';
import { isOpenToAll, route } from '../../../supervisors/pool/affinity.ts';
import type { CallRow, Slot } from '../../../supervisors/pool/call-row.ts';
import type { Leaving } from '../../../supervisors/pool/leaving.ts';
import type { Affinity } from '../../../supervisors/pool/pool-options.ts';
import type { Session } from '../../../supervisors/pool/session.ts';

const ROW = {} as CallRow;

const slot = (
  name: string,
  sessions: number,
  state: 'idle' | 'busy',
  more: Partial<Pick<Slot, 'callsMax' | 'phase' | 'endingsCount' | 'leaving' | 'holder'>> = {},
) =>
  ({
    ...{ worker: { workerId: name }, callsMax: 1, phase: 'open', endingsCount: 0, ...more },
    rows: new Set(state === 'busy' ? [ROW] : []),
    sessions: new Set(Array.from({ length: sessions }, () => ({}) as Session)),
  }) as unknown as Slot;

const session = (
  phase: Session['phase'],
  bound?: Slot,
  stage: Session['stage'] = 'live',
): Session => ({ phase, slot: bound, stage }) as Session;

const anonymous = (slots: readonly Slot[]) =>
  route({ session: undefined, affinity: 'required' }, slots);

const of = (one: Session, slots: readonly Slot[], affinity: Affinity = 'required') =>
  route({ session: one, affinity }, slots);

const IDLE = slot('idle', 2, 'idle');
const EMPTY = slot('empty', 0, 'idle');
const BUSY = slot('busy', 0, 'busy');
const AHEAD = slot('busy, holds one ahead', 0, 'busy', { callsMax: 2 });
const LEAVING = slot('leaving', 0, 'idle', { leaving: {} as Leaving });
const HELD = slot('held', 0, 'idle', { holder: {} as NonNullable<Slot['holder']> });

describe('a call without a session', () => {
  it.each([
    ['goes to the idle worker', [BUSY, IDLE], IDLE],
    ['goes to the idle worker with the fewest sessions', [IDLE, EMPTY, BUSY], EMPTY],
    ['goes to the idle worker, though a busy one may hold it ahead', [AHEAD, IDLE], IDLE],
    ['goes ahead to a busy worker when none is idle', [BUSY, AHEAD], AHEAD],
    ['goes to the first of equals', [EMPTY, slot('other', 0, 'idle')], EMPTY],
    ['goes past the worker that is on its way out', [LEAVING, IDLE], IDLE],
    ['goes past the worker that somebody holds alone', [HELD, IDLE], IDLE],
  ])('%s', (_what, slots, best) => {
    expect(anonymous(slots)).toEqual({ type: 'worker', slot: best, because: 'least_loaded' });
  });

  it.each([
    ['all are busy', [BUSY]],
    ['there is none', []],
    ['the idle one is told of what it lacks', [slot('u', 0, 'idle', { phase: 'updating' })]],
    ['the idle one is to be replaced', [slot('r', 0, 'idle', { phase: 'retiring' })]],
    ['the idle one is on its way out', [LEAVING]],
    ['the idle one is held', [HELD]],
    [
      'the one with room has a call that is being ended',
      [slot('e', 0, 'busy', { callsMax: 3, endingsCount: 1 })],
    ],
  ])('waits when %s', (_what, slots) => {
    expect(anonymous(slots)).toEqual({ type: 'wait', because: 'no_idle_worker' });
  });
});

describe('a call of a session that requires its worker', () => {
  it('goes to its own worker, however loaded', () => {
    const found = of(session('idle', IDLE), [EMPTY, IDLE]);
    expect(found).toEqual({ type: 'worker', slot: IDLE, because: 'bound' });
  });

  it('waits for its own worker, though another is idle', () => {
    const found = of(session('idle', BUSY), [EMPTY, BUSY]);
    expect(found).toEqual({ type: 'wait', because: 'bound_worker_busy' });
  });

  it('goes ahead to its own worker, though another is idle', () => {
    const found = of(session('idle', AHEAD), [EMPTY, AHEAD]);
    expect(found).toEqual({ type: 'worker', slot: AHEAD, because: 'bound' });
  });

  it('goes to its own worker though that is on its way out: its state is there', () => {
    const found = of(session('idle', LEAVING), [EMPTY, LEAVING]);
    expect(found).toEqual({ type: 'worker', slot: LEAVING, because: 'bound' });
  });

  it('that is bound nowhere goes to the worker with the fewest sessions', () => {
    const found = of(session('idle'), [IDLE, EMPTY]);
    expect(found).toEqual({ type: 'worker', slot: EMPTY, because: 'least_loaded' });
  });
});

describe('a call of a session that prefers its worker', () => {
  it('goes to its own worker when that has room, however loaded', () => {
    const found = of(session('idle', IDLE), [EMPTY, IDLE], 'preferred');
    expect(found).toEqual({ type: 'worker', slot: IDLE, because: 'bound' });
  });

  it('goes to the least loaded one when its own has no room', () => {
    const found = of(session('idle', BUSY), [BUSY, IDLE, EMPTY], 'preferred');
    expect(found).toEqual({ type: 'worker', slot: EMPTY, because: 'moved' });
  });

  it('waits for any worker when none has room', () => {
    const found = of(session('idle', BUSY), [BUSY], 'preferred');
    expect(found).toEqual({ type: 'wait', because: 'no_idle_worker' });
  });
});

describe('a call of a session without affinity', () => {
  it('goes to the least loaded worker, though its own has room', () => {
    const found = of(session('idle', IDLE), [IDLE, EMPTY], 'none');
    expect(found).toEqual({ type: 'worker', slot: EMPTY, because: 'moved' });
  });

  it('goes to its own when that is the least loaded one', () => {
    const found = of(session('idle', EMPTY), [IDLE, EMPTY], 'none');
    expect(found).toEqual({ type: 'worker', slot: EMPTY, because: 'least_loaded' });
  });
});

describe.each(['required', 'preferred', 'none'] as const)(
  'with affinity %s a session',
  (affinity) => {
    it.each(['listed', 'running'] as const)('that is %s waits for those before it', (phase) => {
      const found = of(session(phase, IDLE), [IDLE, EMPTY], affinity);
      expect(found).toEqual({ type: 'wait', because: 'session_busy' });
    });

    it('that is being loaded waits for that', () => {
      const found = of(session('idle', undefined, 'loading'), [IDLE], affinity);
      expect(found).toEqual({ type: 'wait', because: 'session_loading' });
    });
  },
);

describe('a worker', () => {
  it.each([
    ['idle', EMPTY, true],
    ['busy, with room ahead', AHEAD, true],
    ['busy', BUSY, false],
    ['held', HELD, false],
    ['on its way out', LEAVING, false],
  ])('that is %s is open to all or not', (_what, one, isOpen) => {
    expect(isOpenToAll(one)).toBe(isOpen);
  });
});
