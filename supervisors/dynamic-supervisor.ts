// How are children supervised that come and go, and have no ids? Elixir's DynamicSupervisor.
import type { LifecycleStart } from '../actors/lifecycle/child.ts';
import { nameText } from '../actors/lifecycle/names.ts';
import type { ActorRef } from '../actors/lifecycle/ref.ts';
import { checkChildSpec, isWholeFrom } from './check-spec.ts';
import type { ChildSpec, FullChildSpec } from './child-spec.ts';
import { shapeOf } from './merge-input.ts';
import { nestedSupervisor, startRoot, type StartOptions } from './start-supervisor.ts';
import {
  BadChildSpecError,
  BadReturnError,
  BadSupervisorFlagsError,
  type FlagProblem,
} from './supervision-errors.ts';
import { checkFlags, type FullSupervisorFlags, type SupervisorFlags } from './supervisor-flags.ts';
import { BaseHandle, type StartedChild } from './supervisor-handle.ts';
import { defaultSystem } from './system.ts';

/** The options of a dynamic supervisor. Each has a default; unknown keys are refused. */
export interface DynamicSupervisorOptions extends Omit<
  SupervisorFlags,
  'strategy' | 'autoShutdown' | 'children'
> {
  /** There is no other one. */
  readonly strategy?: 'one_for_one';
  /** There is no other one: children without ids are never significant. */
  readonly autoShutdown?: 'never';
  /** How many children there may be, those that are being restarted included. No limit by default. */
  readonly maxChildren?: number;
  /** What every child gets before its own `input`, at each start: an array is put before an array, an object is spread under an object. */
  readonly extraArguments?: readonly unknown[] | Readonly<Record<string, unknown>>;
}

/** Gives the options when the supervisor starts, or `'ignore'`. */
export type DynamicSupervisorInit = () =>
  DynamicSupervisorOptions | 'ignore' | Promise<DynamicSupervisorOptions | 'ignore'>;

/** A child of a dynamic supervisor: as any other, without `significant`; an id may be left out, and is not looked at. */
export type DynamicChildSpec = Omit<ChildSpec, 'id'> & Partial<Pick<ChildSpec, 'id'>>;

/**
 * A supervisor whose children are started one by one, are known by their references, and end all at once. Made by {@link startDynamicSupervisor}.
 * `countChildren().specs` is the number of its children.
 */
export class DynamicSupervisorHandle extends BaseHandle {
  /**
   * Start one more child. Its specification is checked before the supervisor is asked.
   *
   * @returns its reference and what its start gave besides; `'ignore'` when its start said so: nothing is kept then.
   * @throws `bad_child_spec`; `max_children`; `failed_to_start_child`, then nothing is kept; `noproc`.
   */
  async startChild(spec: DynamicChildSpec): Promise<StartedChild | 'ignore'> {
    const full = checkDynamicSpec(spec, this.flags.extraArguments);
    return this.ask({ op: 'startChild', spec: full });
  }

  /**
   * Stop a child within its shutdown time and forget it. One that is being restarted is found by the reference that it had before.
   *
   * @throws `not_found`, also for one that has ended; `noproc`.
   */
  terminateChild(child: ActorRef): Promise<void> {
    return this.ask({ op: 'terminateChild', child });
  }
}

/**
 * Start a dynamic supervisor: Elixir's, for children that come and go.
 *
 * @param given its options, or an init function that gives them.
 * @returns its handle; `'ignore'` when the init function said so.
 * @throws {@link BadSupervisorFlagsError}, {@link BadReturnError}; a `SupervisorError` with `already_started` when the name is taken. What an init function throws is thrown on.
 */
