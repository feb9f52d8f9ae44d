// How is a case written for Erlang? As a term in its own notation; one function per kind of thing.
import type { Call, Case, ChildPlan, Ending, Item, Manner, Path, Step } from './case.ts';

/** `{Number, Case}.`, as `erl_parse` reads it. */
export function caseTerm(number: number, { root, steps, stop }: Case): string {
  const body = map({ root: plan(root), steps: list(steps.map(step)), stop });
  return `{${number},${body}}.`;
}

function plan(given: ChildPlan): string {
  const { kind, id, restart, significant, shutdown } = given;
  const options = { kind, id: idTerm(id), restart, significant, shutdown };
  if (given.kind === 'worker') {
    return map({ ...options, manner: manner(given.manner), starts: list(given.starts) });
  }
  return map({
    ...options,
    strategy: given.strategy,
    intensity: given.intensity,
    period: given.periodS,
    auto_shutdown: given.autoShutdown,
    children: list(given.children.map(plan)),
  });
}

function step(given: Step): string {
  switch (given.type) {
    case 'exit':
      return exit(given.path, given.how);
    case 'call':
      return `{call,${path(given.at)},${call(given.call)}}`;
    case 'together':
      return `{together,${path(given.at)},${list(given.items.map(item))}}`;
    case 'script':
      return `{script,${path(given.path)},${list(given.outcomes)}}`;
    case 'wait':
      return `{wait,${given.ms},${given.length}}`;
    default:
      return given satisfies never;
  }
}

function item(given: Item): string {
  return given.type === 'exit' ? exit(given.path, given.how) : `{call,${call(given.call)}}`;
}

function exit(at: Path, how: Ending): string {
  return `{exit,${path(at)},${ending(how)}}`;
}

function call(given: Call): string {
  switch (given.type) {
    case 'start_child':
      return `{start_child,${plan(given.plan)}}`;
    case 'start_dynamic':
      return `{start_dynamic,${idTerm(given.label)}}`;
    case 'terminate_child':
    case 'restart_child':
    case 'delete_child':
    case 'get_childspec':
      return `{${given.type},${idTerm(given.id)}}`;
    case 'terminate_pid':
    case 'get_childspec_pid':
      return `{${given.type},${path(given.path)}}`;
    case 'which_children':
    case 'count_children':
      return given.type;
    default:
      return given satisfies never;
  }
}

function manner(given: Manner): string {
  switch (given) {
    case 'plain':
    case 'ignores':
      return given;
    case 'obeys':
      return '{exits,shutdown}';
    case 'normal':
    case 'detail':
    case 'crash':
      return `{exits,${ending(given)}}`;
    default:
      return given satisfies never;
  }
}

function ending(how: Ending): string {
  return how === 'detail' ? '{shutdown,detail}' : how;
}

function path(ids: Path): string {
  return list(ids.map(idTerm));
}

/** Ids are atoms: quoted, since some are words of the language. */
function idTerm(id: string): string {
  return `'${id}'`;
}

function list(terms: readonly string[]): string {
  return `[${terms.join(',')}]`;
}

function map(fields: Readonly<Record<string, string | number | boolean>>): string {
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=>${value}`);
  return `#{${pairs.join(',')}}`;
}
