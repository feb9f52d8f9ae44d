// Would a difference be noticed? The comparison, the counting and the shrinking, without any Erlang.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Case, ChildPlan, SupervisorPlan } from './case.ts';
import { compare } from './compare.ts';
import { DECIDED } from './decided.ts';
import { differ, replay, type Reference, type Side } from './differential.ts';
import { featuresOf, type Feature } from './features.ts';
import { anyCase } from './generate.ts';
import { ours } from './ours.ts';
import * as samples from './sample-cases.ts';
import type { StepTrace, Trace, TraceEvent } from './trace.ts';

const { GROUP_RESTART, KILLED_SUPERVISOR, SIMPLE_RESTART } = samples;

/** Our own side in the place of Erlang: what differs then was put there by the test. */
const ownReference: Reference = {
  run: async (given) => ({ trace: await ours(given), longestMs: 0 }),
};

function withStep(trace: Trace, index: number, change: (step: StepTrace) => StepTrace): Trace {
  return trace.map((step, at) => (at === index ? change(step) : step));
}

function swapped(events: readonly TraceEvent[], at: number): TraceEvent[] {
  const [left, right] = [events[at], events[at + 1]];
  return [...events.slice(0, at), right!, left!, ...events.slice(at + 2)];
}

describe('the comparison of two traces', () => {
  it('finds no difference between two runs of the same case', async () => {
    for (const given of [GROUP_RESTART, SIMPLE_RESTART, KILLED_SUPERVISOR]) {
      expect(compare(given, await ours(given), await ours(given))).toBeUndefined();
    }
  });

  it('notices two stops in another order', async () => {
    const trace = await ours(GROUP_RESTART);
    const other = withStep(trace, 1, (step) => ({ ...step, events: swapped(step.events, 1) }));
    expect(compare(GROUP_RESTART, trace, other)?.step).toBe(1);
  });

  it('notices two starts in another order', async () => {
    const trace = await ours(GROUP_RESTART);
    const other = withStep(trace, 1, (step) => ({ ...step, events: swapped(step.events, 3) }));
    expect(compare(GROUP_RESTART, trace, other)?.step).toBe(1);
  });

  it('notices another exit reason', async () => {
    const trace = await ours(GROUP_RESTART);
    const other = withStep(trace, 1, (step) => ({
      ...step,
      events: step.events.map((event) =>
        event.type === 'exit' && event.path === '/c' ? { ...event, reason: 'killed' } : event,
      ),
    }));
    expect(compare(GROUP_RESTART, trace, other)?.step).toBe(1);
  });

  it('notices a start that is missing, another count, another answer, a step too few', async () => {
    const trace = await ours(GROUP_RESTART);
    const changes: ((step: StepTrace) => StepTrace)[] = [
      (step) => ({ ...step, events: step.events.slice(0, -1) }),
      (step) => ({ ...step, snapshot: step.snapshot.map((line) => line.replace('3/3', '3/2')) }),
      (step) => ({ ...step, results: [['nobody']] }),
    ];
    for (const change of changes) {
      expect(compare(GROUP_RESTART, trace, withStep(trace, 1, change))?.step).toBe(1);
    }
    expect(compare(GROUP_RESTART, trace, trace.slice(0, -1))?.step).toBe(2);
  });

  it('does not care in which order the children of a simple_one_for_one end, only that they do', async () => {
    const trace = await ours(SIMPLE_RESTART);
    const last = trace.length - 1;
    const other = withStep(trace, last, (step) => ({ ...step, events: swapped(step.events, 0) }));
    expect(compare(SIMPLE_RESTART, trace, other)).toBeUndefined();
    const fewer = withStep(trace, last, (step) => ({ ...step, events: step.events.slice(1) }));
    expect(compare(SIMPLE_RESTART, trace, fewer)?.step).toBe(last);
  });

  it('does not care how the children of a killed supervisor end, only that they do', async () => {
    const trace = await ours(KILLED_SUPERVISOR);
    const other = withStep(trace, 1, (step) => ({
      ...step,
      events: [
        { type: 'exit', path: '/s', n: 1, reason: 'killed' },
        { type: 'exit', path: '/s/a', n: 1, reason: 'shutdown' },
        { type: 'exit', path: '/s/b', n: 1, reason: 'killed' },
      ],
    }));
    expect(compare(KILLED_SUPERVISOR, trace, other)).toBeUndefined();
    const fewer = withStep(other, 1, (step) => ({ ...step, events: step.events.slice(0, -1) }));
    expect(compare(KILLED_SUPERVISOR, trace, fewer)?.step).toBe(1);
  });

  it('has a reason for everything that it lets pass', () => {
    for (const row of DECIDED) {
      expect(
        Object.values<string>({ ...row }).every((text) => text.length > 0),
        row.what,
      ).toBe(true);
    }
  });
});

