// Do the two sides agree on a case, and if not, where do they part?
import { isDeepStrictEqual } from 'node:util';

import { pathText, type Call, type Case, type ChildPlan, type Step } from './case.ts';
import { canonical } from './decided.ts';
import { eventText, type StepTrace, type Trace } from './trace.ts';

export interface Disagreement {
  /** 0 is the start of the root; the last one is its stop. */
  readonly step: number;
  readonly otp: StepTrace;
  readonly ours: StepTrace;
}

const NOTHING: StepTrace = { events: [], results: [], snapshot: [] };

/** The first step in which they differ; nothing where they agree throughout. */
export function compare(given: Case, otp: Trace, ours: Trace): Disagreement | undefined {
  const [left, right] = [canonical(given, otp), canonical(given, ours)];
  const count = Math.max(left.length, right.length);
  for (let step = 0; step < count; step += 1) {
    const [l, r] = [left[step] ?? NOTHING, right[step] ?? NOTHING];
    if (!isDeepStrictEqual(l, r)) return { step, otp: l, ours: r };
  }
  return undefined;
}

const COLUMN = 68;

/** The case, and both traces side by side up to where they part. */
export function describe(given: Case, otp: Trace, ours: Trace): string {
  const parting = compare(given, otp, ours)?.step ?? -1;
  const [left, right] = [canonical(given, otp), canonical(given, ours)];
  const lines = ['tree', ...planLines(given.root, '  '), ''];
  lines.push(`${'Erlang/OTP'.padEnd(COLUMN)}  ours`);
  for (const [index, title] of stepTitles(given).entries()) {
    if (index > parting) break;
    lines.push(`${index === parting ? '✗' : ' '} ${index}. ${title}`);
    lines.push(...sideBySide(left[index] ?? NOTHING, right[index] ?? NOTHING));
  }
  return lines.join('\n');
}

/** What each step does, in words. */
function stepTitles({ steps, stop }: Case): string[] {
  return ['start', ...steps.map(stepTitle), `stop ${stop}`];
}

function stepTitle(step: Step): string {
  switch (step.type) {
    case 'exit':
      return `${pathText(step.path)} ends by itself: ${step.how}`;
    case 'call':
      return `${pathText(step.at)} is called: ${callText(step.call)}`;
    case 'together': {
      const items = step.items.map((item) =>
        item.type === 'exit'
          ? `${pathText(item.path)} ends by itself: ${item.how}`
          : `call ${callText(item.call)}`,
      );
      return `at once in the mailbox of ${pathText(step.at)}: ${items.join('; ')}`;
    }
    case 'script':
      return `the next starts of ${pathText(step.path)}: ${step.outcomes.join(', ')}`;
    case 'wait':
      return `${step.ms} ms pass`;
    default:
      return step satisfies never;
  }
}

function callText(call: Call): string {
  switch (call.type) {
    case 'start_child':
      return `start_child ${planLines(call.plan, '').join(' | ')}`;
    case 'start_dynamic':
      return `start_child ${call.label}`;
    case 'terminate_pid':
    case 'get_childspec_pid':
      return `${call.type} ${pathText(call.path)}`;
    case 'which_children':
    case 'count_children':
      return call.type;
    case 'terminate_child':
    case 'restart_child':
    case 'delete_child':
    case 'get_childspec':
      return `${call.type} ${call.id}`;
    default:
      return call satisfies never;
  }
}

function planLines(plan: ChildPlan, indent: string): string[] {
  const { id, restart, significant, shutdown } = plan;
  const common = `${id}: ${restart}${significant ? ', significant' : ''}, shutdown ${shutdown}`;
  if (plan.kind === 'worker') {
    const starts = plan.starts.length === 0 ? '' : `, starts ${plan.starts.join(' ')}`;
    return [`${indent}worker ${common}, ${plan.manner}${starts}`];
  }
  const { strategy, intensity, periodS, autoShutdown, children } = plan;
  return [
    `${indent}supervisor ${common}, ${strategy} ${intensity} in ${periodS} s, auto_shutdown ${autoShutdown}`,
    ...children.flatMap((child) => planLines(child, `${indent}  `)),
  ];
}

function sideBySide(otp: StepTrace, ours: StepTrace): string[] {
  const [left, right] = [stepLines(otp), stepLines(ours)];
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index) => {
    const [l, r] = [left[index] ?? '', right[index] ?? ''];
    return `${l === r ? '   ' : ' ≠ '}${l.padEnd(COLUMN - 3)}  ${r}`;
  });
}

function stepLines({ events, results, snapshot }: StepTrace): string[] {
  return [
    ...events.map(eventText),
    ...results.map((words) => `→ ${words.join(' ')}`),
    ...snapshot.map((line) => `· ${line}`),
  ];
}
