// What do the tables of docs/conformance.md say, and is any case of the list missing? Made from the tests and the list.
import { ADAPTED, PARTS, type Part } from './conformance-list.ts';
import { ERLANG_ONLY, type ErlangOnly } from './erlang-only.ts';
import type { Found, WrittenScenario } from './scenarios-in.ts';

const BEGIN = '<!-- cases:begin -->';
const END = '<!-- cases:end -->';
/** From the folder of the document. */
const TESTS = '../test/conformance';

/** What the list demands. */
export interface Conformance {
  readonly parts: readonly Part[];
  readonly adapted: readonly number[];
  readonly erlangOnly: readonly ErlangOnly[];
}

export const CONFORMANCE: Conformance = {
  parts: PARTS,
  adapted: ADAPTED,
  erlangOnly: ERLANG_ONLY,
};

/** Whatever keeps the tests from being the list: calls that cannot be read, cases that are missing, numbers that are wrong. */
export function conformanceProblems(list: Conformance, found: Found): readonly string[] {
  const written = new Map(found.scenarios.map((scenario) => [scenario.number, scenario]));
  const only = new Set(list.erlangOnly.map(({ number }) => number));
  const numbers = new Set(list.parts.flatMap(numbersOf));
  const problems = [...found.problems];
  for (const number of numbers) {
    const scenario = written.get(number);
    if (scenario === undefined && !only.has(number))
      problems.push(`case ${number} has no scenario`);
    if (scenario === undefined) continue;
    if (only.has(number)) problems.push(`case ${number} is Erlang's only and has a scenario`);
    if (list.adapted.includes(number) && scenario.adapted === '') {
      problems.push(`case ${number} (${scenario.file}) does not say what was adapted`);
    }
  }
  for (const { number, file } of found.scenarios) {
    const other = written.get(number)?.file ?? file;
    const isTwice = found.scenarios.filter((scenario) => scenario.number === number).length > 1;
    if (isTwice) problems.push(`case ${number} is written more than once (${other}, ${file})`);
  }
  for (const number of [...written.keys(), ...only]) {
    if (!numbers.has(number)) problems.push(`case ${number} is not on the list`);
  }
  return problems;
}

/** The same document with today's tables. @throws when it has no place for them. */
export function withConformanceTables(
  text: string,
  list: Conformance,
  scenarios: readonly WrittenScenario[],
): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) {
    throw new Error(`docs/conformance.md: ${BEGIN} and ${END} must be there, in this order`);
  }
  const tables = [totals(list, scenarios)];
  for (const part of list.parts) tables.push(...partSection(part, scenarios));
  tables.push('## Left to Erlang', erlangTable(list));
  return `${text.slice(0, begin)}${BEGIN}\n\n${tables.join('\n\n')}\n\n${text.slice(end)}`;
}

function totals(list: Conformance, scenarios: readonly WrittenScenario[]): string {
  const rows = list.parts.map((part) => totalsOf(part.title, numbersOf(part), list, scenarios));
  const all = totalsOf('all', list.parts.flatMap(numbersOf), list, scenarios);
  const head = ['part', 'cases', 'tested here', 'of these adapted', 'left to Erlang'];
  return table(head, [...rows, all]);
}

function totalsOf(
  title: string,
  numbers: readonly number[],
  list: Conformance,
  scenarios: readonly WrittenScenario[],
): readonly string[] {
  const tested = new Map(
    scenarios
      .filter(({ number }) => numbers.includes(number))
      .map((found) => [found.number, found]),
  );
  const adapted = [...tested.values()].filter((scenario) => scenario.adapted !== '').length;
  const only = list.erlangOnly.filter(({ number }) => numbers.includes(number)).length;
  return [title, ...[numbers.length, tested.size, adapted, only].map(String)];
}

function partSection(part: Part, scenarios: readonly WrittenScenario[]): readonly string[] {
  const here = scenarios.filter(({ number }) => number >= part.from && number <= part.to);
  const rows = here.map(({ number, name, adapted, file }) => [
    String(number),
    code(name),
    `[${file.replace('.test.ts', '')}](${TESTS}/${file})`,
    adapted,
  ]);
  return [
    `## ${part.title}`,
    `From ${part.source}.`,
    table(['no.', 'case', 'test', 'adapted'], rows),
  ];
}

function erlangTable(list: Conformance): string {
  const rows = list.erlangOnly.map(({ number, name, reason }) => [
    String(number),
    code(name),
    reason,
  ]);
  return table(['no.', 'case', 'why'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``;
}

function numbersOf({ from, to }: Part): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