export async function startDynamicSupervisor(
  given: DynamicSupervisorInit,
  options?: StartOptions,
): Promise<DynamicSupervisorHandle | 'ignore'>;
export async function startDynamicSupervisor(
  given?: DynamicSupervisorOptions,
  options?: StartOptions,
): Promise<DynamicSupervisorHandle>;
export async function startDynamicSupervisor(
  given: DynamicSupervisorOptions | DynamicSupervisorInit = {},
  options: StartOptions = {},
): Promise<DynamicSupervisorHandle | 'ignore'> {
  const found: unknown = typeof given === 'function' ? await given() : given;
  if (found === 'ignore') return 'ignore';
  if (typeof given === 'function' && (typeof found !== 'object' || found === null)) {
    throw new BadReturnError(found);
  }
  const flags = checkDynamicFlags(found as DynamicSupervisorOptions);
  const { supervisor, exited } = await startRoot(flags, options.system ?? defaultSystem());
  return new DynamicSupervisorHandle(supervisor, flags, exited);
}

/**
 * A dynamic supervisor as a child: the `start` of a child specification. Its handle is `handleOf(ref)`.
 *
 * @param options as for {@link startDynamicSupervisor}; checked at once.
 * @throws {@link BadSupervisorFlagsError}.
 */
export function dynamicSupervisor(options: DynamicSupervisorOptions = {}): LifecycleStart {
  return nestedSupervisor(checkDynamicFlags(options));
}

/** Its child specification: the name is the id, so that several can stand beside each other. */
dynamicSupervisor.childSpec = (options: DynamicSupervisorOptions = {}): ChildSpec => {
  const start = dynamicSupervisor(options);
  return { id: nameText(options.name ?? 'dynamicSupervisor'), start, type: 'supervisor' };
};

/**
 * Check the options as Elixir does: nothing is started if anything is wrong.
 *
 * @throws {@link BadSupervisorFlagsError}, naming the field.
 */
export function checkDynamicFlags(options: DynamicSupervisorOptions): FullSupervisorFlags {
  if (shapeOf(options) === 'list' || typeof options !== 'object' || options === null) {
    throw new BadSupervisorFlagsError('invalid_type', 'flags', options, 'an object is expected');
  }
  const { maxChildren = Number.POSITIVE_INFINITY, extraArguments, ...flags } = options;
  const refuse = (problem: FlagProblem, key: string, expected: string): never => {
    const value = (options as Readonly<Record<string, unknown>>)[key];
    throw new BadSupervisorFlagsError(problem, key, value, expected);
  };
  const { strategy = 'one_for_one', autoShutdown = 'never' } = flags;
  if (strategy !== 'one_for_one') refuse('invalid_strategy', 'strategy', 'one_for_one is expected');
  if (autoShutdown !== 'never')
    refuse('invalid_auto_shutdown', 'autoShutdown', 'never is expected');
  if (maxChildren !== Number.POSITIVE_INFINITY && !isWholeFrom(maxChildren, 0))
    refuse('invalid_max_children', 'maxChildren', 'a whole number from 0 is expected');
  if (extraArguments !== undefined && shapeOf(extraArguments) === 'other')
    refuse('invalid_extra_arguments', 'extraArguments', 'an array or a plain object is expected');
  if ('children' in flags)
    refuse('unknown_key', 'children', 'none: children are started by startChild');
  return checkFlags(flags, { flavour: 'dynamic', maxChildren, extraArguments });
}

const NO_ID = 'dynamic';

function checkDynamicSpec(spec: unknown, extraArguments: unknown): FullChildSpec {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) {
    return checkChildSpec(spec, 'spec', 'never');
  }
  const given = spec as Partial<ChildSpec>;
  if (given.significant === true) {
    const expected = 'false is expected: no child of a dynamic supervisor is significant';
    throw new BadChildSpecError('invalid_significant', 'spec.significant', true, expected);
  }
  const full = checkChildSpec({ ...given, id: given.id ?? NO_ID }, 'spec', 'never');
  // Merged, an input of another shape would put the extra arguments aside without a word.
  if (extraArguments === undefined || full.input === undefined) return full;
  if (shapeOf(full.input) === shapeOf(extraArguments)) return full;
  const expected = `what the supervisor's extraArguments can be put before is expected`;
  throw new BadChildSpecError('bad_combination', 'spec.input', full.input, expected);
}
