// Which states has a machine, and what moves it from each to which? Read off the definition that runs, never copied from it.
import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** A transition as a person would name it. */
export interface Edge {
  readonly from: AnyStateNode;
  /** Undefined: it stays, and only acts. */
  readonly to: AnyStateNode | undefined;
  /** The event's type, or the name of the delay. */
  readonly trigger: string;
  readonly kind: 'event' | 'delay';
  /** The guard's name with what it is asked for, e.g. `judged restart`. */
  readonly guard: string | undefined;
  /** It is there only to stop the event from being taken further out. */
  readonly isForbidden: boolean;
}

/** A delay of a machine, and how long it is by default: undefined when it is given at run time. */
export interface Delay {
  readonly name: string;
  readonly defaultMs: number | undefined;
}

/** All states below the root, outer before inner, in the order of the definition. */
export function statesOf(node: AnyStateNode): readonly AnyStateNode[] {
  return childrenOf(node).flatMap((child) => [child, ...statesOf(child)]);
}

export function childrenOf(node: AnyStateNode): readonly AnyStateNode[] {
  return Object.values(node.states).sort((a, b) => a.order - b.order);
}

export function isWithin(node: AnyStateNode, outer: AnyStateNode): boolean {
  return node === outer || (node.parent !== undefined && isWithin(node.parent, outer));
}

const edgesOf = new WeakMap<AnyStateNode, readonly Edge[]>();

/** The transitions that a state declares itself; the same objects each time. */
export function ownEdges(node: AnyStateNode): readonly Edge[] {
  const edges = edgesOf.get(node) ?? readEdges(node);
  edgesOf.set(node, edges);
  return edges;
}

function readEdges(node: AnyStateNode): readonly Edge[] {
  const delays = new Map(node.after.map(({ eventType, delay }) => [eventType, String(delay)]));
  return [...node.transitions].flatMap(([event, candidates]) =>
    candidates.map((candidate) => {
      const delay = delays.get(event);
      const to = candidate.target?.[0];
      return {
        from: node,
        to,
        trigger: delay ?? event,
        kind: delay === undefined ? ('event' as const) : ('delay' as const),
        guard: guardOf(candidate.guard),
        isForbidden: to === undefined && candidate.actions.length === 0,
      };
    }),
  );
}

/**
 * Everything that can happen in a state: its own transitions, then those of the states around it that an own one does not shut out. A candidate
 * with a guard shuts nothing out: when the guard says no, XState asks further out.
 */
export function effectiveEdges(node: AnyStateNode): readonly Edge[] {
  const own = ownEdges(node);
  if (node.parent === undefined || node.type === 'final') return own;
  const settled = new Set(own.filter(({ guard }) => guard === undefined).map(keyOf));
  const inherited = effectiveEdges(node.parent).filter((edge) => !settled.has(keyOf(edge)));
  return [...own, ...inherited];
}

function keyOf({ kind, trigger }: Edge): string {
  return `${kind} ${trigger}`;
}

/** The state that is entered in the end when `node` is the target. */
export function initialLeaf(node: AnyStateNode): AnyStateNode {
  const inner = node.type === 'compound' ? node.initial.target[0] : undefined;
  return inner === undefined ? node : initialLeaf(inner);
}

/** The delays that a machine names, with the time that each has when nothing else is said. */
export function delaysOf(machine: AnyStateMachine, context: unknown): readonly Delay[] {
  return Object.entries(machine.implementations.delays).map(([name, delay]) => {
    const ms: unknown =
      typeof delay === 'function' ? (delay as (args: object) => unknown)({ context }) : delay;
    return { name, defaultMs: typeof ms === 'number' && ms > 0 ? ms : undefined };
  });
}

/** A guard's parameters are a function of the event; what it adds to the event is what tells two uses of a guard apart. */
function guardOf(guard: unknown): string | undefined {
  if (guard === undefined || typeof guard === 'string') return guard;
  const { type, params } = guard as { type: string; params?: unknown };
  const given: unknown =
    typeof params === 'function' ? (params as (args: object) => unknown)({ event: {} }) : params;
  const words = Object.values(given ?? {}).filter((word) => typeof word === 'string');
  return [type, ...words].join(' ');
}
