// How does a machine look as a Mermaid state diagram?
import type { AnyStateMachine, AnyStateNode } from 'xstate';

import {
  childrenOf,
  effectiveEdges,
  initialLeaf,
  isWithin,
  ownEdges,
  statesOf,
  type Delay,
  type Edge,
} from './machine-graph.ts';

const INDENT = '  ';

/** Every state with what is inside it, and every transition with its event, guard and delay. */
export function drawMachine(machine: AnyStateMachine, delays: readonly Delay[]): string {
  const root = machine.root as AnyStateNode;
  assertUniqueKeys(statesOf(root));
  const lines = [
    ...drawInside(root, 1),
    ...merge(
      [root, ...statesOf(root)].flatMap(drawnEdges).map(({ from, to, edge }) => ({
        from: from.key,
        to: to.key,
        label: labelOf(edge, delays),
      })),
      '<br/>',
    ),
    ...statesOf(root)
      .filter(({ type }) => type === 'final')
      .map(({ key }) => `${INDENT}${key} --> [*]`),
  ];
  return ['stateDiagram-v2', ...lines].join('\n');
}

/** The same at the level of names that the outside sees: inner states are collapsed, what happens inside one name is left out. */
export function drawCollapsed(
  machine: AnyStateMachine,
  nameOf: (state: AnyStateNode) => string,
  wordsOf: (edge: Edge) => string,
): string {
  const root = machine.root as AnyStateNode;
  const leaves = statesOf(root).filter((state) => childrenOf(state).length === 0);
  const arrows = leaves.flatMap((leaf) =>
    effectiveEdges(leaf).flatMap((edge) => {
      if (edge.to === undefined) return [];
      const [from, to] = [nameOf(leaf), nameOf(initialLeaf(edge.to))];
      return from === to ? [] : [{ from, to, label: wordsOf(edge) }];
    }),
  );
  const ends = new Set(leaves.filter(({ type }) => type === 'final').map(nameOf));
  return [
    'stateDiagram-v2',
    `${INDENT}[*] --> ${nameOf(initialLeaf(root))}`,
    ...merge(arrows, ', '),
    ...[...ends].map((name) => `${INDENT}${name} --> [*]`),
  ].join('\n');
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/** One arrow for each pair of states, with all that takes it. */
function merge(arrows: readonly Arrow[], separator: string): readonly string[] {
  const labels = new Map<string, Set<string>>();
  for (const { from, to, label } of arrows) {
    const pair = `${from} --> ${to}`;
    const known = labels.get(pair) ?? new Set();
    labels.set(pair, known.add(label));
  }
  return [...labels].map(
    ([pair, words]) => `${INDENT}${pair} : ${withoutSpecialCases([...words]).join(separator)}`,
  );
}

/** `brutal stop` beside `stop` says nothing new. */
function withoutSpecialCases(words: readonly string[]): readonly string[] {
  return words.filter((word) => !words.some((other) => word.endsWith(` ${other}`)));
}

function drawInside(node: AnyStateNode, depth: number): readonly string[] {
  const indent = INDENT.repeat(depth);
  const inner = childrenOf(node).flatMap((child) =>
    childrenOf(child).length === 0
      ? [`${indent}${child.key}`]
      : [`${indent}state ${child.key} {`, ...drawInside(child, depth + 1), `${indent}}`],
  );
  const initial = node.initial.target[0] as AnyStateNode;
  return [`${indent}[*] --> ${initial.key}`, ...inner];
}

interface DrawnEdge {
  readonly from: AnyStateNode;
  readonly to: AnyStateNode;
  readonly edge: Edge;
}

/**
 * The arrows of one state. Mermaid cannot draw one from a state to something inside that state, and one whose meaning an inner state changes would
 * be a lie: both are drawn from the inner states that they hold for.
 */
function drawnEdges(node: AnyStateNode): readonly DrawnEdge[] {
  return ownEdges(node).flatMap((edge) => {
    const { to } = edge;
    if (edge.isForbidden) return [];
    if (to !== undefined) return spread(node, to, edge);
    return [{ from: node, to: node, edge }];
  });
}

function spread(node: AnyStateNode, to: AnyStateNode, edge: Edge): readonly DrawnEdge[] {
  const inner = childrenOf(node);
  const isShutOut = (state: AnyStateNode): boolean => !effectiveEdges(state).includes(edge);
  const isPlain = !isWithin(to, node) && !statesOf(node).some(isShutOut);
  // An arrow outward to a state around it would be as impossible to draw: it ends where that state begins.
  const end = isWithin(node, to) ? initialLeaf(to) : to;
  if (inner.length === 0 || isPlain) return isShutOut(node) ? [] : [{ from: node, to: end, edge }];
  return inner.filter(({ type }) => type !== 'final').flatMap((child) => spread(child, to, edge));
}

function labelOf({ trigger, kind, guard }: Edge, delays: readonly Delay[]): string {
  const ms = delays.find(({ name }) => name === trigger)?.defaultMs;
  const time = ms === undefined ? '' : ` (${ms} ms)`;
  const name = kind === 'delay' ? `after ${trigger}${time}` : trigger;
  return guard === undefined ? name : `${name} [${guard}]`;
}

function assertUniqueKeys(states: readonly AnyStateNode[]): void {
  const keys = new Set<string>();
  for (const { key, id } of states) {
    if (keys.has(key))
      throw new Error(`two states are called ${key} (${id}): a diagram needs both`);
    keys.add(key);
  }
}
