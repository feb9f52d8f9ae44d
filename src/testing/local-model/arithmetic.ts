// Which sum does a text ask for? A recursive-descent reader of + - * / ^ ( ) % and roots; arithmetic-value.ts works it out.
import { withSigns } from './arithmetic-text.ts';
import { LOCAL_MODEL_LIMITS } from './limits.ts';
import { formatRational, rationalFromDecimal, type Rational } from './rational.ts';

export type Operator = '+' | '-' | '*' | '/' | '^' | 'mod';

/** A sum as it was read. */
export type Expression =
  | { readonly type: 'number'; readonly value: Rational }
  | {
      readonly type: 'binary';
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly type: 'negate' | 'percent' | 'root'; readonly of: Expression };

/** A sum found in a text, and the words around it. */
export interface FoundArithmetic {
  readonly expression: Expression;
  readonly operatorsCount: number;
  /** Words of the text that are not part of the sum, lower case. */
  readonly otherWords: readonly string[];
}

type Token =
  | { readonly type: 'number'; readonly value: Rational }
  | { readonly type: 'sign'; readonly sign: string }
  | { readonly type: 'word'; readonly word: string };

/** The sum with the most operators in the text, or null when it holds none. A lone number is not a sum. */
export function findArithmetic(text: string): FoundArithmetic | null {
  return findLargest(text, 1);
}

/** Like `findArithmetic`, but a lone number will do: one side of a comparison. */
export function findQuantity(text: string): FoundArithmetic | null {
  return findLargest(text, 0);
}

function findLargest(text: string, operatorsMin: number): FoundArithmetic | null {
  if (text.length > LOCAL_MODEL_LIMITS.arithmeticCharsMax) return null;
  const tokens = tokensOf(withSigns(text));
  let best: { parsed: Parsed; start: number; operatorsCount: number } | null = null;
  for (let start = 0; start < tokens.length;) {
    const parsed = parseSum(tokens, start, 0);
    if (parsed !== null) {
      const operatorsCount = countOperators(parsed.expression);
      if (operatorsCount >= operatorsMin && operatorsCount > (best?.operatorsCount ?? -1)) {
        best = { parsed, start, operatorsCount };
      }
    }
    start = parsed?.next ?? start + 1;
  }
  if (best === null) return null;
  const around = [...tokens.slice(0, best.start), ...tokens.slice(best.parsed.next)];
  return {
    expression: best.parsed.expression,
    operatorsCount: best.operatorsCount,
    otherWords: around.flatMap((token) => wordOf(token)),
  };
}

/** Numbers left over count as words: "in 2019 he had 3 + 4" is not only a sum. */
function wordOf(token: Token): string[] {
  switch (token.type) {
    case 'word':
      return [token.word];
    case 'number':
      return [formatRational(token.value)];
    case 'sign':
      return [];
    default:
      return token satisfies never;
  }
}

function tokensOf(text: string): Token[] {
  const pieces = text.matchAll(/(\d+(?:\.\d+)?|\.\d+)(?![\p{L}])|([-+*/^()%])|([^\s\-+*/^()%]+)/gu);
  return [...pieces].map((piece): Token => {
    if (piece[1] !== undefined) return { type: 'number', value: rationalFromDecimal(piece[1]) };
    if (piece[2] !== undefined) return { type: 'sign', sign: piece[2] };
    const word = (piece[3] ?? '').replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
    if (WORD_SIGNS.has(word)) return { type: 'sign', sign: word };
    return { type: 'word', word };
  });
}

const WORD_SIGNS = new Set(['mod', 'root', 'of', 'squared', 'cubed']);

interface Parsed {
  readonly expression: Expression;
  readonly next: number;
}

function signAt(tokens: readonly Token[], at: number): string | null {
  const token = tokens[at];
  return token?.type === 'sign' ? token.sign : null;
}

/** sum := product (('+' | '-') product)* */
function parseSum(tokens: readonly Token[], at: number, depth: number): Parsed | null {
  let left = parseProduct(tokens, at, depth);
  while (left !== null) {
    const operator = signAt(tokens, left.next);
    if (operator !== '+' && operator !== '-') return left;
    const right = parseProduct(tokens, left.next + 1, depth);
    if (right === null) return left;
    left = binary(operator, left, right);
  }
  return null;
}

