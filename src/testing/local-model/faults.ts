// Which trouble meets a request? Faults are plain data, taken in order, each a number of times.
import { LocalModelError } from './errors.ts';
import { LOCAL_MODEL_LIMITS } from './limits.ts';

/** What goes wrong. */
export type FaultEffect =
  /** Nothing, not even headers, for `delayMs`; then the true reply. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** Nothing at all, until the client goes or the model closes. */
  | { readonly kind: 'hang' }
  /** An error status, 400 to 599, with OpenAI's error object; `retryAfterS` becomes the Retry-After header. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterS?: number }
  /** The connection is cut after that many events (the role counts as the first); a reply in one piece is cut at its middle. */
  | { readonly kind: 'break_stream'; readonly afterChunks: number }
  /** Status 200 and text that follows no format that was asked for. */
  | { readonly kind: 'nonsense' }
  /** Status 200 and a body, or an event, that is not JSON. */
  | { readonly kind: 'bad_json' }
  /** A pause before every event; a reply in one piece waits as long as all its words together. */
  | { readonly kind: 'slow_tokens'; readonly perTokenMs: number };

/** A fault to inject, as plain data. */
export type Fault = FaultEffect & {
  /** How often it strikes; default 1. */
  readonly times?: number | 'always';
  /** Which requests it strikes. Default: every POST; a look at the models passes. Texts are compared exactly as they stand. */
  readonly match?: { readonly path?: string; readonly contains?: string };
};

/** What a fault is compared with. */
export interface FaultTarget {
  readonly method: string;
  readonly path: string;
  readonly promptText: string;
}

/**
 * Take the first fault that fits, and what is left after it.
 * An `always` fault that fits hides those behind it.
 */
export function takeFault(
  faults: readonly Fault[],
  target: FaultTarget,
): { readonly fault: Fault | null; readonly left: readonly Fault[] } {
  const at = faults.findIndex((fault) => strikes(fault, target));
  const fault = faults[at];
  if (fault === undefined) return { fault: null, left: faults };
  const times = fault.times ?? 1;
  const rest = times === 'always' ? [fault] : times > 1 ? [{ ...fault, times: times - 1 }] : [];
  return { fault, left: [...faults.slice(0, at), ...rest, ...faults.slice(at + 1)] };
}

function strikes(fault: Fault, target: FaultTarget): boolean {
  const { path, contains } = fault.match ?? {};
  if (path === undefined ? target.method !== 'POST' : target.path !== path) return false;
  return contains === undefined || target.promptText.includes(contains);
}

const STATUS_MIN = 400;
const STATUS_MAX = 599;

/**
 * Refuse a fault that cannot be.
 * @throws {@link LocalModelError} with code `LOCAL_MODEL_BAD_FAULT`.
 */
export function checkFault(fault: Fault): void {
  const { times = 1 } = fault;
  if (times !== 'always') checkRange('times', times, 1, Number.MAX_SAFE_INTEGER, true);
  switch (fault.kind) {
    case 'slow':
      checkRange('delayMs', fault.delayMs, 0, LOCAL_MODEL_LIMITS.delayMsMax);
      return;
    case 'status':
      checkRange('retryAfterS', fault.retryAfterS ?? 0, 0, LOCAL_MODEL_LIMITS.delayMsMax);
      checkRange('status', fault.status, STATUS_MIN, STATUS_MAX, true);
      return;
    case 'break_stream':
      checkRange('afterChunks', fault.afterChunks, 0, Number.MAX_SAFE_INTEGER, true);
      return;
    case 'slow_tokens':
      checkRange('perTokenMs', fault.perTokenMs, 0, LOCAL_MODEL_LIMITS.delayMsMax);
      return;
    case 'hang':
    case 'nonsense':
    case 'bad_json':
      return;
    default:
      fault satisfies never;
      throw new LocalModelError(
        'LOCAL_MODEL_BAD_FAULT',
        `unknown kind of fault: ${JSON.stringify(fault)}`,
      );
  }
}

function checkRange(name: string, value: number, min: number, max: number, isWhole = false): void {
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return;
  const wanted = `a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}`;
  throw new LocalModelError(
    'LOCAL_MODEL_BAD_FAULT',
    `a fault's ${name} must be ${wanted}, not ${value}`,
  );
}
