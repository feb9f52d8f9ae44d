// What does a plain prompt ask? Finds the question and the passage in a conversation without DSPy's markers.
import type { Task } from './answer.ts';
import { sentencesOf, wordsOf } from './text.ts';

/** A message with its text parts joined. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly text: string;
  /** Only on `tool` messages: which call this answers. */
  readonly toolCallId: string | null;
  /** Only on `assistant` messages: what was called. */
  readonly toolCalls: readonly { readonly id: string; readonly name: string }[];
}

/** The text of the last user message, or an empty one. */
export function lastUserText(messages: readonly ChatMessage[]): string {
  return messages.findLast((message) => message.role === 'user')?.text ?? '';
}

/** Read a conversation: the last user message asks; it, the system message or earlier messages may hold the passage. */
export function readConversation(messages: readonly ChatMessage[]): Task {
  const asked = readLayout(lastUserText(messages));
  if (asked.passage !== null) return asked;
  const system = messages
    .filter((message) => message.role === 'system' || message.role === 'developer')
    .map((message) => message.text)
    .join('\n\n');
  const fromSystem = passageOfSystem(system);
  if (fromSystem !== null) return { ...asked, passage: fromSystem };
  const told = messages
    .slice(
      0,
      messages.findLastIndex((message) => message.role === 'user'),
    )
    .filter((message) => message.role === 'user')
    .flatMap((message) => sentencesOf(message.text))
    .filter((sentence) => !sentence.endsWith('?'));
  if (told.length === 0) return asked;
  return { ...asked, passage: told.join('\n\n'), passageFrom: 'conversation' };
}

const PASSAGE_LABEL =
  '(?:context|passage|document|documents|article|information|background|source|sources|reference|facts|paragraph|text|excerpt)';
const QUESTION_LABEL = '(?:question|query|user question|q)';
const ANSWER_LABEL =
  /\n[ \t]*(?:(?:helpful|final|short|your)\s+)?(?:answer|response|assistant|a|ai)\s*:$/i;

/** Find question and passage in one text: labels first, then tags, then a last sentence that asks. */
export function readLayout(text: string): Task {
  const body = text.trim().replace(ANSWER_LABEL, '').trim();
  return (
    readTags(body) ??
    readLabels(body) ??
    readSummaryRequest(body) ??
    readTrailingQuestion(body) ??
    question(body)
  );
}

function question(text: string, passage: string | null = null): Task {
  return { question: withoutLead(text), passage, passageFrom: 'given' };
}

/** "Answer this question: …" and "Question: …" lead to the question without being part of it. */
function withoutLead(text: string): string {
  const lead = new RegExp(
    `^(?:(?:please\\s+)?answer\\s+(?:(?:this|the(?: following)?|my)\\s+)?(?:question)?[^:\\n]{0,60}:|${QUESTION_LABEL}\\s*:)\\s*`,
    'i',
  );
  return text.trim().replace(lead, '').trim();
}

/** Without any closing tag, looking for one behind every opening tag would take quadratic time. */
function findTags(text: string): RegExpExecArray | null {
  if (!text.includes('</')) return null;
  return new RegExp(`<(${PASSAGE_LABEL})>([\\s\\S]*?)</\\1>`, 'i').exec(text);
}

/** <context>…</context> around the passage. What stands outside is the question. */
function readTags(text: string): Task | null {
  const tags = findTags(text);
  if (tags === null) return null;
  const asked = new RegExp(`<(${QUESTION_LABEL})>([\\s\\S]*?)</\\1>`, 'i').exec(text);
  const outside = text.replace(tags[0], '\n');
  const labelled = new RegExp(`(?:^|\\n)\\s*${QUESTION_LABEL}\\s*:\\s*([\\s\\S]+)$`, 'i').exec(
    outside,
  );
  const rest = asked?.[2] ?? labelled?.[1] ?? lastQuestion(outside) ?? outside;
  return question(rest, passageText(tags[2] ?? ''));
}

