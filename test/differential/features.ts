// Did the cases reach what they are for? Counted from what really happened on the Erlang side, never from what was meant to happen.
import { pathText, type Call, type Case, type Path, type Step } from './case.ts';
import { callsOf, isBelow, parentOf, plansOf, supervisorPlan, type Plans } from './plans.ts';
import type { StepTrace, Trace, TraceEvent } from './trace.ts';

/** Of every 2 000 cases, so many at least must show each. */
export const FEATURE_MIN = 50;
export const FEATURE_MIN_OF = 2_000;

export const FEATURES = [
  'group restart',
  'failed retry',
  'escalation',
  'auto_shutdown',
  'significant exit',
  'window expiry',
  'terminate during restart',
  'two ends at once',
  'restart below simple_one_for_one',
  'ignored start',
  'failed first start',
  'killed supervisor',
] as const;
export type Feature = (typeof FEATURES)[number];

const NO_PLANS: Plans = new Map();

/** One step of a case with what it led to. */
interface Happening {
  readonly step: Step;
  readonly trace: StepTrace;
  readonly plans: Plans;
}

/** Which features this case has shown. */
export function featuresOf(given: Case, trace: Trace): ReadonlySet<Feature> {
  const plansAt = plansOf(given, trace);
  const found = new Set<Feature>();
  const add = (feature: Feature, isThere: boolean): void => {
    if (isThere) found.add(feature);
  };
  const first = trace[0]?.events ?? [];
  add('failed first start', first.some(isStart('error')));
  add('ignored start', trace.flatMap(({ events }) => events).some(isStart('ignore')));
  add(
    'killed supervisor',
    trace.some(({ events }, index) => events.some(isKilledSupervisor(plansAt[index] ?? NO_PLANS))),
  );
  add('window expiry', hasWindowExpiry(given, trace, plansAt));
  for (const [index, step] of given.steps.entries()) {
    const now = trace[index + 1];
    if (now === undefined) continue;
    const happening = { step, trace: now, plans: plansAt[index + 1] ?? NO_PLANS };
    add('group restart', hasGroupRestart(happening));
    add('failed retry', hasFailedRetry(happening));
    add('escalation', hasEscalation(happening));
    add('significant exit', significantEnd(happening) !== undefined);
    add('auto_shutdown', hasAutoShutdown(happening));
    add('terminate during restart', hasTerminateDuringRestart(happening));
    add('two ends at once', now.results.filter(([word]) => word === 'told').length > 1);
    add('restart below simple_one_for_one', hasSimpleRestart(happening));
  }
  return found;
}

function isStart(outcome: string): (event: TraceEvent) => boolean {
  return (event) => event.type === 'start' && event.outcome === outcome;
}

function isKilledSupervisor(plans: Plans): (event: TraceEvent) => boolean {
  return (event) =>
    event.type === 'exit' &&
    event.reason === 'killed' &&
    supervisorPlan(plans, event.path) !== undefined;
}

/** Workers that the step itself ended, in order. */
function endedByStep({ step, trace }: Happening): string[] {
  const paths: readonly (Path | undefined)[] =
    step.type === 'exit'
      ? [step.path]
      : step.type === 'together'
        ? step.items.map((item) => (item.type === 'exit' ? item.path : undefined))
        : [];
  return paths.flatMap((path, index) =>
    path !== undefined && trace.results[index]?.[0] === 'told' ? [pathText(path)] : [],
  );
}

/** Starts that no call of the step asked for and that belong to no start of a whole supervisor: the supervisor's own restarts. */
function restarts({ step, trace }: Happening): TraceEvent[] {
  const asked = new Set(callsOf(step).flatMap(({ at, call }) => startedBy(at, call)));
  const fresh = new Set<string>();
  return trace.events.filter((event) => {
    if (event.type !== 'start') return false;
    if (event.outcome === 'supervisor') fresh.add(event.path);
    const parent = parentOf(event.path);
    return parent !== undefined && !fresh.has(parent) && !asked.has(event.path);
  });
}

function startedBy(at: Path, call: Call): string[] {
  switch (call.type) {
    case 'start_child':
      return [pathText([...at, call.plan.id])];
    case 'start_dynamic':
      return [pathText([...at, call.label])];
    case 'restart_child':
      return [pathText([...at, call.id])];
    default:
      return [];
  }
}

