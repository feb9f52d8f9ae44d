import { describe, expect, it } from 'vitest';
import { initialTransition, transition, type AnyEventObject } from 'xstate';
import { KILLED, type ExitReason } from '../../../actors/ground/exit-reason.ts';
import {
  lifecycleMachine,
  lifecycleStateOf,
  type LifecycleEvent,
  type LifecycleSnapshot,
} from '../../../actors/lifecycle/lifecycle.machine.ts';

const CRASH: ExitReason = { type: 'exit_status', status: 1 };
const stop = (shutdown: number | 'brutal_kill' | 'infinity'): LifecycleEvent => ({
  ...{ type: 'lifecycle.stop', shutdown },
});

const EVENTS = {
  ready: { type: 'inside.ready' },
  ignored: { type: 'inside.ignored' },
  exited: { type: 'inside.exited', reason: CRASH },
  reaped: { type: 'inside.reaped' },
  restart: { type: 'lifecycle.restart', epoch: 2, delayMs: 0 },
  'restart later': { type: 'lifecycle.restart', epoch: 2, delayMs: 50 },
  stop: stop(5_000),
  'stop without a bound': stop('infinity'),
  kill: stop('brutal_kill'),
} satisfies Record<string, LifecycleEvent>;
type Name = keyof typeof EVENTS;

/** The ways into each state. */
const WAYS = {
  spawning: [],
  ready: ['ready'],
  'crashed.cleaning': ['ready', 'exited'],
  'crashed.reaped': ['ready', 'exited', 'reaped'],
  restarting: ['ready', 'exited', 'reaped', 'restart later'],
  'stopping.asking': ['ready', 'stop'],
  'stopping.waiting': ['ready', 'stop without a bound'],
  'stopping.finishing': ['ready', 'exited', 'stop'],
  stopped: ['ready', 'kill'],
} as const satisfies Record<string, readonly Name[]>;
type State = keyof typeof WAYS;
const STATES = Object.keys(WAYS) as readonly State[];

/** Where it goes from each state, and which orders it gives; what is not listed is ignored. */
const TABLE: Readonly<Record<State, Partial<Record<Name, string>>>> = {
  spawning: {
    ready: 'ready',
    ignored: 'stopped',
    exited: 'crashed.cleaning: reap',
    stop: 'stopping.asking: ask',
    'stop without a bound': 'stopping.waiting: ask',
    kill: 'stopped: kill',
  },
  ready: {
    exited: 'crashed.cleaning: reap',
    stop: 'stopping.asking: ask',
    'stop without a bound': 'stopping.waiting: ask',
    kill: 'stopped: kill',
  },
  'crashed.cleaning': {
    reaped: 'crashed.reaped',
    stop: 'stopping.finishing',
    'stop without a bound': 'stopping.finishing',
    kill: 'stopped',
  },
  'crashed.reaped': {
    restart: 'spawning: open',
    'restart later': 'restarting',
    stop: 'stopped',
    'stop without a bound': 'stopped',
    kill: 'stopped',
  },
  restarting: {
    stop: 'stopped',
    'stop without a bound': 'stopped',
    kill: 'stopped',
  },
  'stopping.asking': {
    exited: 'stopping.asking: reap',
    reaped: 'stopped',
    kill: 'stopped: kill',
  },
  'stopping.waiting': {
    exited: 'stopping.waiting: reap',
    reaped: 'stopped',
    kill: 'stopped: kill',
  },
  'stopping.finishing': { reaped: 'stopped', kill: 'stopped' },
  stopped: {},
};

/** What time does in each state. */
const TIMES: Partial<Record<State, readonly [delay: string, path: string, outcome: string]>> = {
  spawning: ['startTimeout', 'spawning', 'crashed.cleaning: kill, reap'],
  'crashed.cleaning': ['cleanUpTimeout', 'crashed.cleaning', 'crashed.reaped'],
  restarting: ['backoff', 'restarting', 'spawning: open'],
  'stopping.asking': ['shutdownTime', 'stopping.asking', 'stopped: kill'],
  'stopping.finishing': ['cleanUpTimeout', 'stopping.finishing', 'stopped'],
};

