// What does a sum come to, and by which steps? Exact where it can be; says so where it cannot.
import type { Expression, Operator } from './arithmetic.ts';
import { LOCAL_MODEL_LIMITS } from './limits.ts';
import {
  add,
  compare,
  digitsCount,
  divide,
  formatRational,
  isInteger,
  isZero,
  modulo,
  multiply,
  negate,
  rational,
  rationalFromNumber,
  toNumber,
  type Rational,
} from './rational.ts';

/** The outcome of a sum. Steps read like "17 * 23 = 391". */
export type Evaluation =
  | { readonly type: 'value'; readonly value: Rational; readonly steps: readonly string[] }
  | {
      readonly type: 'undefined';
      readonly because: 'division-by-zero' | 'no-real-result' | 'too-large';
    };

type Undefined = Extract<Evaluation, { type: 'undefined' }>;

const ONE_HUNDRED = 100n;
const ZERO = rational(0n);
const ONE = rational(1n);

/** Work a sum out, innermost part first. */
export function evaluate(expression: Expression): Evaluation {
  const steps: string[] = [];
  const value = valueOf(expression, steps);
  return 'type' in value ? value : { type: 'value', value, steps };
}

/** Write a sum down again with one space around each sign and no needless brackets. */
export function formatExpression(expression: Expression, bindsAbove = 0): string {
  switch (expression.type) {
    case 'number':
      return formatRational(expression.value);
    case 'negate':
      return `-${formatExpression(expression.of, BINDS['*'])}`;
    case 'percent':
      return `${formatExpression(expression.of, BINDS['^'])}%`;
    case 'root':
      return `sqrt(${formatExpression(expression.of)})`;
    case 'binary': {
      const binds = BINDS[expression.operator];
      const isPower = expression.operator === '^';
      const left = formatExpression(expression.left, isPower ? binds + 1 : binds);
      const right = formatExpression(expression.right, isPower ? binds : binds + 1);
      const sum = isPower ? `${left}^${right}` : `${left} ${expression.operator} ${right}`;
      return binds < bindsAbove ? `(${sum})` : sum;
    }
    default:
      return expression satisfies never;
  }
}

/** How tightly an operator holds its operands; higher is tighter. */
const BINDS: Readonly<Record<Operator, number>> = {
  '+': 1,
  '-': 1,
  '*': 2,
  '/': 2,
  mod: 2,
  '^': 3,
};

function valueOf(expression: Expression, steps: string[]): Rational | Undefined {
  switch (expression.type) {
    case 'number':
      return boundDigits(expression.value);
    case 'binary':
      return valueOfBinary(expression, steps);
    case 'negate': {
      const value = valueOf(expression.of, steps);
      return 'type' in value ? value : negate(value);
    }
    case 'percent': {
      const value = valueOf(expression.of, steps);
      return 'type' in value ? value : divide(value, rational(ONE_HUNDRED));
    }
    case 'root': {
      const value = valueOf(expression.of, steps);
      if ('type' in value) return value;
      const root = squareRoot(value);
      if (!('type' in root)) steps.push(`sqrt(${formatRational(value)}) = ${formatRational(root)}`);
      return root;
    }
    default:
      return expression satisfies never;
  }
}

function valueOfBinary(
  expression: Extract<Expression, { type: 'binary' }>,
  steps: string[],
): Rational | Undefined {
  const left = valueOf(expression.left, steps);
  if ('type' in left) return left;
  const right = valueOf(expression.right, steps);
  if ('type' in right) return right;
  const value = apply(expression.operator, left, right);
  if (!('type' in value)) {
    const [a, b] = [formatRational(left), formatRational(right)];
    steps.push(`${a} ${expression.operator} ${b} = ${formatRational(value)}`);
  }
  return value;
}

function apply(operator: Operator, left: Rational, right: Rational): Rational | Undefined {
  switch (operator) {
    case '+':
      return boundDigits(add(left, right));
    case '-':
      return boundDigits(add(left, negate(right)));
    case '*':
      return boundDigits(multiply(left, right));
    case '/':
      return isZero(right)
        ? undefinedBecause('division-by-zero')
        : boundDigits(divide(left, right));
    case 'mod':
      return isZero(right)
        ? undefinedBecause('division-by-zero')
        : boundDigits(modulo(left, right));
    case '^':
      return power(left, right);
    default:
      return operator satisfies never;
  }
}

function power(base: Rational, exponent: Rational): Rational | Undefined {
  if (isZero(base) && compare(exponent, ZERO) < 0) return undefinedBecause('division-by-zero');
  if (!isInteger(exponent)) return fromNumber(toNumber(base) ** toNumber(exponent));
  const times = exponent.numerator < 0n ? -exponent.numerator : exponent.numerator;
  const isUnit = isInteger(base) && base.numerator <= 1n && base.numerator >= -1n;
  // Refuse before computing: the digits of a power are the digits of its base, that many times.
  if (
    !isUnit &&
    times * BigInt(Math.max(1, digitsCount(base) - 1)) > BigInt(LOCAL_MODEL_LIMITS.digitsMax) * 4n
  ) {
    return undefinedBecause('too-large');
  }
  const odd = times % 2n;
  const raised = isUnit
    ? rational(odd === 1n ? base.numerator : base.numerator * base.numerator)
    : rational(base.numerator ** times, base.denominator ** times, base.exact);
  const value = times === 0n ? ONE : raised;
  return boundDigits(exponent.numerator < 0n ? divide(ONE, value) : value);
}

function squareRoot(value: Rational): Rational | Undefined {
  if (compare(value, ZERO) < 0) return undefinedBecause('no-real-result');
  const numerator = wholeRoot(value.numerator);
  const denominator = wholeRoot(value.denominator);
  if (numerator !== null && denominator !== null)
    return rational(numerator, denominator, value.exact);
  return fromNumber(Math.sqrt(toNumber(value)));
}

/** The whole square root, or null when there is none. Newton's method, from above. */
function wholeRoot(square: bigint): bigint | null {
  if (square < 2n) return square;
  let root = 1n << BigInt(Math.ceil(square.toString(2).length / 2));
  for (;;) {
    const next = (root + square / root) / 2n;
    if (next >= root) return root * root === square ? root : null;
    root = next;
  }
}

function fromNumber(value: number): Rational | Undefined {
  if (Number.isNaN(value)) return undefinedBecause('no-real-result');
  return Number.isFinite(value) ? rationalFromNumber(value) : undefinedBecause('too-large');
}

function boundDigits(value: Rational): Rational | Undefined {
  return digitsCount(value) > LOCAL_MODEL_LIMITS.digitsMax ? undefinedBecause('too-large') : value;
}

function undefinedBecause(because: Undefined['because']): Undefined {
  return { type: 'undefined', because };
}
