// Has every fault of the list a test on real processes that bears its name?
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { faultProblems, ROWS, rowsNamedIn } from './fault-rows.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DOCUMENT = readFileSync(path.join(ROOT, 'docs/faults.md'), 'utf8');
const read = (file: string): string | undefined => {
  const at = path.join(ROOT, file);
  return existsSync(at) ? readFileSync(at, 'utf8') : undefined;
};

describe('docs/faults.md', () => {
  it('has each row of the list, with tests that name it or the reason why there are none', () => {
    expect(ROWS).toHaveLength(46);
    expect(faultProblems(DOCUMENT, read)).toEqual([]);
  });

  it('names each file of tests that is made of rows, for all of its rows', () => {
    const files = readdirSync(import.meta.dirname).filter((file) => /^rows-.*\.test/u.test(file));
    const unlinked = files.flatMap((file) =>
      [...rowsNamedIn(read(`test/faults/${file}`) ?? '')].filter((row) => {
        const line = DOCUMENT.split('\n').find((text) => text.startsWith(`| ${row} |`));
        return line?.includes(`(../test/faults/${file})`) !== true;
      }),
    );
    expect(unlinked).toEqual([]);
    expect(files.length).toBeGreaterThan(0);
  });

  it('is found out when a row is missing, twice, unknown, without a test or with a wrong one', () => {
    const rest = ROWS.slice(4).map((row) => `| ${row} | x | x | not applicable: none |`);
    const lines = [
      '| P1 | x | x | [a](../test/faults/a.test.ts) |',
      '| P2 | x | x | [no](../test/faults/no.test.ts) |',
      '| P3 | x | x | some day |',
      '| P5 | x | x | not applicable: none |',
      '| P99 | x | x | [a](../test/faults/a.test.ts) |',
      ...rest,
    ];
    const source = "it('P2 is named', () => {}); // it('P1 is not', …)";
    const found = faultProblems(lines.join('\n'), (file) =>
      file === 'test/faults/a.test.ts' ? source : undefined,
    );
    expect(found).toEqual([
      'P99 is no row of the list',
      'P5 is there more than once',
      'P1: no test of test/faults/a.test.ts names it',
      'P2: there is no test/faults/no.test.ts',
      'P3 names no test, and no reason for having none',
      'P4 is missing',
    ]);
  });
});

describe('the rows that a source names', () => {
  it('are those at the beginning of a title or in brackets, also of tables, and no others', () => {
    const source = `
      describe('T5: of all', () => {
        it.skipIf(!ON_LINUX)('P1, P2 both', run);
        it.each([['P3 one', 1], ['P4 other', 2], ['no P9 here', 3]])('%s', run);
        it.each(['x'])('that is (W4): %s', run);
        it(\`ends (P11, P12): \${script}\`, run);
        call('P8 is no test', run);
        it.skip('P6 never runs', run);
        it('says P7 in its middle', run);
      });`;
    const rows = ['T5', 'P1', 'P2', 'P3', 'P4', 'W4', 'P11', 'P12'];
    expect([...rowsNamedIn(source)]).toEqual(rows);
  });
});
