// Does every lesson of the list name a test that is there, or the reason why it has none here?
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { lessonProblems, LESSONS, pythonTestNames, testNames } from './lesson-rows.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DOCUMENT = readFileSync(path.join(ROOT, 'docs/lessons.md'), 'utf8');
const read = (file: string): string | undefined => {
  const at = path.join(ROOT, file);
  return existsSync(at) ? readFileSync(at, 'utf8') : undefined;
};

describe('docs/lessons.md', () => {
  it('has each lesson once, with tests that are there under their full names, or a reason', () => {
    expect(LESSONS).toHaveLength(67);
    expect(lessonProblems(DOCUMENT, read)).toEqual([]);
  });

  it('is found out when a row is missing, twice, unknown, without a test or with a wrong one', () => {
    const rest = LESSONS.slice(7).map((row) => `| ${row} | x | y | not here: none |`);
    const link = '[a](../test/a.test.ts)';
    const lines = [
      `| B1 | x | y | ${link} › a door opens |`,
      `| B2 | x | y | ${link} › opens |`,
      '| B3 | x | y | [no](../test/no.test.ts) › a door opens |',
      '| B4 | x | y | some day |',
      `| B5 | x | y | ${link} › a door opens<br>[b](../python/tests/test_b.py) › test_shuts |`,
      `| B6 | x | | ${link} › a door opens |`,
      `| B8 | x | y | ${link} › a door is never tried |`,
      '| B99 | x | y | not here: none |',
      ...rest,
    ];
    const sources: Readonly<Record<string, string>> = {
      'test/a.test.ts':
        "describe('a door', () => { it('opens', f); it.skip('is never tried', f); }); // it('B2')",
      'python/tests/test_b.py': 'def test_shuts_not() -> None: ...\n',
    };
    expect(lessonProblems(lines.join('\n'), (file) => sources[file])).toEqual([
      'B6 promises nothing',
      'B99 is no row of the list',
      'B8 is there more than once',
      "B2: test/a.test.ts has no test 'opens'",
      'B3: there is no test/no.test.ts',
      'B4 names no test, and no reason for having none',
      "B5: python/tests/test_b.py has no test 'test_shuts'",
      'B7 is missing',
    ]);
  });
});

describe('the names of tests', () => {
  it('are made of the titles of all that they stand in, as these are written', () => {
    const source = `
      describe.each(KINDS)('a door of %s', { timeout: 1 }, () => {
        describe.skipIf(!ON_LINUX)('that is shut', () => {
          it.each([1, 2])('opens after %i knocks', open);
          it(\`opens at \${HOUR}\`, open);
          knock('is no test', open);
        });
        describe.skip('that is gone', () => { it('opens', open); });
        it.todo('sings');
      });
      it('a house stands', open);`;
    expect([...testNames(source)]).toEqual([
      'a door of %s that is shut opens after %i knocks',
      'a door of %s that is shut opens at ${HOUR}',
      'a house stands',
    ]);
  });

  it('in Python are those of its functions that run', () => {
    const source =
      'def test_a() -> None: ...\nasync def test_b(): ...\n@pytest.mark.skip("no")\ndef test_c(): ...\n';
    expect([...pythonTestNames(source)]).toEqual(['test_a', 'test_b']);
  });
});
