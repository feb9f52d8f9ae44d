import { describe, expect, it } from 'vitest';
import { route } from '../../../supervisors/pool/affinity.ts';
import type { CallRow, Session, Slot } from '../../../supervisors/pool/call-row.ts';

const ROW = {} as CallRow;

const slot = (
  name: string,
  sessions: number,
  state: 'idle' | 'busy',
  more: Partial<Pick<Slot, 'callsMax' | 'phase' | 'endingsCount'>> = {},
) =>
  ({
    ...{ worker: { workerId: name }, callsMax: 1, phase: 'open', endingsCount: 0, ...more },
    rows: new Set(state === 'busy' ? [ROW] : []),
    sessions: new Set(Array.from({ length: sessions }, () => ({}) as Session)),
  }) as unknown as Slot;

const session = (phase: Session['phase'], bound?: Slot) => ({ phase, slot: bound }) as Session;

const IDLE = slot('idle', 2, 'idle');
const EMPTY = slot('empty', 0, 'idle');
const BUSY = slot('busy', 0, 'busy');
const AHEAD = slot('busy, holds one ahead', 0, 'busy', { callsMax: 2 });

describe('a call without a session', () => {
  it.each([
    ['goes to the idle worker', [BUSY, IDLE], IDLE],
    ['goes to the idle worker with the fewest sessions', [IDLE, EMPTY, BUSY], EMPTY],
    ['goes to the idle worker, though a busy one may hold it ahead', [AHEAD, IDLE], IDLE],
    ['goes ahead to a busy worker when none is idle', [BUSY, AHEAD], AHEAD],
    ['goes to the first of equals', [EMPTY, slot('other', 0, 'idle')], EMPTY],
  ])('%s', (_what, slots, best) => {
    expect(route(undefined, slots)).toEqual({
      type: 'worker',
      slot: best,
      because: 'least_loaded',
    });
  });

  it.each([
    ['all are busy', [BUSY]],
    ['there is none', []],
    ['the idle one is told of what it lacks', [slot('u', 0, 'idle', { phase: 'updating' })]],
    ['the idle one is to be replaced', [slot('r', 0, 'idle', { phase: 'retiring' })]],
    [
      'the one with room has a call that is being ended',
      [slot('e', 0, 'busy', { callsMax: 3, endingsCount: 1 })],
    ],
  ])('waits when %s', (_what, slots) => {
    expect(route(undefined, slots)).toEqual({ type: 'wait', because: 'no_idle_worker' });
  });
});

describe('a call of a session', () => {
  it('that is bound goes to its own worker, however loaded', () => {
    const found = route(session('idle', IDLE), [EMPTY, IDLE]);
    expect(found).toEqual({ type: 'worker', slot: IDLE, because: 'bound' });
  });

  it('that is bound waits for its own worker, though another is idle', () => {
    const found = route(session('idle', BUSY), [EMPTY, BUSY]);
    expect(found).toEqual({ type: 'wait', because: 'bound_worker_busy' });
  });

  it('that is bound goes ahead to its own worker, though another is idle', () => {
    const found = route(session('idle', AHEAD), [EMPTY, AHEAD]);
    expect(found).toEqual({ type: 'worker', slot: AHEAD, because: 'bound' });
  });

  it('that is bound nowhere goes to the worker with the fewest sessions', () => {
    const found = route(session('idle'), [IDLE, EMPTY]);
    expect(found).toEqual({ type: 'worker', slot: EMPTY, because: 'least_loaded' });
  });

  it.each(['listed', 'running'] as const)('that is %s waits for those before it', (phase) => {
    expect(route(session(phase, IDLE), [IDLE])).toEqual({ type: 'wait', because: 'session_busy' });
  });
});
