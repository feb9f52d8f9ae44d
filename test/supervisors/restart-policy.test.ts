import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import {
  judgeExit,
  judgeTry,
  type ExitFacts,
  type ExitVerdict,
  type PolicyBounds,
  type TryFacts,
} from '../../supervisors/restart-policy.ts';

const BOUNDS: PolicyBounds = { maxRestarts: 1, periodMs: 5_000, autoShutdown: 'never' };
const NORMAL: ExitReason = { type: 'normal' };
const CRASH: ExitReason = { type: 'exit_status', status: 1 };
const ORDERLY: readonly ExitReason[] = [
  NORMAL,
  { type: 'shutdown' },
  { type: 'shutdown', detail: 'asked' },
];
const CRASHES: readonly ExitReason[] = [
  CRASH,
  { type: 'signal', signal: 'SIGSEGV' },
  { type: 'killed' },
  { type: 'timeout', what: 'hello' },
  { type: 'error', error: new Error('boom') },
  { type: 'noproc' },
];
const RESTART: ExitVerdict = { type: 'restart', history: [10_000] };

const tried = (more: Partial<TryFacts> = {}): TryFacts => ({
  ...{ startFailuresCount: 0, maxConsecutiveStartFailures: Number.POSITIVE_INFINITY },
  ...{ mends: 'perhaps', nowMs: 10_000 },
  ...more,
});

const facts = (more: Partial<ExitFacts> = {}): ExitFacts => ({
  ...tried(),
  ...{ restart: 'permanent', reason: NORMAL, significant: false, significantLeft: 0 },
  ...more,
});

describe('a child that has ended', () => {
  const table = (
    restart: ExitFacts['restart'],
    reasons: readonly ExitReason[],
    verdict: ExitVerdict,
  ) => reasons.map((reason) => ({ restart, reason, verdict }));

  it.each([
    ...table('permanent', ORDERLY, RESTART),
    ...table('permanent', CRASHES, RESTART),
    ...table('transient', ORDERLY, { type: 'keep_down' }),
    ...table('transient', CRASHES, RESTART),
    ...table('temporary', ORDERLY, { type: 'remove' }),
    ...table('temporary', CRASHES, { type: 'remove' }),
  ])('$restart with $reason.type $reason.detail: $verdict.type', ({ restart, reason, verdict }) => {
    expect(judgeExit(BOUNDS, [], facts({ restart, reason }))).toEqual(verdict);
  });

  it('is restarted with the restarts that count, this one among them', () => {
    expect(judgeExit({ ...BOUNDS, maxRestarts: 2 }, [9_000, 1], facts())).toEqual({
      type: 'restart',
      history: [10_000, 9_000],
    });
  });

  it('for good and significant ends the supervisor, and its row goes as it would have gone', () => {
    const bounds: PolicyBounds = { ...BOUNDS, autoShutdown: 'any_significant' };
    const ended = (restart: ExitFacts['restart'], reason: ExitReason) =>
      judgeExit(bounds, [], facts({ restart, reason, significant: true, significantLeft: 1 }));
    expect(ended('transient', NORMAL)).toEqual({ type: 'auto_shutdown', row: 'keep_down' });
    expect(ended('temporary', NORMAL)).toEqual({ type: 'auto_shutdown', row: 'remove' });
    expect(ended('temporary', CRASH)).toEqual({ type: 'auto_shutdown', row: 'remove' });
    expect(ended('transient', CRASH)).toEqual(RESTART);
  });

  it('and is not significant, or not the last one, ends nobody else', () => {
    const ended = (autoShutdown: PolicyBounds['autoShutdown'], more: Partial<ExitFacts>) =>
      judgeExit({ ...BOUNDS, autoShutdown }, [], facts({ restart: 'transient', ...more })).type;
    expect(ended('any_significant', { significant: false })).toBe('keep_down');
    expect(ended('all_significant', { significant: true, significantLeft: 1 })).toBe('keep_down');
    expect(ended('all_significant', { significant: true })).toBe('auto_shutdown');
  });
});

