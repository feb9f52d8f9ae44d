// Does a report read as OTP's does, and stay within its bounds whatever is in it?
import { describe, expect, it } from 'vitest';

import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import type {
  Offender,
  SupervisorDecision,
  SupervisorReport,
} from '../../actors/ground/supervision-facts.ts';
import { formatReason, formatReport } from '../../supervisors/report-format.ts';

const DIED = new Error('died');
DIED.stack = 'Error: died\n    at one (a.ts:1:1)\n    at two (b.ts:2:2)';

const OFFENDER: Offender = {
  ...{ pid: 'root/a#1', id: 'a', path: 'root/a', restart: 'permanent', significant: false },
  ...{ shutdown: 5_000, type: 'worker' },
};
const REPORT: SupervisorReport = {
  ...{ supervisor: 'root', errorContext: 'child_terminated', offender: OFFENDER },
  reason: { type: 'error', error: DIED },
};
const DECISION: SupervisorDecision = {
  ...{ supervisor: '', strategy: 'one_for_all', child: 'a', epoch: 1, offender: OFFENDER },
  ...{ errorContext: 'child_terminated', reason: { type: 'killed' }, verdict: 'restart' },
  ...{ because: 'within the restart intensity', restartsInWindow: 1, maxRestarts: 3 },
  ...{ periodMs: 5_000, stops: ['c', 'b'], starts: ['a', 'b', 'c'], delayMs: 300 },
  next: 'start_after_delay',
};

describe('a report', () => {
  it('is a block for people, with the frames of the error', () => {
    expect(formatReport(REPORT)).toBe(
      [
        'SUPERVISOR REPORT',
        '    supervisor: root',
        '    errorContext: child_terminated',
        '    reason: Error: died',
        '        at one (a.ts:1:1)',
        '        at two (b.ts:2:2)',
        '    offender:',
        '        pid: root/a#1',
        '        id: a',
        '        restart: permanent',
        '        significant: false',
        '        shutdown: 5000',
        '        type: worker',
      ].join('\n'),
    );
  });

  it('is one line for a log', () => {
    expect(formatReport(REPORT, { singleLine: true })).toBe(
      'Supervisor: root. Context: child_terminated. Reason: Error: died. Offender: id=a,pid=root/a#1.',
    );
  });

  it('of several names their number', () => {
    const several = { ...REPORT, offender: { ...OFFENDER, pid: undefined, nbChildren: 3 } };
    expect(formatReport(several, { singleLine: true })).toMatch(/Offender: id=a,nb_children=3\.$/u);
    expect(formatReport(several)).toContain('    offender:\n        nbChildren: 3\n        id: a');
  });

  it('of progress says who has started', () => {
    const progress = { supervisor: 'root', level: 'info', started: OFFENDER } as const;
    expect(formatReport(progress, { singleLine: true })).toBe(
      'Supervisor: root. Started: id=a,pid=root/a#1.',
    );
    expect(formatReport(progress)).toMatch(
      /^PROGRESS REPORT\n {4}supervisor: root\n {4}started:\n {8}pid: root\/a#1\n/u,
    );
  });
});

describe('a decision', () => {
  it('is one line for a log: what happened, what was decided, what follows', () => {
    expect(formatReport(DECISION, { singleLine: true })).toBe(
      'Supervisor: root. Child: id=a,pid=root/a#1. Reason: killed. Verdict: restart (within the restart intensity; 1 of 3 restarts in 5000 ms). Stops: c,b. Starts: a,b,c. Delay: 300 ms. Next: start_after_delay.',
    );
  });

  it('leaves out of the line what there is none of', () => {
    const nothing = { ...DECISION, stops: [], starts: [], delayMs: 0, next: 'stay_down' } as const;
    expect(formatReport(nothing, { singleLine: true })).toMatch(
      /in 5000 ms\)\. Next: stay_down\.$/u,
    );
  });

  it('is a block for people', () => {
    expect(formatReport({ ...DECISION, starts: [] })).toBe(
      [
        'SUPERVISOR DECISION',
        '    supervisor: root',
        '    child: a',
        '    epoch: 1',
        '    reason: killed',
        '    verdict: restart',
        '    because: within the restart intensity',
        '    restarts: 1 of 3 in 5000 ms',
        '    strategy: one_for_all',
        '    stops: c,b',
        '    starts: none',
        '    delayMs: 300',
        '    next: start_after_delay',
      ].join('\n'),
    );
  });

  it('names as many children as the depth allows', () => {
    const many = { ...DECISION, stops: [], starts: ['a', 'b', 'c', 'd'] };
    const text = formatReport(many, { singleLine: true, depth: 2 });
    expect(text).toContain('Starts: a,b,... (2 more).');
    expect(formatReport(many, { singleLine: true, depth: 4 })).toContain('Starts: a,b,c,d.');
  });
});

