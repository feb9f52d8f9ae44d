// How does Python call a function of ours? Runs it as the caller's code, bounds it, and answers exactly once.
import { AsyncResource } from 'node:async_hooks';

import type { Clock, TimerId } from '../../actors/ground/clock.ts';
import { errorFrom } from '../../actors/ground/error-from.ts';
import { isCaduceusError } from '../../actors/ground/errors.ts';
import type { RemoteError } from '../../actors/ground/worker-facts.ts';
import { encodeValue } from '../../actors/port/codec.ts';
import type { CallbackRequest } from '../../supervisors/pool/call-row.ts';
import type { Pool } from '../../supervisors/pool/pool.ts';
import { runCallback, type CurrentCall } from './call-context.ts';

/** What a callback is told besides its arguments. */
export interface CallbackContext extends CurrentCall {
  /** Aborted when nobody waits for the answer any more: the call is over or cancelled, or the time of the callback is. */
  readonly signal: AbortSignal;
}

/**
 * A function that Python may call by its name: `current_call().invoke("name", args)`. What it returns, or its promise fulfils with, is what Python gets; what it throws is raised
 * there as `CallbackError`. It runs in the async context of whoever made the call. A call that it makes to the same bridge in the same session is nested: run by the worker
 * that waits for it.
 *
 * @param args what Python gave, an object by convention.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what Python gives is known to the function's author, not here
export type Callback = (args: any, context: CallbackContext) => unknown;

/** Functions by the names that Python calls them by. */
export type Callbacks = Readonly<Record<string, Callback>>;

interface Running {
  readonly request: CallbackRequest;
  readonly controller: AbortController;
  timer: TimerId;
}

/** The callbacks of one call. `end` it with the call. */
export class CallbackRunner {
  readonly #functions: Callbacks;
  readonly #pool: Pool;
  readonly #clock: Clock;
  /** The async context of whoever made the call. */
  readonly #caller = new AsyncResource('caduceus.call');
  readonly #running = new Set<Running>();

  constructor(functions: Callbacks, pool: Pool, clock: Clock) {
    this.#functions = functions;
    this.#pool = pool;
    this.#clock = clock;
  }

  readonly onCallback = (request: CallbackRequest): void => {
    const { name, timeoutMs } = request.message;
    const fn = Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined;
    if (typeof fn !== 'function') {
      const known = Object.keys(this.#functions).join(', ') || 'none';
      request.answer(
        refusal(request, 'callback_unknown', `${name} is not registered; known: ${known}`),
      );
      return;
    }
    const running: Running = { request, controller: new AbortController(), timer: undefined };
    this.#running.add(running);
    if (timeoutMs !== null) {
      const what = `${name} took longer than ${timeoutMs} ms`;
      const expire = (): void => this.#giveUp(running, 'callback_timeout', what);
      running.timer = this.#clock.setTimeout(() => this.#clock.afterPoll(expire), timeoutMs);
    }
    this.#run(fn, running);
  };

  /** The call is over, or being ended: nobody waits for what still runs. */
  end(): void {
    for (const running of [...this.#running]) {
      this.#giveUp(running, 'cancelled', 'the call that it is for is over');
    }
    this.#caller.emitDestroy();
  }

  #run(fn: Callback, running: Running): void {
    const { message, site } = running.request;
    const { row, slot, callId } = site;
    const call: CurrentCall = {
      bridge: this.#pool.name,
      op: row.request.op,
      sessionId: row.request.sessionId,
      workerId: slot.worker.workerId,
      epoch: slot.epoch,
      callId,
    };
    const context = { ...call, signal: running.controller.signal };
    const invoke = async (): Promise<unknown> => fn(message.args, context);
    this.#caller
      .runInAsyncScope(() => runCallback(call, this.#pool, site, invoke))
      .then(
        (value) => this.#succeed(running, value),
        (cause: unknown) => this.#fail(running, cause),
      );
  }

  #succeed(running: Running, value: unknown): void {
    if (!this.#take(running)) return;
    const { message, answer } = running.request;
    try {
      const encoded = encodeValue(value === undefined ? null : value, `result of ${message.name}`);
      answer({ callback: message.callback, ok: true, value: encoded });
    } catch (cause) {
      answer(refusal(running.request, 'callback_failed', errorFrom(cause).message));
    }
  }

  #fail(running: Running, cause: unknown): void {
    if (!this.#take(running)) return;
    const { message, answer } = running.request;
    const error = remoteErrorOf(errorFrom(cause), CAUSES_MAX);
    answer({ callback: message.callback, ok: false, error });
  }

  #giveUp(running: Running, code: string, why: string): void {
    if (!this.#take(running)) return;
    running.request.answer(refusal(running.request, code, why));
    running.controller.abort(new Error(why));
  }

  /** @returns false when it has been answered. */
  #take(running: Running): boolean {
    if (!this.#running.delete(running)) return false;
    this.#clock.clearTimeout(running.timer);
    return true;
  }
}

const CAUSES_MAX = 8;

function refusal(
  { message }: CallbackRequest,
  code: string,
  text: string,
): { readonly callback: number; readonly ok: false; readonly error: RemoteError } {
  const error = { type: 'CallbackError', message: text, traceback: '', code };
  return { callback: message.callback, ok: false, error };
}

/** An error of JavaScript as Python is told of it. */
function remoteErrorOf(error: Error, causesLeft: number): RemoteError {
  const { name, message, stack = '', cause } = error;
  const own = {
    type: name,
    message,
    traceback: stack,
    code: isCaduceusError(error) ? error.code : 'callback_failed',
  };
  if (!(cause instanceof Error) || causesLeft === 0) return own;
  return { ...own, cause: remoteErrorOf(cause, causesLeft - 1) };
}
