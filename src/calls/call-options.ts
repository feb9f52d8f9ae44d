// What may be said of one call, and what is wrong with it?
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type { Trace } from '../../actors/ground/worker-facts.ts';
import type { Affinity } from '../../supervisors/pool/pool-options.ts';
import type { Callbacks } from './callbacks.ts';

/** Options of every call. */
export interface CallOptions {
  /**
   * One caller's state; its calls run in order, on one worker while that lives. Absent, or `anonymous`: the anonymous scope, shared by all such calls,
   * which are neither ordered nor bound to one worker.
   */
  readonly sessionId?: string | undefined;
  /** The whole call: queue, restart of a worker, replay and run. Default 30 000, or the pool's `callTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** How long it may wait for a worker; 0: now or not at all. Default 5 000, or the pool's. */
  readonly checkoutTimeoutMs?: number | undefined;
  /** How firmly it holds on to the worker that has its session's state. Default: the pool's, `required`. */
  readonly affinity?: Affinity | undefined;
  /** How often it may be tried again by itself: only when it was not sent, or its operation is idempotent. Default 2, or the pool's. */
  readonly maxRetries?: number | undefined;
  /** Abort it. A call that runs already is ended by stages; `cancellation` of the error says by which. */
  readonly signal?: AbortSignal | undefined;
  /** Functions that Python may call while it works on this; they come before the bridge's own. */
  readonly callbacks?: Callbacks | undefined;
  /** Hears what the handler tells of its progress, `current_call().progress(value)`. What it throws is this process's uncaught exception. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /** W3C Trace Context, for Python. Default: that of `withTrace`. */
  readonly trace?: Trace | undefined;
}

const AFFINITIES: readonly string[] = ['none', 'preferred', 'required'];

function refuse(name: string, problem: string): never {
  throw new InvalidConfigError(`options.${name}`, problem);
}

/** @throws {@link InvalidConfigError} for what is no time above 0. */
export function checkTime(ms: number, field: string): void {
  if (!(ms > 0)) throw new InvalidConfigError(field, `must be above 0, found ${ms}`);
}

/** Callers in plain JavaScript make these slips, and a worker that is sent one takes it for a broken wire. */
export function checkOptions(options: CallOptions): CallOptions {
  const { timeoutMs, checkoutTimeoutMs, maxRetries, affinity } = options;
  if (timeoutMs !== undefined) checkTime(timeoutMs, 'options.timeoutMs');
  if (checkoutTimeoutMs !== undefined && !(checkoutTimeoutMs >= 0))
    refuse('checkoutTimeoutMs', `must be 0 or above, found ${checkoutTimeoutMs}`);
  if (maxRetries !== undefined && !(Number.isInteger(maxRetries) && maxRetries >= 0))
    refuse('maxRetries', `must be a whole number from 0, found ${maxRetries}`);
  if (affinity !== undefined && !AFFINITIES.includes(affinity))
    refuse('affinity', `must be one of ${AFFINITIES.join(', ')}, found ${affinity as string}`);
  const { sessionId, signal } = options as {
    readonly sessionId?: unknown;
    readonly signal?: unknown;
  };
  if (sessionId !== undefined && (typeof sessionId !== 'string' || sessionId === '')) {
    throw new InvalidConfigError('options.sessionId', 'must be a string that is not empty');
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidConfigError('options.signal', 'must be an AbortSignal');
  }
  const { onProgress, callbacks, trace } = options as Readonly<Record<string, unknown>>;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new InvalidConfigError('options.onProgress', 'must be a function');
  }
  checkCallbacks(callbacks, 'options.callbacks');
  checkTrace(trace);
  return options;
}

/** @throws {@link InvalidConfigError} naming the first that is no function. */
function checkCallbacks(callbacks: unknown, field: string): void {
  if (callbacks === undefined) return;
  if (typeof callbacks !== 'object' || callbacks === null)
    throw new InvalidConfigError(field, 'must be an object of functions');
  for (const [name, fn] of Object.entries(callbacks)) {
    if (typeof fn !== 'function')
      throw new InvalidConfigError(`${field}.${name}`, 'must be a function');
  }
}

function checkTrace(trace: unknown): void {
  if (trace === undefined) return;
  if (typeof trace !== 'object' || trace === null)
    throw new InvalidConfigError('options.trace', 'must be an object of texts');
  for (const [name, text] of Object.entries(trace)) {
    if (text !== undefined && typeof text !== 'string')
      throw new InvalidConfigError(`options.trace.${name}`, 'must be a text');
  }
}
