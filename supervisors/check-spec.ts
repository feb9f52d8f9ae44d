// Is this a child specification? Checked in OTP's order (supervisor, `do_check_childspec`), so that the first finding is the one that OTP names.
import { lifecycleKindOf } from '../actors/lifecycle/child.ts';
import { isActorName } from '../actors/lifecycle/names.ts';
import { isLogic } from '../actors/lifecycle/start-function.ts';
import type { AutoShutdown } from './auto-shutdown.ts';
import { backoffProblem } from './check-backoff.ts';
import { withDefaults, type ChildSpec, type FullChildSpec } from './child-spec.ts';
import { BadChildSpecError, type SpecProblem } from './supervision-errors.ts';

const KEYS = [
  ...['id', 'start', 'input', 'restart', 'significant', 'shutdown', 'type', 'ack', 'name'],
  ...['startTimeoutMs', 'maxConsecutiveStartFailures', 'isRetryable', 'backoff'],
];
const RESTARTS: readonly unknown[] = ['permanent', 'transient', 'temporary'];
const TYPES: readonly unknown[] = ['worker', 'supervisor'];
const ACKS: readonly unknown[] = ['ready', 'spawned'];

/**
 * @param field how the caller calls it, e.g. `children[0]`.
 * @param autoShutdown of the supervisor that it is for.
 * @returns the specification with all defaults.
 * @throws {@link BadChildSpecError} naming the field.
 */
export function checkChildSpec(
  spec: unknown,
  field: string,
  autoShutdown: AutoShutdown,
): FullChildSpec {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) {
    throw new BadChildSpecError('invalid_child_spec', field, spec, 'an object is expected');
  }
  if (isLogic(spec) || lifecycleKindOf(spec) !== undefined) {
    const expected = 'a start is no specification yet: { id, start } is expected';
    throw new BadChildSpecError('invalid_child_spec', field, spec, expected);
  }
  const given = spec as Partial<Record<keyof ChildSpec, unknown>>;
  const refuse = (problem: SpecProblem, key: string, expected: string): never => {
    throw new BadChildSpecError(
      problem,
      `${field}.${key}`,
      given[key as keyof ChildSpec],
      expected,
    );
  };
  checkIdentity(given, refuse);
  if (given.restart !== undefined && !RESTARTS.includes(given.restart)) {
    refuse('invalid_restart_type', 'restart', 'permanent, transient or temporary is expected');
  }
  checkSignificant(given, autoShutdown, refuse);
  if (given.type !== undefined && !TYPES.includes(given.type)) {
    refuse('invalid_child_type', 'type', 'worker or supervisor is expected');
  }
  if (given.shutdown !== undefined && !isShutdown(given.shutdown)) {
    refuse('invalid_shutdown', 'shutdown', 'ms from 0, brutal_kill or infinity is expected');
  }
  checkExtras(given, refuse);
  for (const key of Object.keys(given)) {
    if (!KEYS.includes(key)) refuse('unknown_key', key, `known are ${KEYS.join(', ')}`);
  }
  return withDefaults(spec as ChildSpec, lifecycleKindOf(given.start));
}

type Given = Partial<Record<keyof ChildSpec, unknown>>;
type Refuse = (problem: SpecProblem, key: string, expected: string) => never;

function checkIdentity({ id, start }: Given, refuse: Refuse): void {
  if (id === undefined) refuse('missing_id', 'id', 'an id is needed');
  if (start === undefined) refuse('missing_start', 'start', 'a start is needed');
  if (typeof id !== 'string' || id === '') refuse('invalid_id', 'id', 'a text is expected');
  if (!isLogic(start) && typeof start !== 'function' && lifecycleKindOf(start) === undefined) {
    refuse(
      'invalid_start',
      'start',
      'XState logic, a function, supervisor(…) or pythonWorker(…) is expected',
    );
  }
}

function checkSignificant(given: Given, autoShutdown: AutoShutdown, refuse: Refuse): void {
  const { significant, restart } = given;
  if (significant === undefined || significant === false) return;
  if (significant !== true)
    refuse('invalid_significant', 'significant', 'true or false is expected');
  if (autoShutdown === 'never') {
    refuse(
      'bad_combination',
      'significant',
      'a supervisor with autoShutdown never has no significant children',
    );
  }
  if (restart === undefined || restart === 'permanent') {
    refuse(
      'bad_combination',
      'significant',
      'a permanent child cannot be significant: its end is never final',
    );
  }
}

function isShutdown(value: unknown): boolean {
  return value === 'brutal_kill' || value === 'infinity' || isWholeFrom(value, 0);
}

function checkExtras(given: Given, refuse: Refuse): void {
  const { ack, name, startTimeoutMs, maxConsecutiveStartFailures, isRetryable, backoff } = given;
  if (ack !== undefined && !ACKS.includes(ack))
    refuse('invalid_ack', 'ack', 'ready or spawned is expected');
  if (name !== undefined && !isActorName(name)) {
    refuse('invalid_name', 'name', 'a text, or a name made with via, is expected');
  }
  if (startTimeoutMs !== undefined && !isWholeFrom(startTimeoutMs, 1)) {
    refuse('invalid_start_timeout', 'startTimeoutMs', 'whole ms from 1 are expected');
  }
  const failures = maxConsecutiveStartFailures;
  if (
    failures !== undefined &&
    failures !== Number.POSITIVE_INFINITY &&
    !isWholeFrom(failures, 1)
  ) {
    refuse(
      'invalid_max_start_failures',
      'maxConsecutiveStartFailures',
      'a whole number from 1 is expected',
    );
  }
  if (isRetryable !== undefined && typeof isRetryable !== 'function') {
    refuse('invalid_is_retryable', 'isRetryable', 'a function is expected');
  }
  const problem = backoffProblem(backoff);
  if (problem !== undefined) refuse('invalid_backoff', 'backoff', problem);
}

/** Whether it is a whole number, not below `min`. */
export function isWholeFrom(value: unknown, min: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min;
}

/**
 * Check a list of specifications without starting anything: OTP's `check_childspecs/2`.
 *
 * @param autoShutdown of the supervisor that they are for. Default `never`.
 * @throws {@link BadChildSpecError} naming the field; `duplicate_child_name` where an id comes twice.
 */
export function checkChildSpecs(
  specs: readonly ChildSpec[],
  autoShutdown: AutoShutdown = 'never',
): readonly FullChildSpec[] {
  if (!Array.isArray(specs)) {
    throw new BadChildSpecError('invalid_child_spec', 'children', specs, 'an array is expected');
  }
  const seen = new Set<string>();
  return specs.map((given, index) => {
    const field = `children[${index}]`;
    const spec = checkChildSpec(given, field, autoShutdown);
    if (seen.has(spec.id)) {
      throw new BadChildSpecError('duplicate_child_name', `${field}.id`, spec.id, 'ids are unique');
    }
    seen.add(spec.id);
    return spec;
  });
}