/** "Context: …" and "Question: …" in either order; without a context label, what precedes the question is the passage. */
function readLabels(text: string): Task | null {
  const questions = [
    ...text.matchAll(new RegExp(`(?:^|\\n)[ \\t#*]*${QUESTION_LABEL}[ \\t*]*:[* \\t]*`, 'gi')),
  ];
  const passages = [
    ...text.matchAll(
      new RegExp(`(?:^|\\n)[^\\n:]{0,120}\\b${PASSAGE_LABEL}\\b[^\\n:]{0,80}:[* \\t]*`, 'gi'),
    ),
  ];
  const asks = questions.at(-1);
  const offers = passages.find((match) => match.index !== asks?.index);
  if (asks !== undefined && (offers === undefined || offers.index < asks.index)) {
    const before = text.slice(
      offers === undefined ? 0 : offers.index + offers[0].length,
      asks.index,
    );
    const passage = offers === undefined ? passageOfSystem(before) : passageText(before);
    return question(text.slice(asks.index + asks[0].length), passage);
  }
  if (asks !== undefined && offers !== undefined) {
    const asked = text.slice(asks.index + asks[0].length, offers.index);
    return question(asked, passageText(text.slice(offers.index + offers[0].length)));
  }
  if (offers === undefined) return null;
  const rest = text.slice(offers.index + offers[0].length);
  const lead = offers[0].trim();
  const asked =
    lastQuestion(rest) ??
    (asksFirst(lead) ? lead.replace(/:\W*$/, '') : null) ??
    text.slice(0, offers.index);
  return question(asked, passageText(rest.replace(asked, '')));
}

function asksFirst(lead: string): boolean {
  return /\bsummar|\bmain (?:point|idea)|\bkey ?word|\?/i.test(lead);
}

/** "Summarise: <text>". */
function readSummaryRequest(text: string): Task | null {
  const match = /^(?:please\s+)?(summari[sz]e[^:\n]{0,60}|tl;?dr)\s*:\s*([\s\S]+)$/i.exec(text);
  return match === null ? null : question(match[1] ?? '', passageText(match[2] ?? ''));
}

/** Several sentences of which the last asks: the ones before are what it asks about. */
function readTrailingQuestion(text: string): Task | null {
  const asked = lastQuestion(text);
  if (asked === null) return null;
  const before = sentencesOf(text)
    .slice(0, -1)
    .filter((sentence) => !isInstruction(sentence) && !sentence.endsWith('?'));
  return before.length === 0 || before.join(' ').length < PASSAGE_CHARS_MIN
    ? null
    : question(asked, before.join('\n\n'));
}

/** "Hello there." before a question is no passage. */
const PASSAGE_CHARS_MIN = 20;

function lastQuestion(text: string): string | null {
  const last = sentencesOf(text).at(-1);
  return last?.endsWith('?') === true ? last : null;
}

/** What a system message tells beyond how to behave; null when it only instructs. */
function passageOfSystem(system: string): string | null {
  const layout = new RegExp(
    `(?:^|\\n)[^\\n:]{0,120}\\b${PASSAGE_LABEL}\\b[^\\n:]{0,80}:\\s*([\\s\\S]+)$`,
    'i',
  ).exec(system);
  const tags = findTags(system);
  const offered = tags?.[2] ?? layout?.[1];
  if (offered !== undefined) return passageText(offered);
  const facts = sentencesOf(system).filter(
    (sentence) => !isInstruction(sentence) && wordsOf(sentence).length > 2,
  );
  return facts.length === 0 ? null : facts.join('\n\n');
}

function isInstruction(sentence: string): boolean {
  return /^(?:You(?:'re| are| will| must| should| have| can)|Your|Answer|Use|Using|Do not|Don['’]t|Be |Respond|Reply|If|Please|Always|Never|Think|Given|Based|Follow|Return|Output|Write|Keep|Only|Speak|Act|Help|Make sure|Provide|Try|Let['’]s|The following|Hello|Hi\b|When (?:you|asked)|I (?:am|want|need|have a question))/i.test(
    sentence,
  );
}

/** A passage as plain text: JSON lists and DSPy's numbered «quotes» become paragraphs. */
export function passageText(value: string): string {
  const trimmed = value.trim();
  const quoted = [...trimmed.matchAll(/^\[\d+\] (?:«{1,3})\s*([\s\S]*?)\s*(?:»{1,3})$/gmu)].map(
    (match) => match[1] ?? '',
  );
  if (quoted.length > 0) return quoted.join('\n\n');
  if (!/^[[{]/.test(trimmed)) return trimmed;
  try {
    return stringsOf(JSON.parse(trimmed)).join('\n\n');
  } catch {
    // It only looked like JSON: a passage may begin with a bracket.
    return trimmed;
  }
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.values(value).flatMap(stringsOf);
}
