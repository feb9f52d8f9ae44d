// What is a supervisor told when it is made? OTP's supervisor flags, with Elixir's defaults.
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import { isActorName, type ActorName } from '../actors/lifecycle/names.ts';
import type { AutoShutdown } from './auto-shutdown.ts';
import type { Backoff } from './backoff.ts';
import { backoffProblem } from './check-backoff.ts';
import { checkChildSpecs, isWholeFrom } from './check-spec.ts';
import type { ChildSpec, FullChildSpec } from './child-spec.ts';
import {
  BadChildSpecError,
  BadSupervisorFlagsError,
  type FlagProblem,
} from './supervision-errors.ts';

/** Who is restarted with a child that has crashed: nobody else, all, or those after it; `simple_one_for_one`: one template of many children, which do not know of each other (OTP supervisor, "Supervision Principles"). */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'simple_one_for_one';
export type { AutoShutdown } from './auto-shutdown.ts';

/** The flags of a supervisor, and its children. Unknown keys are refused. */
export interface SupervisorFlags {
  /** A name in the system, or one of a registry: `whereis(name)` finds it. */
  readonly name?: ActorName;
  /** Default `one_for_one`. */
  readonly strategy?: Strategy;
  /** Restarts allowed within `periodMs`; one more ends the supervisor. Default 3; 0 allows none. */
  readonly maxRestarts?: number;
  /** The window in which restarts are counted, in ms. Default 5 000. */
  readonly periodMs?: number;
  /** Whether the own end of significant children ends the supervisor. Default `never`. */
  readonly autoShutdown?: AutoShutdown;
  /** In start order. For `simple_one_for_one` exactly one: the template. */
  readonly children?: readonly ChildSpec[];
  /** Beyond OTP: wait before restarts, of children that name no back-off of their own. Default none. */
  readonly backoff?: Backoff;
  /** Beyond OTP: so many children with `ack: 'spawned'` may be on their way to ready at one time; further ones wait. Unlimited by default. */
  readonly maxConcurrentStarts?: number;
}

/** What the supervisors of this package add for those above them. */
export interface SupervisorExtras {
  /** How children are kept. `static`: OTP's; `dynamic`: Elixir's DynamicSupervisor. */
  readonly flavour?: 'static' | 'dynamic';
  /** Of a dynamic supervisor. Default no limit. */
  readonly maxChildren?: number;
  /** Of a dynamic supervisor: put before the input of each child. */
  readonly extraArguments?: unknown;
  /** What the paths of its children begin with. Default: its own path. */
  readonly childPath?: string;
  /** The last epoch of each child by its key, where that is to outlive this supervisor: read at its start, written with each epoch that it gives. */
  readonly epochs?: Map<string, number>;
  /** Told when it gives up, before its children are stopped. */
  readonly onGiveUp?: (because: string, last: ExitReason) => void;
}

/** The flags with all defaults. */
export interface FullSupervisorFlags extends SupervisorExtras {
  readonly name: ActorName | undefined;
  readonly strategy: Strategy;
  readonly maxRestarts: number;
  readonly periodMs: number;
  readonly autoShutdown: AutoShutdown;
  readonly children: readonly FullChildSpec[];
  readonly backoff: Backoff | undefined;
  readonly maxConcurrentStarts: number;
}

const KEYS = [
  ...['name', 'strategy', 'maxRestarts', 'periodMs', 'autoShutdown', 'children', 'backoff'],
  'maxConcurrentStarts',
];
const STRATEGIES: readonly unknown[] = [
  ...['one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one'],
];
const AUTO_SHUTDOWNS: readonly unknown[] = ['never', 'any_significant', 'all_significant'];

/**
 * Check flags and children as OTP does: nothing is started if anything is wrong.
 *
 * @throws {@link BadSupervisorFlagsError} or {@link BadChildSpecError}, naming the field.
 */
export function checkFlags(
  flags: SupervisorFlags,
  extras: SupervisorExtras = {},
): FullSupervisorFlags {
  if (typeof flags !== 'object' || flags === null || Array.isArray(flags)) {
    throw new BadSupervisorFlagsError('invalid_type', 'flags', flags, 'an object is expected');
  }
  const refuse = (problem: FlagProblem, key: string, expected: string): never => {
    throw new BadSupervisorFlagsError(problem, key, flags[key as keyof SupervisorFlags], expected);
  };
  const { name, strategy = 'one_for_one', maxRestarts = LIMITS.maxRestarts } = flags;
  const { periodMs = LIMITS.periodMs, autoShutdown = 'never', backoff } = flags;
  const { maxConcurrentStarts = Number.POSITIVE_INFINITY } = flags;
  if (!STRATEGIES.includes(strategy))
    refuse('invalid_strategy', 'strategy', `one of ${STRATEGIES.join(', ')} is expected`);
  if (!isWholeFrom(maxRestarts, 0))
    refuse('invalid_intensity', 'maxRestarts', 'a whole number from 0 is expected');
  if (typeof periodMs !== 'number' || !Number.isFinite(periodMs) || periodMs <= 0) {
    refuse('invalid_period', 'periodMs', 'ms above 0 are expected');
  }
  if (!AUTO_SHUTDOWNS.includes(autoShutdown)) {
    refuse(
      'invalid_auto_shutdown',
      'autoShutdown',
      `one of ${AUTO_SHUTDOWNS.join(', ')} is expected`,
    );
  }
  if (name !== undefined && !isActorName(name))
    refuse('invalid_name', 'name', 'a text, or a name made with via, is expected');
  if (maxConcurrentStarts !== Number.POSITIVE_INFINITY && !isWholeFrom(maxConcurrentStarts, 1)) {
    refuse(
      'invalid_max_concurrent_starts',
      'maxConcurrentStarts',
      'a whole number from 1 is expected',
    );
  }
  const problem = backoffProblem(backoff);
  if (problem !== undefined) refuse('invalid_backoff', 'backoff', problem);
  for (const key of Object.keys(flags)) {
    if (!KEYS.includes(key)) refuse('unknown_key', key, `known are ${KEYS.join(', ')}`);
  }
  if (flags.children !== undefined && !Array.isArray(flags.children)) {
    refuse('invalid_children', 'children', 'an array is expected');
  }
  const children = checkChildSpecs(flags.children ?? [], autoShutdown);
  if (strategy === 'simple_one_for_one' && children.length !== 1) {
    throw new BadChildSpecError(
      'bad_start_spec',
      'children',
      children.length,
      'exactly one specification, the template, is expected',
    );
  }
  const full = { name, strategy, maxRestarts, periodMs, autoShutdown, children, backoff };
  return { ...extras, ...full, maxConcurrentStarts };
}

/** Whether its children have no ids, but are told apart by their references. */
export function isByRef({ strategy, flavour }: FullSupervisorFlags): boolean {
  return strategy === 'simple_one_for_one' || flavour === 'dynamic';
}
