// Which sentence of a passage answers a question? Word overlap weighed by rarity, and what kind of thing was asked for.
import { LOCAL_MODEL_LIMITS } from './limits.ts';
import { isTelling, namesOf, numbersOf, sentencesOf, termsOf, wordsOf } from './text.ts';

/** What a question wants to hear. */
export type QuestionKind = 'person' | 'time' | 'quantity' | 'place' | 'reason' | 'other';

/** The sentence that answers best, or that none does. */
export type Extraction =
  | {
      readonly type: 'found';
      readonly sentence: string;
      /** Place of the sentence in the passage, from 1, and how many there are. */
      readonly position: number;
      readonly sentencesCount: number;
      readonly kind: QuestionKind;
      readonly matched: readonly string[];
      /** Share of the question's weight that the sentence carries, 0 to 1. */
      readonly coverage: number;
      /** All sentences that share a telling word, best first. */
      readonly ranked: readonly string[];
    }
  | {
      readonly type: 'not-said';
      readonly sentencesCount: number;
      readonly missing: readonly string[];
    };

interface Scored {
  readonly sentence: string;
  readonly index: number;
  readonly matched: readonly string[];
  readonly coverage: number;
  readonly score: number;
}

/** Below this share of the question's weight, a shared word is chance. */
const COVERAGE_MIN = 0.34;
/** A sentence that opens with "It" or "She" speaks of what the one before named. */
const CARRIED_WEIGHT = 0.5;
/** Holding the kind of thing asked for counts as much as a third of the question's words. */
const KIND_BONUS = 0.35;
/** Two question words side by side in the sentence, in the same order. */
const PAIR_BONUS = 0.1;
/** A word too many costs little: it only decides between sentences that match alike. */
const LENGTH_COST = 0.002;

/** Pick the sentence of `passage` that answers `question`. */
export function extractAnswer(question: string, passage: string): Extraction {
  const sentences = sentencesOf(passage.slice(0, LOCAL_MODEL_LIMITS.passageCharsMax));
  const asked = [...new Set(termsOf(question))];
  const terms = sentences.map((sentence) => termsOf(sentence));
  const weights = weightsOf(asked, terms);
  const kind = kindOf(question);
  const scored = sentences
    .map((sentence, index) => {
      const carried = PRONOUN_OPENS.test(sentence) ? (terms[index - 1] ?? []) : [];
      return scoreSentence({
        sentence,
        index,
        own: terms[index] ?? [],
        carried,
        asked,
        weights,
        kind,
        question,
      });
    })
    .filter((candidate) => candidate.matched.length > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index);
  const best = scored[0];
  if (best === undefined || best.coverage < COVERAGE_MIN || namesAbsent(question, passage)) {
    const known = new Set(terms.flat());
    return {
      type: 'not-said',
      sentencesCount: sentences.length,
      missing: asWritten(
        asked.filter((term) => !known.has(term)),
        question,
      ),
    };
  }
  return {
    type: 'found',
    sentence: best.sentence,
    position: best.index + 1,
    sentencesCount: sentences.length,
    kind,
    matched: asWritten(best.matched, question),
    coverage: best.coverage,
    ranked: scored.map((candidate) => candidate.sentence),
  };
}

/** What kind of thing does a question ask for? */
function kindOf(question: string): QuestionKind {
  if (/\b(?:who|whom|whose)\b/i.test(question)) return 'person';
  if (/\b(?:when|(?:what|which) (?:year|date|day|month|century|decade))\b/i.test(question))
    return 'time';
  if (
    /\bhow (?:many|much|long|tall|high|far|old|big|large|wide|deep|fast|often|heavy)\b/i.test(
      question,
    )
  ) {
    return 'quantity';
  }
  if (/\bwhat (?:number|percentage|share|population|length|height|price|cost)\b/i.test(question))
    return 'quantity';
  if (
    /\b(?:where|(?:what|which) (?:city|country|place|town|state|continent|region))\b/i.test(
      question,
    )
  ) {
    return 'place';
  }
  return /\bwhy\b/i.test(question) ? 'reason' : 'other';
}

/** Rare words tell more. A word the passage never uses weighs like one used once: its absence must count against an answer. */
function weightsOf(
  asked: readonly string[],
  sentences: readonly (readonly string[])[],
): Map<string, number> {
  return new Map(
    asked.map((term) => {
      const holders = sentences.filter((terms) => terms.includes(term)).length;
      return [term, Math.log(1 + (sentences.length + 1) / (Math.max(1, holders) + 0.5))];
    }),
  );
}

