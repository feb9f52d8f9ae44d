import { describe, expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import type { ProcessReading } from '../../../actors/port/host.ts';
import {
  livenessMachine,
  type LivenessEvent,
  type LivenessState,
} from '../../../actors/worker/liveness.machine.ts';
import { judgeBeat, pulseOf, type BeatFacts } from '../../../actors/worker/liveness.ts';
import { HEARTBEAT_MS, READING } from './watched-worker.ts';

const MISSED: BeatFacts = {
  heartbeatMs: HEARTBEAT_MS,
  lateMs: 0,
  elapsedMs: HEARTBEAT_MS,
  isAnswered: false,
  startTicks: READING.startTicks,
  before: READING,
  now: READING,
};

describe('a beat', () => {
  it.each([
    ['that was answered is no miss, even when it is late', { isAnswered: true, lateMs: 9_000 }],
    ['that was answered is no miss, even of a stopped process', { isAnswered: true }],
  ] as const)('%s', (_what, facts) => {
    const now = { ...READING, state: 'stopped' } as const;
    expect(judgeBeat({ ...MISSED, now, ...facts })).toEqual({ type: 'beat.answered' });
  });

  it('is late beyond a whole heartbeat, and in time until then', () => {
    expect(judgeBeat({ ...MISSED, lateMs: HEARTBEAT_MS }).type).toBe('beat.missed');
    expect(judgeBeat({ ...MISSED, lateMs: HEARTBEAT_MS + 1 })).toEqual({ type: 'beat.late' });
  });

  it('finds nobody where a zombie or a stranger is', () => {
    const zombie = { ...READING, state: 'zombie' } as const;
    const stranger = { ...READING, startTicks: 101 };
    expect(judgeBeat({ ...MISSED, now: zombie })).toEqual({ type: 'beat.gone' });
    expect(judgeBeat({ ...MISSED, now: stranger })).toEqual({ type: 'beat.gone' });
  });

  it('is missed, with what the system says and the time that it took', () => {
    const elapsedMs = 3_100;
    const missed = { type: 'beat.missed', pulse: 'idle', elapsedMs };
    expect(judgeBeat({ ...MISSED, elapsedMs })).toEqual(missed);
    const unknown = { type: 'beat.missed', pulse: 'unknown', elapsedMs: HEARTBEAT_MS };
    expect(judgeBeat({ ...MISSED, now: undefined })).toEqual(unknown);
    expect(judgeBeat({ ...MISSED, startTicks: undefined, before: undefined })).toEqual(unknown);
  });
});

describe('the pulse of a process that does not answer', () => {
  const pulse = (now: Partial<ProcessReading>, elapsedMs = HEARTBEAT_MS) =>
    pulseOf(READING, { ...READING, ...now }, elapsedMs);

  it.each([
    ['stopped', 'stopped'],
    ['running', 'working'],
    ['uninterruptible', 'working'],
    ['sleeping', 'idle'],
    ['other', 'idle'],
  ] as const)('without CPU time in state %s is %s', (state, expected) => {
    expect(pulse({ state })).toBe(expected);
  });

  it('of a stopped one is not judged by what it had used', () => {
    expect(pulse({ state: 'stopped', cpuMs: 2_000 })).toBe('stopped');
  });

  // Measured: CPU ms of one beat in which threads only wait for the interpreter lock; the main thread, which holds it asleep, is not counted.
  it.each([
    ['Python 3.10', 1, 17.2],
    ['Python 3.10', 8, 62.8],
    ['Python 3.11', 1, 21.2],
    ['Python 3.11', 8, 90.3],
    ['Python 3.11', 32, 314.7],
    ['Python 3.13', 1, 21.5],
    ['Python 3.13', 8, 90.6],
  ])('is idle when it only waits for the lock: %s, %i threads, %f ms', (_version, waiting, ms) => {
    // The kernel counts in ticks of 10 ms.
    const cpuMs = Math.ceil(ms / 10) * 10;
    expect(pulse({ cpuMs, threads: waiting + 1 })).toBe('idle');
  });

  it.each([1, 8, 64, 1_000])(
    'is that of work when one of %i sleeping threads computes',
    (threads) => {
      expect(pulse({ cpuMs: HEARTBEAT_MS, threads })).toBe('working');
      // And when it has half of a core only.
      expect(pulse({ cpuMs: HEARTBEAT_MS / 2, threads })).toBe('working');
    },
  );

  it('is not lost in a short beat, where a tick weighs more', () => {
    expect(pulse({ cpuMs: 10 }, 100)).toBe('idle');
    expect(pulse({ cpuMs: 100 }, 100)).toBe('working');
  });
});

const INPUT = { missesMax: 3, gilHoldMsMax: 30_000, dumpMs: 200 };
const missed = (pulse: 'stopped' | 'working' | 'idle' | 'unknown') =>
  ({ type: 'beat.missed', pulse, elapsedMs: HEARTBEAT_MS }) as const;
const TWICE = [missed('idle'), missed('idle')];

/** How each state is reached. */
const PATHS: Readonly<Record<LivenessState, readonly LivenessEvent[]>> = {
  beating: [],
  suspected: [...TWICE, missed('idle')],
  holding: [...TWICE, missed('working')],
  dumping: [...TWICE, missed('idle'), missed('idle')],
  over: [...TWICE, missed('stopped')],
};

const EVENTS = {
  stopped: missed('stopped'),
  working: missed('working'),
  idle: missed('idle'),
  unknown: missed('unknown'),
  pong: { type: 'pong' },
  polled: { type: 'polled' },
} as const satisfies Record<string, LivenessEvent>;

/** What each state makes of each event; an event that is not named changes nothing there. */
const TABLE: Readonly<Record<LivenessState, Partial<Record<keyof typeof EVENTS, LivenessState>>>> =
  {
    beating: {},
    suspected: {
      ...{ stopped: 'over', working: 'holding', idle: 'dumping', unknown: 'holding' },
      ...{ pong: 'beating' },
    },
    holding: { stopped: 'over', idle: 'suspected', pong: 'beating' },
    dumping: { pong: 'beating', polled: 'over' },
    over: {},
  };

function after(events: readonly LivenessEvent[]) {
  let [snapshot] = initialTransition(livenessMachine, INPUT);
  for (const event of events) [snapshot] = transition(livenessMachine, snapshot, event);
  return snapshot;
}

describe('the liveness machine', () => {
  const cases = Object.entries(PATHS).flatMap(([state, path]) =>
    Object.keys(EVENTS).map((event) => [state, event, path] as const),
  ) as [LivenessState, keyof typeof EVENTS, readonly LivenessEvent[]][];

  it.each(cases)('in %s takes %s as the table says', (state, event, path) => {
    expect(after(path).value).toBe(state);
    const expected = TABLE[state][event] ?? state;
    expect(after([...path, EVENTS[event]]).value).toBe(expected);
  });

  it.each(['stopped', 'working', 'idle', 'unknown'] as const)(
    'is moved by the third miss in a row, not by the second: %s',
    (pulse) => {
      const third = { stopped: 'over', working: 'holding', idle: 'suspected', unknown: 'holding' };
      expect(after([EVENTS[pulse], EVENTS[pulse]]).value).toBe('beating');
      expect(after([...TWICE, { type: 'pong' }, ...TWICE]).value).toBe('beating');
      expect(after([...TWICE, EVENTS[pulse]]).value).toBe(third[pulse]);
    },
  );
});
