// What is a partition supervisor told when it is made? Its options, checked and made the flags of a supervisor.
import { lifecycleKindOf } from '../actors/lifecycle/child.ts';
import type { ActorName } from '../actors/lifecycle/names.ts';
import { checkChildSpec, isWholeFrom } from './check-spec.ts';
import { childSpec, type Startable } from './child-spec-of.ts';
import type { ChildSpec } from './child-spec.ts';
import { cores } from './cores.ts';
import { BadSupervisorFlagsError, type FlagProblem } from './supervision-errors.ts';
import {
  checkFlags,
  type FullSupervisorFlags,
  type Strategy,
  type SupervisorFlags,
} from './supervisor-flags.ts';

/** The options of a partition supervisor. Unknown keys are refused. */
export interface PartitionSupervisorOptions extends Pick<
  SupervisorFlags,
  'maxRestarts' | 'periodMs' | 'backoff' | 'maxConcurrentStarts'
> {
  /** By this name the partitions are found. */
  readonly name: ActorName;
  /** What each partition is. Its id is not looked at: the partitions' ids are their numbers. */
  readonly child: ChildSpec | Omit<ChildSpec, 'id'> | Startable | readonly [Startable, unknown];
  /** How many. Default: as many as the machine has cores. */
  readonly partitions?: number;
  /** What the child's `input` is in each partition. Not for a `start` that takes none: a supervisor's. */
  readonly withArguments?: (input: unknown, partition: number) => unknown;
  /** Default `one_for_one`. */
  readonly strategy?: Exclude<Strategy, 'simple_one_for_one'>;
  /** There is no other one: partitions are never significant. */
  readonly autoShutdown?: 'never';
}

/** @throws {@link BadSupervisorFlagsError}, and `BadChildSpecError`, naming the field. */
export function checkPartitionOptions(options: PartitionSupervisorOptions): FullSupervisorFlags {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new BadSupervisorFlagsError('invalid_type', 'flags', options, 'an object is expected');
  }
  const { name, child, partitions = cores(), withArguments, ...flags } = options;
  const refuse = (problem: FlagProblem, key: keyof PartitionSupervisorOptions, text: string) => {
    throw new BadSupervisorFlagsError(problem, key, options[key], text);
  };
  if (name === undefined)
    refuse('invalid_name', 'name', 'a name is needed: it is how keys find their partitions');
  if (child === undefined)
    refuse('invalid_children', 'child', 'the specification of a partition is needed');
  if (!isWholeFrom(partitions, 1))
    refuse('invalid_partitions', 'partitions', 'a whole number from 1 is expected');
  if (withArguments !== undefined && typeof withArguments !== 'function')
    refuse(
      'invalid_with_arguments',
      'withArguments',
      'a function of input and partition is expected',
    );
  if (flags.autoShutdown !== undefined && flags.autoShutdown !== 'never')
    refuse('invalid_auto_shutdown', 'autoShutdown', 'never is expected');
  if ((flags.strategy as Strategy | undefined) === 'simple_one_for_one')
    refuse('invalid_strategy', 'strategy', 'one_for_one, one_for_all or rest_for_one is expected');
  const spec = childSpec(child as ChildSpec, { id: '0' });
  checkChildSpec(spec, 'child', 'never');
  if (withArguments !== undefined && lifecycleKindOf(spec.start) !== undefined)
    refuse(
      'invalid_with_arguments',
      'withArguments',
      'none is expected: the start of this child takes no input',
    );
  const children = Array.from({ length: partitions }, (_, index) => {
    const input = withArguments === undefined ? spec.input : withArguments(spec.input, index);
    return { ...spec, id: String(index), input };
  });
  return checkFlags({ ...flags, name, children });
}
