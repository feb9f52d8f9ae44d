// Where may the two sides differ, because it was decided so? The one list of it; whatever is not here must agree.
import { pathText, type Case, type ChildPlan, type Step } from './case.ts';
import { callsOf, isBelow, parentOf, plansOf, supervisorPlan, type Plans } from './plans.ts';
import { eventText, type StepTrace, type Trace, type TraceEvent } from './trace.ts';

export interface Decided {
  readonly what: string;
  readonly otp: string;
  readonly ours: string;
  readonly why: string;
  /** How the check treats it: what is not generated, what is left out, what is compared in another form. */
  readonly treatment: string;
}

/** Printed by `--decided`, and repeated in the documentation of conformance. */
export const DECIDED: readonly Decided[] = [
  {
    what: 'the restart window',
    otp: 'stamps in whole seconds: two restarts up to a second further apart than the period may still count together',
    ours: 'milliseconds: exactly the period',
    why: 'the rounding is an accident of the clock, not a promise',
    treatment:
      'waits are short of the period or more than a second beyond it; a run that the VM itself delayed past the period is made again',
  },
  {
    what: 'the order in which children of a simple_one_for_one end',
    otp: 'all are told at once, their ends come in any order',
    ours: 'all are told at once, their ends come in start order',
    why: 'OTP promises none',
    treatment: 'neighbouring ends of such children are sorted, and so are its which_children',
  },
  {
    what: 'the end of a nested supervisor that did not start',
    otp: 'its parent is answered first: the process may outlive what the parent does next',
    ours: 'it has ended when its parent hears of it',
    why: 'OTP promises no order',
    treatment: 'such an end is put right after the last thing that happened below it',
  },
  {
    what: 'a simple_one_for_one child whose restart is ignored',
    otp: '25 keeps a child without a process and fails over it when it stops; later versions remove it',
    ours: 'removed, as in later versions',
    why: 'the newer version has repaired it',
    treatment: 'not generated',
  },
  {
    what: 'count_children of a simple_one_for_one after a child was terminated while it was being restarted',
    otp: 'goes on subtracting that child: `active` is one too low from then on, down to -1',
    ours: 'counts the children that are there',
    why: 'a slip of OTP',
    treatment: 'from such a call on, `active` of that supervisor is not compared',
  },
  {
    what: 'a root with an invalid child specification',
    otp: 'is a process that ends with `start_spec`',
    ours: 'never begins: its flags are checked first',
    why: 'there is nothing to see of a supervisor that does not exist',
    treatment: 'only the answer of such a start is compared',
  },
  {
    what: 'a nested supervisor with an invalid child specification',
    otp: 'fails when it is started, and its parent with it',
    ours: 'is refused where `supervisor(flags)` is written, before anything is started',
    why: 'a mistake of the program is found as early as it can be',
    treatment: 'not generated',
  },
  {
    what: 'the children of a supervisor that is killed',
    otp: 'die of the broken link after it, in any order, `killed` or told to shut down by a supervisor that dies in its turn',
    ours: 'are ended before it is told: no parent may die and leave a child',
    why: 'without processes there is no link that would end them later',
    treatment: 'compared by who ended, not by order and reason',
  },
];

/** The trace in the form in which both sides must be alike. */
export function canonical(given: Case, trace: Trace): Trace {
  const plansAt = plansOf(given, trace);
  const miscounting = new Set<string>();
  return trace.map((step, index) => {
    const plans = plansAt[index] ?? new Map();
    const taken = given.steps[index - 1];
    noteMiscounting(taken, step, plans, miscounting);
    const at = taken !== undefined && 'at' in taken ? pathText(taken.at) : '';
    const words = (path: string, given: readonly string[]): readonly string[] =>
      withoutActive(miscounting.has(path), sortedDynamic(given));
    return {
      events: isBadRoot(step) ? [] : canonicalEvents(plans, step.events),
      results: step.results.map((answer) => words(at, answer)),
      snapshot: step.snapshot.map((line) => {
        const path = line.slice(0, line.indexOf('#'));
        return words(path, line.split(' ')).join(' ');
      }),
    };
  });
}

/** A child of a simple_one_for_one was terminated when a start of it had just failed: from here on OTP counts wrong. */
function noteMiscounting(
  taken: Step | undefined,
  { events, results }: StepTrace,
  plans: Plans,
  miscounting: Set<string>,
): void {
  if (taken?.type !== 'together') return;
  const at = pathText(taken.at);
  if (supervisorPlan(plans, at)?.strategy !== 'simple_one_for_one') return;
  const terminated = taken.items.flatMap((item, index) =>
    item.type === 'call' && item.call.type === 'terminate_pid' && results[index]?.[0] === 'ok'
      ? [pathText(item.call.path)]
      : [],
  );
  const failed = events.some(
    (event) =>
      event.type === 'start' && event.outcome === 'error' && terminated.includes(event.path),
  );
  if (failed) miscounting.add(at);
}

