// How does an answer become a value of the type that was asked for? A JSON schema, filled property by property.
import type { Answer, Task } from './answer.ts';
import { chooseOption, truthOf } from './choose.ts';
import { keywordsOf, summarySentences } from './extract.ts';
import { LOCAL_MODEL_LIMITS } from './limits.ts';
import { namesOf, numbersOf, termsOf, wordsOf } from './text.ts';

/** Anything that JSON can hold. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON schema as it came over the wire: nothing about it is known yet. */
export type Schema = Readonly<Record<string, unknown>>;

interface Filling {
  readonly task: Task;
  readonly answer: Answer;
  readonly root: Schema;
}

const LIST_ITEMS_MAX = 3;
const KEYWORDS_MAX = 5;

/** A value that fits `schema`, made from the answer. `name` is the property's name, which says what it is for. */
export function fillSchema(schema: Schema, name: string, task: Task, answer: Answer): Json {
  return fill(schema, name, { task, answer, root: schema }, 0);
}

function fill(given: Schema, name: string, filling: Filling, depth: number): Json {
  const schema = resolve(given, filling.root);
  if (depth > LOCAL_MODEL_LIMITS.schemaDepthMax) return null;
  if ('const' in schema) return schema['const'] as Json;
  const options = schema['enum'];
  if (Array.isArray(options) && options.length > 0) {
    return chooseOption(options as Json[], filling.task, filling.answer);
  }
  const type = typeOf(schema);
  switch (type) {
    case 'integer':
    case 'number':
      return numberFor(schema, name, type, filling);
    case 'boolean':
      return truthOf(filling.task, filling.answer);
    case 'array':
      return arrayFor(schema, name, filling, depth);
    case 'object':
      return objectFor(schema, filling, depth);
    case 'null':
      return null;
    default:
      return stringFor(name, filling);
  }
}

/** Follow references and take the first alternative that is not null. */
function resolve(schema: Schema, root: Schema, hops = 0): Schema {
  if (hops > LOCAL_MODEL_LIMITS.schemaDepthMax) return {};
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const target = reference
      .replace(/^#\/?/, '')
      .split('/')
      .reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), root);
    return isRecord(target) ? resolve(target, root, hops + 1) : {};
  }
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const alternatives = schema[key];
    if (!Array.isArray(alternatives)) continue;
    const chosen: unknown = alternatives.find((each) => isRecord(each) && each['type'] !== 'null');
    if (isRecord(chosen)) return resolve(chosen, root, hops + 1);
  }
  return schema;
}

function typeOf(schema: Schema): string {
  const type = schema['type'];
  if (typeof type === 'string') return type;
  const named: unknown = Array.isArray(type) ? type.find((each) => each !== 'null') : undefined;
  if (typeof named === 'string') return named;
  return isRecord(schema['properties']) ? 'object' : 'string';
}

function objectFor(schema: Schema, filling: Filling, depth: number): Json {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [
      name,
      fill(isRecord(property) ? property : {}, name, filling, depth + 1),
    ]),
  );
}

function arrayFor(schema: Schema, name: string, filling: Filling, depth: number): Json {
  const items = isRecord(schema['items']) ? resolve(schema['items'], filling.root) : {};
  const type = typeOf(items);
  const min = typeof schema['minItems'] === 'number' ? schema['minItems'] : 0;
  const max =
    typeof schema['maxItems'] === 'number' ? schema['maxItems'] : Number.POSITIVE_INFINITY;
  const values = (type === 'string' && !('enum' in items) ? textsFor(name, filling) : null) ??
    (type === 'integer' || type === 'number' ? numbersFor(type, filling) : null) ?? [
      fill(items, name, filling, depth + 1),
    ];
  const padding = Math.min(Math.max(0, min - values.length), LOCAL_MODEL_LIMITS.requestsKeptMax);
  return [...values, ...Array.from({ length: padding }, () => values[0] ?? '')].slice(0, max);
}

function textsFor(name: string, filling: Filling): readonly string[] {
  const read = filling.task.passage ?? filling.task.question;
  if (/name|people|person|entit|place|author|compan/i.test(name)) return namesOf(read);
  if (/keyword|tag|topic|term|subject|categor/i.test(name)) return keywordsOf(read, KEYWORDS_MAX);
  if (filling.answer.sentences.length > 0) return filling.answer.sentences.slice(0, LIST_ITEMS_MAX);
  if (filling.task.passage === null || filling.answer.rule === 'arithmetic')
    return [filling.answer.short];
  return summarySentences(filling.task.passage, LIST_ITEMS_MAX);
}

