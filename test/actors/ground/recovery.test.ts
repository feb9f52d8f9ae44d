import { describe, expect, it } from 'vitest';
import {
  decideRecovery,
  isTemporary,
  severityOf,
  strategyOf,
  type ErrorCategory,
  type ErrorFacts,
  type RecoveryFacts,
  type Severity,
  type SeverityFacts,
  type Strategy,
} from '../../../actors/ground/recovery.ts';

const CATEGORIES: readonly ErrorCategory[] = [
  ...(['initialization_error', 'resource_error', 'system_error', 'connection_error'] as const),
  ...(['communication_error', 'timeout_error', 'python_error', 'session_error'] as const),
  'configuration_error',
];

/** The original's table, and our one row. */
const TABLE: readonly (readonly [ErrorCategory, Severity, critical: Strategy, other: Strategy])[] =
  [
    ['initialization_error', 'critical', 'circuit_break', 'circuit_break'],
    ['resource_error', 'critical', 'circuit_break', 'failover'],
    ['system_error', 'critical', 'abandon', 'abandon'],
    ['connection_error', 'major', 'circuit_break', 'backoff_retry'],
    ['communication_error', 'major', 'immediate_retry', 'immediate_retry'],
    ['timeout_error', 'major', 'backoff_retry', 'backoff_retry'],
    ['python_error', 'major', 'failover', 'failover'],
    ['session_error', 'minor', 'immediate_retry', 'immediate_retry'],
    ['configuration_error', 'critical', 'abandon', 'abandon'],
  ];

describe.each(TABLE)('%s', (category, severity, critical, other) => {
  it(`is ${severity} at first`, () => {
    expect(severityOf(category, { attempt: 1 })).toBe(severity);
  });

  it(`leads to ${critical} while critical, and to ${other} else`, () => {
    expect(strategyOf(category, 'critical', 1)).toBe(critical);
    expect(strategyOf(category, 'critical', 2)).toBe(critical);
    expect(strategyOf(category, 'major', 9)).toBe(other);
    expect(strategyOf(category, 'minor', 9)).toBe(other);
  });

  it('is given up after a second failure that is critical', () => {
    expect(strategyOf(category, 'critical', 3)).toBe('abandon');
  });
});

describe('a severity', () => {
  const of = (category: ErrorCategory, facts: Partial<SeverityFacts>): Severity =>
    severityOf(category, { attempt: 1, ...facts });

  it.each(['minor', 'major', 'critical'] as const)('is what the caller says: %s', (severity) => {
    const all = { attempt: 9, affectsAllWorkers: true, isUserFacing: true };
    const found = CATEGORIES.map((category) => of(category, { severity, ...all }));
    expect(new Set(found)).toEqual(new Set([severity]));
  });

  it.each([
    ['session_error', 'minor', 'major'],
    ['timeout_error', 'major', 'critical'],
    ['system_error', 'critical', 'critical'],
  ] as const)('of a %s is one worse after the third failure', (category, before, after) => {
    expect([of(category, { attempt: 3 }), of(category, { attempt: 4 })]).toEqual([before, after]);
  });

  it('is critical when all workers have it, which comes after the count of failures', () => {
    expect(of('session_error', { affectsAllWorkers: true })).toBe('critical');
    expect(of('session_error', { affectsAllWorkers: true, attempt: 4 })).toBe('major');
    expect(of('session_error', { affectsAllWorkers: false })).toBe('minor');
  });

  it('is not minor where a user waits', () => {
    expect(of('session_error', { isUserFacing: true })).toBe('major');
    expect(of('session_error', { isUserFacing: false })).toBe('minor');
    expect(of('timeout_error', { isUserFacing: true })).toBe('major');
    expect(of('system_error', { isUserFacing: true })).toBe('critical');
  });
});

