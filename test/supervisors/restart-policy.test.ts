import { describe, expect, it } from 'vitest';
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import { judgeCrash, type CrashFacts } from '../../supervisors/restart-policy.ts';

const INTENSITY = { maxRestarts: 1, periodMs: 5_000 };
const NORMAL: ExitReason = { type: 'normal' };
const SHUTDOWN: ExitReason = { type: 'shutdown', detail: 'asked' };
const CRASHES: readonly ExitReason[] = [
  { type: 'exit_status', status: 1 },
  { type: 'signal', signal: 'SIGSEGV' },
  { type: 'killed' },
  { type: 'timeout', what: 'hello' },
  { type: 'error', error: new Error('boom') },
];

const facts = (more: Partial<CrashFacts>): CrashFacts => ({
  ...{ restart: 'permanent', reason: NORMAL, nowMs: 10_000 },
  ...{ startFailuresCount: 0, maxConsecutiveStartFailures: Number.POSITIVE_INFINITY },
  ...more,
});

const judge = (more: Partial<CrashFacts>, history: readonly number[] = []) =>
  judgeCrash(INTENSITY, history, facts(more)).type;

describe('a child that has ended', () => {
  it.each([
    ['permanent', NORMAL, 'restart'],
    ['permanent', SHUTDOWN, 'restart'],
    ...CRASHES.map((reason) => ['permanent', reason, 'restart'] as const),
    ['transient', NORMAL, 'keep_down'],
    ['transient', SHUTDOWN, 'keep_down'],
    ...CRASHES.map((reason) => ['transient', reason, 'restart'] as const),
    ['temporary', NORMAL, 'remove'],
    ['temporary', SHUTDOWN, 'remove'],
    ...CRASHES.map((reason) => ['temporary', reason, 'remove'] as const),
  ] as const)('%s with %o: %s', (restart, reason, verdict) => {
    expect(judge({ restart, reason })).toBe(verdict);
  });

  it('is restarted with the restarts that count, this one among them', () => {
    expect(judgeCrash({ ...INTENSITY, maxRestarts: 2 }, [9_000, 1], facts({}))).toEqual({
      type: 'restart',
      history: [10_000, 9_000],
    });
  });
});

describe('giving up', () => {
  it('follows one restart too many', () => {
    expect(judgeCrash(INTENSITY, [9_000], facts({}))).toEqual({
      type: 'give_up',
      because: 'reached_max_restart_intensity',
    });
  });

  it('follows as many failed starts in a row as are allowed', () => {
    const slow = facts({ startFailuresCount: 3, maxConsecutiveStartFailures: 3 });
    expect(judgeCrash(INTENSITY, [], slow)).toEqual({
      type: 'give_up',
      because: 'reached_max_start_failures',
    });
  });

  it('does not follow one failed start fewer', () => {
    expect(judge({ startFailuresCount: 2, maxConsecutiveStartFailures: 3 })).toBe('restart');
  });

  it.each([
    ['a temporary child', 'temporary', { type: 'killed' }, 'remove'],
    ['a transient child that ended normally', 'transient', NORMAL, 'keep_down'],
  ] as const)('never follows the end of %s', (_what, restart, reason, verdict) => {
    const last = { startFailuresCount: 9, maxConsecutiveStartFailures: 3 };
    expect(judge({ restart, reason, ...last }, [9_999, 9_998])).toBe(verdict);
  });
});