function scoreSentence(input: {
  readonly sentence: string;
  readonly index: number;
  readonly own: readonly string[];
  readonly carried: readonly string[];
  readonly asked: readonly string[];
  readonly weights: ReadonlyMap<string, number>;
  readonly kind: QuestionKind;
  readonly question: string;
}): Scored {
  const { own, carried, asked, weights } = input;
  const weightOf = (term: string): number => weights.get(term) ?? 0;
  const total = asked.reduce((sum, term) => sum + weightOf(term), 0);
  const matched = asked.filter((term) => own.includes(term));
  const borrowed =
    matched.length === 0
      ? []
      : asked.filter((term) => !own.includes(term) && carried.includes(term));
  const weight =
    matched.reduce((sum, term) => sum + weightOf(term), 0) +
    CARRIED_WEIGHT * borrowed.reduce((sum, term) => sum + weightOf(term), 0);
  const coverage = total === 0 ? 0 : weight / total;
  const pairs = own.filter(
    (term, i) => i > 0 && asked.indexOf(term) > 0 && asked[asked.indexOf(term) - 1] === own[i - 1],
  );
  const bonus = holdsKind(input.sentence, input.kind, input.question) ? KIND_BONUS : 0;
  return {
    sentence: input.sentence,
    index: input.index,
    matched,
    coverage,
    score:
      coverage +
      bonus * Math.min(1, coverage * 2) +
      PAIR_BONUS * pairs.length -
      LENGTH_COST * own.length,
  };
}

const PRONOUN_OPENS = /^(?:It|Its|They|Their|He|His|She|Her|This|These)\b/;
const MONTH =
  'January|February|March|April|May|June|July|August|September|October|November|December';
const TIME = new RegExp(
  `\\b(?:1\\d{3}|20\\d{2})\\b|\\b(?:${MONTH})\\b|\\b\\d{1,2}(?:st|nd|rd|th) century\\b|\\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\\b`,
);

/** Does a sentence hold the kind of thing asked for, beyond what the question itself says? */
function holdsKind(sentence: string, kind: QuestionKind, question: string): boolean {
  switch (kind) {
    case 'person':
      return namesOf(sentence).some((name) => !question.includes(name));
    case 'time':
      return TIME.test(sentence);
    case 'quantity':
      return (
        numbersOf(sentence).some((number) => !isYear(number.value)) ||
        /\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|hundred|thousand|million|dozen)\b/i.test(
          sentence,
        )
      );
    case 'place':
      return /\b(?:in|at|on|near|from|to|across|between|over)\s+(?:the\s+)?\p{Lu}/u.test(sentence);
    case 'reason':
      return /\b(?:because|since|due to|so that|in order to|owing to|as a result|caused)\b/i.test(
        sentence,
      );
    case 'other':
      return false;
    default:
      return kind satisfies never;
  }
}

const YEAR_FIRST = 1_000;
const YEAR_LAST = 2_100;

function isYear(value: number): boolean {
  return Number.isInteger(value) && value >= YEAR_FIRST && value <= YEAR_LAST;
}

/** A question about someone whom the passage never names is not answered by it, however many other words agree. */
function namesAbsent(question: string, passage: string): boolean {
  const names = namesOf(question).filter((name) => !question.startsWith(name));
  const known = new Set(wordsOf(passage.toLowerCase()));
  const parts = names.flatMap((name) => wordsOf(name.toLowerCase())).filter(isTelling);
  return parts.length > 0 && parts.every((part) => !known.has(part));
}

/** The question's own spelling of some of its stems. */
function asWritten(matched: readonly string[], question: string): string[] {
  const words = wordsOf(question).filter((word) => matched.includes(termsOf(word)[0] ?? ''));
  return [...new Set(words)];
}

/** The sentences that say most of what the passage is about, in the passage's order. */
export function summarySentences(passage: string, sentencesCountMax: number): string[] {
  const sentences = sentencesOf(passage.slice(0, LOCAL_MODEL_LIMITS.passageCharsMax));
  const counts = new Map<string, number>();
  for (const term of termsOf(passage)) counts.set(term, (counts.get(term) ?? 0) + 1);
  return sentences
    .map((sentence, index) => {
      const terms = [...new Set(termsOf(sentence))];
      const weight = terms.reduce((sum, term) => sum + (counts.get(term) ?? 0), 0);
      return { sentence, index, score: weight / Math.sqrt(terms.length + 1) };
    })
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, sentencesCountMax)
    .sort((a, b) => a.index - b.index)
    .map((candidate) => candidate.sentence);
}

/** The words a passage uses most, as they stand in it. */
export function keywordsOf(passage: string, wordsCountMax: number): string[] {
  const counts = new Map<string, { word: string; count: number }>();
  for (const word of wordsOf(passage).filter((each) => /\p{L}{3}/u.test(each) && isTelling(each))) {
    const term = termsOf(word)[0] ?? word;
    const seen = counts.get(term);
    counts.set(term, { word: seen?.word ?? word, count: (seen?.count ?? 0) + 1 });
  }
  return [...counts.values()]
    .sort((a, b) => b.count - a.count)
    .slice(0, wordsCountMax)
    .map((entry) => entry.word);
}
