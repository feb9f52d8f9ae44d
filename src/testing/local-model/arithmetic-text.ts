// How does a sum in words become signs? "seventeen times three" to "17 * 3"; the grammar is in arithmetic.ts.

const SMALL =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const SCALES: ReadonlyMap<string, number> = new Map([
  ['hundred', 100],
  ['thousand', 1_000],
  ['million', 1_000_000],
]);
const THOUSAND = 1_000;
const TEN = 10;

const NUMBER = '(-?\\d+(?:\\.\\d+)?)';
const LEAD = '(?:the )?(?:numbers? )?';

/** Phrases and their signs, in the order in which they are tried. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/\*\*/g, '^'],
  [/[×·⋅]/gu, '*'],
  [/÷/gu, '/'],
  [/[−–]/gu, '-'],
  [/(\d)\s*x\s*(?=\d)/g, '$1 * '],
  [/\braised to(?: the power(?: of)?)?\b|\bto the power(?: of)?\b/g, ' ^ '],
  [/\bmultiplied (?:by|with)\b|\btimes\b/g, ' * '],
  [/\bdivided by\b/g, ' / '],
  [/\bplus\b|\badded to\b/g, ' + '],
  [/\bminus\b/g, ' - '],
  [/\bmodulo\b|\bmod\b/g, ' mod '],
  [/\bper ?cent\b/g, ' % '],
  [/\b(?:the )?square root of\b|\bsqrt\b|√/gu, ' root '],
  [/\b(?:the )?square of\s+(-?\d+(?:\.\d+)?)/g, ' ($1)^2 '],
  [/\bhalf of\b/g, ' 0.5 * '],
  [/\bdouble\b|\btwice\b/g, ' 2 * '],
  [
    new RegExp(`\\b(?:sum of|add(?:ing)?) ${LEAD}${NUMBER} (?:and|to|with) ${NUMBER}`, 'g'),
    '($1 + $2)',
  ],
  [new RegExp(`\\bdifference (?:between|of) ${LEAD}${NUMBER} and ${NUMBER}`, 'g'), '($1 - $2)'],
  [new RegExp(`\\bsubtract(?:ing)? ${NUMBER} from ${NUMBER}`, 'g'), '($2 - $1)'],
  [
    new RegExp(
      `\\b(?:product of|multiply(?:ing)?) ${LEAD}${NUMBER} (?:and|by|with) ${NUMBER}`,
      'g',
    ),
    '($1 * $2)',
  ],
  [
    new RegExp(`\\b(?:quotient of|divid(?:e|ing)) ${LEAD}${NUMBER} (?:and|by) ${NUMBER}`, 'g'),
    '($1 / $2)',
  ],
  [/\bthe (?=\()/g, ''],
];

/** Lower case, digits for number words, signs for operator words. Other words stay, and break a sum in two. */
export function withSigns(text: string): string {
  const digits = withDigits(text.toLowerCase()).replace(/(?<=\d),(?=\d{3}(?!\d))/g, '');
  return PHRASES.reduce((signs, [phrase, sign]) => signs.replace(phrase, sign), digits);
}

/** Replace runs of number words: "two hundred and five" to "205". A lone "one" or "a hundred" is left as it may be a pronoun. */
function withDigits(text: string): string {
  const word = [...SMALL, ...TENS, ...SCALES.keys()].join('|');
  const run = new RegExp(`\\b(?:${word})(?:(?:[ -]| and )(?:${word}))*\\b`, 'g');
  return text.replace(run, (words) => readNumberWords(words) ?? words);
}

/** Null when the run is not one number, such as "two three". */
function readNumberWords(words: string): string | null {
  let total = 0;
  let group = 0;
  let lastRank = Number.POSITIVE_INFINITY;
  for (const word of words.split(/[ -]/).filter((part) => part !== 'and')) {
    const scale = SCALES.get(word);
    if (scale === THOUSAND || (scale !== undefined && scale > THOUSAND)) {
      total += (group || 1) * scale;
      group = 0;
      lastRank = Number.POSITIVE_INFINITY;
    } else if (scale !== undefined) {
      group = (group || 1) * scale;
      lastRank = scale;
    } else {
      const tens = TENS.indexOf(word);
      const value = tens >= 0 ? (tens + 2) * TEN : SMALL.indexOf(word);
      const rank = tens >= 0 ? TEN : 1;
      if (rank >= lastRank || (lastRank === TEN && value >= TEN)) return null;
      group += value;
      lastRank = rank;
    }
  }
  return String(total + group);
}
