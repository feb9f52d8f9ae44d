// Which call is this code run for, and on whose behalf? The context of Node's side of a call, kept by `AsyncLocalStorage`.
import { AsyncLocalStorage } from 'node:async_hooks';

import type { Trace } from '../../actors/ground/worker-facts.ts';
import type { CallSite } from '../../supervisors/pool/call-row.ts';
import type { Pool } from '../../supervisors/pool/pool.ts';

/** The call of Python's that a callback is run for. */
export interface CurrentCall {
  /** The bridge and the operation whose handler made the callback. */
  readonly bridge: string;
  readonly op: string;
  /** Undefined in the anonymous scope. */
  readonly sessionId: string | undefined;
  readonly workerId: string;
  readonly epoch: number;
  /** The call's number with its worker, as in `current_call().call_id` of Python and in log records. */
  readonly callId: number;
}

interface Scope {
  readonly trace?: Trace | undefined;
  readonly call?: CurrentCall | undefined;
  /** Where calls that are made here are nested, if they are for the same pool and session. */
  readonly place?: { readonly pool: Pool; readonly site: CallSite } | undefined;
}

const storage = new AsyncLocalStorage<Scope>();

/**
 * Run `fn`; every call that is made in it, however deep and late, carries `trace` to Python (`current_call().trace`), unless its own options name another.
 * @param trace W3C Trace Context and Baggage, as in HTTP headers.
 * @returns what `fn` returns.
 */
export function withTrace<Result>(trace: Trace, fn: () => Result): Result {
  return storage.run({ ...storage.getStore(), trace }, fn);
}

/** The trace that this code runs in: of {@link withTrace}, or, in a callback, of the call that it is for. */
export function currentTrace(): Trace | undefined {
  return storage.getStore()?.trace;
}

/** Inside a callback: the call of Python's that it is run for. Elsewhere undefined. */
export function currentCall(): CurrentCall | undefined {
  return storage.getStore()?.call;
}

/** @internal where a call to this pool, in this session, is nested; undefined when it is an ordinary one. */
export function nestedSite(pool: Pool, sessionId: string | undefined): CallSite | undefined {
  const place = storage.getStore()?.place;
  if (place?.pool !== pool || place.site.row.request.sessionId !== sessionId) return undefined;
  return place.site;
}

/** @internal run a callback as the code of the call that it is for. */
export function runCallback<Result>(
  call: CurrentCall,
  pool: Pool,
  site: CallSite,
  fn: () => Result,
): Result {
  const { trace } = site.row.request;
  return storage.run({ trace, call, place: { pool, site } }, fn);
}
