import { describe, expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import type { ExitReason } from '../../../actors/ground/exit-reason.ts';
import { LIFECYCLE_STATES } from '../../../actors/lifecycle/child.ts';
import type { WorkerEvent } from '../../../actors/worker/worker-events.ts';
import { lifecycleStateOf, type WorkerSnapshot } from '../../../actors/worker/worker-state.ts';
import { workerMachine } from '../../../actors/worker/worker.machine.ts';

const ERROR = { type: 'ImportError', message: 'no', traceback: 'Traceback', code: 'python_error' };
const STATUS_9: ExitReason = { type: 'exit_status', status: 9 };
const SHUTDOWN: ExitReason = { type: 'shutdown' };

const EVENTS = {
  greeted: { type: 'process.greeted' },
  ready: { type: 'process.ready' },
  failed: { type: 'process.failed', error: ERROR },
  broken: { type: 'process.broken', cause: undefined },
  brokeRules: { type: 'process.broken', cause: { type: 'error', error: new Error('garbage') } },
  exited: { type: 'process.exited', report: { reason: STATUS_9, stderrTail: 'tail' } },
  started: { type: 'call.started' },
  ended: { type: 'call.ended' },
  restart: { type: 'worker.restart', epoch: 2, delayMs: 0 },
  stop: { type: 'worker.stop', shutdown: 5_000, reason: SHUTDOWN },
  kill: { type: 'worker.stop', shutdown: 'brutal_kill', reason: SHUTDOWN },
} as const satisfies Record<string, WorkerEvent>;
type EventName = keyof typeof EVENTS;

/** How each state is reached. */
const PATHS = {
  launching: [],
  importing: ['greeted'],
  ready: ['greeted', 'ready'],
  busy: ['greeted', 'ready', 'started'],
  draining: ['greeted', 'ready', 'started', 'stop'],
  asking: ['greeted', 'ready', 'stop'],
  terminating: ['greeted', 'stop'],
  killing: ['greeted', 'ready', 'kill'],
  exiting: ['greeted', 'ready', 'broken'],
  crashed: ['greeted', 'ready', 'exited'],
  restarting: ['greeted', 'ready', 'exited', 'restart'],
  stopped: ['greeted', 'ready', 'stop', 'exited'],
} as const satisfies Record<string, readonly EventName[]>;
type State = keyof typeof PATHS;

const START = { epoch: 1, startTimeoutMs: 60_000 };

function after(events: readonly EventName[]): WorkerSnapshot {
  let [snapshot] = initialTransition(workerMachine, START);
  for (const name of events) [snapshot] = transition(workerMachine, snapshot, EVENTS[name]);
  return snapshot;
}

/** The innermost state. */
function innermost({ value }: WorkerSnapshot): string {
  let state: unknown = value;
  while (typeof state === 'object' && state !== null) {
    state = Object.values(state)[0];
  }
  return String(state);
}

/** What each state makes of each event; an event that is not named is ignored there. */
const TABLE: Readonly<Record<State, Partial<Record<EventName, State>>>> = {
  launching: {
    ...{ greeted: 'importing', ready: 'ready', failed: 'exiting', broken: 'exiting' },
    ...{ brokeRules: 'exiting' },
    ...{ exited: 'crashed', stop: 'terminating', kill: 'killing' },
  },
  importing: {
    ...{ ready: 'ready', failed: 'exiting', broken: 'exiting', brokeRules: 'exiting' },
    ...{ exited: 'crashed', stop: 'terminating', kill: 'killing' },
  },
  ready: {
    ...{ started: 'busy', broken: 'exiting', brokeRules: 'exiting' },
    ...{ exited: 'crashed', stop: 'asking', kill: 'killing' },
  },
  busy: {
    ...{ ended: 'ready', broken: 'exiting', brokeRules: 'exiting' },
    ...{ exited: 'crashed', stop: 'draining', kill: 'killing' },
  },
  // The end of the wire is what an obedient worker shows; a broken rule of it costs the worker its life at once.
  draining: { brokeRules: 'killing', exited: 'stopped', kill: 'killing' },
  asking: { brokeRules: 'killing', exited: 'stopped', kill: 'killing' },
  terminating: { brokeRules: 'killing', exited: 'stopped', kill: 'killing' },
  killing: { exited: 'stopped' },
  exiting: { failed: 'exiting', exited: 'crashed', stop: 'killing', kill: 'killing' },
  crashed: { restart: 'restarting', stop: 'stopped', kill: 'stopped' },
  restarting: { stop: 'stopped', kill: 'stopped' },
  stopped: {},
};

const STATES = Object.keys(PATHS) as State[];
const NAMES = Object.keys(EVENTS) as EventName[];
const ROWS = STATES.flatMap((state) =>
  NAMES.map((event) => ({ state, event, next: TABLE[state][event] })),
);

describe("the worker's machine", () => {
  it('starts', () => {
    expect(innermost(after([]))).toBe('launching');
  });

  it.each(STATES)('can be %s', (state) => {
    expect(innermost(after(PATHS[state]))).toBe(state);
  });

  it.each(ROWS.filter(({ next }) => next !== undefined))(
    '$state goes on $event to $next',
    ({ state, event, next }) => {
      expect(innermost(after([...PATHS[state], event]))).toBe(next);
    },
  );

  it.each(ROWS.filter(({ next }) => next === undefined))(
    '$state ignores $event',
    ({ state, event }) => {
      const before = after(PATHS[state]);
      const [snapshot, actions] = transition(workerMachine, before, EVENTS[event]);
      expect([snapshot.value, snapshot.context, actions]).toEqual([
        before.value,
        before.context,
        [],
      ]);
    },
  );

  it('shows all the states of a life', () => {
    const seen = new Set(STATES.map((state) => lifecycleStateOf(after(PATHS[state]))));
    expect([...seen].sort()).toEqual([...LIFECYCLE_STATES].sort());
  });

  it('takes calls in ready alone: a busy one is handed its next by whoever it replied to', () => {
    const accepting = STATES.filter((state) => after(PATHS[state]).hasTag('accepting'));
    expect(accepting).toEqual(['ready']);
  });
});

describe('the reason of an end', () => {
  const reasonAfter = (...events: EventName[]) => after(events).context.report.reason;

  it.each<readonly [what: string, events: EventName[], reason: object]>([
    ['a crash is its exit', ['greeted', 'exited'], STATUS_9],
    ['an end of the wire is the exit that follows', ['greeted', 'broken', 'exited'], STATUS_9],
    ['a stop is the reason of the order', ['greeted', 'ready', 'stop', 'exited'], SHUTDOWN],
    ['a drained stop is the reason of the order', [...PATHS.draining, 'exited'], SHUTDOWN],
    ['a brutal kill is killed', ['greeted', 'ready', 'kill', 'exited'], { type: 'killed' }],
    ['a stop of a crashed worker is the crash', [...PATHS.crashed, 'stop'], STATUS_9],
    ['a stop between incarnations is shutdown', [...PATHS.restarting, 'stop'], SHUTDOWN],
  ])('of %s', (_what, events, reason) => {
    expect(reasonAfter(...events)).toEqual(reason);
  });

  it.each<readonly EventName[]>([
    ['greeted', 'failed', 'exited'],
    // It says so on another lane than the one whose end was seen first.
    ['greeted', 'broken', 'failed', 'exited'],
  ])('of a bridge that did not start is its own error, not the exit: %s %s %s', (...events) => {
    const reason = reasonAfter(...events);
    expect(reason).toMatchObject({ type: 'error', error: { pythonType: 'ImportError' } });
  });

  it('keeps the last lines of stderr', () => {
    expect(after(PATHS.crashed).context.report.stderrTail).toBe('tail');
  });

  it('is forgotten by the next incarnation, which bears the epoch that it was given', () => {
    const { epoch, cause, report } = after(PATHS.restarting).context;
    expect({ epoch, cause, report: report.stderrTail }).toEqual({
      epoch: 2,
      cause: undefined,
      report: '',
    });
  });
});

describe('a second order to stop', () => {
  it.each(['draining', 'asking', 'terminating', 'killing'] as const)(
    'never gives more time: %s stays as it is',
    (state) => {
      const before = after(PATHS[state]);
      const longer = { ...EVENTS.stop, shutdown: 60_000 };
      const [snapshot] = transition(workerMachine, before, longer);
      expect([innermost(snapshot), snapshot.context.order]).toEqual([state, before.context.order]);
    },
  );
});