/** A worker that died before the call was sent, which every rule lets be tried again. */
const CRASHED: ErrorFacts = {
  category: 'connection_error',
  code: 'worker_crashed',
  outcome: 'notSent',
};
const EXECUTED = { outcome: 'maybeExecuted' } as const;
const PASSING: ErrorFacts = {
  ...{ category: 'python_error', code: 'python_error', python: 'passing' },
  ...EXECUTED,
};

const decide = (given: Partial<RecoveryFacts> = {}) =>
  decideRecovery({
    ...{ error: CRASHED, attempt: 1, retriesMax: 9, isIdempotent: false },
    ...{ hasBudget: true, remainingMs: 30_000, random: 0.5 },
    ...given,
  });
const abandon = (because: string) => ({ type: 'abandon', because });
const backoff = (delayMs: number) => ({ type: 'retry', kind: 'backoff', delayMs });

describe('a call that was not sent', () => {
  it('is tried again, later each time', () => {
    const found = [1, 2, 3].map((attempt) => decide({ attempt }));
    expect(found).toEqual([backoff(100), backoff(200), backoff(400)]);
  });

  it('is tried again where the error has no kind of its own', () => {
    const error = { ...CRASHED, category: 'communication_error', code: 'noproc' } as const;
    const found = [1, 2, 3].map((attempt) => decide({ error, attempt }));
    expect(found).toEqual(
      [0, 100, 200].map((delayMs) => ({ type: 'retry', kind: 'immediate', delayMs })),
    );
  });

  it('waits as its backoff says, and by its last wait', () => {
    expect(decide({ attempt: 3, backoff: 'linear' })).toEqual(backoff(300));
    expect(decide({ backoff: 'decorrelated_jitter' })).toEqual(backoff(100));
    expect(decide({ backoff: 'decorrelated_jitter', lastDelayMs: 200 })).toEqual(backoff(350));
  });

  it('is left after as many failures as it may have retries', () => {
    expect(decide({ attempt: 2, retriesMax: 2 })).toEqual(backoff(200));
    expect(decide({ attempt: 3, retriesMax: 2 })).toEqual(abandon('attempts_spent'));
    expect(decide({ retriesMax: 0 })).toEqual(abandon('attempts_spent'));
  });

  it('is left when the budget is spent', () => {
    expect(decide({ hasBudget: false })).toEqual(abandon('budget_spent'));
  });

  it('is left when its deadline comes before the next try', () => {
    expect(decide({ remainingMs: 101 })).toEqual(backoff(100));
    expect(decide({ remainingMs: 100 })).toEqual(abandon('no_time'));
  });

  it('is tried again after its state was rebuilt, and left when that is gone', () => {
    expect(decide({ state: 'kept' })).toEqual(backoff(100));
    expect(decide({ state: 'rebuildable' })).toEqual({ type: 'rebuild', delayMs: 100 });
    expect(decide({ state: 'gone' })).toEqual(abandon('state_gone'));
  });
});

describe('a call that may have run', () => {
  const error = { ...CRASHED, ...EXECUTED };

  it('is tried again only where that does no harm', () => {
    expect(decide({ error })).toEqual(abandon('may_have_run'));
    expect(decide({ error, isIdempotent: true })).toEqual(backoff(100));
  });

  it('is what a call is taken for of which nothing is known', () => {
    expect(decide({ error: { ...CRASHED, outcome: undefined } })).toEqual(abandon('may_have_run'));
  });
});