/** A sibling that nobody had told to end went down and came up again, below a supervisor that itself stayed. */
function hasGroupRestart(happening: Happening): boolean {
  const told = endedByStep(happening);
  const { events } = happening.trace;
  return restarts(happening).some((event) => {
    const strategy = supervisorPlan(happening.plans, parentOf(event.path))?.strategy;
    const isGroup = strategy === 'one_for_all' || strategy === 'rest_for_one';
    const before = events.slice(0, events.indexOf(event));
    const wentDown = before.some(({ type, path }) => type === 'exit' && path === event.path);
    return isGroup && wentDown && told.length > 0 && !told.includes(event.path);
  });
}

/** The restart failed, and what was tried again failed once more. */
function hasFailedRetry(happening: Happening): boolean {
  const failed = restarts(happening).filter(isStart('error'));
  return failed.some((event) =>
    failed.some(({ path, n }) => path === event.path && n === event.n + 1),
  );
}

/** A supervisor below the root gave up over an end below it, and with that handed it on upward. */
function hasEscalation(happening: Happening): boolean {
  const [told, ...others] = endedByStep(happening);
  if (told === undefined || others.length > 0) return false;
  return happening.trace.events.some((event) => {
    if (event.type !== 'exit' || event.reason !== 'shutdown' || event.path === '/') return false;
    const plan = supervisorPlan(happening.plans, event.path);
    return plan?.autoShutdown === 'never' && isBelow(told, event.path);
  });
}

/** A significant worker that the step ended for good: who it was. */
function significantEnd(happening: Happening): string | undefined {
  const { plans, trace } = happening;
  return endedByStep(happening).find((path) => {
    const plan = plans.get(path);
    const end = trace.events.find((event) => event.type === 'exit' && event.path === path);
    if (plan?.significant !== true || end?.type !== 'exit') return false;
    return plan.restart === 'temporary' || /^(?:normal|shutdown)/u.test(end.reason);
  });
}

/** That end was the first thing to happen, and its supervisor went down of it. */
function hasAutoShutdown(happening: Happening): boolean {
  const path = significantEnd(happening);
  if (path === undefined || happening.step.type !== 'exit') return false;
  const parent = parentOf(path);
  return happening.trace.events.some(
    (event) => event.type === 'exit' && event.path === parent && event.reason === 'shutdown',
  );
}

/** which_children said `restarting`, and the very next call ended that. */
function hasTerminateDuringRestart({ step, trace }: Happening): boolean {
  if (step.type !== 'together') return false;
  return step.items.some((item, index) => {
    if (item.type !== 'call' || trace.results[index]?.[0] !== 'ok') return false;
    const { call } = item;
    if (call.type !== 'terminate_child' && call.type !== 'terminate_pid') return false;
    const shown = call.type === 'terminate_child' ? call.id : 'undefined';
    const before = trace.results[index - 1] ?? [];
    return before[0] === 'which' && before.some((word) => word.startsWith(`${shown}:restarting:`));
  });
}

function hasSimpleRestart(happening: Happening): boolean {
  return restarts(happening).some(
    ({ path }) =>
      supervisorPlan(happening.plans, parentOf(path))?.strategy === 'simple_one_for_one',
  );
}

/** One life of a supervisor has seen more restarts than its intensity allows, and lives on. */
function hasWindowExpiry(given: Case, trace: Trace, plansAt: readonly Plans[]): boolean {
  const counts = new Map<string, number>();
  for (const [index, step] of given.steps.entries()) {
    const now = trace[index + 1];
    if (now === undefined) continue;
    const plans = plansAt[index + 1] ?? NO_PLANS;
    const happening = { step, trace: now, plans };
    for (const event of now.events) if (event.type === 'exit') counts.delete(event.path);
    const [told] = endedByStep(happening);
    const parent = told === undefined ? undefined : parentOf(told);
    const plan = supervisorPlan(plans, parent);
    if (parent === undefined || plan === undefined) continue;
    if (!restarts(happening).some(({ path }) => path === told)) continue;
    if (now.events.some(({ type, path }) => type === 'exit' && path === parent)) continue;
    const count = (counts.get(parent) ?? 0) + 1;
    counts.set(parent, count);
    if (count > plan.intensity) return true;
  }
  return false;
}
