// What do cases look like that show one thing each? Written by hand, for the tests of those that compare and count.
import type { Case, ChildPlan, SupervisorPlan, WorkerPlan } from './case.ts';

export function worker(id: string, more: Partial<WorkerPlan> = {}): WorkerPlan {
  return {
    ...{ kind: 'worker', id, restart: 'permanent', significant: false },
    ...{ shutdown: 5_000, manner: 'plain', starts: [] },
    ...more,
  };
}

export function supervisor(
  id: string,
  children: readonly ChildPlan[],
  more: Partial<SupervisorPlan> = {},
): SupervisorPlan {
  return {
    ...{ kind: 'supervisor', id, restart: 'permanent', significant: false, shutdown: 'infinity' },
    ...{ strategy: 'one_for_one', intensity: 3, periodS: 5, autoShutdown: 'never', children },
    ...more,
  };
}

export function root(
  children: readonly ChildPlan[],
  more: Partial<SupervisorPlan> = {},
): SupervisorPlan {
  return supervisor('top', children, more);
}

/** A crash under one_for_all: everything goes down in reverse and comes up in order. */
export const GROUP_RESTART: Case = {
  root: root([worker('a'), worker('b'), worker('c')], { strategy: 'one_for_all' }),
  steps: [{ type: 'exit', path: ['b'], how: 'crash' }],
  stop: 'shutdown',
};

/** Its restart fails twice, then succeeds. */
export const FAILED_RETRY: Case = {
  root: root([worker('a', { starts: ['ok', 'error', 'error'] })]),
  steps: [{ type: 'exit', path: ['a'], how: 'crash' }],
  stop: 'shutdown',
};

/** One crash too many for the inner supervisor, which the outer one starts again. */
export const ESCALATION: Case = {
  root: root([supervisor('s', [worker('a')], { intensity: 0 })]),
  steps: [{ type: 'exit', path: ['s', 'a'], how: 'crash' }],
  stop: 'shutdown',
};

const significant = worker('a', { restart: 'transient', significant: true });

/** The end of its one significant child ends the supervisor. */
export const AUTO_SHUTDOWN: Case = {
  root: root([significant, worker('b')], { autoShutdown: 'any_significant' }),
  steps: [{ type: 'exit', path: ['a'], how: 'normal' }],
  stop: 'shutdown',
};

/** Another significant child goes on, and so does the supervisor. */
export const SIGNIFICANT_END: Case = {
  root: root([significant, { ...significant, id: 'b' }], { autoShutdown: 'all_significant' }),
  steps: [{ type: 'exit', path: ['a'], how: 'normal' }],
  stop: 'shutdown',
};

/** Two crashes where one is allowed, far enough apart. */
export const WINDOW_EXPIRY: Case = {
  root: root([worker('a')], { intensity: 1, periodS: 1 }),
  steps: [
    { type: 'exit', path: ['a'], how: 'crash' },
    { type: 'wait', ms: 2_150, length: 'long' },
    { type: 'exit', path: ['a'], how: 'crash' },
  ],
  stop: 'shutdown',
};

/** Terminated between a restart that failed and the next try. */
export const TERMINATE_DURING_RESTART: Case = {
  root: root([worker('a', { starts: ['ok', 'error'] })]),
  steps: [
    {
      type: 'together',
      at: [],
      items: [
        { type: 'exit', path: ['a'], how: 'crash' },
        { type: 'call', call: { type: 'which_children' } },
        { type: 'call', call: { type: 'terminate_child', id: 'a' } },
      ],
    },
  ],
  stop: 'shutdown',
};

/** Two ends in the mailbox before the supervisor looks at the first: one restart under one_for_all. */
export const TWO_ENDS: Case = {
  root: root([worker('a'), worker('b')], { strategy: 'one_for_all', intensity: 1 }),
  steps: [
    {
      type: 'together',
      at: [],
      items: [
        { type: 'exit', path: ['a'], how: 'crash' },
        { type: 'exit', path: ['b'], how: 'crash' },
      ],
    },
  ],
  stop: 'shutdown',
};

/** Two children of a template; one of them crashes. */
export const SIMPLE_RESTART: Case = {
  root: root([worker('a')], { strategy: 'simple_one_for_one' }),
  steps: [
    { type: 'call', at: [], call: { type: 'start_dynamic', label: 'x1' } },
    { type: 'call', at: [], call: { type: 'start_dynamic', label: 'x2' } },
    { type: 'exit', path: ['x1'], how: 'crash' },
  ],
  stop: 'shutdown',
};

/** A supervisor that is killed with what is below it. */
export const KILLED_SUPERVISOR: Case = {
  root: root([supervisor('s', [worker('a'), worker('b')], { shutdown: 'brutal_kill' })]),
  steps: [{ type: 'call', at: [], call: { type: 'terminate_child', id: 's' } }],
  stop: 'shutdown',
};

/** The second child does not start: the first is stopped again. */
export const FAILED_FIRST_START: Case = {
  root: root([
    worker('a', { starts: ['ignore'] }),
    worker('b'),
    worker('c', { starts: ['error'] }),
  ]),
  steps: [],
  stop: 'shutdown',
};
