// Which of the offered labels fits? A small lexicon for moods, yes and no, then plain word overlap.
import type { Answer, Task } from './answer.ts';
import { termsOf } from './text.ts';

const GOOD = new Set(
  termsOf(
    'amazing awesome beautiful best better brilliant charming clean comfortable delicious delightful easy enjoy enjoyed excellent fantastic fast favorite fine friendly fun glad good great happy helpful impressive joy kind like liked love loved lovely magnificent nice outstanding perfect pleasant pleased pleasure quick recommend reliable satisfied smooth splendid superb thank thanks thrilled useful warm win wonderful worth',
  ),
);
const BAD = new Set(
  termsOf(
    'angry annoying annoyed awful bad boring broke broken buggy cold complaint crash crashed damaged defective delay delayed dirty disappointed disappointing disappointment dreadful dull error expensive fail failed failure fault faulty frustrating frustrated hate hated horrible late lost mediocre mess miserable noisy painful pathetic poor problem refund regret rude sad scam slow terrible ugly unhappy unreliable upset useless waste wasted weak worse worst wrong',
  ),
);
const NEGATIONS =
  /^(?:not|no|never|hardly|isn't|wasn't|don't|doesn't|didn't|can't|won't|couldn't|nothing)$/;
/** How many words a "not" reaches forward: "not a very good film". */
const NEGATION_REACH = 3;

const POSITIVE = /^(?:pos(?:itive)?|good|happy|joy|favou?rable|satisfied|like|thumbs.?up)$/i;
const NEGATIVE =
  /^(?:neg(?:ative)?|bad|sad|angry|anger|unhappy|unfavou?rable|dissatisfied|dislike|complaint)$/i;
const NEUTRAL = /^(?:neutral|mixed|none|other|unknown)$/i;
const YES = /^(?:yes|true|supported|entailment|entailed|correct|support|supports|valid|spam)$/i;
const NO =
  /^(?:no|false|unsupported|refuted|contradiction|incorrect|refutes|invalid|not.?spam|ham)$/i;

/** The balance of good and bad words: above zero is a good mood. A word after "not" counts the other way. */
function moodOf(text: string): number {
  const words = text.toLowerCase().match(/[\p{L}]+(?:['’]\p{L}+)?/gu) ?? [];
  let mood = 0;
  let negatedFor = 0;
  for (const word of words) {
    const term = termsOf(word)[0] ?? '';
    const value = GOOD.has(term) ? 1 : BAD.has(term) ? -1 : 0;
    mood += negatedFor > 0 ? -value : value;
    // The first word that a "not" turns uses it up: "did not like this awful film" is bad twice.
    if (NEGATIONS.test(word.replace('’', "'"))) negatedFor = NEGATION_REACH;
    else negatedFor = value === 0 ? negatedFor - 1 : 0;
  }
  return mood;
}

/** Pick one of `options`: the first when nothing tells them apart. @throws {RangeError} when there is none. */
export function chooseOption<T>(options: readonly T[], task: Task, answer: Answer): T {
  const named = options.map((option) => ({ option, label: String(option) }));
  const read = `${task.passage ?? ''} ${task.question}`;
  const find = (pattern: RegExp): T | undefined =>
    named.find(({ label }) => pattern.test(label))?.option;
  const [positive, negative] = [find(POSITIVE), find(NEGATIVE)];
  if (positive !== undefined && negative !== undefined) {
    const mood = moodOf(read);
    if (mood === 0) return find(NEUTRAL) ?? positive;
    return mood > 0 ? positive : negative;
  }
  const [yes, no] = [find(YES), find(NO)];
  if (yes !== undefined && no !== undefined) return truthOf(task, answer) ? yes : no;
  if (answer.number !== null) {
    const equal = named.find(({ label }) => label === answer.number);
    if (equal !== undefined) return equal.option;
  }
  let best: { readonly option: T; readonly score: number } | undefined;
  for (const { option, label } of named) {
    const score = overlap(label, read, answer);
    if (best === undefined || score > best.score) best = { option, score };
  }
  if (best === undefined) throw new RangeError('there is nothing to choose from');
  return best.option;
}

/** An option that the answer names beats one that the prompt names, and a whole name beats a shared word. */
function overlap(label: string, read: string, answer: Answer): number {
  const words = termsOf(label.replace(/[_-]+/g, ' '));
  const inAnswer = new Set(termsOf(answer.short));
  const inPrompt = termsOf(read);
  const count = (has: (word: string) => boolean): number =>
    words.length === 0 ? 0 : words.filter(has).length / words.length;
  return 2 * count((word) => inAnswer.has(word)) + count((word) => inPrompt.includes(word));
}

/** Most of a claim's words must stand in one sentence before the passage is taken to support it. */
const SUPPORT_MIN = 0.6;

/** Is it so? A comparison knows; a text without a question is judged by its mood; a passage supports what it mostly repeats without a "not". */
export function truthOf(task: Task, answer: Answer): boolean {
  if (answer.truth !== null) return answer.truth;
  if (/^(?:true|yes)\b/i.test(answer.short)) return true;
  if (answer.rule === 'summary') return moodOf(task.passage ?? '') > 0;
  if (answer.rule !== 'extraction') return answer.number !== null && Number(answer.number) !== 0;
  const isNegative = (text: string): boolean => /\b(?:not|never|no)\b|n['’]t\b/i.test(text);
  return answer.confidence >= SUPPORT_MIN && isNegative(answer.short) === isNegative(task.question);
}