const ORDERS = ['open', 'ask', 'kill', 'reap'];

const placeOf = ({ value }: LifecycleSnapshot): string =>
  typeof value === 'string' ? value : Object.entries(value).flat().join('.');

function begin() {
  return initialTransition(lifecycleMachine, { epoch: 1, startTimeoutMs: 100 });
}

function after(snapshot: LifecycleSnapshot, event: AnyEventObject): [LifecycleSnapshot, string] {
  const [next, actions] = transition(lifecycleMachine, snapshot, event as LifecycleEvent);
  const orders = actions.map(({ type }) => type).filter((type) => ORDERS.includes(type));
  const place = placeOf(next);
  return [next, orders.length === 0 ? place : `${place}: ${orders.join(', ')}`];
}

function reach(state: State): LifecycleSnapshot {
  let [snapshot] = begin();
  for (const name of WAYS[state]) [snapshot] = after(snapshot, EVENTS[name]);
  expect(placeOf(snapshot)).toBe(state);
  return snapshot;
}

describe('the life of a child', () => {
  it('begins with its start', () => {
    const [snapshot, actions] = begin();
    expect([placeOf(snapshot), actions.map(({ type }) => type)]).toMatchObject([
      'spawning',
      expect.arrayContaining(['open']),
    ]);
  });

  it.each(
    STATES.flatMap((state) =>
      (Object.keys(EVENTS) as readonly Name[]).map((name) => ({
        ...{ state, name, outcome: TABLE[state][name] ?? state },
      })),
    ),
  )('$state, $name: $outcome', ({ state, name, outcome }) => {
    expect(after(reach(state), EVENTS[name])[1]).toBe(outcome);
  });

  it.each(STATES.filter((state) => TIMES[state] !== undefined))('%s ends in time', (state) => {
    const [delay, path, outcome] = TIMES[state]!;
    const type = `xstate.after.${delay}.lifecycle.${path}`;
    expect(after(reach(state), { type })[1]).toBe(outcome);
  });

  it.each(STATES.filter((state) => TIMES[state] === undefined))('%s waits for ever', (state) => {
    const [, actions] = transition(lifecycleMachine, reach(state), { type: 'inside.ready' });
    expect(actions.filter(({ type }) => type === 'xstate.raise')).toEqual([]);
  });
});

describe('what the machine remembers', () => {
  const context = (state: State, ...events: readonly LifecycleEvent[]) => {
    let snapshot = reach(state);
    for (const event of events) [snapshot] = after(snapshot, event);
    return snapshot.context;
  };

  it('is how the last incarnation ended', () => {
    expect(context('crashed.reaped').reason).toEqual(CRASH);
    expect(context('ready', EVENTS.kill).reason).toEqual(KILLED);
    expect(context('spawning', EVENTS.ignored).reason).toEqual({ type: 'normal' });
    expect(context('stopping.asking', EVENTS.exited, EVENTS.reaped).reason).toEqual(CRASH);
  });

  it('is a start that took too long', () => {
    const type = 'xstate.after.startTimeout.lifecycle.spawning';
    const [{ context: after1 }] = after(reach('spawning'), { type });
    expect(after1.reason).toEqual({ type: 'timeout', what: 'start' });
  });

  it('is the epoch of the next start, from the order on', () => {
    expect([context('crashed.reaped').epoch, context('restarting').epoch]).toEqual([1, 2]);
  });

  it('is the reason of the crash, for one that is stopped before it starts again', () => {
    expect(context('restarting', EVENTS.stop).reason).toEqual(CRASH);
  });
});

describe('the state in the words that hold for every child', () => {
  it.each(STATES)('%s', (state) => {
    expect(lifecycleStateOf(reach(state))).toBe(state.split('.')[0]);
  });
});
