// Which faults of docs/faults.md has a test, and which are missing? Read from the document and from the sources of the tests.
import ts from 'typescript';

/** Rows of the list: Process, Protocol, Resource, Time. */
export const ROWS: readonly string[] = [
  ...numbered('P', 18),
  ...numbered('W', 17),
  ...numbered('R', 6),
  ...numbered('T', 5),
];

const ROW = /[PWRT]\d+(?:, [PWRT]\d+)*/u;
const NAMES_ROWS = new RegExp(`^(${ROW.source})[ :]|\\((${ROW.source})\\)`, 'u');
const NEVER_RUN: ReadonlySet<string> = new Set(['skip', 'todo']);
const NOT_APPLICABLE = /^not applicable: \S/u;
const LINK = /\]\(\.\.\/(test\/[\w/-]+\.test\.ts)\)/gu;

/** The text of a file of the repository; undefined where there is none. */
export type ReadSource = (path: string) => string | undefined;

/** Whatever keeps the document from being complete and true. */
export function faultProblems(document: string, read: ReadSource): readonly string[] {
  const cells = new Map<string, string>();
  const problems: string[] = [];
  for (const line of document.split('\n')) {
    const [, row, , , tests] = line.split('|').map((cell) => cell.trim());
    if (row === undefined || tests === undefined || !/^[PWRT]\d+$/u.test(row)) continue;
    if (cells.has(row)) problems.push(`${row} is there more than once`);
    if (!ROWS.includes(row)) problems.push(`${row} is no row of the list`);
    cells.set(row, tests);
  }
  for (const row of ROWS) problems.push(...problemsOf(row, cells.get(row), read));
  return problems;
}

function problemsOf(row: string, tests: string | undefined, read: ReadSource): readonly string[] {
  if (tests === undefined) return [`${row} is missing`];
  if (NOT_APPLICABLE.test(tests)) return [];
  const paths = [...tests.matchAll(LINK)].map(([, path]) => path ?? '');
  if (paths.length === 0) return [`${row} names no test, and no reason for having none`];
  return paths.flatMap((path) => {
    const source = read(path);
    if (source === undefined) return [`${row}: there is no ${path}`];
    return rowsNamedIn(source).has(row) ? [] : [`${row}: no test of ${path} names it`];
  });
}

/** The rows that tests of this source name: in their titles, in those of what they stand in, or in the rows of their tables. */
export function rowsNamedIn(source: string): ReadonlySet<string> {
  const found = new Set<string>();
  const file = ts.createSourceFile('a.test.ts', source, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) for (const title of titlesOf(node)) add(found, title);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function add(found: Set<string>, title: string): void {
  const [, first, bracketed] = NAMES_ROWS.exec(title) ?? [];
  for (const row of (first ?? bracketed ?? '').split(', ')) if (row !== '') found.add(row);
}

/** `it(title)`, `describe(title)`, `it.skipIf(…)(title)`, and the first texts of the rows of `it.each(rows)`. */
function titlesOf({ expression, arguments: given }: ts.CallExpression): readonly string[] {
  const [first] = given;
  if (first === undefined || !isTest(expression)) return [];
  if (ts.isArrayLiteralExpression(first)) {
    return first.elements.flatMap((element) =>
      textOf(ts.isArrayLiteralExpression(element) ? element.elements[0] : element),
    );
  }
  return textOf(first);
}

/** A call of `it` or `describe`, or of what these give; of one that never runs it is none. */
function isTest(called: ts.Expression): boolean {
  if (ts.isIdentifier(called)) return called.text === 'it' || called.text === 'describe';
  if (ts.isPropertyAccessExpression(called) && NEVER_RUN.has(called.name.text)) return false;
  if (ts.isPropertyAccessExpression(called) || ts.isCallExpression(called)) {
    return isTest(called.expression);
  }
  return false;
}

function textOf(node: ts.Node | undefined): readonly string[] {
  if (node === undefined) return [];
  if (ts.isStringLiteralLike(node)) return [node.text];
  return ts.isTemplateExpression(node) ? [node.head.text] : [];
}

function numbered(letter: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
}
