import { describe, expect, it } from 'vitest';
import { completeChat, type ChatPrompt } from '../../../src/testing/local-model/chat.ts';
import { fillSchema, type Schema } from '../../../src/testing/local-model/fill.ts';
import { answerTask } from '../../../src/testing/local-model/answer.ts';
import type { ChatMessage } from '../../../src/testing/local-model/prompt.ts';
import type { Tool } from '../../../src/testing/local-model/tools.ts';

const say = (
  role: ChatMessage['role'],
  text: string,
  more: Partial<ChatMessage> = {},
): ChatMessage => ({
  role,
  text,
  toolCallId: null,
  toolCalls: [],
  ...more,
});

const tool = (
  name: string,
  description: string,
  properties: Schema,
  required?: string[],
): Tool => ({
  name,
  description,
  parameters: { type: 'object', properties, ...(required === undefined ? {} : { required }) },
});

const number = { type: 'number' };
const string = { type: 'string' };
const CALCULATOR = tool('calculator', 'Evaluates an expression.', { expression: string });
const ADD = tool('add', 'Adds two numbers.', { a: number, b: { type: 'integer' } });
const WEATHER = tool(
  'get_weather',
  'Current weather of a city.',
  {
    city: string,
    unit: { type: 'string', enum: ['celsius', 'fahrenheit'], default: 'celsius' },
  },
  ['city'],
);
const SEARCH = tool('search_documents', 'Search the documents of the company.', { query: string });

const complete = (text: string, more: Partial<ChatPrompt> = {}) =>
  completeChat({
    messages: [say('user', text)],
    tools: [],
    toolChoice: { type: 'auto' },
    responseFormat: { type: 'text' },
    ...more,
  });

const callFor = (text: string, tools: readonly Tool[], more: Partial<ChatPrompt> = {}) => {
  const completion = complete(text, { tools, ...more });
  return completion.type === 'tool-call' ? completion.call : null;
};

describe('tool calls', () => {
  it.each([
    ['a sum, with an expression', 'What is 17 * 23?', 'calculator', { expression: '17 * 23' }],
    ['a city', "What's the weather in New York today?", 'get_weather', { city: 'New York' }],
    [
      'its name',
      'Use search_documents for "late parcels".',
      'search_documents',
      { query: 'late parcels' },
    ],
    [
      'its description',
      'Which documents does the company keep?',
      'search_documents',
      { query: 'Which documents does the company keep?' },
    ],
  ])('picks the tool that fits %s', (_, text, name, args) => {
    expect(callFor(text, [SEARCH, WEATHER, CALCULATOR])).toEqual({ name, arguments: args });
  });

  it('gives two numbers to a tool for that operation', () => {
    expect(callFor('What is 3 plus 4?', [ADD])).toEqual({ name: 'add', arguments: { a: 3, b: 4 } });
  });

  it('does not add when asked to multiply', () => {
    expect(callFor('What is 3 times 4?', [ADD])).toBeNull();
  });

  it('answers in words when no tool fits', () => {
    expect(complete('Who are you?', { tools: [CALCULATOR, WEATHER] }).type).toBe('text');
  });

  it('calls nothing when the choice is none', () => {
    expect(callFor('What is 17 * 23?', [CALCULATOR], { toolChoice: { type: 'none' } })).toBeNull();
  });

  it('calls something when a call is required', () => {
    expect(callFor('Hello.', [WEATHER], { toolChoice: { type: 'required' } })?.name).toBe(
      'get_weather',
    );
  });

  it('calls the tool that the choice names, whatever fits better', () => {
    const toolChoice = { type: 'named', name: 'search_documents' } as const;
    expect(callFor('What is 17 * 23?', [CALCULATOR, SEARCH], { toolChoice })?.name).toBe(
      'search_documents',
    );
  });

  it('fills a forced tool from the message, as structured output does', () => {
    const person = tool('Person', 'A person.', { name: string, age: { type: 'integer' } });
    const call = callFor('Ann Smith is 31 years old.', [person], {
      toolChoice: { type: 'named', name: 'Person' },
    });
    expect(call?.arguments).toEqual({ name: 'Ann Smith', age: 31 });
  });

  it('answers from what a tool returned', () => {
    const messages = [
      say('user', 'What is 17 * 23?'),
      say('assistant', '', { toolCalls: [{ id: 'c1', name: 'calculator' }] }),
      say('tool', '391', { toolCallId: 'c1' }),
    ];
    expect(complete('', { messages, tools: [CALCULATOR] })).toEqual({
      type: 'text',
      text: 'calculator says: 391',
    });
  });
});

describe('response formats', () => {
  const json = (text: string, responseFormat: ChatPrompt['responseFormat']): unknown => {
    const completion = complete(text, { responseFormat });
    return completion.type === 'text' ? JSON.parse(completion.text) : null;
  };

  it('gives one JSON object with an answer when there is no schema', () => {
    expect(json('What is 2+2?', { type: 'json_object' })).toEqual({ answer: '4' });
  });

  it('uses the keys that the prompt names', () => {
    expect(
      json('What is 2+2? Reply in JSON with the keys "result" and "explanation".', {
        type: 'json_object',
      }),
    ).toMatchObject({
      result: 4,
      explanation: expect.stringContaining('2 + 2') as string,
    });
  });

  it('fills the properties of a schema', () => {
    const schema = {
      type: 'object',
      properties: {
        answer: number,
        reasoning: string,
        confident: { type: 'boolean' },
        level: { enum: ['low', 'high'] },
        steps: { type: 'array', items: string, minItems: 2 },
        nothing: { type: 'null' },
      },
    };
    expect(json('What is 2+2?', { type: 'json_schema', schema })).toEqual({
      answer: 4,
      reasoning: expect.stringContaining('2 + 2') as string,
      confident: true,
      level: 'low',
      steps: ['4', '4'],
      nothing: null,
    });
  });
});

describe('schemas', () => {
  const task = { question: 'What is 2+2?', passage: null, passageFrom: 'given' } as const;
  const fill = (schema: Schema) => fillSchema(schema, 'value', task, answerTask(task));

  it('follows references and takes what is not null', () => {
    const schema = {
      anyOf: [{ type: 'null' }, { $ref: '#/$defs/Count' }],
      $defs: { Count: { type: 'integer' } },
    };
    expect(fill(schema)).toBe(4);
  });

  it('ends a schema that refers to itself', () => {
    const schema = {
      $ref: '#/$defs/Node',
      $defs: { Node: { type: 'object', properties: { next: { $ref: '#/$defs/Node' } } } },
    };
    expect(JSON.stringify(fill(schema)).length).toBeLessThan(1_000);
  });

  it('keeps within minimum and maximum', () => {
    expect(fill({ type: 'integer', maximum: 3 })).toBe(3);
  });
});
