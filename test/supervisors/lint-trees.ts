// Which trees does the linter's test judge? Children that are never started, and the findings as they are expected.
import { createMachine, fromCallback } from 'xstate';
import { expect } from 'vitest';

import type { LintFinding } from '../../actors/ground/supervision-facts.ts';
import { lifecycleStart } from '../../actors/lifecycle/child.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import { lintTree } from '../../supervisors/lint-tree.ts';
import { supervisor } from '../../supervisors/start-supervisor.ts';
import { checkFlags, type SupervisorFlags } from '../../supervisors/supervisor-flags.ts';

/** Is stopped where it stands. */
export const plain = fromCallback(() => undefined);
/** Is asked to stop, and may take its time. */
export const asked = createMachine({
  on: { 'caduceus.shutdown': { actions: () => undefined } },
});
export const python = lifecycleStart('worker', () => () => {
  throw new Error('nothing is started here');
});
/** A supervisor of another kind, which says nothing of itself. */
export const unknown = lifecycleStart('supervisor', () => () => {
  throw new Error('nothing is started here');
});

export type Given = Partial<ChildSpec>;
export const child = (id: string, given: Given = {}): ChildSpec => ({ id, start: plain, ...given });
export const sup = (id: string, flags: SupervisorFlags, given: Given = {}): ChildSpec => ({
  id,
  start: supervisor(flags),
  ...given,
});
export const asking = (count: number, shutdown = 5_000): ChildSpec[] =>
  Array.from({ length: count }, (_, index) => child(`w${index}`, { start: asked, shutdown }));

export const lint = (flags: SupervisorFlags): readonly LintFinding[] => {
  const findings = lintTree(flags);
  expect(lintTree(checkFlags(flags))).toEqual(findings);
  return findings;
};
export const warning = (rule: LintFinding['rule'], path: string, message: string): LintFinding => ({
  ...{ rule, path, message },
  severity: 'warning',
});
