// Which errors are temporary, and which are a verdict already? The rows of the table that are about single codes, and what holds whatever is known.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideRecovery,
  isTemporary,
  type ErrorCategory,
  type RecoveryFacts,
} from '../../../actors/ground/recovery.ts';

const CATEGORIES: readonly ErrorCategory[] = [
  ...(['initialization_error', 'resource_error', 'system_error', 'connection_error'] as const),
  ...(['communication_error', 'timeout_error', 'python_error', 'session_error'] as const),
  'configuration_error',
];
const RAISED = { category: 'python_error', code: 'python_error' } as const;

/** Of errors of ours: code, category, and whether they are temporary when the call was not sent, and when it may have run. */
const FINAL: readonly (readonly [string, ErrorCategory, notSent: boolean, executed: boolean])[] = [
  ['overloaded', 'resource_error', true, true],
  ['circuit_open', 'resource_error', true, true],
  ['checkout_timeout', 'resource_error', true, true],
  ['store_failed', 'session_error', true, true],
  ['deadline_exceeded', 'timeout_error', true, false],
  ['aborted', 'timeout_error', false, false],
  ['aborted', 'communication_error', false, false],
  ['poisoned', 'system_error', false, false],
  ['session_lost', 'session_error', false, false],
  ['replay_failed', 'session_error', false, false],
  ['checkout_ended', 'session_error', false, false],
  ['secret_missing', 'configuration_error', false, false],
  ['pool_failed', 'initialization_error', false, false],
  ['pool_stopped', 'system_error', false, false],
  ['reload_failed', 'initialization_error', false, false],
  ['runtime_stopped', 'system_error', false, false],
  ['unencodable', 'communication_error', false, false],
  ['protocol_error', 'communication_error', false, false],
  ['timeout', 'communication_error', false, false],
  ['exit', 'communication_error', false, false],
  ['calling_self', 'communication_error', false, false],
  ['unknown_operation', 'configuration_error', false, false],
  ['unsupported', 'configuration_error', false, false],
  ['invalid_config', 'configuration_error', false, false],
  ['noproc', 'system_error', false, false],
];

describe.each(FINAL)('%s, a %s', (code, category, notSent, executed) => {
  it('is not tried again by the pool', () => {
    const error = { code, category, outcome: 'notSent' } as const;
    const decision = decideRecovery({
      ...{ error, isIdempotent: true, attempt: 1, retriesMax: 9 },
      ...{ hasBudget: true, remainingMs: 30_000, random: 0.5 },
    });
    expect(decision).toEqual({ type: 'abandon', because: 'final' });
  });

  it(`is ${notSent ? '' : 'not '}temporary when the call was not sent`, () => {
    expect(isTemporary({ code, category, outcome: 'notSent' })).toBe(notSent);
  });

  it(`is ${executed ? '' : 'not '}temporary when the call may have run`, () => {
    expect(isTemporary({ code, category, outcome: 'maybeExecuted' })).toBe(executed);
    expect(isTemporary({ code, category })).toBe(executed);
  });
});

describe('an error of which only the category is known', () => {
  it.each([
    ['initialization_error', false],
    ['resource_error', false],
    ['system_error', false],
    ['connection_error', true],
    ['communication_error', true],
    ['timeout_error', true],
    ['python_error', false],
    ['session_error', true],
    ['configuration_error', false],
  ] as const)('%s: temporary %s, as its strategy is to try again', (category, expected) => {
    expect(isTemporary({ code: 'other', category })).toBe(expected);
  });

  it.each([
    ['passing', true],
    ['device', true],
    ['lasting', false],
  ] as const)('of Python is temporary by its kind: %s', (python, expected) => {
    expect(isTemporary({ ...RAISED, python })).toBe(expected);
  });
});

describe('whatever is known', () => {
  const anyFacts: fc.Arbitrary<RecoveryFacts> = fc.record({
    error: fc.record({
      category: fc.constantFrom(...CATEGORIES),
      code: fc.constantFrom('worker_crashed', 'noproc', 'other', ...FINAL.map(([code]) => code)),
      outcome: fc.constantFrom('notSent', 'maybeExecuted', undefined),
      python: fc.constantFrom('passing', 'device', 'lasting', undefined),
    }),
    attempt: fc.integer({ min: 1, max: 9 }),
    severity: fc.constantFrom('minor', 'major', 'critical', undefined),
    affectsAllWorkers: fc.boolean(),
    isUserFacing: fc.boolean(),
    retriesMax: fc.nat(9),
    isIdempotent: fc.boolean(),
    hasBudget: fc.boolean(),
    remainingMs: fc.integer({ min: -100, max: 60_000 }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    state: fc.constantFrom('kept', 'rebuildable', 'gone', undefined),
  });

  it('no call runs twice that may not, none beyond its retries, budget and time, and none whose error is final', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const decision = decideRecovery(facts);
        if (decision.type !== 'retry' && decision.type !== 'rebuild') return;
        expect(facts.error.outcome === 'notSent' || facts.isIdempotent).toBe(true);
        expect(facts.attempt).toBeLessThanOrEqual(facts.retriesMax);
        expect(facts.hasBudget).toBe(true);
        expect(decision.delayMs).toBeLessThan(facts.remainingMs);
        expect(facts.state).not.toBe('gone');
        // A failover by an explicit severity is the one case where a resource's error is worth a try.
        expect(isTemporary(facts.error) || facts.error.category === 'resource_error').toBe(true);
      }),
    );
  });
});
