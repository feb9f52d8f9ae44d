// Whose code threw, when nobody caught it? What escapes from an actor is its own crash, not the process's.
import { AsyncLocalStorage, AsyncResource, createHook } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';

import { errorFrom, isReadableError } from '../ground/error-from.ts';

type Origin = NodeJS.UncaughtExceptionOrigin;

/** Whoever answers for code: an actor, or what runs one. */
export interface CrashOwner {
  /**
   * Code of this owner threw where nobody could catch it. Called outside of every owner, once for each escape: also after the owner has ended,
   * since a timer that it forgot may still throw, and possibly with an error that it knows already. It should not throw; if it does,
   * both errors go to the process.
   */
  crashed(error: Error): void;
}

type Owners = AsyncLocalStorage<CrashOwner | undefined>;

/** One for all copies of this package in the process: only one of them can have the capture callback, which must find the owners of all. */
const OWNERS = Symbol.for('caduceus.crash-owners');
const shared = globalThis as { [OWNERS]?: Owners };
const owners = (shared[OWNERS] ??= new AsyncLocalStorage());
/** Where nothing is stored by anybody: what one actor's code, or a request that it served, keeps in storages of its own is not to be found by those whom its end concerns. */
const nobody = owners.run(undefined, () => new AsyncResource('caduceus.nobody'));

/**
 * Run `fn` as code of `owner`: the timers, promises, sockets and listeners of sockets that it makes belong to the owner too, however late they
 * fire, and so does what those make. What `fn` throws at once is the caller's to catch. `undefined` runs it as nobody's code, which is due
 * wherever an owner's code calls into the runtime: else a supervisor's timer would belong to the child whose end armed it.
 */
export function runInside<Result>(owner: CrashOwner | undefined, fn: () => Result): Result {
  return owner === undefined ? nobody.runInAsyncScope(fn) : owners.run(owner, fn);
}

/** The owner whose code runs now. */
export function currentOwner(): CrashOwner | undefined {
  return owners.getStore();
}

/** The first Node whose microtasks keep their context until their error is reported. */
const KEEPING_NODE = 24;

/** Whether Node's capture callback is ours. Node knows only whether there is one. */
let isCapturing = false;
let isWatching = false;
/** Where the error that is on its way to the capture callback comes from; Node tells its monitors only. */
let origin: Origin = 'uncaughtException';
/** What the last microtask of an owner threw, where its context is gone before the error arrives. */
let microtask: { readonly owner: CrashOwner; readonly thrown: unknown } | undefined;

/**
 * From now on, errors that escape from code of an owner are told to it. It stays for the life of the process, since an owner's timer may outlive
 * the owner. Returns whether it is in place: Node has room for one capture callback, and if somebody else holds it, it is left alone. The same
 * goes for `node:domain`, which `node:repl` loads: where it came first there is no trap, and where the trap came first Node refuses to load it.
 * Asking again is cheap, and tries again.
 *
 * Errors of nobody's code go on as if the trap were not there: to the listeners of `uncaughtException`, else the process ends with the message
 * and status 1, though one tick later, and with a second `uncaughtExceptionMonitor`. A rejection with which nobody dealt is trapped too; listeners of
 * `unhandledRejection`, if there are any, still hear of it. Not attributed: what a listener throws that somebody else's code emitted to,
 * a bound function in somebody else's code, and from Node 24 on a bare promise that somebody else's code rejected. These are the code of who called.
 */
export function installCrashTrap(): boolean {
  if (process.hasUncaughtExceptionCaptureCallback()) return isCapturing;
  try {
    process.setUncaughtExceptionCaptureCallback(onUncaught);
  } catch {
    return false; // node:domain is loaded, and takes the one place without showing it.
  }
  isCapturing = true;
  if (!isWatching) watch();
  isWatching = true;
  return true;
}

function watch(): void {
  process.on('uncaughtExceptionMonitor', (_error, from) => {
    origin = from;
  });
  // With a listener of this event Node no longer raises a rejection as an error, so the trap has one exactly while somebody else has.
  const name = 'unhandledRejection';
  const attend = (): unknown => process.prependListener(name, onUnhandledRejection);
  const isAttending = (): boolean => process.listeners(name).includes(onUnhandledRejection);
  if (process.listenerCount(name) > 0) attend();
  process.on('newListener', (added: string | symbol, listener: unknown) => {
    if (added === name && listener !== onUnhandledRejection && !isAttending()) attend();
  });
  process.on('removeListener', (removed: string | symbol) => {
    if (removed !== name || process.listenerCount(name) !== 1) return;
    if (isAttending()) process.off(name, onUnhandledRejection);
  });
  if (Number.parseInt(process.versions.node, 10) < KEEPING_NODE) followMicrotasks();
}

/** Before Node 24, `queueMicrotask` leaves the context of its callback before the error is reported: the owner is noted on the way. */
function followMicrotasks(): void {
  const init = (_id: number, type: string, _trigger: number, resource: object): void => {
    const owner = type === 'Microtask' ? currentOwner() : undefined;
    if (owner === undefined || !(resource instanceof AsyncResource)) return;
    const run = resource.runInAsyncScope.bind(resource);
    resource.runInAsyncScope = (...args) => {
      try {
        return run(...args);
      } catch (thrown) {
        microtask = { owner, thrown };
        throw thrown;
      }
    };
  };
  createHook({ init }).enable();
}

function onUncaught(thrown: unknown): void {
  const from = origin;
  const noted = microtask;
  microtask = undefined;
  const owner = noted !== undefined && noted.thrown === thrown ? noted.owner : currentOwner();
  if (owner === undefined) {
    surrender(thrown, from);
    return;
  }
  try {
    tell(owner, thrown);
  } catch (failure) {
    surrender(thrown, from);
    surrender(failure, 'uncaughtException');
  }
}

function onUnhandledRejection(reason: unknown): void {
  const owner = currentOwner();
  if (owner === undefined) return;
  try {
    tell(owner, reason);
  } catch (failure) {
    surrender(failure, 'uncaughtException');
  }
}

function tell(owner: CrashOwner, thrown: unknown): void {
  runInside(undefined, () => owner.crashed(isReadableError(thrown) ? thrown : wrapped(thrown)));
}

function wrapped(thrown: unknown): Error {
  return new Error(`${errorFrom(thrown).message} was thrown`, { cause: thrown });
}

/** Do what Node would have done: tell the listeners, or let the error end the process. */
function surrender(thrown: unknown, from: Origin): void {
  const emitter = process as unknown as EventEmitter; // Its own type does not know the origin.
  if (emitter.emit('uncaughtException', thrown, from)) return;
  // Only an error that is not captured makes Node write its report and, in a worker thread, tell the parent.
  process.setUncaughtExceptionCaptureCallback(null);
  isCapturing = false;
  const raise = (): never => {
    throw thrown;
  };
  if (from === 'unhandledRejection') void runInside(undefined, async () => raise());
  // eslint-disable-next-line no-restricted-properties -- It is no delay: here a throw would end the process with another status.
  else process.nextTick(raise);
}