describe('a reason', () => {
  const failed = (id: string, reason: ExitReason): ExitReason => ({
    type: 'shutdown',
    detail: { failed_to_start_child: id, reason },
  });
  const nested = failed('a', failed('b', failed('c', { type: 'error', error: DIED })));

  it.each([
    ['reached_max_restart_intensity', 'reached_max_restart_intensity'],
    [{ type: 'normal' }, 'normal'],
    [{ type: 'noproc' }, 'noproc'],
    [{ type: 'signal', signal: 'SIGKILL' }, 'signal SIGKILL'],
    [{ type: 'exit_status', status: 3 }, 'exit status 3'],
    [{ type: 'timeout', what: 'start' }, 'timeout of start'],
    [{ type: 'shutdown' }, 'shutdown'],
    [{ type: 'shutdown', detail: 'done' }, 'shutdown (done)'],
    [{ type: 'shutdown', detail: { a: [1] } }, 'shutdown ({ a: [ 1 ] })'],
    [{ type: 'shutdown', detail: 10n }, 'shutdown (10n)'],
    [{ type: 'shutdown', detail: null }, 'shutdown (null)'],
    [
      { type: 'shutdown', detail: { failed_to_start_child: 1, reason: 2 } },
      'shutdown ({ failed_to_start_child: 1, reason: 2 })',
    ],
  ] as const)('%o reads %s', (reason, text) => {
    expect(formatReason(reason)).toBe(text);
  });

  it('shows the nested failures of a start down to the error', () => {
    expect(formatReason(nested)).toBe(
      'shutdown (failed to start child a: shutdown (failed to start child b: shutdown (failed to start child c: Error: died)))',
    );
  });

  it('is shown to its depth only', () => {
    expect(formatReason(nested, { depth: 2 })).toBe(
      'shutdown (failed to start child a: shutdown (failed to start child b: ...))',
    );
    expect(formatReason({ type: 'shutdown', detail: { a: { b: 1 } } }, { depth: 1 })).toBe(
      'shutdown (...)',
    );
    expect(formatReason({ type: 'shutdown', detail: { a: { b: 1 } } }, { depth: 2 })).toBe(
      'shutdown ({ a: [Object] })',
    );
    expect(formatReason({ type: 'normal' }, { depth: 0 })).toBe('...');
  });

  it('shows the causes of an error, and ends where they go round', () => {
    const inner = new TypeError('inner', { cause: 'a text' });
    const outer = new Error('outer', { cause: inner });
    expect(formatReason({ type: 'error', error: outer })).toBe(
      "Error: outer; caused by TypeError: inner; caused by 'a text'",
    );
    inner.cause = outer;
    expect(formatReason({ type: 'error', error: outer }, { depth: 3 })).toBe(
      'Error: outer; caused by TypeError: inner; caused by Error: outer; caused by ...',
    );
  });

  it('shows as many frames as the depth allows, where it may have lines', () => {
    expect(formatReason(REPORT.reason, { singleLine: false, depth: 1 })).toBe(
      'Error: died\nat one (a.ts:1:1)\n...',
    );
  });

  it('stays on one line whatever it says', () => {
    const error = new Error('one\n  two\r\nthree');
    expect(formatReason({ type: 'error', error })).toBe('Error: one two three');
  });

  it('of a detail that cannot even be looked at still reads as one', () => {
    const detail = {
      get [Symbol.toStringTag](): string {
        throw new Error('do not look');
      },
    };
    // Node 20 throws where newer ones show that there is a getter.
    expect([
      'shutdown (an object)',
      'shutdown ({ Symbol(Symbol.toStringTag): [Getter] })',
    ]).toContain(formatReason({ type: 'shutdown', detail }));
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(formatReason({ type: 'shutdown', detail: circle })).toContain('[Circular *1]');
  });
});

describe('the limit of characters', () => {
  const long: SupervisorReport = {
    ...REPORT,
    reason: { type: 'shutdown', detail: 'x'.repeat(10_000) },
  };

  it('shortens the reason, and leaves who it was about', () => {
    const text = formatReport(long, { singleLine: true, chars: 100 });
    expect(text).toHaveLength(100);
    expect(text).toMatch(/Reason: shutdown \(x+\.\.\.\. Offender: id=a,pid=root\/a#1\.$/u);
  });

  it('holds for every form, by default 4 096', () => {
    const huge = { ...DECISION, starts: ['x'.repeat(5_000)] };
    for (const word of [long, huge]) {
      for (const singleLine of [true, false]) {
        expect(formatReport(word, { singleLine }).length).toBeLessThanOrEqual(
          LIMITS.reportCharsMax,
        );
        expect(formatReport(word, { singleLine, chars: 20 })).toHaveLength(20);
      }
    }
    expect(formatReport(long, { chars: 2 })).toBe('..');
  });
});
