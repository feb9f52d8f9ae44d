// How are numbers added without rounding? Fractions of big integers, and the way they are written down.

/** A number as a fraction in lowest terms, denominator above zero. `exact` is false once a root had to be rounded. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly exact: boolean;
}

/** Decimals that are written when a fraction never ends, such as one third. */
const DECIMALS_ROUNDED = 10;
/** A fraction that ends within this many decimals is written in full. */
const DECIMALS_MAX = 30;

export function rational(numerator: bigint, denominator = 1n, exact = true): Rational {
  const sign = denominator < 0n ? -1n : 1n;
  const divisor = greatestCommonDivisor(absolute(numerator), absolute(denominator)) || 1n;
  return {
    numerator: (sign * numerator) / divisor,
    denominator: (sign * denominator) / divisor,
    exact,
  };
}

/** Read a plain decimal such as "12.50" exactly. The caller has checked its form. */
export function rationalFromDecimal(digits: string): Rational {
  const [whole = '0', decimals = ''] = digits.split('.');
  return rational(BigInt(`${whole || '0'}${decimals}`), 10n ** BigInt(decimals.length));
}

export function rationalFromNumber(value: number): Rational {
  const [mantissa = '0', exponent = '0'] = value.toExponential(SIGNIFICANT_DIGITS).split('e');
  const sign = mantissa.startsWith('-') ? -1n : 1n;
  const read = rationalFromDecimal(mantissa.replace('-', ''));
  const shift = Number(exponent);
  const power = 10n ** BigInt(Math.abs(shift));
  return shift < 0
    ? rational(sign * read.numerator, read.denominator * power, false)
    : rational(sign * read.numerator * power, read.denominator, false);
}

/** A double holds 15 decimal digits faithfully; 13 decimals after the first digit leave the last one out. */
const SIGNIFICANT_DIGITS = 13;

export function add(a: Rational, b: Rational): Rational {
  return rational(
    a.numerator * b.denominator + b.numerator * a.denominator,
    a.denominator * b.denominator,
    a.exact && b.exact,
  );
}

export function negate(a: Rational): Rational {
  return rational(-a.numerator, a.denominator, a.exact);
}

export function multiply(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.numerator, a.denominator * b.denominator, a.exact && b.exact);
}

/** Divide. The caller has made sure that `b` is not zero. */
export function divide(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.denominator, a.denominator * b.numerator, a.exact && b.exact);
}

/** What is left after dividing, with the sign of the divisor, as Python has it. `b` is not zero. */
export function modulo(a: Rational, b: Rational): Rational {
  const quotient = divide(a, b);
  const floor = floorDivide(quotient.numerator, quotient.denominator);
  return add(a, negate(multiply(rational(floor), b)));
}

export function compare(a: Rational, b: Rational): -1 | 0 | 1 {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  if (difference === 0n) return 0;
  return difference < 0n ? -1 : 1;
}

export function isZero(a: Rational): boolean {
  return a.numerator === 0n;
}

export function isInteger(a: Rational): boolean {
  return a.denominator === 1n;
}

/** The nearest double. Very long fractions are shortened first, since each part alone may exceed a double. */
export function toNumber(a: Rational): number {
  return Number(formatRational(a));
}

/** Digits of the longer part: what memory and time depend on. */
export function digitsCount(a: Rational): number {
  return Math.max(absolute(a.numerator).toString().length, a.denominator.toString().length);
}

/** Write a number as a person would: "391", "0.3", "-2.5", "0.3333333333". */
export function formatRational(a: Rational): string {
  const decimals = a.exact ? (endingDecimals(a.denominator) ?? DECIMALS_ROUNDED) : DECIMALS_ROUNDED;
  const scale = 10n ** BigInt(decimals);
  const doubled = absolute(a.numerator) * scale * 2n + a.denominator;
  const digits = (doubled / (a.denominator * 2n)).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const rest = digits.slice(digits.length - decimals).replace(/0+$/, '');
  const sign = a.numerator < 0n && /[1-9]/.test(digits) ? '-' : '';
  return `${sign}${whole}${rest === '' ? '' : `.${rest}`}`;
}

/** Whether what `formatRational` writes is the number itself. */
export function isWrittenExactly(a: Rational): boolean {
  return a.exact && endingDecimals(a.denominator) !== null;
}

/** How many decimals the fraction has, or null when it never ends or is too long to write. */
function endingDecimals(denominator: bigint): number | null {
  let rest = denominator;
  let twos = 0;
  let fives = 0;
  for (; rest % 2n === 0n; twos += 1) rest /= 2n;
  for (; rest % 5n === 0n; fives += 1) rest /= 5n;
  const decimals = Math.max(twos, fives);
  return rest === 1n && decimals <= DECIMALS_MAX ? decimals : null;
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

function absolute(a: bigint): bigint {
  return a < 0n ? -a : a;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
