// How does a kind of child say by itself how it is to be supervised? Elixir's child_spec protocol: what is given, made a specification.
import { isLogic } from '../actors/lifecycle/start-function.ts';
import type { ChildSpec } from './child-spec.ts';
import { shapeOf } from './merge-input.ts';
import { BadChildSpecError, type SpecProblem } from './supervision-errors.ts';

/** What knows its own child specification: a class with a static method, or any object or function that has one. */
export interface Startable {
  /** @param input what this child shall be started with; nothing where none was given. */
  childSpec(input?: never): ChildSpec;
}

/**
 * Make a child specification of what knows its own, and change some of it.
 *
 * @param startable what has a `childSpec(input?)`; a pair of it and its input; or a specification as it is.
 * @param overrides keys that win over what the specification says; others stay. Two children of one kind need an `id` each.
 * @throws {@link BadChildSpecError}: `missing_startable` for nothing at all, `missing_child_spec` for what has no `childSpec`, `invalid_child_spec` for anything else.
 * @example `childSpec([Cache, { sizeMb: 10 }], { id: 'small', restart: 'transient' })`
 */
export function childSpec(
  startable: ChildSpec | Startable | readonly [startable: Startable, input: unknown],
  overrides: Partial<ChildSpec> = {},
): ChildSpec {
  return { ...specOf(startable), ...overrides };
}

const EXPECTED =
  'a specification, what has a childSpec method, or a pair of that and its input is expected';

function specOf(given: unknown): ChildSpec {
  if (Array.isArray(given)) {
    const [first, input, ...more] = given as readonly unknown[];
    if (given.length !== 2 || more.length > 0) refuse('invalid_child_spec', given, EXPECTED);
    return specBy(first, input);
  }
  // A logic is an object too, and has no id.
  if (!hasChildSpec(given) && shapeOf(given) === 'record' && !isLogic(given)) {
    return given as ChildSpec;
  }
  return specBy(given, undefined);
}

function specBy(given: unknown, input: unknown): ChildSpec {
  if (given === undefined || given === null) {
    refuse('missing_startable', given, 'there is none: does its module export it?');
  }
  if (!hasChildSpec(given)) {
    if (typeof given !== 'object' && typeof given !== 'function') {
      refuse('invalid_child_spec', given, EXPECTED);
    }
    const expected = `a childSpec(input) method is expected of ${nameOf(given)}; without one, write { id, start }`;
    return refuse('missing_child_spec', given, expected);
  }
  const spec: unknown = given.childSpec(input as never);
  if (shapeOf(spec) !== 'record') {
    refuse('invalid_child_spec', spec, `a specification is expected of childSpec`);
  }
  return spec as ChildSpec;
}

function hasChildSpec(given: unknown): given is Startable {
  if ((typeof given !== 'object' || given === null) && typeof given !== 'function') return false;
  return typeof (given as Partial<Startable>).childSpec === 'function';
}

function nameOf(given: unknown): string {
  const name = typeof given === 'function' ? given.name : (given as object).constructor?.name;
  return name === undefined || name === '' ? 'it' : name;
}

function refuse(problem: SpecProblem, value: unknown, expected: string): never {
  throw new BadChildSpecError(problem, 'startable', value, expected);
}
