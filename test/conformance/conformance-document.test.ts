// Is docs/conformance.md what the tests are, and is every case of the list there?
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import {
  CONFORMANCE,
  conformanceProblems,
  withConformanceTables,
  type Conformance,
} from './conformance-document.ts';
import { scenariosIn, scenariosOf } from './scenarios-in.ts';

const DOCUMENT = path.resolve(import.meta.dirname, '../../docs/conformance.md');

const list: Conformance = {
  parts: [{ title: 'Part 1', source: 'a suite', from: 1, to: 4 }],
  adapted: [2],
  erlangOnly: [{ number: 3, name: 'upgrade', reason: 'There is none.' }],
};
const file = `
  scenario(1, 'first', '', run);
  scenario(2, 'second|case', 'in the words ' + 'of JavaScript', run);
  scenario(4, \`fourth\`, '', run);
`;

describe('the list of cases', () => {
  it('is covered by the tests, each case under its number', () => {
    expect(conformanceProblems(CONFORMANCE, scenariosIn(import.meta.dirname))).toEqual([]);
  });

  it('numbers from 1 to 232 without a gap, and says of none both that it is tested and that it cannot be', () => {
    const numbers = CONFORMANCE.parts.flatMap(({ from, to }) => [from, to]);
    expect(numbers).toEqual([1, 93, 94, 150, 151, 216, 217, 232]);
    const only = CONFORMANCE.erlangOnly.map(({ number }) => number);
    expect(only).toEqual([...new Set(only)].sort((one, other) => one - other));
    expect(CONFORMANCE.adapted.filter((number) => only.includes(number))).toEqual([]);
  });

  it('finds what is missing, unknown, silent about its adaptation, or not to be read', () => {
    const wrong = `
      scenario(2, 'second', '', run);
      scenario(3, 'upgrade', '', run);
      scenario(9, 'ninth', '', run);
      scenario(number, 'some', '', run);
    `;
    expect(conformanceProblems(list, scenariosOf('wrong.test.ts', wrong))).toEqual([
      "wrong.test.ts:5: a scenario's number, name and adaptation must be literals",
      'case 1 has no scenario',
      'case 2 (wrong.test.ts) does not say what was adapted',
      "case 3 is Erlang's only and has a scenario",
      'case 4 has no scenario',
      'case 9 is not on the list',
    ]);
    expect(conformanceProblems(list, scenariosOf('good.test.ts', file))).toEqual([]);
  });
});

describe('docs/conformance.md', () => {
  it('is what the tests are (npm run docs)', () => {
    const text = readFileSync(DOCUMENT, 'utf8');
    const { scenarios } = scenariosIn(import.meta.dirname);
    expect(withConformanceTables(text, CONFORMANCE, scenarios)).toBe(text);
  });

  it('has a row for each case, and keeps the prose around the tables', () => {
    const { scenarios } = scenariosOf('good.test.ts', file);
    const page = 'before\n<!-- cases:begin -->\nold\n<!-- cases:end -->\nafter\n';
    const text = withConformanceTables(page, list, scenarios);
    const row =
      '| 2 | `second\\|case` | [good](../test/conformance/good.test.ts) | in the words of JavaScript |';
    expect(text).toContain(row);
    expect(text).toContain('| 3 | `upgrade` | There is none. |');
    expect(text).toContain('| all | 4 | 3 | 1 | 1 |');
    expect(text).not.toContain('\nold\n');
    expect(text).toMatch(/^before\n[^]*\nafter\n$/u);
    expect(withConformanceTables(text, list, scenarios)).toBe(text);
  });

  it('is refused when it has no place for the tables', () => {
    expect(() => withConformanceTables('no marks', list, [])).toThrow(/cases:begin/u);
  });
});