describe('giving up', () => {
  it('follows one restart too many', () => {
    expect(judgeExit(BOUNDS, [9_000], facts())).toEqual({
      type: 'give_up',
      because: 'reached_max_restart_intensity',
    });
  });

  it.each([3, 4])('follows as many failed starts in a row as are allowed: %i of 3', (count) => {
    const slow = facts({ startFailuresCount: count, maxConsecutiveStartFailures: 3 });
    expect(judgeExit(BOUNDS, [], slow)).toEqual({
      type: 'give_up',
      because: 'reached_max_start_failures',
    });
  });

  it('does not follow one failed start fewer', () => {
    const slow = facts({ startFailuresCount: 2, maxConsecutiveStartFailures: 3 });
    expect(judgeExit(BOUNDS, [], slow)).toEqual(RESTART);
  });

  it('follows at once when no restart can mend it, whatever else is the matter', () => {
    const verdict = { type: 'give_up', because: 'not_retryable' };
    const hopeless = { mends: 'never', startFailuresCount: 9, maxConsecutiveStartFailures: 3 };
    expect(judgeExit(BOUNDS, [9_000], facts({ mends: 'never' }))).toEqual(verdict);
    expect(judgeTry(BOUNDS, [], tried({ ...hopeless, mends: 'never' }))).toEqual(verdict);
  });

  it.each([
    ['a temporary child', 'temporary', { type: 'killed' }, 'remove'],
    ['a transient child that ended normally', 'transient', NORMAL, 'keep_down'],
  ] as const)('never follows the end of %s', (_what, restart, reason, verdict) => {
    const last = { startFailuresCount: 9, maxConsecutiveStartFailures: 3, mends: 'never' } as const;
    const judged = judgeExit(BOUNDS, [9_999, 9_998], facts({ restart, reason, ...last }));
    expect(judged.type).toBe(verdict);
  });
});

describe('one more try after a start that failed', () => {
  it('is counted like any restart', () => {
    expect(judgeTry({ ...BOUNDS, maxRestarts: 3 }, [9_000, 8_000], tried())).toEqual({
      type: 'restart',
      history: [10_000, 9_000, 8_000],
    });
    expect(judgeTry(BOUNDS, [9_000], tried())).toEqual({
      type: 'give_up',
      because: 'reached_max_restart_intensity',
    });
  });
});

describe('whatever the facts', () => {
  const anyFacts = fc.record<ExitFacts>({
    restart: fc.constantFrom('permanent', 'transient', 'temporary'),
    reason: fc.constantFrom(...ORDERLY, ...CRASHES),
    significant: fc.boolean(),
    significantLeft: fc.nat({ max: 3 }),
    startFailuresCount: fc.nat({ max: 4 }),
    maxConsecutiveStartFailures: fc.constantFrom(1, 3, Number.POSITIVE_INFINITY),
    mends: fc.constantFrom('perhaps', 'never'),
    nowMs: fc.constant(10_000),
  });
  const anyBounds = fc.record<PolicyBounds>({
    maxRestarts: fc.nat({ max: 4 }),
    periodMs: fc.constantFrom(1, 5_000),
    autoShutdown: fc.constantFrom('never', 'any_significant', 'all_significant'),
  });
  const anyHistory = fc
    .array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 5 })
    .map((times) => times.sort((a, b) => b - a));

  it('the temporary are never restarted, the permanent never end anybody by their own end', () => {
    fc.assert(
      fc.property(anyBounds, anyHistory, anyFacts, (bounds, history, given) => {
        const { type } = judgeExit(bounds, history, given);
        if (given.restart === 'temporary') expect(['remove', 'auto_shutdown']).toContain(type);
        if (given.restart === 'permanent') expect(['restart', 'give_up']).toContain(type);
        if (given.restart !== 'transient') return;
        const isFinal = given.reason.type === 'normal' || given.reason.type === 'shutdown';
        expect(isFinal ? ['keep_down', 'auto_shutdown'] : ['restart', 'give_up']).toContain(type);
      }),
    );
  });

  it('a restart is within the intensity, and the newest in its history', () => {
    fc.assert(
      fc.property(anyBounds, anyHistory, anyFacts, (bounds, history, given) => {
        const verdict = judgeExit(bounds, history, given);
        if (verdict.type !== 'restart') return;
        expect(verdict.history.length).toBeLessThanOrEqual(bounds.maxRestarts);
        expect(verdict.history[0]).toBe(10_000);
      }),
    );
  });
});
