// Which lessons of docs/lessons.md name a test that is there, and which are missing? Read from the document and from the sources of the tests.
import ts from 'typescript';

/** Rows of the list: bugs of the first implementation, flaws of its successor, aims beyond both. */
export const LESSONS: readonly string[] = [
  ...numbered('B', 36),
  ...numbered('S', 19),
  ...numbered('A', 12),
];

const NUMBER = /^[BSA]\d+$/u;
const ELSEWHERE = /^not here: \S/u;
const LINK = /^\[[^\]]+\]\(\.\.\/((?:test|python\/tests)\/[\w./-]+\.(?:test\.ts|py))\) › (\S.*)$/u;
const NEVER_RUN: ReadonlySet<string> = new Set(['skip', 'todo']);

/** The text of a file of the repository; undefined where there is none. */
export type ReadSource = (path: string) => string | undefined;

/** Whatever keeps the document from being complete and true. */
export function lessonProblems(document: string, read: ReadSource): readonly string[] {
  const problems: string[] = [];
  const namesIn = rememberNames(read);
  const found = new Map<string, readonly string[]>();
  for (const line of document.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    const [, row = '', , promise, tests] = cells;
    if (!NUMBER.test(row)) continue;
    if (found.has(row)) problems.push(`${row} is there more than once`);
    if (!LESSONS.includes(row)) problems.push(`${row} is no row of the list`);
    if (cells.length !== 6) problems.push(`${row} has not four cells`);
    if (promise === undefined || promise === '') problems.push(`${row} promises nothing`);
    found.set(row, (tests ?? '').split('<br>'));
  }
  for (const row of LESSONS) {
    const named = found.get(row);
    if (named === undefined) problems.push(`${row} is missing`);
    else problems.push(...named.flatMap((test) => problemsOf(row, test.trim(), namesIn)));
  }
  return problems;
}

type NamesIn = (path: string) => ReadonlySet<string> | undefined;

function problemsOf(row: string, test: string, namesIn: NamesIn): readonly string[] {
  if (ELSEWHERE.test(test)) return [];
  const [, path, name = ''] = LINK.exec(test) ?? [];
  if (path === undefined) return [`${row} names no test, and no reason for having none`];
  const names = namesIn(path);
  if (names === undefined) return [`${row}: there is no ${path}`];
  return names.has(name) ? [] : [`${row}: ${path} has no test '${name}'`];
}

function rememberNames(read: ReadSource): NamesIn {
  const known = new Map<string, ReadonlySet<string> | undefined>();
  return (path) => {
    if (!known.has(path)) {
      const source = read(path);
      const names = path.endsWith('.py') ? pythonTestNames : testNames;
      known.set(path, source === undefined ? undefined : names(source));
    }
    return known.get(path);
  };
}

/** The full names of the tests of a source: the titles of the blocks that they stand in and their own, as they are written. */
export function testNames(source: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node, before: readonly string[]): void => {
    const block = ts.isCallExpression(node) ? blockOf(node) : undefined;
    if (block === undefined) {
      ts.forEachChild(node, (child) => visit(child, before));
      return;
    }
    if (block.kind === 'never') return;
    const names = [...before, block.title];
    if (block.kind === 'it') found.add(names.join(' '));
    else block.bodies.forEach((body) => visit(body, names));
  };
  visit(ts.createSourceFile('a.test.ts', source, ts.ScriptTarget.Latest, true), []);
  return found;
}

/** The names of the test functions of a Python source. */
export function pythonTestNames(source: string): ReadonlySet<string> {
  const skipped = /@pytest\.mark\.skip\b[^\n]*\n(?:async )?def (test_\w+)/gu;
  const never = new Set([...source.matchAll(skipped)].map(([, name]) => name));
  const all = [...source.matchAll(/^(?:async )?def (test_\w+)/gmu)].map(([, name]) => name ?? '');
  return new Set(all.filter((name) => !never.has(name)));
}

interface Block {
  readonly kind: 'it' | 'describe' | 'never';
  readonly title: string;
  readonly bodies: readonly ts.Expression[];
}

/** `it(title)`, `describe(title)`, `it.skipIf(…)(title)`, `it.each(rows)(title)`; undefined for any other call. */
function blockOf({ expression, arguments: given }: ts.CallExpression): Block | undefined {
  const kind = kindOf(expression);
  const title = given[0] && textOf(given[0]);
  return kind && title !== undefined ? { kind, title, bodies: given.slice(1) } : undefined;
}

function kindOf(called: ts.Expression): Block['kind'] | undefined {
  if (ts.isIdentifier(called)) {
    return called.text === 'it' || called.text === 'describe' ? called.text : undefined;
  }
  if (ts.isCallExpression(called)) return kindOf(called.expression);
  if (!ts.isPropertyAccessExpression(called)) return undefined;
  const kind = kindOf(called.expression);
  return kind && NEVER_RUN.has(called.name.text) ? 'never' : kind;
}

function textOf(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node) ? node.getText().slice(1, -1) : undefined;
}

function numbered(letter: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
}