/** The words without `active`, the second of the counts. */
function withoutActive(isMiscounting: boolean, words: readonly string[]): readonly string[] {
  if (!isMiscounting) return words;
  return words.map((word, index) =>
    words[index - 1] === 'count' ? word.replace(/\/-?\d+/u, '/?') : word,
  );
}

function canonicalEvents(plans: Plans, events: readonly TraceEvent[]): TraceEvent[] {
  return sortedSimple(plans, failuresInPlace(killedLast(plans, events)));
}

/** The end of a supervisor that did not start comes right after the last thing that happened below it. */
function failuresInPlace(events: readonly TraceEvent[]): TraceEvent[] {
  const isFailure = (event: TraceEvent): boolean =>
    event.type === 'exit' && event.reason.startsWith('failed_to_start_child');
  // From the leaves up: the end of one below is such a thing as well.
  const failures = events.filter(isFailure).sort((a, b) => b.path.length - a.path.length);
  let list = [...events];
  for (const failure of failures) {
    const others = list.filter((event) => event !== failure);
    const start = others.findIndex((event) => isStartOf(event, failure));
    if (start === -1) continue;
    const again = others.findIndex(
      ({ type, path }, index) => index > start && type === 'start' && path === failure.path,
    );
    const last = others.findLastIndex(
      ({ path }, index) => (again === -1 || index < again) && isBelow(path, failure.path),
    );
    const place = Math.max(start, last) + 1;
    list = [...others.slice(0, place), failure, ...others.slice(place)];
  }
  return list;
}

function isStartOf(event: TraceEvent, { path, n }: TraceEvent): boolean {
  return event.type === 'start' && event.path === path && event.n === n;
}

function isBadRoot({ results: [first = []] }: StepTrace): boolean {
  return first[0] === 'failed' && first[1]?.startsWith('bad_spec') === true;
}

/** Neighbouring ends below one simple_one_for_one, in the order of their names. */
function sortedSimple(plans: Plans, events: readonly TraceEvent[]): TraceEvent[] {
  const sorted: TraceEvent[] = [];
  let run: TraceEvent[] = [];
  const flush = (): void => {
    sorted.push(...run.sort((a, b) => compareTexts(eventText(a), eventText(b))));
    run = [];
  };
  for (const event of events) {
    const parent = parentOf(event.path);
    const isSimple = supervisorPlan(plans, parent)?.strategy === 'simple_one_for_one';
    const [first] = run;
    const isSameRun = first === undefined || parentOf(first.path) === parent;
    if (event.type !== 'exit' || !isSimple || !isSameRun) flush();
    if (event.type === 'exit' && isSimple) run.push(event);
    else sorted.push(event);
  }
  flush();
  return sorted;
}

/** Ends below a killed supervisor come right after its own, sorted and without a reason. */
function killedLast(plans: Plans, events: readonly TraceEvent[]): TraceEvent[] {
  const isKilled = (event: TraceEvent): boolean =>
    event.type === 'exit' &&
    event.reason === 'killed' &&
    supervisorPlan(plans, event.path) !== undefined;
  let left = [...events];
  for (const killed of events.filter(isKilled)) {
    if (!left.includes(killed)) continue;
    const lives = livesBelow(killed, events);
    const isOfIts = (event: TraceEvent): boolean => event.type === 'exit' && lives(event);
    const ends = left
      .filter(isOfIts)
      .map((event): TraceEvent => ({ ...event, type: 'exit', reason: 'with its supervisor' }))
      .sort((a, b) => compareTexts(eventText(a), eventText(b)));
    left = left.flatMap((event) => {
      if (event === killed) return [event, ...ends];
      return isOfIts(event) ? [] : [event];
    });
  }
  return left;
}

/** Whether an incarnation belonged to this one's: started between its start and its end, or both were there before the step. */
function livesBelow(
  killed: TraceEvent,
  events: readonly TraceEvent[],
): (event: TraceEvent) => boolean {
  const startOf = (of: TraceEvent): number => events.findIndex((event) => isStartOf(event, of));
  const [from, to] = [startOf(killed), events.indexOf(killed)];
  return (event) => {
    const start = startOf(event);
    return isBelow(event.path, killed.path) && start >= from && start < to;
  };
}

/** The children of a simple_one_for_one have no ids: in which order they are listed is open. */
function sortedDynamic(words: readonly string[]): string[] {
  const dynamic = words.filter((word) => word.startsWith('undefined:')).sort(compareTexts);
  return words.map((word) => (word.startsWith('undefined:') ? (dynamic.shift() ?? word) : word));
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Whether the VM's own delays have taken a stretch of the case to a period: then its rounding has a say in it. */
export function wasDisturbed({ root, steps }: Case, longestMs: number): boolean {
  const added = steps
    .flatMap(callsOf)
    .flatMap(({ call }) => (call.type === 'start_child' ? periodsOf(call.plan) : []));
  return longestMs >= Math.min(...periodsOf(root), ...added);
}

function periodsOf(plan: ChildPlan): number[] {
  if (plan.kind === 'worker') return [];
  return [plan.periodS * 1_000, ...plan.children.flatMap(periodsOf)];
}
