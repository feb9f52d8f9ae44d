// What are the words and sentences of a text? Splitting, stop words and light stemming; no meaning.

const STOP_WORDS = new Set(
  (
    'a an and are as at be been being but by can could did do does doing for from had has have having he her hers him his ' +
    'how i if in into is it its me my of on or our please she should so some such tell than that the their them then there ' +
    'these they this those to us was we were what when where which who whom whose why will with would you your about also ' +
    'according passage text context document question answer many much'
  ).split(' '),
);

/** Words that end in a full stop without ending a sentence. */
const ABBREVIATIONS =
  /(?:^|[\s("'“])(?:Mr|Mrs|Ms|Dr|Prof|St|Mt|No|vs|etc|e\.g|i\.e|approx|c|ca|Jr|Sr|Inc|Ltd|Co|Gen|Col|Capt|Fig|[A-Z])\.$/u;

/** The words of a text as they stand, numbers with their decimals and thousands included. */
export function wordsOf(text: string): string[] {
  return text.match(/\d+(?:[.,]\d+)+|[\p{L}\p{N}]+(?:['’]\p{L}+)?/gu) ?? [];
}

/** The telling words of a text: lower case, no stop words, endings cut. */
export function termsOf(text: string): string[] {
  return wordsOf(text)
    .map((word) => word.toLowerCase().replace(/['’]s?$|['’]\p{L}+$/u, ''))
    .filter((word) => word !== '' && !STOP_WORDS.has(word))
    .map(stem);
}

/** Whether a word carries meaning of its own. */
export function isTelling(word: string): boolean {
  return !STOP_WORDS.has(word.toLowerCase());
}

/** Cut the common English endings, so that "opened", "opens" and "opening" meet. Rough on purpose: both sides are cut alike. */
function stem(word: string): string {
  if (word.length <= 3 || /\d/.test(word)) return word;
  const irregular = IRREGULAR.get(word);
  if (irregular !== undefined) return irregular;
  const base = word
    .replace(/(?:iest|ier|ies|ied)$/, 'y')
    .replace(/(?<=[a-z]{3})(?:ingly|edly|ings|ing|ers|er|ed|ly)$/, '')
    .replace(/(?<=ss|sh|ch|x|z)es$/, '')
    .replace(/(?<=[^s])s$/, '');
  return base.replace(/([^aeiouls])\1$/, '$1').replace(/(?<=[a-z]{2})e$/, '');
}

/** Forms that no rule reaches, and a few words that ask for one another. */
const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ['built', 'build'],
  ['began', 'begin'],
  ['begun', 'begin'],
  ['wrote', 'writ'],
  ['written', 'writ'],
  ['made', 'mak'],
  ['found', 'find'],
  ['founded', 'found'],
  ['grew', 'grow'],
  ['grown', 'grow'],
  ['died', 'die'],
  ['dies', 'die'],
  ['cities', 'city'],
  ['people', 'person'],
  ['inhabitants', 'person'],
  ['residents', 'person'],
  ['population', 'person'],
  ['children', 'child'],
  ['sold', 'sell'],
  ['bought', 'buy'],
  ['held', 'hold'],
  ['lived', 'liv'],
  ['lives', 'liv'],
  ['took', 'tak'],
  ['taken', 'tak'],
  ['gave', 'giv'],
  ['given', 'giv'],
  ['discovery', 'discov'],
  ['won', 'win'],
  ['led', 'lead'],
  ['located', 'locat'],
]);

/** The sentences of a text, in order. Blank lines, list items and headings end a sentence too. */
export function sentencesOf(text: string): string[] {
  return text
    .split(/\n\s*\n|\n(?=\s*(?:[-*•]|\d+[.)])\s)/u)
    .flatMap((block) => sentencesOfBlock(block.replace(/^\s*(?:[-*•]|\d+[.)])\s+/u, '')))
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

function sentencesOfBlock(block: string): string[] {
  const sentences: string[] = [];
  let current = '';
  for (const piece of block
    .replace(/\s+/gu, ' ')
    .split(/(?<=[.!?]["'”’)]?) (?=["'“‘(]?[\p{Lu}\p{N}])/u)) {
    current = current === '' ? piece.trim() : `${current} ${piece.trim()}`;
    if (ABBREVIATIONS.test(current)) continue;
    sentences.push(current);
    current = '';
  }
  if (current !== '') sentences.push(current);
  return sentences;
}

/** Runs of capitalised words that do not merely open a sentence: names, mostly. */
export function namesOf(text: string): string[] {
  const names = sentencesOf(text).flatMap((sentence) => {
    const runs = [
      ...sentence.matchAll(
        /\p{Lu}[\p{L}'’-]*(?: (?:of|de|van|von|la|the)(?= \p{Lu})| \p{Lu}[\p{L}'’.-]*)*/gu,
      ),
    ];
    return runs.map((run) => withoutOpener(run[0], run.index === 0));
  });
  return [
    ...new Set(
      names.map((name) => name.replace(/['’]s$|[.'’-]+$/u, '')).filter((n) => n.length > 1),
    ),
  ];
}

/** "The Golden Bridge" at the start is a name after its article; a lone "However" is not a name. */
function withoutOpener(run: string, opens: boolean): string {
  if (!opens) return run;
  const [first = '', ...rest] = run.split(' ');
  if (!isTelling(first)) return rest.join(' ');
  return rest.length === 0 && OPENERS.has(first) ? '' : run;
}

const OPENERS = new Set(
  'However After Before During Since While Although Today Later Most Many Every Each One Two Three No Not Only'.split(
    ' ',
  ),
);

/** The numbers written in a text, with where they stand. Thousands separators are understood; "3rd" and "A4" are not numbers. */
export function numbersOf(text: string): { readonly value: number; readonly index: number }[] {
  const found = text.matchAll(/(?<![\p{L}\p{N}.])-?\d[\d,]*(?:\.\d+)?(?!\p{L}|\d)/gu);
  return [...found].map((match) => ({
    value: Number(match[0].replace(/,/g, '')),
    index: match.index,
  }));
}

/** A rough count of tokens: one for every six characters of a word begun, one for every other sign. */
export function tokensCountOf(text: string): number {
  let count = 0;
  for (const [piece] of text.matchAll(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)) {
    count += Math.ceil(piece.length / CHARS_PER_TOKEN);
  }
  return count;
}

/** English words average four to five letters and are mostly one token in current vocabularies. */
const CHARS_PER_TOKEN = 6;

/** A text cut at a length, with an ellipsis when something was lost. */
export function cutText(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1).trimEnd()}…`;
}
