// How does a program hold a supervisor in its hand? OTP's API as promises.
import { isExitReason, SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import type { Child, Shutdown } from '../actors/lifecycle/child.ts';
import { currentOwner, runInside } from '../actors/lifecycle/crash-trap.ts';
import { incarnationOf, type ActorRef } from '../actors/lifecycle/ref.ts';
import { checkChildSpec } from './check-spec.ts';
import type { ChildSpec, FullChildSpec } from './child-spec.ts';
import type { ChildName, SupervisorCall } from './supervisor-call.ts';
import type { FullSupervisorFlags } from './supervisor-flags.ts';
import type { ChildCounts, ChildEntry, SupervisorView } from './supervisor-view.ts';
import type { Supervisor } from './supervisor.ts';

/** A child that has been started: OTP's `{ok, Pid}` and `{ok, Pid, Info}`. */
export interface StartedChild {
  /** Nothing when its start said `ignore`. */
  readonly child: ActorRef | undefined;
  /** The `info` of its start function. */
  readonly info: unknown;
}

const EXITS = new WeakMap<ActorRef, Promise<ExitReason>>();

/** The end of what is alive, as one promise for all handles of it: a program may look one up for each request that it serves. */
export function exitOf(ref: ActorRef): Promise<ExitReason> {
  const exited =
    EXITS.get(ref) ??
    new Promise<ExitReason>((resolve) => {
      incarnationOf(ref).whenEnded(resolve);
    });
  EXITS.set(ref, exited);
  return exited;
}

type Question = SupervisorCall extends infer Call
  ? Call extends SupervisorCall
    ? Omit<Call, 'settle' | 'fail'>
    : never
  : never;

const NO_REASON = "reason: an ExitReason is expected, such as { type: 'shutdown' }";

/** What every supervisor's handle can do. Calls are served in order, behind a start that is under way; those after its end are refused with `noproc`. */
export class BaseHandle implements AsyncDisposable {
  /** Settles when the supervisor has ended, with its reason; never rejects. */
  readonly exited: Promise<ExitReason>;
  protected readonly supervisor: Supervisor;
  protected readonly flags: FullSupervisorFlags;

  /** @internal */
  constructor(supervisor: Supervisor, flags: FullSupervisorFlags, exited: Promise<ExitReason>) {
    this.supervisor = supervisor;
    this.flags = flags;
    this.exited = exited;
  }

  /** Its own incarnation: what `monitor` and `whereis` speak of. */
  get ref(): ActorRef {
    return this.supervisor.ref;
  }

  /** Children, newest first. */
  whichChildren(): Promise<readonly ChildEntry[]> {
    return this.ask({ op: 'whichChildren' });
  }

  /** How many specifications, living children, supervisors and workers. */
  countChildren(): Promise<ChildCounts> {
    return this.ask({ op: 'countChildren' });
  }

  /** What it looks like now, without waiting for what is under way. */
  statistics(): SupervisorView {
    return this.supervisor.view();
  }

  /** The lives below, for those who draw trees. */
  children(): readonly Child[] {
    return this.supervisor.children();
  }

  /**
   * Stop the children in reverse order, each within its shutdown time, then end with `reason`. Also cuts short a start or a restart that is under way.
   *
   * @param reason default `shutdown`.
   * @param options `timeoutMs`: whatever still runs after that is killed. Default: the sum of the children's own times bounds it.
   * @returns the reason with which it ended: another one when it was ending already.
   */
  stop(
    reason: ExitReason = SHUTDOWN,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<ExitReason> {
    if (!isExitReason(reason)) return Promise.reject(new TypeError(NO_REASON));
    const shutdown: Shutdown = options.timeoutMs ?? 'infinity';
    runInside(undefined, () => this.supervisor.stop(shutdown, reason));
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Ask the supervisor: it answers when its turn has come. */
  protected ask<Result>(question: Question): Promise<Result> {
    const caller = currentOwner();
    return new Promise((resolve, reject) => {
      const settle = (value: unknown): void => resolve(value as Result);
      // A refusal with which nobody deals is the crash of the actor that asked.
      const fail = (error: Error): void => runInside(caller, () => reject(error));
      // What the supervisor does for it is its own work, not that of the actor who asks.
      runInside(undefined, () => this.supervisor.serve({ ...question, settle, fail }));
    });
  }
}

/** A supervisor with OTP's semantics. Made by `startSupervisor`. */
export class SupervisorHandle extends BaseHandle {
  /**
   * Add a child and start it. For `simple_one_for_one` the argument is the extra input of one more child of the template.
   *
   * @returns its reference and what its start gave besides; no reference when its start said `ignore` (the specification is kept, unless temporary).
   * @throws `bad_child_spec`; `already_started` (with `ref`) and `already_present` for an id that is there; `failed_to_start_child`, then nothing is kept; `noproc`.
   */
  startChild(spec: ChildSpec): Promise<StartedChild>;
  startChild(extraInput?: unknown): Promise<StartedChild>;
  async startChild(specOrExtra?: unknown): Promise<StartedChild> {
    if (this.flags.strategy === 'simple_one_for_one') {
      return this.ask({ op: 'startChild', spec: undefined, extra: specOrExtra });
    }
    const spec = checkChildSpec(specOrExtra, 'spec', this.flags.autoShutdown);
    return this.ask({ op: 'startChild', spec });
  }

  /**
   * Stop a child within its shutdown time and keep its specification, unless it is temporary. Also ends a start or a loop of failed restarts. No restart follows, and no automatic shutdown.
   *
   * @param child its id; its reference with `simple_one_for_one`.
   * @throws `not_found`, `simple_one_for_one`, `noproc`.
   */
  terminateChild(child: ChildName): Promise<void> {
    return this.ask({ op: 'terminateChild', child });
  }

  /**
   * Start a child that is down. Not counted in the intensity.
   *
   * @throws `running`, `restarting`, `not_found`, `simple_one_for_one`, `noproc`; `failed_to_start_child`, then its specification stays.
   */
  restartChild(id: string): Promise<StartedChild> {
    return this.ask({ op: 'restartChild', child: id });
  }

  /** Forget a child that is down. @throws `running`, `restarting`, `not_found`, `simple_one_for_one`, `noproc`. */
  deleteChild(id: string): Promise<void> {
    return this.ask({ op: 'deleteChild', child: id });
  }

  /** One child as `whichChildren` lists it (OTP 28's `which_child`). @throws `not_found`, `simple_one_for_one`, `noproc`. */
  whichChild(child: ChildName): Promise<ChildEntry> {
    return this.ask({ op: 'whichChild', child });
  }

  /** A child's specification with all defaults. @throws `not_found`, `simple_one_for_one`, `noproc`. */
  getChildSpec(child: ChildName): Promise<FullChildSpec> {
    return this.ask({ op: 'getChildSpec', child });
  }
}