function numbersFor(type: string, filling: Filling): readonly number[] {
  if (filling.answer.number !== null) return [numberOf(filling.answer.number)];
  const read = filling.task.passage ?? filling.task.question;
  return numbersOf(read).map(({ value }) => (type === 'integer' ? Math.round(value) : value));
}

function stringFor(name: string, filling: Filling): string {
  const { answer, task } = filling;
  const read = `${task.passage ?? ''}\n${task.question}`;
  if (/reason|explan|rationale|thought|because|justif|analysis|think/i.test(name))
    return answer.because;
  if (/summary/i.test(name) && task.passage !== null) {
    return summarySentences(task.passage, 2).join(' ');
  }
  if (/^(?:search_?)?(?:query|question)$/i.test(name))
    return task.question === '' ? read.trim() : task.question;
  if (/(?:^|_)name$|^person$|^author$/i.test(name)) return namesOf(read)[0] ?? answer.short;
  if (/^(?:city|place|location|country|town)$/i.test(name)) return placeIn(read) ?? answer.short;
  return answer.short;
}

/** A capitalised name after a preposition of place, else any name. */
export function placeIn(text: string): string | null {
  const after =
    /\b(?:in|at|for|near|of|to|from)\s+(?:the\s+)?(\p{Lu}[\p{L}'’-]+(?:\s+\p{Lu}[\p{L}'’-]+)*)/u.exec(
      text,
    );
  return after?.[1] ?? namesOf(text).at(-1) ?? null;
}

function numberFor(
  schema: Schema,
  name: string,
  type: 'integer' | 'number',
  filling: Filling,
): number {
  const found = rawNumberFor(name, type, filling);
  const whole = type === 'integer' ? Math.round(found) : found;
  const min = typeof schema['minimum'] === 'number' ? schema['minimum'] : Number.NEGATIVE_INFINITY;
  const max = typeof schema['maximum'] === 'number' ? schema['maximum'] : Number.POSITIVE_INFINITY;
  return Math.min(Math.max(whole, min), max);
}

function rawNumberFor(name: string, type: 'integer' | 'number', filling: Filling): number {
  const { answer, task } = filling;
  if (type === 'number' && /confiden|probab|certain|score/i.test(name)) return answer.confidence;
  if (answer.number !== null) return numberOf(answer.number);
  if (answer.rule === 'extraction') {
    return nearestNumber(answer.short, `${task.question} ${name.replace(/_/g, ' ')}`) ?? 0;
  }
  if (answer.rule === 'not-said' || answer.rule === 'unable') {
    return nearestNumber(task.passage ?? '', name.replace(/_/g, ' ')) ?? 0;
  }
  return nearestNumber(`${task.passage ?? ''} ${task.question}`, name.replace(/_/g, ' ')) ?? 0;
}

/** A result with hundreds of digits is beyond a double: the largest double stands in, since JSON has no infinity. */
function numberOf(digits: string): number {
  const value = Number(digits);
  return Number.isFinite(value) ? value : Math.sign(value) * Number.MAX_VALUE;
}

/** The number of a sentence that stands closest to words of the question, the ones right after it weighing most. */
function nearestNumber(sentence: string, question: string): number | null {
  const asked = new Set(termsOf(question));
  const askedNumbers = new Set(numbersOf(question).map(({ value }) => value));
  const anchors = [...sentence.matchAll(/[\p{L}\p{N}'’]+/gu)]
    .filter((word) => asked.has(termsOf(word[0])[0] ?? ''))
    .map((word) => word.index);
  const candidates = numbersOf(sentence).filter(({ value }) => !askedNumbers.has(value));
  const far = sentence.length;
  const distance = (at: number): number =>
    Math.min(far, ...anchors.map((anchor) => (anchor >= at ? anchor - at : (at - anchor) * 1.5)));
  const best = candidates.reduce<{ value: number; away: number } | null>(
    (nearest, { value, index }) => {
      const away = distance(index);
      return nearest === null || away < nearest.away ? { value, away } : nearest;
    },
    null,
  );
  return best?.value ?? spelledNumber(sentence);
}

const SPELLED = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ');

function spelledNumber(sentence: string): number | null {
  const found = wordsOf(sentence.toLowerCase()).find(
    (word) => word !== 'one' && SPELLED.includes(word),
  );
  return found === undefined ? null : SPELLED.indexOf(found);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
