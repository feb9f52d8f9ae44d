// How does a report of a supervisor read? In OTP's two forms (supervisor, `format_log/2`): a block for people, one line for logs; both bounded in depth and length.
import { inspect } from 'node:util';

import { isReadableError } from '../actors/ground/error-from.ts';
import { formatExitReason, type ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import type {
  Offender,
  SupervisorDecision,
  SupervisorProgress,
  SupervisorReport,
} from '../actors/ground/supervision-facts.ts';

/** What a supervisor says on the bus: `supervisor.reported`, `supervisor.progress`, `supervisor.decided`. */
export type SupervisorWord = SupervisorReport | SupervisorProgress | SupervisorDecision;

/** How much of a report is shown, and in which form: the options of OTP's `format_log/2`. */
export interface ReportFormat {
  /** How many levels of a value are shown, entries of a list, and frames of a stack; `...` stands for the rest. Default 8. */
  readonly depth?: number;
  /** No text is longer; the reason is shortened first. Default 4 096. */
  readonly chars?: number;
  /** One line instead of a block. Default false. */
  readonly singleLine?: boolean;
}

type Bounds = Required<ReportFormat>;
type Entry = readonly [key: string, value: string | number | boolean | undefined];

/**
 * A report, progress or decision as text.
 *
 * @example `formatReport(report, { singleLine: true })` gives `Supervisor: root. Context: child_terminated. Reason: Error: died. Offender: id=a,pid=root/a#1.`
 */
export function formatReport(word: SupervisorWord, format: ReportFormat = {}): string {
  const bounds: Bounds = {
    depth: format.depth ?? LIMITS.reportDepthMax,
    chars: format.chars ?? LIMITS.reportCharsMax,
    singleLine: format.singleLine ?? false,
  };
  return bounds.singleLine ? oneLine(word, bounds) : block(word, bounds);
}

/** An exit reason as a report shows it: whatever its detail is, its text is bounded. */
export function formatReason(
  reason: SupervisorReport['reason'],
  format: ReportFormat = {},
): string {
  const { depth = LIMITS.reportDepthMax, chars = LIMITS.reportCharsMax } = format;
  const isSingle = format.singleLine ?? true;
  const text = reasonText(reason, { depth, chars, singleLine: isSingle });
  return cut(isSingle ? flat(text) : text, chars);
}

function oneLine(word: SupervisorWord, bounds: Bounds): string {
  const name = nameOf(word);
  if ('started' in word) {
    return cut(flat(`Supervisor: ${name}. Started: ${childText(word.started)}.`), bounds.chars);
  }
  const [before, after] =
    'verdict' in word
      ? [`Child: ${childText(word.offender)}. Reason: `, `. ${outcome(word, bounds.depth)}`]
      : [`Context: ${word.errorContext}. Reason: `, `. Offender: ${childText(word.offender)}.`];
  return around(
    flat(`Supervisor: ${name}. ${before}`),
    flat(reasonText(word.reason, bounds)),
    flat(after),
    bounds.chars,
  );
}

/** `id=I,pid=P`, or `id=I,nb_children=N` of several. */
function childText({ id, pid, nbChildren }: Offender): string {
  return nbChildren === undefined ? `id=${id},pid=${pid}` : `id=${id},nb_children=${nbChildren}`;
}

function outcome(decision: SupervisorDecision, depth: number): string {
  const { verdict, because, restartsInWindow, maxRestarts, periodMs } = decision;
  const { stops, starts, delayMs, next } = decision;
  return [
    `Verdict: ${verdict} (${because}; ${restartsInWindow} of ${maxRestarts} restarts in ${periodMs} ms).`,
    stops.length === 0 ? '' : ` Stops: ${listed(stops, depth)}.`,
    starts.length === 0 ? '' : ` Starts: ${listed(starts, depth)}.`,
    delayMs === 0 ? '' : ` Delay: ${delayMs} ms.`,
    ` Next: ${next}.`,
  ].join('');
}

function block(word: SupervisorWord, bounds: Bounds): string {
  const supervisor: Entry = ['supervisor', nameOf(word)];
  if ('started' in word) {
    const text = `PROGRESS REPORT\n${entries([supervisor])}\n    started:\n${child(word.started)}`;
    return cut(text, bounds.chars);
  }
  const reason = reasonText(word.reason, bounds).replaceAll('\n', '\n        ');
  if ('verdict' in word) {
    const before = entries([supervisor, ['child', word.child], ['epoch', word.epoch]]);
    const after = entries(decisionEntries(word, bounds.depth));
    return around(
      `SUPERVISOR DECISION\n${before}\n    reason: `,
      reason,
      `\n${after}`,
      bounds.chars,
    );
  }
  const before = entries([supervisor, ['errorContext', word.errorContext]]);
  const after = `\n    offender:\n${child(word.offender)}`;
  return around(`SUPERVISOR REPORT\n${before}\n    reason: `, reason, after, bounds.chars);
}

function decisionEntries(decision: SupervisorDecision, depth: number): readonly Entry[] {
  const { verdict, because, restartsInWindow, maxRestarts, periodMs } = decision;
  const { strategy, stops, starts, delayMs, next } = decision;
  return [
    ['verdict', verdict],
    ['because', because],
    ['restarts', `${restartsInWindow} of ${maxRestarts} in ${periodMs} ms`],
    ['strategy', strategy],
    ['stops', listed(stops, depth)],
    ['starts', listed(starts, depth)],
    ['delayMs', delayMs],
    ['next', next],
  ];
}

function child(offender: Offender): string {
  const { pid, nbChildren, id, restart, significant, shutdown, type } = offender;
  const who: Entry = nbChildren === undefined ? ['pid', pid] : ['nbChildren', nbChildren];
  const rest: readonly Entry[] = [
    ['id', id],
    ['restart', restart],
    ['significant', significant],
    ['shutdown', shutdown],
    ['type', type],
  ];
  return entries([who, ...rest], '        ');
}

function entries(list: readonly Entry[], indent = '    '): string {
  return list.map(([key, value]) => `${indent}${key}: ${String(value)}`).join('\n');
}

/** The supervisor of a runtime stands above all paths. */
function nameOf({ supervisor }: SupervisorWord): string {
  return supervisor === '' ? 'root' : supervisor;
}

function listed(ids: readonly string[], depth: number): string {
  if (ids.length === 0) return 'none';
  const shown = ids.slice(0, depth);
  const more = ids.length - shown.length;
  return more === 0 ? shown.join(',') : [...shown, `... (${more} more)`].join(',');
}

function reasonText(reason: SupervisorReport['reason'], bounds: Bounds): string {
  if (typeof reason === 'string') return reason;
  if (bounds.depth <= 0) return '...';
  switch (reason.type) {
    case 'shutdown':
      return reason.detail === undefined
        ? 'shutdown'
        : `shutdown (${detail(reason.detail, bounds)})`;
    case 'error':
      return errorText(reason.error, bounds);
    case 'normal':
    case 'killed':
    case 'noproc':
    case 'exit_status':
    case 'signal':
    case 'timeout':
      return formatExitReason(reason);
    default:
      return reason satisfies never;
  }
}

function detail(value: unknown, bounds: Bounds): string {
  const inner = { ...bounds, depth: bounds.depth - 1 };
  if (isFailedStart(value)) {
    return `failed to start child ${String(value.failed_to_start_child)}: ${reasonText(value.reason, inner)}`;
  }
  return typeof value === 'string' ? value : valueText(value, inner);
}

/** With this detail a supervisor ends when a child does not start; those of nested ones nest. */
interface FailedStart {
  readonly failed_to_start_child: unknown;
  readonly reason: ExitReason;
}

function isFailedStart(value: unknown): value is FailedStart {
  if (typeof value !== 'object' || value === null) return false;
  const { reason } = value as { readonly reason?: Partial<ExitReason> };
  return 'failed_to_start_child' in value && typeof reason?.type === 'string';
}

function errorText(error: Error, bounds: Bounds): string {
  const { depth, singleLine } = bounds;
  const head = [error.name, error.message].filter((text) => text !== '').join(': ');
  const frames = singleLine ? '' : framesOf(error, depth);
  if (error.cause === undefined || isSaid(error)) return `${head}${frames}`;
  const inner = { ...bounds, depth: depth - 1, singleLine: true };
  const cause =
    depth > 1 && isReadableError(error.cause)
      ? errorText(error.cause, inner)
      : valueText(error.cause, inner);
  return `${head}${frames}${singleLine ? '; ' : '\n'}caused by ${cause}`;
}

/** Of a thrown text the error says the same. */
function isSaid({ message, cause }: Error): boolean {
  return typeof cause === 'string' && cause === message;
}

function framesOf({ stack = '' }: Error, depth: number): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /u.test(line));
  const shown = frames.slice(0, depth).map((line) => `\n${line.trim()}`);
  return `${shown.join('')}${frames.length > depth ? '\n...' : ''}`;
}

function valueText(value: unknown, { depth, chars }: Bounds): string {
  if (depth <= 0) return '...';
  try {
    return inspect(value, {
      depth: depth - 1,
      maxArrayLength: depth,
      maxStringLength: chars,
      ...{ breakLength: Number.POSITIVE_INFINITY, compact: true, customInspect: false },
    });
  } catch {
    // A getter or a proxy that throws when it is looked at must not keep a report from being told.
    return 'an object';
  }
}

function flat(text: string): string {
  return text.replaceAll(/\s*[\r\n\u2028\u2029]+\s*/gu, ' ');
}

/** The parts that are always there keep their place; what stands between them gets the room that they leave. */
function around(before: string, middle: string, after: string, chars: number): string {
  const room = chars - before.length - after.length;
  return cut(`${before}${cut(middle, Math.max(room, ELLIPSIS.length))}${after}`, chars);
}

const ELLIPSIS = '...';

function cut(text: string, chars: number): string {
  if (text.length <= chars) return text;
  return `${text.slice(0, Math.max(chars - ELLIPSIS.length, 0))}${ELLIPSIS}`.slice(0, chars);
}
