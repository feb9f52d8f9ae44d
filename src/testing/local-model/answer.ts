// What does the local model say? One question, perhaps one passage, and the first rule that fits.
import { findArithmetic, type FoundArithmetic } from './arithmetic.ts';
import { evaluate, formatExpression, type Evaluation } from './arithmetic-value.ts';
import { findComparison } from './comparison.ts';
import { extractAnswer, summarySentences, type Extraction, type QuestionKind } from './extract.ts';
import { LOCAL_MODEL_LIMITS } from './limits.ts';
import { formatRational, isWrittenExactly } from './rational.ts';
import { cutText, sentencesOf, wordsOf } from './text.ts';

/** What was asked, after the layout of the prompt has been read away. */
export interface Task {
  readonly question: string;
  readonly passage: string | null;
  /** `given`: the prompt offers it as the thing to read. `conversation`: earlier messages, which may have nothing to do with it. */
  readonly passageFrom: 'given' | 'conversation';
}

/** Which rule spoke. */
type AnswerRule =
  | 'arithmetic'
  | 'comparison'
  | 'extraction'
  | 'summary'
  | 'echo'
  | 'identity'
  | 'tool-result'
  | 'not-said'
  | 'unable';

/** An answer with what typed fields need: a number, a truth, a list. */
export interface Answer {
  readonly rule: AnswerRule;
  /** The answer alone, for a field: "391". */
  readonly short: string;
  /** The answer as a sentence, for a chat: "17 * 23 = 391." */
  readonly text: string;
  /** One or two sentences on how the rule came to it. */
  readonly because: string;
  /** Written out in digits; null when the answer is not a number. */
  readonly number: string | null;
  readonly truth: boolean | null;
  /** Sentences that bear on the question, best first. */
  readonly sentences: readonly string[];
  /** 0 to 1: how much of the question the rule used. Not a probability. */
  readonly confidence: number;
}

const WHO_I_AM =
  'I am the rule-based local model of the Caduceus project. I am not a neural network: I do arithmetic, compare numbers, and quote the sentence of a given passage that answers a question.';

const UNABLE =
  'I am a rule-based local model, so I can do arithmetic and answer questions about a passage that the prompt holds. I found neither in this prompt, and I will not guess.';

const SUMMARY_SENTENCES = 2;

/** Answer a task. Pure: the same task always has the same answer. */
export function answerTask(task: Task): Answer {
  const answer =
    answerEcho(task) ??
    answerIdentity(task) ??
    answerComparison(task) ??
    answerArithmetic(task) ??
    answerPassage(task) ??
    unable();
  return {
    ...answer,
    short: cutText(answer.short, LOCAL_MODEL_LIMITS.answerCharsMax),
    text: cutText(answer.text, LOCAL_MODEL_LIMITS.answerCharsMax),
  };
}

const NOTHING = { number: null, truth: null, sentences: [], confidence: 1 } as const;

function answerEcho(task: Task): Answer | null {
  const asked =
    /^(?:please\s+)?(?:say|repeat|echo|reply|respond|answer)\b(?:\s+(?:with|only|exactly|just|after me|the|this|words?|phrase|text|back))*\s*:?\s*["“'`]([^"”`]+?)["”'`]\s*[.!]?$/iu.exec(
      task.question.trim(),
    ) ??
    /^(?:please\s+)?(?:repeat|echo|say|reply with)\b(?:\s+(?:after me|exactly|this))*\s*:\s*(.+)$/isu.exec(
      task.question.trim(),
    );
  const words = asked?.[1]?.trim();
  if (words === undefined || words === '') return null;
  const because = 'The question asks for these words, so I repeat them.';
  return { ...NOTHING, rule: 'echo', short: words, text: words, because };
}

function answerIdentity(task: Task): Answer | null {
  const asked =
    /\b(?:who|what)(?:\s+(?:exactly|kind of model|model|sort of model))?\s+are\s+you\b|\bare\s+you\s+(?:an?\s+)?(?:real|ai|llm|human|robot|bot|neural|language model|chatgpt|gpt)|\bwhat(?:'s| is) your name\b|\bintroduce yourself\b/i.test(
      task.question,
    );
  if (!asked) return null;
  const because = 'The question is about me, and there is one honest answer to that.';
  return { ...NOTHING, rule: 'identity', short: WHO_I_AM, text: WHO_I_AM, because };
}

function answerComparison(task: Task): Answer | null {
  const found = findComparison(task.question);
  if (found === null) return null;
  const because = `I compared the numbers: ${found.because}.`;
  if (found.type === 'choice') {
    const number = formatRational(found.chosen);
    return {
      ...NOTHING,
      rule: 'comparison',
      short: number,
      text: `${found.because}.`,
      because,
      number,
    };
  }
  const short = found.truth ? 'Yes' : 'No';
  return {
    ...NOTHING,
    rule: 'comparison',
    short,
    text: `${short}: ${found.because}.`,
    because,
    truth: found.truth,
  };
}

function answerArithmetic(task: Task): Answer | null {
  const found = findArithmetic(task.question);
  if (found === null || !isAskedFor(found, task)) return null;
  return answerOfSum(found, evaluate(found.expression));
}

function answerOfSum(found: FoundArithmetic, result: Evaluation): Answer {
  const sum = formatExpression(found.expression);
  if (result.type === 'undefined') {
    const text = undefinedInWords(result.because, sum);
    return {
      ...NOTHING,
      rule: 'arithmetic',
      short: text,
      text,
      because: `I read "${sum}" as arithmetic. ${text}`,
    };
  }
  const number = formatRational(result.value);
  const exactly = isWrittenExactly(result.value);
  const steps = result.steps.length === 0 ? '' : `, step by step: ${result.steps.join('; ')}`;
  return {
    ...NOTHING,
    rule: 'arithmetic',
    short: number,
    text: exactly ? `${sum} = ${number}` : `${sum} is about ${number}`,
    because: `I read "${sum}" as arithmetic and worked it out${steps}.${exactly ? '' : ' The last digit is rounded.'}`,
    number,
  };
}

