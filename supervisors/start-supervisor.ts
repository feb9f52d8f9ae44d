// How does a supervisor begin, at the top of a tree or inside one? Checked first, then started; the answer is a handle or the reason why not.
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { lifecycleStart, type LifecycleStart, type StartOrder } from '../actors/lifecycle/child.ts';
import { runInside } from '../actors/lifecycle/crash-trap.ts';
import { nameText } from '../actors/lifecycle/names.ts';
import { lintTree } from './lint-tree.ts';
import { BadReturnError, StartChildError } from './supervision-errors.ts';
import {
  checkFlags,
  type FullSupervisorFlags,
  type SupervisorExtras,
  type SupervisorFlags,
} from './supervisor-flags.ts';
import { SupervisorHandle } from './supervisor-handle.ts';
import { Supervisor } from './supervisor.ts';
import { defaultSystem, type System } from './system.ts';

/** OTP's init function: gives the flags when the supervisor starts, or `'ignore'`. */
export type SupervisorInit = () => SupervisorFlags | 'ignore' | Promise<SupervisorFlags | 'ignore'>;

export interface StartOptions {
  /** Where it lives. Default: the system of this process. */
  readonly system?: System;
  /** Of `startSupervisor` alone: whether what is seldom meant in the tree is told, as the event `supervisor.linted` and in the log ({@link lintTree}). Default true. */
  readonly lint?: boolean;
}

/**
 * Start a supervisor and its children, in order. It has started when the last child has.
 *
 * @param flags its flags and children, or an init function that gives them.
 * @returns its handle; `'ignore'` when the init function said so.
 * @throws {@link BadSupervisorFlagsError}, {@link BadChildSpecError} and {@link BadReturnError} before anything is started; {@link StartChildError} when a child
 *   did not start: those before it are stopped again, in reverse order; a `SupervisorError` with `already_started` when the name is taken. What an init function throws is thrown on.
 */
export async function startSupervisor(
  flags: SupervisorInit,
  options?: StartOptions,
): Promise<SupervisorHandle | 'ignore'>;
export async function startSupervisor(
  flags: SupervisorFlags,
  options?: StartOptions,
): Promise<SupervisorHandle>;
export async function startSupervisor(
  flags: SupervisorFlags | SupervisorInit,
  options: StartOptions = {},
): Promise<SupervisorHandle | 'ignore'> {
  const given: unknown = typeof flags === 'function' ? await flags() : flags;
  if (given === 'ignore') return 'ignore';
  if (typeof flags === 'function' && (typeof given !== 'object' || given === null)) {
    throw new BadReturnError(given);
  }
  const full = checkFlags(given as SupervisorFlags);
  const { system = defaultSystem(), lint = true } = options;
  if (lint) for (const finding of lintTree(full)) system.bus.emit('supervisor.linted', finding);
  const { supervisor, exited } = await startRoot(full, system);
  return new SupervisorHandle(supervisor, full, exited);
}

/** A running supervisor without a parent, and the promise of its end. */
export interface RootSupervisor {
  readonly supervisor: Supervisor;
  readonly exited: Promise<ExitReason>;
}

const ROOT_EPOCH = 1;

/** Start a supervisor that nobody supervises. @throws as {@link startSupervisor} does after its checks. */
export function startRoot(flags: FullSupervisorFlags, system: System): Promise<RootSupervisor> {
  const id = flags.name === undefined ? 'root' : nameText(flags.name);
  let supervisor: Supervisor | undefined;
  return new Promise((resolve, reject) => {
    let settleExit: (reason: ExitReason) => void = () => undefined;
    const exited = new Promise<ExitReason>((settle) => {
      settleExit = settle;
    });
    const listener: StartOrder['listener'] = (fact) => {
      if (fact.type === 'child.ready') {
        // The constructor may still be on the stack; its caller's next step is not.
        void Promise.resolve().then(() => {
          if (supervisor !== undefined) resolve({ supervisor, exited });
        });
      } else if (fact.type === 'child.stopped') {
        settleExit(fact.reason);
        reject(startErrorOf(id, fact.reason));
      }
    };
    // As nobody's code: it outlives whoever has it started.
    const order = { id, path: id, epoch: ROOT_EPOCH, listener };
    supervisor = runInside(undefined, () => new Supervisor(order, flags, system));
  });
}

/** Why a start failed, from the reason with which the supervisor ended. Nested supervisors nest their reasons, as in OTP. */
function startErrorOf(supervisor: string, reason: ExitReason): Error {
  const detail = reason.type === 'shutdown' ? (reason.detail as Failed | undefined) : undefined;
  if (detail?.reason === undefined) return new StartChildError(supervisor, undefined, reason);
  return new StartChildError(supervisor, detail.failed_to_start_child, detail.reason);
}

interface Failed {
  readonly failed_to_start_child?: string;
  readonly reason?: ExitReason;
}

/**
 * A supervisor as a child: the `start` of a child specification.
 *
 * @param flags as for {@link startSupervisor}; checked at once.
 * @throws {@link BadSupervisorFlagsError}, {@link BadChildSpecError}.
 */
export function supervisor(flags: SupervisorFlags): LifecycleStart {
  return nestedSupervisor(checkFlags(flags));
}

/** The same, of flags that have been checked; also for the other kinds of supervisors. */
export function nestedSupervisor(
  flags: FullSupervisorFlags,
  extras: Pick<SupervisorExtras, 'onGiveUp'> = {},
): LifecycleStart {
  const full = { ...flags, ...extras };
  return lifecycleStart(
    'supervisor',
    (ports) => (order) => new Supervisor(order, full, ports),
    full,
  );
}