/** product := signed (('*' | '/' | '%' | 'mod') signed | '(' sum ')')* */
function parseProduct(tokens: readonly Token[], at: number, depth: number): Parsed | null {
  let left = parseSigned(tokens, at, depth);
  while (left !== null) {
    const operator = productOperatorAt(tokens, left.next);
    if (operator === null) return left;
    const right = parseSigned(tokens, left.next + operator.length, depth);
    if (right === null) return left;
    left = binary(operator.operator, left, right);
  }
  return null;
}

/** A bracket right after a number multiplies: 2(3 + 4). */
function productOperatorAt(
  tokens: readonly Token[],
  at: number,
): { readonly operator: Operator; readonly length: 0 | 1 } | null {
  const sign = signAt(tokens, at);
  if (sign === '*' || sign === '/') return { operator: sign, length: 1 };
  if (sign === '%' || sign === 'mod') return { operator: 'mod', length: 1 };
  return sign === '(' ? { operator: '*', length: 0 } : null;
}

/** signed := ('-' | '+') signed | power. A minus binds less than a power: -2^2 is -4. */
function parseSigned(tokens: readonly Token[], at: number, depth: number): Parsed | null {
  if (depth > LOCAL_MODEL_LIMITS.nestingMax) return null;
  const sign = signAt(tokens, at);
  if (sign !== '-' && sign !== '+') return parsePower(tokens, at, depth);
  const operand = parseSigned(tokens, at + 1, depth + 1);
  if (operand === null || sign === '+') return operand;
  return { expression: { type: 'negate', of: operand.expression }, next: operand.next };
}

/** power := postfix ('^' signed)?, from the right: 2^3^2 is 2^9. */
function parsePower(tokens: readonly Token[], at: number, depth: number): Parsed | null {
  const base = parsePostfix(tokens, at, depth);
  if (base === null || signAt(tokens, base.next) !== '^') return base;
  const exponent = parseSigned(tokens, base.next + 1, depth + 1);
  return exponent === null ? base : binary('^', base, exponent);
}

/** postfix := primary ('squared' | 'cubed' | '%' | '% of' signed)*. "10 % 3" is a remainder, "10 %" a share. */
function parsePostfix(tokens: readonly Token[], at: number, depth: number): Parsed | null {
  let value = parsePrimary(tokens, at, depth);
  while (value !== null) {
    const sign = signAt(tokens, value.next);
    const next = value.next + 1;
    if (sign === 'squared' || sign === 'cubed') {
      const power = rationalFromDecimal(sign === 'squared' ? '2' : '3');
      value = binary('^', value, { expression: { type: 'number', value: power }, next });
    } else if (sign === '%' && !startsOperand(tokens, next)) {
      const percent: Parsed = { expression: { type: 'percent', of: value.expression }, next };
      if (signAt(tokens, next) !== 'of') return percent;
      const whole = parseSigned(tokens, next + 1, depth + 1);
      return whole === null ? percent : binary('*', percent, whole);
    } else {
      return value;
    }
  }
  return null;
}

function startsOperand(tokens: readonly Token[], at: number): boolean {
  const sign = signAt(tokens, at);
  return tokens[at]?.type === 'number' || sign === '(' || sign === 'root';
}

/** primary := number | '(' sum ')' | 'root' (primary | '-' signed) */
function parsePrimary(tokens: readonly Token[], at: number, depth: number): Parsed | null {
  if (depth > LOCAL_MODEL_LIMITS.nestingMax) return null;
  const token = tokens[at];
  if (token?.type === 'number') return { expression: token, next: at + 1 };
  if (signAt(tokens, at) === 'root') {
    const isSigned = signAt(tokens, at + 1) === '-';
    const operand = (isSigned ? parseSigned : parsePrimary)(tokens, at + 1, depth + 1);
    return operand === null
      ? null
      : { expression: { type: 'root', of: operand.expression }, next: operand.next };
  }
  if (signAt(tokens, at) !== '(') return null;
  const inner = parseSum(tokens, at + 1, depth + 1);
  if (inner === null || signAt(tokens, inner.next) !== ')') return null;
  return { expression: inner.expression, next: inner.next + 1 };
}

function binary(operator: Operator, left: Parsed, right: Parsed): Parsed {
  return {
    expression: { type: 'binary', operator, left: left.expression, right: right.expression },
    next: right.next,
  };
}

/** A minus before a number is part of the number, not an operation. */
function countOperators(expression: Expression): number {
  switch (expression.type) {
    case 'number':
      return 0;
    case 'binary':
      return 1 + countOperators(expression.left) + countOperators(expression.right);
    case 'negate':
      return countOperators(expression.of);
    case 'percent':
    case 'root':
      return 1 + countOperators(expression.of);
    default:
      return expression satisfies never;
  }
}