function undefinedInWords(
  because: Extract<Evaluation, { type: 'undefined' }>['because'],
  sum: string,
): string {
  switch (because) {
    case 'division-by-zero':
      return `${sum} has no answer: division by zero is not defined.`;
    case 'no-real-result':
      return `${sum} has no real result: it asks for a root of a negative number.`;
    case 'too-large':
      return `${sum} is too large to write down: it has more than ${LOCAL_MODEL_LIMITS.digitsMax} digits.`;
    default:
      return because satisfies never;
  }
}

/** Words that may stand around a sum without making it a story. */
const FILLER = new Set(
  "a an and answer can calculate compute could do does equal equals evaluate expression find following for give hello hi how i is it just me much of only out please result s solve sum tell the this to value what whats what's with work would you your number return calculator use using tool need want know show think step by math question problem arithmetic compute: be get exactly".split(
    ' ',
  ),
);

/** With a passage, or when the signs may be a date, a range or a fraction in prose, every other word must be filler. */
function isAskedFor(found: FoundArithmetic, task: Task): boolean {
  const isBare = found.otherWords.every((word) => word === '' || FILLER.has(word));
  if (isBare) return true;
  if (task.passage !== null && task.passageFrom === 'given') return false;
  return (
    !/\d[-/–]\d/u.test(task.question) &&
    /\?|\b(?:calculate|compute|evaluate|solve|work out|how much|what)\b/i.test(task.question)
  );
}

function answerPassage(task: Task): Answer | null {
  if (task.passage === null || task.passage.trim() === '') return null;
  if (task.passageFrom === 'given' && asksSummary(task.question))
    return answerSummary(task.passage);
  const extraction = extractAnswer(task.question, task.passage);
  if (extraction.type === 'found') return answerOfSentence(extraction);
  if (task.passageFrom === 'conversation') return null;
  const missing =
    extraction.missing.length === 0 ? '' : ` It never mentions: ${extraction.missing.join(', ')}.`;
  const text = 'The passage does not say.';
  const because = `I looked at ${countOf(extraction.sentencesCount, 'sentence')} and none shares enough with the question.${missing}`;
  return { ...NOTHING, rule: 'not-said', short: text, text, because, confidence: 0 };
}

/** An empty question over a passage asks what it is about. */
function asksSummary(question: string): boolean {
  return /^\s*$|\bsummar(?:y|ise|ize|ies)|\btl;?dr\b|\bmain (?:point|idea)s?\b|\bgist\b|\bin (?:brief|short)\b|\bkey ?words?\b/i.test(
    question,
  );
}

function answerSummary(passage: string): Answer {
  const sentences = summarySentences(passage, SUMMARY_SENTENCES);
  const text = sentences.join(' ');
  const all = countOf(sentencesOf(passage).length, 'sentence');
  const because = `Of ${all} I kept the ${sentences.length} whose words the passage uses most.`;
  return { ...NOTHING, rule: 'summary', short: text, text, because, sentences };
}

function answerOfSentence(found: Extract<Extraction, { type: 'found' }>): Answer {
  const wanted = kindInWords(found.kind);
  const words = found.matched.join(', ');
  const because =
    `Sentence ${found.position} of ${found.sentencesCount} shares the most telling words with the question (${words})` +
    `${wanted === null ? '' : `, and the question asks for ${wanted}`}.`;
  return {
    ...NOTHING,
    rule: 'extraction',
    short: found.sentence,
    text: found.sentence,
    because,
    sentences: found.ranked,
    confidence: Math.round(found.coverage * PERCENT) / PERCENT,
  };
}

const PERCENT = 100;

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function kindInWords(kind: QuestionKind): string | null {
  switch (kind) {
    case 'person':
      return "someone's name";
    case 'time':
      return 'a time';
    case 'quantity':
      return 'a number';
    case 'place':
      return 'a place';
    case 'reason':
      return 'a reason';
    case 'other':
      return null;
    default:
      return kind satisfies never;
  }
}

/** The answer that a tool gave, put into words; a long result is read like a passage. */
export function answerFromTool(toolName: string | null, result: string, question: string): Answer {
  const because = `The ${toolName === null ? '' : `${toolName} `}tool returned this, so I pass it on.`;
  const passed = result.trim() === '' ? 'The tool returned nothing.' : result.trim();
  const isPassage = sentencesOf(passed).length > SUMMARY_SENTENCES && wordsOf(question).length > 0;
  const extracted = isPassage ? extractAnswer(question, passed) : null;
  const short = extracted?.type === 'found' ? extracted.sentence : passed;
  const text = toolName === null ? short : `${toolName} says: ${short}`;
  const number = /^-?\d+(?:\.\d+)?$/.test(short) ? short : null;
  return {
    ...NOTHING,
    rule: 'tool-result',
    short: cutText(short, LOCAL_MODEL_LIMITS.answerCharsMax),
    text: cutText(text, LOCAL_MODEL_LIMITS.answerCharsMax),
    because,
    number,
    sentences: [short],
  };
}

function unable(): Answer {
  const because = 'None of my rules fits: there is no arithmetic and no passage to read.';
  return { ...NOTHING, rule: 'unable', short: UNABLE, text: UNABLE, because, confidence: 0 };
}
