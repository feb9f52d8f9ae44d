// Does a machine take the crashes of its own actors for ordinary events? A catch-all transition does, and nobody hears of them.
import type { AnyStateMachine, AnyStateNode } from 'xstate';

import { isLogic } from '../actors/lifecycle/start-function.ts';

/** A transition that takes errors which nobody meant it to take. */
export interface Swallower {
  /** `*` or another descriptor that matches every error of an actor. */
  readonly descriptor: string;
  /** The state that has it, by its id. */
  readonly state: string;
  /** Whose errors it takes. */
  readonly actors: readonly string[];
}

/** An actor that a machine invokes, in the state `node`, or spawns, wherever it is. */
interface Inner {
  readonly name: string;
  /** Nothing where XState makes one up. */
  readonly id: string | undefined;
  readonly node: AnyStateNode | undefined;
}

/** What matches `xstate.error.actor.<id>` for every id, the most general first. */
const CATCH_ALLS = ['*', 'xstate.*', 'xstate.error.*', 'xstate.error.actor.*'];

/**
 * The catch-all transitions of a machine, and of the machines that it invokes or may spawn, that take errors of their actors. XState 5 gives a parent the error of an actor
 * as the event `xstate.error.actor.<id>`: the innermost active state that has a transition for it takes it, an exact descriptor before a general one. What none takes ends the
 * machine, so that its supervisor hears. A guarded catch-all is not listed: a guard is how one leaves errors alone, and only running it would tell.
 *
 * @param start of a child specification; whatever is no machine has none.
 */
export function swallowersOf(start: unknown): readonly Swallower[] {
  const found: Swallower[] = [];
  const seen = new Set<unknown>();
  const look = (logic: unknown): void => {
    if (seen.has(logic) || !isMachine(logic)) return;
    seen.add(logic);
    const nodes = nodesOf(logic.root);
    const spawns = spawnsIn(logic, nodes);
    const actors = [...invokedIn(nodes), ...spawnedIn(logic, nodes, spawns)];
    for (const node of nodes) found.push(...swallowersIn(node, actors));
    for (const inner of logicsIn(logic, nodes, spawns)) look(inner);
  };
  look(start);
  return found;
}

function isMachine(logic: unknown): logic is AnyStateMachine {
  return isLogic(logic) && 'root' in logic && 'implementations' in logic;
}

function nodesOf(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)];
}

function swallowersIn(node: AnyStateNode, actors: readonly Inner[]): readonly Swallower[] {
  const descriptor = CATCH_ALLS.findLast((general) => takes(node, general));
  if (descriptor === undefined) return [];
  const names = actors.filter((actor) => swallows(node, actor)).map(({ name }) => name);
  return names.length === 0 ? [] : [{ descriptor, state: node.id, actors: [...new Set(names)] }];
}

/** Whether this state has a transition of that descriptor which is always taken. */
function takes(node: AnyStateNode, descriptor: string): boolean {
  return (node.transitions.get(descriptor) ?? []).some(({ guard }) => guard === undefined);
}

function handles(node: AnyStateNode, { id }: Inner): boolean {
  return id !== undefined && takes(node, `xstate.error.actor.${id}`);
}

/** Whether a catch-all of `node` gets the error of this actor before anything that was meant for it. */
function swallows(node: AnyStateNode, actor: Inner): boolean {
  if (handles(node, actor)) return false;
  if (actor.node === undefined) return true;
  const above = new Set(lineOf(node));
  const line = lineOf(actor.node);
  const meeting = line.findIndex((one) => above.has(one));
  const common = line[meeting];
  // Two states that are never active together.
  if (common !== node && common !== actor.node && common?.type !== 'parallel') return false;
  return !line.slice(0, meeting).some((one) => handles(one, actor));
}

/** A state and those that it is in, the innermost first. */
function lineOf(node: AnyStateNode): readonly AnyStateNode[] {
  return node.parent === undefined ? [node] : [node, ...lineOf(node.parent as AnyStateNode)];
}

function invokedIn(nodes: readonly AnyStateNode[]): readonly Inner[] {
  return nodes.flatMap((node) => node.invoke.map(({ id }) => ({ name: id, id, node })));
}

/** Those it spawns with `spawnChild`, and those that it was given and does not invoke: code that cannot be seen spawns them. */
function spawnedIn(
  machine: AnyStateMachine,
  nodes: readonly AnyStateNode[],
  spawns: readonly Spawn[],
): readonly Inner[] {
  const visible = spawns.map(spawned);
  const known = new Set<unknown>([
    ...nodes.flatMap((node) => node.invoke.map(({ src }) => src)),
    ...visible.map(({ name }) => name),
  ]);
  const hidden = Object.keys(machine.implementations.actors)
    .filter((name) => !known.has(name))
    .map((name) => ({ name, id: undefined, node: undefined }));
  return [...visible, ...hidden];
}

function spawned({ src, id: given }: Spawn): Inner {
  const id = typeof given === 'string' ? given : undefined;
  return { name: typeof src === 'string' ? src : (id ?? 'a spawned actor'), id, node: undefined };
}

/** What `spawnChild(…)` makes: a function with its parameters on it. */
interface Spawn {
  readonly type: 'xstate.spawnChild';
  readonly src: unknown;
  /** A text, or a function that gives one. */
  readonly id: unknown;
}

function spawnsIn(machine: AnyStateMachine, nodes: readonly AnyStateNode[]): readonly Spawn[] {
  return nodes
    .flatMap(actionsOf)
    .map((action) => implementationOf(machine, action))
    .filter(isSpawn);
}

function actionsOf(node: AnyStateNode): readonly unknown[] {
  const transitions = [...node.transitions.values(), node.always ?? []].flat();
  return [
    ...node.entry,
    ...node.exit,
    ...transitions.flatMap(({ actions }) => actions as unknown[]),
  ];
}

/** An action is a function, or the name of one, or an object with the name as its type. */
function implementationOf(machine: AnyStateMachine, action: unknown): unknown {
  if (typeof action === 'function') return action;
  const name = typeof action === 'string' ? action : (action as { readonly type: string }).type;
  return machine.implementations.actions[name];
}

function isSpawn(action: unknown): action is Spawn {
  return (action as Partial<Spawn> | undefined)?.type === 'xstate.spawnChild';
}

/** The logics that a machine was given, by name or in place. */
function logicsIn(
  machine: AnyStateMachine,
  nodes: readonly AnyStateNode[],
  spawns: readonly Spawn[],
): readonly unknown[] {
  const invoked = nodes.flatMap(({ config }) => {
    const { invoke } = config as { readonly invoke?: unknown };
    return [invoke].flat() as readonly ({ readonly src: unknown } | undefined)[];
  });
  return [
    ...Object.values(machine.implementations.actors),
    ...[...invoked, ...spawns].map((one) => one?.src),
  ];
}
