// How does any XState logic run so that nothing of it escapes? One root actor, its errors, its output and its disposal, told as facts.
import { createActor, fromCallback, type AnyActor, type AnyActorLogic } from 'xstate';

import type { Clock } from '../ground/clock.ts';
import { errorFrom } from '../ground/error-from.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import { isThenable } from '../ground/thenable.ts';
import { installCrashTrap, runInside } from './crash-trap.ts';
import { exitReasonOfOutput } from './exit.ts';
import type { ActorEvent, Incarnation } from './ref.ts';
import type { ActorOwner } from './self.ts';

/** Asks a machine to end by itself: OTP's exit signal `shutdown`, trapped. */
export const SHUTDOWN_EVENT = 'caduceus.shutdown';

export interface LogicEnds {
  /** Its start is acknowledged: it runs, and has left any state with the tag `starting`. */
  readonly ready: () => void;
  /** It ended by itself, or threw. Told once. */
  readonly exited: (reason: ExitReason) => void;
  /** Something of it threw when it had ended already: a timer that it forgot. */
  readonly late: (error: Error) => void;
}

type AnyCallback = (given: Record<string, unknown>) => unknown;

/** One running logic. */
export class LogicActor {
  readonly #actor: AnyActor;
  readonly #logic: AnyActorLogic;
  readonly #ends: LogicEnds;
  readonly #owner: ActorOwner;
  /** `initializing`: it was seen in a state with the tag `starting`. */
  #phase: 'starting' | 'initializing' | 'ready' | 'ended' = 'starting';
  /** What a callback's disposal returned: XState neither awaits it nor calls it after an error. */
  #disposal: (() => unknown) | undefined;
  #disposed: unknown;
  #error: Error | undefined;

  constructor(
    logic: AnyActorLogic,
    options: { readonly ref: Incarnation; readonly clock: Clock; readonly input: unknown },
    ends: LogicEnds,
  ) {
    this.#logic = logic;
    this.#ends = ends;
    // What escapes XState (a timer of a callback, a promise that nobody holds) is a crash of this actor all the same.
    const { ref, clock, input } = options;
    this.#owner = {
      ref,
      crashed: (error) => {
        if (this.#phase !== 'ended') this.#end({ type: 'error', error });
        // XState throws an error that some observer did not listen for once more, in a timer.
        else if (error !== this.#error) this.#upward(() => this.#ends.late(error));
      },
    };
    const own = ownClock(clock, this.#owner);
    this.#actor = createActor(this.#observed(logic), { id: ref.path, clock: own, input });
    this.#actor.subscribe({
      next: () => {
        this.#tellReady();
      },
      error: (error: unknown) => {
        this.#end({ type: 'error', error: errorFrom(error) });
      },
      complete: () => {
        const snapshot = this.#actor.getSnapshot() as { readonly output?: unknown };
        this.#end(exitReasonOfOutput(snapshot.output));
      },
    });
  }

