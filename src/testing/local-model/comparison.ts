// Is it true? Questions that compare numbers or ask what kind of number one is: "Is 7 > 3?", "Which is larger, 9.11 or 9.9?".
import { findQuantity } from './arithmetic.ts';
import { evaluate, formatExpression } from './arithmetic-value.ts';
import { LOCAL_MODEL_LIMITS } from './limits.ts';
import { compare, formatRational, isInteger, rational, type Rational } from './rational.ts';

export type Comparison =
  | { readonly type: 'verdict'; readonly truth: boolean; readonly because: string }
  | { readonly type: 'choice'; readonly chosen: Rational; readonly because: string };

type Relation = '>' | '<' | '>=' | '<=' | '=' | '!=';

const THAN = '(?: than)?';
/** Words and signs of a comparison; longer ones first, since ">=" begins with ">". */
const RELATIONS: readonly (readonly [RegExp, Relation])[] = [
  [/>=|≥|\b(?:greater|larger|more|bigger|higher) than or equal to\b|\bat least\b/iu, '>='],
  [/<=|≤|\b(?:less|smaller|fewer|lower) than or equal to\b|\bat most\b/iu, '<='],
  [/!=|≠|\b(?:not equal to|different from)\b/iu, '!='],
  [new RegExp(`>|\\b(?:greater|larger|more|bigger|higher|above)${THAN}\\b`, 'i'), '>'],
  [new RegExp(`<|\\b(?:less|smaller|fewer|lower|below)${THAN}\\b`, 'i'), '<'],
  [/==?|\b(?:is )?equals?(?: to)?\b|\bthe same as\b/i, '='],
];

const ASKS_TRUTH =
  /^(?:is|are|does|do|was|true or false|check|verify)\b|\btrue or false\b|\bcorrect\s*\?*$|\bright\s*\?$/i;

/** Read a text as a comparison of numbers; null when it is none. */
export function findComparison(text: string): Comparison | null {
  if (text.length > LOCAL_MODEL_LIMITS.arithmeticCharsMax) return null;
  return findChoice(text) ?? findNumberKind(text) ?? findRelation(text);
}

function findRelation(text: string): Comparison | null {
  for (const [pattern, relation] of RELATIONS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const asksTruth = ASKS_TRUTH.test(text.trim()) || /[<>≤≥≠]|!=|==/u.test(match[0]);
    const left = sideOf(text.slice(0, match.index));
    const right = sideOf(text.slice(match.index + match[0].length));
    if (!asksTruth || left === null || right === null) return null;
    const truth = holds(relation, compare(left.value, right.value));
    const found = compare(left.value, right.value);
    const words = found === 0 ? 'is equal to' : found > 0 ? 'is greater than' : 'is less than';
    return { type: 'verdict', truth, because: `${left.shown} ${words} ${right.shown}` };
  }
  return null;
}

function holds(relation: Relation, order: -1 | 0 | 1): boolean {
  switch (relation) {
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    default:
      return relation satisfies never;
  }
}

/** A side may be a sum. Words other than these belong to a story, and a story is not compared. */
const SIDE_WORDS = new Set(
  'is are it true that does do the number value result of or false check verify whether if correct right was'.split(
    ' ',
  ),
);

function sideOf(text: string): { readonly value: Rational; readonly shown: string } | null {
  const found = findQuantity(text);
  if (found === null || found.otherWords.some((word) => word !== '' && !SIDE_WORDS.has(word)))
    return null;
  const result = evaluate(found.expression);
  if (result.type === 'undefined') return null;
  const value = formatRational(result.value);
  const shown =
    found.operatorsCount === 0 ? value : `${formatExpression(found.expression)} = ${value}`;
  return { value: result.value, shown };
}

/** "Which is larger, 9.11 or 9.9?" */
function findChoice(text: string): Comparison | null {
  const match =
    /\bwhich\b.*?\b(larger|bigger|greater|higher|largest|biggest|greatest|smaller|less|lower|smallest|least)\b[^\d-]*(-?[\d.]+)\s*(?:,|or|and)\s*(-?[\d.]+)/i.exec(
      text,
    );
  const [first, second] = [
    findQuantity(match?.[2] ?? ''),
    findQuantity(match?.[3]?.replace(/\.$/, '') ?? ''),
  ];
  const [a, b] = [first && evaluate(first.expression), second && evaluate(second.expression)];
  if (match === null || a?.type !== 'value' || b?.type !== 'value') return null;
  const wantsSmall = /^(?:small|less|low|least)/i.test(match[1] ?? '');
  const chosen = compare(a.value, b.value) < 0 === wantsSmall ? a.value : b.value;
  const other = chosen === a.value ? b.value : a.value;
  const words =
    compare(chosen, other) === 0 ? 'is equal to' : wantsSmall ? 'is less than' : 'is greater than';
  return {
    type: 'choice',
    chosen,
    because: `${formatRational(chosen)} ${words} ${formatRational(other)}`,
  };
}

const PRIME_MAX = 1_000_000_000n;
const TWO = rational(2n);

/** "Is 7 even?", "Is 91 a prime number?" */
function findNumberKind(text: string): Comparison | null {
  const match = /\bis\s+(-?\d+)\s+(?:an?\s+)?(even|odd|prime)\b/i.exec(text);
  if (match === null) return null;
  const value = BigInt(match[1] ?? '0');
  const kind = (match[2] ?? '').toLowerCase();
  if (kind === 'prime') {
    if (value > PRIME_MAX) return null;
    const factor = smallestFactor(value);
    const because =
      value < 2n
        ? 'primes start at 2'
        : factor === value
          ? `nothing but 1 and ${value} divides ${value}`
          : `${value} = ${factor} * ${value / factor}`;
    return { type: 'verdict', truth: value >= 2n && factor === value, because };
  }
  const even = isInteger(rational(value, TWO.numerator));
  return {
    type: 'verdict',
    truth: even === (kind === 'even'),
    because: `${value} is ${even ? 'even' : 'odd'}`,
  };
}

function smallestFactor(value: bigint): bigint {
  for (let factor = 2n; factor * factor <= value; factor += 1n)
    if (value % factor === 0n) return factor;
  return value;
}
