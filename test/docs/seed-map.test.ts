// Is every part of the ported design in docs/seed-map.md, with code that is there and a test that is there under its full name?
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { pythonTestNames, testNames } from '../lessons/lesson-rows.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MAP = readFileSync(path.join(ROOT, 'docs/seed-map.md'), 'utf8');

/** How many rows each part of the design has. */
const PARTS: Readonly<Record<string, number>> = {
  ...{ L: 7, P: 10, A: 10, C: 5, R: 7, M: 5, E: 3, B: 7, O: 4 },
};
/** Five phases of four steps. */
const STEPS = [1, 2, 3, 4, 5].flatMap((phase) => [1, 2, 3, 4].map((step) => `${phase}.${step}`));
const ROWS = [
  ...Object.entries(PARTS).flatMap(([part, count]) =>
    Array.from({ length: count }, (_, index) => `${part}${index + 1}`),
  ),
  ...STEPS,
];

const STATUS = /^(?:done(?:$|[: ])|not applicable: \S)/u;
const TEST = /^\[[^\]]+\]\(\.\.\/((?:test|python\/tests)\/[\w./-]+)\) › (\S.*)$/u;
const LINK = /\]\(([^)#]+)(?:#[^)]*)?\)/gu;

type Read = (file: string) => string | undefined;

function problemsOf(document: string, read: Read): readonly string[] {
  const rows = new Map<string, readonly string[]>();
  const problems: string[] = [];
  for (const line of document.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    const row = cells[1] ?? '';
    if (!/^(?:[A-Z]\d+|\d\.\d)$/u.test(row)) continue;
    if (rows.has(row)) problems.push(`${row} is there more than once`);
    if (!ROWS.includes(row)) problems.push(`${row} is no part of the design`);
    if (cells.length !== 7 || cells.slice(2, 6).includes('')) problems.push(`${row} lacks a cell`);
    rows.set(row, cells.slice(2));
  }
  for (const row of ROWS) {
    const cells = rows.get(row);
    problems.push(...(cells === undefined ? [`${row} is missing`] : ofRow(row, cells, read)));
  }
  return problems;
}

function ofRow(row: string, cells: readonly string[], read: Read): readonly string[] {
  const [, here = '', tests = '', last = ''] = cells;
  const isStep = STEPS.includes(row);
  const isElsewhere = isStep && last.startsWith('not applicable: ');
  const problems = isStep && !STATUS.test(last) ? [`${row} is neither done nor has a reason`] : [];
  const files = [...`${here} ${last}`.matchAll(LINK)].map(([, to = '']) =>
    path.posix.join('docs', to),
  );
  for (const file of files) if (read(file) === undefined) problems.push(`${row}: no ${file}`);
  if (isElsewhere) return problems;
  if (!here.includes('](')) problems.push(`${row} names no code`);
  return [...problems, ...tests.split('<br>').flatMap((test) => ofTest(row, test.trim(), read))];
}

function ofTest(row: string, test: string, read: Read): readonly string[] {
  const [, file, name = ''] = TEST.exec(test) ?? [];
  if (file === undefined) return [`${row} names no test`];
  const source = read(file);
  if (source === undefined) return [`${row}: no ${file}`];
  const names = file.endsWith('.py') ? pythonTestNames(source) : testNames(source);
  return names.has(name) ? [] : [`${row}: ${file} has no test '${name}'`];
}

describe('docs/seed-map.md', () => {
  const known = new Map<string, string | undefined>();
  const read: Read = (file) => {
    const at = path.join(ROOT, file);
    if (!known.has(file)) known.set(file, existsSync(at) ? readFileSync(at, 'utf8') : undefined);
    return known.get(file);
  };

  it('has all parts of the design and all twenty steps of its migration, with code and tests that are there', () => {
    expect(STEPS).toHaveLength(20);
    expect(problemsOf(MAP, read)).toEqual([]);
  });

  it('is found out when a row is missing, twice, unknown, or names what is not there', () => {
    const good = '[a](../src/a.ts) | [a](../test/a.test.ts) › a door opens |';
    const rest = ROWS.slice(7)
      .filter((row) => !STEPS.includes(row))
      .map((row) => `| ${row} | x | ${good} y |`);
    const steps = STEPS.slice(2).map((row) => `| ${row} | x | ${good} done |`);
    const lines = [
      `| L1 | x | ${good} y |`,
      `| L2 | x | [b](../src/b.ts) | [a](../test/a.test.ts) › a door opens | y |`,
      '| L3 | x | [a](../src/a.ts) | [a](../test/a.test.ts) › a door shuts | y |',
      '| L4 | x | [a](../src/a.ts) | [no](../test/no.test.ts) › a door opens | y |',
      '| L5 | x | a | some day | y |',
      `| L6 | x | ${good} |`,
      ...['| 1.1 | x | — | — | some day |', '| 1.2 | x | — | — | not applicable: no doors |'],
      ...[`| P1 | x | ${good} y |`, `| Z9 | x | ${good} y |`],
      ...[...rest, ...steps],
    ];
    const sources: Readonly<Record<string, string>> = {
      'test/a.test.ts': "describe('a door', () => { it('opens', f); });",
      'src/a.ts': '',
    };
    expect(problemsOf(lines.join('\n'), (file) => sources[file])).toEqual([
      'L6 lacks a cell',
      'Z9 is no part of the design',
      'P1 is there more than once',
      'L2: no src/b.ts',
      "L3: test/a.test.ts has no test 'a door shuts'",
      'L4: no test/no.test.ts',
      'L5 names no code',
      'L5 names no test',
      'L7 is missing',
      '1.1 is neither done nor has a reason',
      '1.1 names no code',
      '1.1 names no test',
    ]);
  });
});