  start(): void {
    installCrashTrap();
    runInside(this.#owner, () => {
      this.#actor.start();
    });
    this.#tellReady();
  }

  send(event: ActorEvent): void {
    runInside(this.#owner, () => {
      this.#actor.send(event);
    });
  }

  /** @returns whether it was asked and will end by itself; else it takes no such question, and is to be stopped at once. */
  askToEnd(): boolean {
    const events = (this.#logic as { readonly events?: readonly string[] }).events;
    if (events?.includes(SHUTDOWN_EVENT) !== true) return false;
    const event = { type: SHUTDOWN_EVENT };
    try {
      const snapshot = this.#actor.getSnapshot() as { can?: (event: ActorEvent) => boolean };
      if (snapshot.can?.(event) !== true) return false;
    } catch {
      // A guard threw: who cannot say whether it would end is stopped like one that would not.
      return false;
    }
    this.send(event);
    return true;
  }

  /** Stop it now: nothing of it runs any more, nothing is told. @returns what its disposal returned, a promise perhaps. */
  halt(): unknown {
    this.#phase = 'ended';
    return runInside(this.#owner, () => {
      stopTree(this.#actor);
      return this.#dispose();
    });
  }

  #tellReady(): void {
    if (this.#phase !== 'starting' && this.#phase !== 'initializing') return;
    const snapshot = this.#actor.getSnapshot() as {
      readonly status: string;
      hasTag?: (tag: string) => boolean;
    };
    if (snapshot.status !== 'active') return;
    if (snapshot.hasTag?.('starting') === true) {
      this.#phase = 'initializing';
      return;
    }
    this.#phase = 'ready';
    this.#upward(this.#ends.ready);
  }

  /** What follows from a fact (siblings, timers of supervisors) is not this actor's code, even when its code is on the stack. */
  #upward(tell: () => void): void {
    runInside(undefined, tell);
  }

  #end(reason: ExitReason): void {
    if (this.#phase === 'ended') return;
    // Of a logic that ends in its first breath the start was good: OTP's init returned, then the process exited.
    if (this.#phase === 'starting' && reason.type !== 'error') this.#upward(this.#ends.ready);
    this.#phase = 'ended';
    if (reason.type === 'error') this.#error = reason.error;
    try {
      stopTree(this.#actor);
    } catch (cause) {
      // Something of it threw while it was stopped: its supervisor must hear of the end all the same.
      this.#upward(() => this.#ends.late(errorFrom(cause)));
    }
    this.#upward(() => this.#ends.exited(reason));
  }

  #dispose(): unknown {
    const dispose = this.#disposal;
    this.#disposal = undefined;
    if (dispose !== undefined) this.#disposed = dispose();
    return this.#disposed;
  }

  /** A callback is made anew, so that its disposal is ours to call: once, whatever the end, and with its result kept. */
  #observed(logic: AnyActorLogic): AnyActorLogic {
    const callback = callbackOf(logic);
    if (callback === undefined) return logic;
    return fromCallback((given) => {
      const result = callback(given);
      if (typeof result === 'function') this.#disposal = result as () => unknown;
      // XState drops the promise of an async callback: its rejection would be the process's, not the actor's.
      else if (isThenable(result))
        Promise.resolve(result).catch((cause: unknown) => this.#owner.crashed(errorFrom(cause)));
      return () => void this.#dispose();
    });
  }
}

/** Delays of a machine are its own code, whichever clock it is that wakes it. */
function ownClock(clock: Clock, owner: ActorOwner): Pick<Clock, 'setTimeout' | 'clearTimeout'> {
  return {
    setTimeout: (fn, timeoutMs) => clock.setTimeout(() => runInside(owner, fn), timeoutMs),
    clearTimeout: (id) => clock.clearTimeout(id),
  };
}

/** The function inside of callback logic. Its `transition` is the same code for all that `fromCallback` makes. */
function callbackOf(logic: AnyActorLogic): AnyCallback | undefined {
  if (String(logic.transition) !== CALLBACK_TRANSITION) return undefined;
  return (logic as unknown as { readonly config: AnyCallback }).config;
}

const CALLBACK_TRANSITION = String(fromCallback(() => undefined).transition);

/**
 * Stop an actor and whatever it invoked or spawned. XState leaves the children of an actor that threw running, even after `stop()` (5.33), and offers no public way to stop one that is
 * not a root: `_stop` is what it calls itself.
 */
function stopTree(actor: AnyActor): void {
  const snapshot = actor.getSnapshot() as { readonly children?: Record<string, unknown> };
  actor.stop();
  for (const child of Object.values(snapshot.children ?? {}).reverse())
    stopDescendant(child as Inner);
}

interface Inner {
  getSnapshot(): unknown;
  _stop?: () => void;
}

function stopDescendant(actor: Inner): void {
  const snapshot = actor.getSnapshot() as
    { readonly children?: Record<string, unknown> } | undefined;
  for (const child of Object.values(snapshot?.children ?? {}).reverse())
    stopDescendant(child as Inner);
  actor._stop?.();
}