describe('the count of features', () => {
  it.each<readonly [Feature, Case]>([
    ['group restart', GROUP_RESTART],
    ['failed retry', samples.FAILED_RETRY],
    ['escalation', samples.ESCALATION],
    ['auto_shutdown', samples.AUTO_SHUTDOWN],
    ['significant exit', samples.SIGNIFICANT_END],
    ['window expiry', samples.WINDOW_EXPIRY],
    ['terminate during restart', samples.TERMINATE_DURING_RESTART],
    ['two ends at once', samples.TWO_ENDS],
    ['restart below simple_one_for_one', SIMPLE_RESTART],
    ['killed supervisor', KILLED_SUPERVISOR],
    ['failed first start', samples.FAILED_FIRST_START],
    ['ignored start', samples.FAILED_FIRST_START],
  ])('sees a %s where there is one', async (feature, given) => {
    expect(featuresOf(given, await ours(given))).toContain(feature);
  });

  it('sees nothing where nothing happens, and no more than what happens', async () => {
    const calm: Case = { ...GROUP_RESTART, steps: [] };
    expect([...featuresOf(calm, await ours(calm))]).toEqual([]);
    expect([...featuresOf(GROUP_RESTART, await ours(GROUP_RESTART))]).toEqual(['group restart']);
    const { ESCALATION, SIGNIFICANT_END, WINDOW_EXPIRY } = samples;
    expect([...featuresOf(ESCALATION, await ours(ESCALATION))]).toEqual(['escalation']);
    expect([...featuresOf(SIGNIFICANT_END, await ours(SIGNIFICANT_END))]).toEqual([
      'significant exit',
    ]);
    const once: Case = { ...WINDOW_EXPIRY, steps: WINDOW_EXPIRY.steps.slice(0, 2) };
    expect([...featuresOf(once, await ours(once))]).toEqual([]);
  });
});

/** The same tree with something changed in each of its supervisors: a bug of one side. */
function changed(plan: SupervisorPlan, change: (plan: ChildPlan) => ChildPlan): SupervisorPlan {
  const children = plan.children.map((child) =>
    child.kind === 'supervisor' ? changed(child, change) : change(child),
  );
  return change({ ...plan, children }) as SupervisorPlan;
}

function buggy(change: (plan: ChildPlan) => ChildPlan): Side {
  return (given) => ours({ ...given, root: changed(given.root, change) });
}

const BUGS: readonly (readonly [string, Side])[] = [
  [
    'one restart more than the intensity is allowed',
    buggy((plan) =>
      plan.kind === 'supervisor' ? { ...plan, intensity: plan.intensity + 1 } : plan,
    ),
  ],
  [
    'one_for_all leaves those before the crashed one alone',
    buggy((plan) =>
      plan.kind === 'supervisor' && plan.strategy === 'one_for_all'
        ? { ...plan, strategy: 'rest_for_one' }
        : plan,
    ),
  ],
  [
    'transient children are restarted whatever happens',
    buggy((plan) =>
      plan.kind === 'worker' && plan.restart === 'transient' && !plan.significant
        ? { ...plan, restart: 'permanent' }
        : plan,
    ),
  ],
  [
    'one significant child that is left does not keep the supervisor',
    buggy((plan) =>
      plan.kind === 'supervisor' && plan.autoShutdown === 'all_significant'
        ? { ...plan, autoShutdown: 'any_significant' }
        : plan,
    ),
  ],
  [
    'restarts of long ago still count',
    buggy((plan) => (plan.kind === 'supervisor' ? { ...plan, periodS: 3_600 } : plan)),
  ],
];

describe('a bug of one side', { timeout: 180_000 }, () => {
  it.each(BUGS)('is found and made small: %s', async (_, side) => {
    const outcome = await differ({ cases: 300, seed: 1, vm: ownReference, ours: side });
    expect(outcome.disagreed).toBeGreaterThan(0);
    expect(outcome.agreed + outcome.disagreed).toBe(300);
    const [first] = outcome.found;
    expect(first?.text).toMatch(/ ≠ /u);
    // A handful of lines in place of a page: at most a few steps are left.
    expect(first?.text.match(/^[ ✗] \d+\. /gmu)?.length).toBeLessThanOrEqual(8);
    const again = await replay({ vm: ownReference, ours: side }, first!.replay);
    expect(again).toEqual({ agrees: false, text: first!.text });
  });

  it('is none where the sides are the same', async () => {
    const outcome = await differ({ cases: 300, seed: 1, vm: ownReference, ours });
    expect(outcome).toMatchObject({ agreed: 300, disagreed: 0, agreedAlone: 0, found: [] });
  });
});

describe('a case', () => {
  it('is named by its seed and its place alone', () => {
    const cases = fc.sample(anyCase, { seed: 7, numRuns: 20 });
    for (const [index, given] of cases.entries()) {
      const [again] = fc.sample(anyCase, { seed: 7, path: String(index), numRuns: 1 });
      expect(again).toEqual(given);
    }
  });
});
