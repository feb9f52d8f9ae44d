// Which plan does a path of a case have? Those of the root's tree, and of every child that a call has added.
import type { Call, Case, ChildPlan, Path, Step, SupervisorPlan } from './case.ts';
import { pathText } from './case.ts';
import type { Trace } from './trace.ts';

/** By the path as both sides write it. The children of a `simple_one_for_one` have its template's. */
export type Plans = ReadonlyMap<string, ChildPlan>;

/** What each path meant in each step of a trace: a child that was deleted and added anew may have another plan from then on. */
export function plansOf(given: Case, trace: Trace): readonly Plans[] {
  let plans = new Map<string, ChildPlan>();
  enter(plans, [], given.root);
  return trace.map(({ results }, index) => {
    const taken = given.steps[index - 1];
    for (const { at, call, place } of taken === undefined || index === 0 ? [] : callsOf(taken)) {
      // Whatever else it was answered, the child that had been there is there still.
      const [answer = ''] = results[place] ?? [];
      if (answer === 'ok' || answer === 'failed') plans = withCall(plans, at, call);
    }
    return plans;
  });
}

function withCall(before: Plans, at: Path, call: Call): Map<string, ChildPlan> {
  const plans = new Map(before);
  if (call.type === 'start_child') enter(plans, [...at, call.plan.id], call.plan);
  if (call.type === 'start_dynamic') {
    const [template] = supervisorPlan(plans, pathText(at))?.children ?? [];
    if (template !== undefined) plans.set(pathText([...at, call.label]), template);
  }
  return plans;
}

function enter(plans: Map<string, ChildPlan>, path: Path, plan: ChildPlan): void {
  plans.set(pathText(path), plan);
  if (plan.kind === 'worker' || plan.strategy === 'simple_one_for_one') return;
  for (const child of plan.children) enter(plans, [...path, child.id], child);
}

/** A call of a step: to which supervisor, and which of the step's answers is its. */
export interface Asked {
  readonly at: Path;
  readonly call: Call;
  readonly place: number;
}

export function callsOf(step: Step): Asked[] {
  if (step.type === 'call') return [{ at: step.at, call: step.call, place: 0 }];
  if (step.type !== 'together') return [];
  const { at, items } = step;
  return items.flatMap((item, place) =>
    item.type === 'call' ? [{ at, call: item.call, place }] : [],
  );
}

/** The path above; the root has none. */
export function parentOf(path: string): string | undefined {
  if (path === '/') return undefined;
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** Whether `path` is somewhere below `above`. */
export function isBelow(path: string, above: string): boolean {
  return path !== above && path.startsWith(above === '/' ? '/' : `${above}/`);
}

/** The plan of a supervisor; nothing for a worker or a stranger. */
export function supervisorPlan(plans: Plans, path: string | undefined): SupervisorPlan | undefined {
  const plan = path === undefined ? undefined : plans.get(path);
  return plan?.kind === 'supervisor' ? plan : undefined;
}
