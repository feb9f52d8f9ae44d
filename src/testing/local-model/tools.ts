// Is one of the offered tools what the question needs, and with which arguments?
import { findArithmetic, type Expression } from './arithmetic.ts';
import { formatExpression } from './arithmetic-value.ts';
import type { Answer, Task } from './answer.ts';
import { fillSchema, isRecord, placeIn, type Json, type Schema } from './fill.ts';
import { toNumber } from './rational.ts';
import { numbersOf, termsOf } from './text.ts';

/** A tool as the request offers it. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of its arguments. */
  readonly parameters: Schema;
}

export type ToolChoice =
  | { readonly type: 'none' | 'auto' | 'required' }
  | { readonly type: 'named'; readonly name: string };

export interface ToolCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, Json>>;
}

/** Decide on a call; null means: answer in words. */
export function decideToolCall(
  tools: readonly Tool[],
  choice: ToolChoice,
  task: Task,
  answer: Answer,
): ToolCall | null {
  const ranked = tools
    .map((tool) => ({ tool, fit: fitOf(tool, task.question) }))
    .sort((a, b) => b.fit - a.fit);
  const best = ranked[0];
  switch (choice.type) {
    case 'none':
      return null;
    case 'auto':
      return best === undefined || best.fit === 0 ? null : callOf(best.tool, task, answer);
    case 'required':
      return best === undefined ? null : callOf(best.tool, task, answer);
    case 'named': {
      const named = tools.find((tool) => tool.name === choice.name);
      return named === undefined ? null : callOf(named, task, answer);
    }
    default:
      return choice satisfies never;
  }
}

export function callOf(tool: Tool, task: Task, answer: Answer): ToolCall {
  return { name: tool.name, arguments: argumentsFor(tool, task, answer) };
}

const FIT_NAMED = 8;
const FIT_ARITHMETIC = 4;
const FIT_DESCRIBED_MIN = 2;
/** Words that say only that something is done, not what. */
const GENERIC = new Set(
  termsOf(
    'get set search find lookup look fetch run call tool make list read use give show current given return value input output take',
  ),
);

/** How well a tool fits a question; 0 means that it does not. */
function fitOf(tool: Tool, question: string): number {
  const escaped = tool.name.replace(/[^\w]/g, '\\$&');
  if (
    tool.name !== '' &&
    new RegExp(`(?<!\\w)${escaped}(?!\\w)`, 'i').test(question) &&
    tool.name.length > 2
  ) {
    return FIT_NAMED;
  }
  if (fitsArithmetic(tool, question)) return FIT_ARITHMETIC;
  const asked = new Set(termsOf(question));
  const nameTerms = termsOf(splitName(tool.name)).filter((term) => !GENERIC.has(term));
  const described = new Set(
    termsOf(
      `${tool.description} ${parametersOf(tool)
        .map(([name]) => name)
        .join(' ')}`,
    ),
  );
  const byName = nameTerms.filter((term) => asked.has(term)).length;
  const byDescription = [...described].filter(
    (term) => asked.has(term) && !GENERIC.has(term),
  ).length;
  if (byName === 0 && byDescription < FIT_DESCRIBED_MIN) return 0;
  return Math.min(FIT_ARITHMETIC - 1, byName + byDescription);
}

function splitName(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/[_\-.]+/g, ' ');
}

function parametersOf(tool: Tool): [string, Schema][] {
  const properties = tool.parameters['properties'];
  if (!isRecord(properties)) return [];
  return Object.entries(properties).map(([name, schema]) => [name, isRecord(schema) ? schema : {}]);
}

const EXPRESSION_NAMES = /expr|formula|equation|calculation|sum$|^math/i;

function isNumeric(schema: Schema): boolean {
  const type = schema['type'];
  return type === 'number' || type === 'integer';
}

/** Words that bind a tool to one operator. A tool without any of them is taken for a calculator only by its parameter. */
const OPERATOR_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:add|adds|addition|plus|sum|sums)\b/i, '+'],
  [/\b(?:subtract|subtracts|minus|subtraction|difference)\b/i, '-'],
  [/\b(?:multiply|multiplies|times|product|multiplication)\b/i, '*'],
  [/\b(?:divide|divides|division|quotient)\b/i, '/'],
  [/\b(?:power|exponent|pow)\b/i, '^'],
];

function fitsArithmetic(tool: Tool, question: string): boolean {
  const found = findArithmetic(question);
  if (found === null) return false;
  const parameters = parametersOf(tool);
  if (parameters.some(([name, schema]) => EXPRESSION_NAMES.test(name) && !isNumeric(schema)))
    return true;
  if (parameters.filter(([, schema]) => isNumeric(schema)).length !== 2) return false;
  const about = `${splitName(tool.name)} ${tool.description}`;
  const operators = OPERATOR_WORDS.filter(([pattern]) => pattern.test(about)).map(
    ([, operator]) => operator,
  );
  const { expression } = found;
  return expression.type === 'binary' && operators.includes(expression.operator);
}

/** The two numbers of a simple sum, else every number of the question in order. */
function operandsOf(question: string): number[] {
  const expression = findArithmetic(question)?.expression;
  if (expression?.type === 'binary') {
    const operands = [expression.left, expression.right].map(plainNumber);
    if (operands.every((operand) => operand !== null)) return operands;
  }
  return numbersOf(question).map(({ value }) => value);
}

function plainNumber(expression: Expression): number | null {
  if (expression.type === 'number') return toNumber(expression.value);
  if (expression.type !== 'negate') return null;
  const inner = plainNumber(expression.of);
  return inner === null ? null : -inner;
}

function argumentsFor(tool: Tool, task: Task, answer: Answer): ToolCall['arguments'] {
  const { question } = task;
  const numbers = operandsOf(question);
  const expression = findArithmetic(question)?.expression;
  const required = tool.parameters['required'];
  const values = parametersOf(tool).flatMap(([name, schema]): [string, Json][] => {
    const isWanted = !Array.isArray(required) || required.includes(name);
    if (!isWanted && 'default' in schema) return [];
    if (isNumeric(schema) && task.passage === null && numbers.length > 0) {
      const value = numbers.shift() ?? 0;
      return [[name, schema['type'] === 'integer' ? Math.round(value) : value]];
    }
    if (EXPRESSION_NAMES.test(name) && expression !== undefined)
      return [[name, formatExpression(expression)]];
    return [
      [name, stringArgument(name, schema, question) ?? fillIn(tool, schema, name, task, answer)],
    ];
  });
  return Object.fromEntries(values);
}

/** Fill a parameter as part of its whole schema, so that references between definitions hold. */
function fillIn(tool: Tool, schema: Schema, name: string, task: Task, answer: Answer): Json {
  const definitions = {
    $defs: tool.parameters['$defs'],
    definitions: tool.parameters['definitions'],
  };
  return fillSchema({ ...definitions, ...schema }, name, task, answer);
}

/** A plain string parameter: what stands in quotes, a place, or the question itself. Null leaves it to the schema. */
function stringArgument(name: string, schema: Schema, question: string): string | null {
  if (schema['type'] !== 'string' || 'enum' in schema) return null;
  if (/city|place|location|country|town|destination/i.test(name))
    return placeIn(question) ?? question;
  const quoted = /["“]([^"”]+)["”]|(?<!\w)'([^']+)'(?!\w)/u.exec(question);
  if (quoted !== null) return quoted[1] ?? quoted[2] ?? null;
  return /query|question|search|topic|text|input|prompt|message|q$/i.test(name) ? question : null;
}
