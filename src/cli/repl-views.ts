// How are the tree, the pools and the operations of a running program shown in a terminal?
import type { PoolStatistics } from '../../supervisors/pool/pool.ts';
import { BUILT_IN_OPERATIONS } from '../adapters/adapter.ts';
import type { TreeNode } from '../runtime.ts';
import type { Operation } from './catalog.ts';
import { COMMANDS } from './repl-line.ts';

const EVERYWHERE: readonly string[] = BUILT_IN_OPERATIONS;

/** The commands, and how a call is written. */
export function helpText(): string {
  const rows = Object.entries(COMMANDS).map(([name, { argument, about }]): [string, string] => [
    `.${name}${argument === '' ? '' : ` ${argument}`}`,
    about,
  ]);
  return columns([
    ['<bridge>.<operation> {json}', 'run one operation; Tab completes its name'],
    ...rows,
  ]);
}

/** A supervision tree, one line for each node. */
export function treeText(root: TreeNode): string {
  const lines = (node: TreeNode, lead: string, below: string): readonly string[] => {
    const { id, kind, state, epoch, pid, children } = node;
    const process = pid === undefined ? '' : `, pid ${pid}`;
    const line = `${lead}${id} ${kind === 'worker' ? `(${state}, epoch ${epoch}${process})` : ''}`;
    return [
      line.trimEnd(),
      ...children.flatMap((child, i) => {
        const isLast = i === children.length - 1;
        return lines(
          child,
          `${below}${isLast ? '└─ ' : '├─ '}`,
          `${below}${isLast ? '   ' : '│  '}`,
        );
      }),
    ];
  };
  return lines(root, '', '').join('\n');
}

/** What a pool has counted; what is none is left out. */
export function statisticsText(name: string, { gauges, counters }: PoolStatistics): string {
  const part = (numbers: object): string =>
    Object.entries(numbers)
      .filter(([, value]) => typeof value === 'number' && value !== 0)
      .map(([key, value]) => `${key} ${String(value)}`)
      .join(', ') || 'nothing yet';
  return [name, `  now    ${part(gauges)}`, `  so far ${part(counters)}`].join('\n');
}

/** The operations of one bridge, without those that every bridge has. */
export function operationsText(bridge: string, operations: readonly Operation[]): string {
  const own = operations.filter(({ name }) => !EVERYWHERE.includes(name));
  return columns(
    own.map(({ name, args, streams, description }) => [
      `${bridge}.${name}(${args.join(', ')})${streams ? ' …' : ''}`,
      description ?? '',
    ]),
  );
}

/** Two columns. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`.trimEnd()).join('\n');
}