describe('how often a call is tried again', () => {
  it('is at most three times at once and five times later, whatever the call allows', () => {
    const severity = 'major';
    const communication = { ...CRASHED, category: 'communication_error', code: 'noproc' } as const;
    const type = (error: ErrorFacts, attempt: number) => decide({ error, severity, attempt }).type;
    expect([type(communication, 3), type(communication, 4)]).toEqual(['retry', 'abandon']);
    expect([type(CRASHED, 5), type(CRASHED, 6)]).toEqual(['retry', 'abandon']);
  });

  it('is once elsewhere', () => {
    const error = { ...CRASHED, category: 'resource_error', code: 'no_gpu' } as const;
    const severity = 'minor';
    expect(decide({ error, severity })).toEqual({ type: 'retry', kind: 'failover', delayMs: 100 });
    expect(decide({ error, severity, attempt: 2 })).toEqual(abandon('attempts_spent'));
  });

  it('ends with what has become critical', () => {
    const error = { ...CRASHED, category: 'timeout_error', code: 'slow' } as const;
    expect(decide({ error, attempt: 3 })).toEqual(backoff(400));
    expect(decide({ error, attempt: 4 })).toEqual(abandon('critical'));
  });
});

describe('an exception of Python’s', () => {
  it('that does not mend itself is left, also where it would do no harm', () => {
    const lasting = { ...PASSING, python: 'lasting' } as const;
    const unknown = { ...PASSING, python: undefined };
    expect(decide({ error: lasting, isIdempotent: true })).toEqual(abandon('final'));
    expect(decide({ error: unknown, isIdempotent: true })).toEqual(abandon('final'));
  });

  it('that may pass is left unless its operation may run twice', () => {
    expect(decide({ error: PASSING })).toEqual(abandon('may_have_run'));
  });

  it('of a provider is given time, since another worker would ask the same one', () => {
    const found = [1, 2].map((attempt) => decide({ error: PASSING, isIdempotent: true, attempt }));
    expect(found).toEqual([backoff(100), backoff(200)]);
  });

  it('of a provider is left too when it does not stop', () => {
    const severity = 'major';
    const found = [3, 4, 5].map((attempt) =>
      decide({ error: PASSING, isIdempotent: true, attempt }),
    );
    expect(found).toEqual([backoff(400), abandon('critical'), abandon('critical')]);
    const calm = decide({ error: PASSING, isIdempotent: true, attempt: 5, severity });
    expect(calm).toEqual(backoff(1_600));
  });

  it('of a broken GPU is tried once on another worker', () => {
    const error = { ...PASSING, python: 'device' } as const;
    const failover = { type: 'retry', kind: 'failover', delayMs: 100 };
    expect(decide({ error, isIdempotent: true })).toEqual(failover);
    expect(decide({ error, isIdempotent: true, backoff: () => 7 })).toEqual(failover);
    expect(decide({ error, isIdempotent: true, attempt: 2 })).toEqual(abandon('attempts_spent'));
  });

  it('that says when to come again is not asked sooner, and not at all where the call has no time for it', () => {
    const asked = { ...PASSING, retryAfterMs: 3_000 };
    expect(decide({ error: asked, isIdempotent: true, remainingMs: 3_001 })).toEqual(
      backoff(3_000),
    );
    expect(decide({ error: asked, isIdempotent: true, remainingMs: 3_000 })).toEqual(
      abandon('no_time'),
    );
    const sooner = { ...PASSING, retryAfterMs: 1 };
    expect(decide({ error: sooner, isIdempotent: true })).toEqual(backoff(100));
  });

  it('is not mistaken for an error of ours by its code', () => {
    const error = { ...PASSING, code: 'overloaded' };
    expect(decide({ error, isIdempotent: true })).toEqual(backoff(100));
    expect(isTemporary(error)).toBe(true);
  });
});

describe('what speaks against the pool', () => {
  const started = { ...CRASHED, category: 'initialization_error', code: 'spawn_failed' } as const;

  it('is told to the breaker: a start that failed, and what all workers have', () => {
    expect(decide({ error: started })).toEqual({ type: 'break' });
    expect(decide({ affectsAllWorkers: true })).toEqual({ type: 'break' });
    const error = { ...CRASHED, category: 'resource_error', code: 'no_gpu' } as const;
    expect(decide({ error })).toEqual({ type: 'break' });
  });

  it('is given up at the third time', () => {
    expect(decide({ error: started, attempt: 3 })).toEqual(abandon('critical'));
  });
});
