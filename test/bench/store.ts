// Where do the figures of a run go? One JSON document and its drawings, below docs/figures.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { join } from 'node:path';

import { drawings } from './drawings.ts';
import type { Row } from './row.ts';
import { rootFolder } from './stage.ts';

interface Document {
  /** Of the last run that was stored: a run of a prefix replaces its own rows. */
  readonly takenOn: Readonly<Record<string, string | number>>;
  readonly rows: readonly Row[];
}

/** Replace the rows that were measured, keep the others, draw everything anew. */
export function store(measured: readonly Row[]): void {
  const folder = join(rootFolder(), 'docs', 'figures');
  const file = join(folder, 'bench.json');
  mkdirSync(folder, { recursive: true });
  const rows = merged(existsSync(file) ? readRows(file) : [], measured);
  const takenOn = {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    system: `${process.platform} ${release()}`,
    processor: cpus()[0]?.model ?? '',
    cpus: availableParallelism(),
  };
  const document: Document = { takenOn, rows };
  writeFileSync(file, `${JSON.stringify(document, undefined, 2)}\n`);
  const source = `npm run bench · Node ${takenOn.node} · ${takenOn.cpus} cores · ${takenOn.date}`;
  for (const [name, svg] of drawings(rows, source)) writeFileSync(join(folder, `${name}.svg`), svg);
}

function readRows(file: string): readonly Row[] {
  return (JSON.parse(readFileSync(file, 'utf8')) as Document).rows;
}

/** In the order of the rows that were there, new ones behind. */
export function merged(before: readonly Row[], measured: readonly Row[]): readonly Row[] {
  const byId = new Map(before.map((row) => [row.id, row]));
  for (const row of measured) byId.set(row.id, row);
  return [...byId.values()];
}
