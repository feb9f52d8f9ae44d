// How does an operation become a request to a pool, and its answer the caller's? By the adapter's words, with the defaults of the pool.
import type { Clock } from '../actors/ground/clock.ts';
import { InvalidArgumentsError, InvalidResultError } from '../actors/ground/bridge-errors.ts';
import { errorFrom } from '../actors/ground/error-from.ts';
import { UnknownOperationError, type CaduceusError } from '../actors/ground/errors.ts';
import type { Ids } from '../actors/ground/ids.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { CallRequest } from '../supervisors/pool/call-row.ts';
import type { Pool } from '../supervisors/pool/pool.ts';
import type { OpenCall } from '../supervisors/pool/router-types.ts';
import type { ResolveSecret } from '../supervisors/pool/scope-store.ts';
import { BUILT_IN_OPERATIONS, type AdapterDefinition, type Args } from './adapters/adapter.ts';
import type { OperationDefinition } from './adapters/operation.ts';
import type { PythonSchemas } from './adapters/python-schemas.ts';
import { secretNameOf } from './adapters/secret-mark.ts';
import { checkBy, type StandardSchema } from './adapters/standard-schema.ts';
import { CallbackRunner, type Callbacks } from './calls/callbacks.ts';
import { currentTrace, nestedSite } from './calls/call-context.ts';
import { checkOptions, type CallOptions } from './calls/call-options.ts';
import { CallStream } from './calls/call-stream.ts';
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
  readonly adapter: AdapterDefinition;
  readonly pool: Pool;
  readonly ports: HandlePorts;
  readonly callbacks?: Callbacks | undefined;
  /** What its workers say that they take. */
  readonly schemas?: PythonSchemas | undefined;
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
  call(target: CallTarget, op: string, args: unknown, options: CallOptions): Promise<unknown> {
    const { transformResponse } = this.#setup.adapter;
    const schema = this.#operation(op)?.result;
    let answered: Promise<unknown>;
    try {
      answered = send(target, this.#request(op, args, options), this.#runnerOf(options));
    } catch (error) {
      return Promise.reject(errorFrom(error));
    }
    // Without `async` and its waits: each is a turn of the microtask queue for every call.
    if (transformResponse === undefined && schema === undefined) return answered;
    return answered.then((result) => this.#answer(op, result, schema));
  }

  /** Run one there whose items are read. Errors, those of the arguments too, come from the stream. */
  stream<Item>(
    target: CallTarget,
    op: string,
    args: unknown,
    options: CallOptions,
  ): CallStream<Item> {
    const schema = this.#operation(op)?.item;
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
    return new CallStream(open, (value) => this.#answer(op, value, schema) as Item);
  }

  /** What an object has from its prototype, `constructor` for one, is no operation. */
  #operation(op: string): OperationDefinition | undefined {
    const { operations } = this.#setup.adapter;
    return Object.hasOwn(operations, op) ? operations[op] : undefined;
  }

  /** What the caller gets for what Python answered. */
  #answer(op: string, value: unknown, schema: StandardSchema | undefined): unknown {
    const { name, adapter } = this.#setup;
    const { transformResponse } = adapter;
    const answer = transformResponse === undefined ? value : transformResponse(op, value);
    if (schema === undefined) return answer;
    const checked = checkBy(schema, answer);
    if (checked.type === 'good') return checked.value;
    throw named(new InvalidResultError(op, checked.path, checked.problem), name);
  }

  #request(op: string, args: unknown, options: CallOptions): CallRequest {
    const { name, adapter, pool, ports } = this.#setup;
    if (typeof op !== 'string')
      throw new InvalidConfigError('op', `must be a string, found ${typeof op}`);
    const operation = this.#operation(op);
    if (operation === undefined) this.#assertKnown(op);
    const { timeoutMs, checkoutTimeoutMs, maxRetries, affinity, signal, onProgress, trace } =
      checkOptions(options);
    const newId = (): string => ports.ids.next(name);
    const taken = this.#taken(op, objectOf(args), operation?.args);
    const given = adapter.transformRequest?.(op, taken, { newId }) ?? taken;
    const { args: sent, secrets } = this.#sealed(op, given, operation?.secrets);
    this.#assertTaken(op, sent);
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

  /** The arguments as the operation's own schema takes them. */
  #taken(op: string, args: Args, schema: StandardSchema | undefined): Args {
    if (schema === undefined) return args;
    const checked = checkBy(schema, args);
    if (checked.type === 'good') return objectOf(checked.value);
    throw named(new InvalidArgumentsError(op, checked.path, checked.problem), this.#setup.name);
  }

  /** Python checks them too; a call that would fail there need not wait for a worker. */
  #assertTaken(op: string, args: Args): void {
    const { schemas, name } = this.#setup;
    if (schemas === undefined) return;
    const checked = schemas.check(op, args);
    if (checked.type === 'bad')
      throw named(new InvalidArgumentsError(op, checked.path, checked.problem), name);
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

/** One value in place of an object is what the handler's first parameter gets (`docs/ml.md` §1). */
function objectOf(args: unknown): Args {
  if (args === undefined) return NO_ARGS;
  if (typeof args === 'object' && args !== null) {
    const prototype: unknown = Object.getPrototypeOf(args);
    if (prototype === Object.prototype || prototype === null) return args as Args;
  }
  return { '*': [args] };
}

/** Such an error comes from no worker that could have named its bridge. */
function named<Failure extends CaduceusError>(error: Failure, bridge: string): Failure {
  error.bridge = bridge;
  return error;
}

const NO_ARGS: Args = Object.freeze({});
const NO_NAMES: readonly string[] = [];
const knowsNone: ResolveSecret = () => undefined;

function namesSecret(args: Args): boolean {
  for (const key in args) if (secretNameOf(args[key]) !== undefined) return true;
  return false;
}

function isBuiltIn(op: string): boolean {
  return (BUILT_IN_OPERATIONS as readonly string[]).includes(op);
}
