// Which scenarios are written in the test files? Read from the source, so that the document cannot say more than the tests do.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** One `scenario(…)` call. */
export interface WrittenScenario {
  readonly number: number;
  readonly name: string;
  /** What was put in JavaScript's words; an empty text where nothing was. */
  readonly adapted: string;
  /** The file, without its folder. */
  readonly file: string;
}

/** What was found, and the calls that cannot be read. */
export interface Found {
  readonly scenarios: readonly WrittenScenario[];
  readonly problems: readonly string[];
}

/** All scenarios of the test files in this folder, by number. */
export function scenariosIn(folder: string): Found {
  const scenarios: WrittenScenario[] = [];
  const problems: string[] = [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.test.ts'));
  for (const file of files.sort()) {
    const found = scenariosOf(file, readFileSync(path.join(folder, file), 'utf8'));
    scenarios.push(...found.scenarios);
    problems.push(...found.problems);
  }
  return { scenarios: scenarios.sort((one, other) => one.number - other.number), problems };
}

/** The scenarios of one file's text. */
export function scenariosOf(file: string, text: string): Found {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const scenarios: WrittenScenario[] = [];
  const problems: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isScenario(node.expression)) {
      const [number, name, adapted] = node.arguments.map(literalOf);
      if (typeof number === 'number' && typeof name === 'string' && typeof adapted === 'string') {
        scenarios.push({ number, name, adapted, file });
      } else {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
        problems.push(
          `${file}:${line + 1}: a scenario's number, name and adaptation must be literals`,
        );
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { scenarios, problems };
}

function isScenario(called: ts.Expression): boolean {
  return ts.isIdentifier(called) && called.text === 'scenario';
}

/** The value of a literal; texts may be joined by `+`. */
function literalOf(node: ts.Expression): string | number | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) {
    return undefined;
  }
  const [left, right] = [literalOf(node.left), literalOf(node.right)];
  return typeof left === 'string' && typeof right === 'string' ? left + right : undefined;
}
