// How does an operation become a request to a pool, and its answer the caller's? By the adapter's words, with the defaults of the pool.
import type { Clock } from '../actors/ground/clock.ts';
import { errorFrom } from '../actors/ground/error-from.ts';
import { UnknownOperationError } from '../actors/ground/errors.ts';
import type { Ids } from '../actors/ground/ids.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { CallRequest } from '../supervisors/pool/call-row.ts';
import type { Pool } from '../supervisors/pool/pool.ts';
import type { OpenCall } from '../supervisors/pool/router-types.ts';
import type { ResolveSecret } from '../supervisors/pool/scope-store.ts';
import { BUILT_IN_OPERATIONS, type Adapter, type Args } from './adapters/adapter.ts';
import { secretNameOf } from './adapters/secret-mark.ts';
import { CallbackRunner, type Callbacks } from './callbacks.ts';
import { currentTrace, nestedSite } from './call-context.ts';
import { checkOptions, type CallOptions } from './call-options.ts';
import { CallStream } from './call-stream.ts';
import { sealArgs, type SealedArgs } from './secrets.ts';

/** What a handle needs of the runtime. */
interface HandlePorts {
  readonly ids: Ids;
  readonly clock: Clock;
}

/** Who takes a request: a pool, or one worker of it that somebody holds. */
export interface CallTarget {
  call(request: CallRequest): Promise<unknown>;
  open(request: CallRequest): OpenCall;
}

/** One bridge, as its calls need it. */
export interface CallerSetup {
  readonly name: string;
  readonly adapter: Adapter;
  readonly pool: Pool;
  readonly ports: HandlePorts;
  readonly callbacks?: Callbacks | undefined;
  /** Undefined: no secret has a name here. */
  readonly resolveSecret?: ResolveSecret | undefined;
  /** Of a call that says nothing of it. */
  readonly maxRetries: number;
}

/** The name that the ported design gives to the scope of calls without a session. */
const ANONYMOUS = 'anonymous';

/** The session that is meant; undefined for the anonymous scope. */
export function sessionOf(sessionId: string | undefined): string | undefined {
  return sessionId === ANONYMOUS ? undefined : sessionId;
}

/** Makes the requests of one bridge. */
export class Caller {
  readonly #setup: CallerSetup;

  constructor(setup: CallerSetup) {
    this.#setup = setup;
  }

  /** Run one operation there. Never throws. */
  call(target: CallTarget, op: string, args: Args, options: CallOptions): Promise<unknown> {
    const { transformResponse } = this.#setup.adapter;
    let answered: Promise<unknown>;
    try {
      answered = send(target, this.#request(op, args, options), this.#runnerOf(options));
    } catch (error) {
      return Promise.reject(errorFrom(error));
    }
    // Without `async` and its waits: each is a turn of the microtask queue for every call.
    if (transformResponse === undefined) return answered;
    return answered.then((result) => transformResponse(op, result));
  }

  /** Run one there whose items are read. Errors, those of the arguments too, come from the stream. */
  stream<Item>(target: CallTarget, op: string, args: Args, options: CallOptions): CallStream<Item> {
    const { adapter } = this.#setup;
    const open = (item: (value: unknown) => void): OpenCall => {
      const stream = { credit: LIMITS.streamCredit, item };
      const request = { ...this.#request(op, args, options), stream };
      const runner = this.#runnerOf(options);
      if (runner === undefined) return target.open(request);
      const call = target.open({ ...request, onCallback: runner.onCallback });
      const end = (): void => runner.end();
      call.settled.then(end, end);
      return call;
    };
    return new CallStream(
      open,
      (value) => (adapter.transformResponse?.(op, value) ?? value) as Item,
    );
  }

  #request(op: string, args: Args, options: CallOptions): CallRequest {
    const { name, adapter, pool, ports } = this.#setup;
    if (typeof op !== 'string')
      throw new InvalidConfigError('op', `must be a string, found ${typeof op}`);
    const operation = adapter.operations[op];
    if (operation === undefined) this.#assertKnown(op);
    const { timeoutMs, checkoutTimeoutMs, maxRetries, affinity, signal, onProgress, trace } =
      checkOptions(options);
    const newId = (): string => ports.ids.next(name);
    const given = adapter.transformRequest?.(op, args, { newId }) ?? args;
    const { args: sent, secrets } = this.#sealed(op, given, operation?.secrets);
    const sessionId = sessionOf(options.sessionId);
    return {
      op,
      args: sent,
      secrets,
      sessionId,
      signal,
      affinity,
      timeoutMs: timeoutMs ?? pool.callTimeoutMs,
      checkoutTimeoutMs: checkoutTimeoutMs ?? pool.checkoutTimeoutMs,
      maxRetries: maxRetries ?? this.#setup.maxRetries,
      isIdempotent: operation?.idempotent,
      batch: operation?.batch,
      change: operation?.change && { change: operation.change, key: operation.key?.(sent) ?? op },
      trace: trace ?? currentTrace(),
      onProgress,
      site: nestedSite(pool, sessionId),
    };
  }

  /** Most calls have nothing that is secret. */
  #sealed(
    op: string,
    args: Args,
    marked: readonly string[] = NO_NAMES,
  ): Partial<SealedArgs> & {
    readonly args: Args;
  } {
    if (marked.length === 0 && !namesSecret(args)) return { args };
    const { name, resolveSecret = knowsNone } = this.#setup;
    return sealArgs(op, args, marked, name, resolveSecret);
  }

  /** An adapter that names no operation passes all of them through. */
  #assertKnown(op: string): void {
    const { name, adapter } = this.#setup;
    const known = Object.keys(adapter.operations);
    if (known.length === 0 || isBuiltIn(op)) return;
    throw new UnknownOperationError(op, name, [...known, ...BUILT_IN_OPERATIONS]);
  }

  #runnerOf({ callbacks }: CallOptions): CallbackRunner | undefined {
    const { callbacks: ofBridge, pool, ports } = this.#setup;
    if (callbacks === undefined && ofBridge === undefined) return undefined;
    const own = { ...ofBridge, ...callbacks };
    if (Object.keys(own).length === 0) return undefined;
    return new CallbackRunner(own, pool, ports.clock);
  }
}

function send(
  target: CallTarget,
  request: CallRequest,
  runner: CallbackRunner | undefined,
): Promise<unknown> {
  if (runner === undefined) return target.call(request);
  const { onCallback } = runner;
  return target.call({ ...request, onCallback }).finally(() => {
    runner.end();
  });
}

const NO_NAMES: readonly string[] = [];
const knowsNone: ResolveSecret = () => undefined;

function namesSecret(args: Args): boolean {
  for (const key in args) if (secretNameOf(args[key]) !== undefined) return true;
  return false;
}

function isBuiltIn(op: string): boolean {
  return (BUILT_IN_OPERATIONS as readonly string[]).includes(op);
}
