import { describe, expect, it } from 'vitest';
import { completeChat } from '../../../src/testing/local-model/chat.ts';
import type { ChatMessage } from '../../../src/testing/local-model/prompt.ts';

interface Field {
  readonly name: string;
  readonly type: string;
  /** What DSPy writes behind the placeholder. */
  readonly note?: string;
}

const field = (name: string, type = 'str', note?: string): Field => ({
  name,
  type,
  ...(note === undefined ? {} : { note }),
});
const noteOf = ({ name, note }: Field): string =>
  `{${name}}${note === undefined ? '' : `        # note: the value you produce ${note}`}`;
const listOf = (fields: readonly Field[]): string =>
  fields
    .map(({ name, type }, i) => `${i + 1}. \`${name}\` (${type}): `)
    .join('\n')
    .trimEnd();
const hintOf = ({ type }: Field): string =>
  type === 'str' ? '' : ` (must be formatted as a valid Python ${type})`;

/** The system message of DSPy's chat adapter. */
function chatSystem(
  inputs: readonly Field[],
  outputs: readonly Field[],
  objective: string,
): string {
  const structure = [
    ...inputs.map((f) => `[[ ## ${f.name} ## ]]\n{${f.name}}`),
    ...outputs.map((f) => `[[ ## ${f.name} ## ]]\n${noteOf(f)}`),
  ];
  return `Your input fields are:\n${listOf(inputs)}\nYour output fields are:\n${listOf(outputs)}\nAll interactions will be structured in the following way, with the appropriate values filled in.\n\n${structure.join('\n\n')}\n\n[[ ## completed ## ]]\nIn adhering to this structure, your objective is: \n        ${objective}`;
}

/** The system message of DSPy's JSON adapter. */
function jsonSystem(inputs: readonly Field[], outputs: readonly Field[]): string {
  const example = JSON.stringify(
    Object.fromEntries(outputs.map((f) => [f.name, noteOf(f)])),
    null,
    2,
  );
  const structure = inputs.map((f) => `[[ ## ${f.name} ## ]]\n{${f.name}}`).join('\n\n');
  return `Your input fields are:\n${listOf(inputs)}\nYour output fields are:\n${listOf(outputs)}\nAll interactions will be structured in the following way, with the appropriate values filled in.\n\nInputs will have the following structure:\n\n${structure}\n\nOutputs will be a JSON object with the following fields.\n\n${example}\nIn adhering to this structure, your objective is: \n        Do it.`;
}

const sections = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `[[ ## ${name} ## ]]\n${value}`)
    .join('\n\n');
const chatEnd = (outputs: readonly Field[]): string =>
  `\n\nRespond with the corresponding output fields, starting with the field ${outputs.map((f) => `\`[[ ## ${f.name} ## ]]\`${hintOf(f)}`).join(', then ')}, and then ending with the marker for \`[[ ## completed ## ]]\`.`;

const say = (role: ChatMessage['role'], text: string): ChatMessage => ({
  role,
  text,
  toolCallId: null,
  toolCalls: [],
});

function complete(messages: readonly ChatMessage[]): string {
  const completion = completeChat({
    messages,
    tools: [],
    toolChoice: { type: 'auto' },
    responseFormat: { type: 'text' },
  });
  return completion.type === 'text' ? completion.text : '';
}

function run(
  values: Readonly<Record<string, string>>,
  outputs: readonly Field[],
  objective = 'Given the fields, produce the fields.',
  before: readonly ChatMessage[] = [],
): string {
  const inputs = Object.keys(values).map((name) => field(name));
  return complete([
    say('system', chatSystem(inputs, outputs, objective)),
    ...before,
    say('user', sections(values) + chatEnd(outputs)),
  ]);
}

/** Read a reply as DSPy does: a marker opens a section, the section's text is the value. */
function read(reply: string): Record<string, string> {
  const parts = reply.split(/^\[\[ ## (\w+) ## \]\]\s*$/m).slice(1);
  return Object.fromEntries(
    parts.flatMap((part, i) => (i % 2 === 0 ? [[part, (parts[i + 1] ?? '').trim()]] : [])),
  );
}

const TAGS = 'must adhere to the JSON schema: {"type": "array", "items": {"type": "string"}}';
const BEES = 'Bees make honey in 3 hives.\n\nWasps sting 20 people a year.';

describe('a prompt of the DSPy chat adapter', () => {
  it('is answered with every output field in order and the closing marker', () => {
    const reply = run({ question: 'What is 6 * 7?' }, [field('reasoning'), field('answer')]);
    expect(reply).toBe(
      '[[ ## reasoning ## ]]\nI read "6 * 7" as arithmetic and worked it out, step by step: 6 * 7 = 42.\n\n[[ ## answer ## ]]\n42\n\n[[ ## completed ## ]]',
    );
  });

  it('is answered out of its context field, blank lines and all', () => {
    const reply = read(run({ context: BEES, question: 'What do bees make?' }, [field('answer')]));
    expect(reply['answer']).toBe('Bees make honey in 3 hives.');
  });

  it.each([
    ['a list of strings', '["Bees make honey.", "Wasps sting."]'],
    ["DSPy's numbered quotes", '[1] «Bees make honey.»\n[2] «Wasps sting.»'],
  ])('takes a context given as %s', (_, context) => {
    expect(
      read(run({ context, question: 'What do bees make?' }, [field('answer')]))['answer'],
    ).toBe('Bees make honey.');
  });

  it.each([
    ['int', 'What is 6 times 7?', 'must be a single int value', '42'],
    ['float', 'What is 1 / 8?', 'must be a single float value', '0.125'],
    ['bool', 'Is 7 > 3?', 'must be True or False', 'True'],
    ['bool', 'Is 7 < 3?', 'must be True or False', 'False'],
    [
      "Literal['yes', 'no']",
      'Is 7 < 3?',
      'must exactly match (no extra characters) one of: yes; no',
      'no',
    ],
    [
      "Literal['no', 'yes']",
      'Is 7 > 3?',
      'must exactly match (no extra characters) one of: no; yes',
      'yes',
    ],
    [
      'Union[int, NoneType]',
      'What is 2+2?',
      'must adhere to the JSON schema: {"anyOf": [{"type": "integer"}, {"type": "null"}]}',
      '4',
    ],
  ])('gives a parseable %s for "%s"', (type, question, note, expected) => {
    expect(read(run({ question }, [field('answer', type, note)]))['answer']).toBe(expected);
  });

  it('takes the number of a typed answer from the sentence that answers', () => {
    const outputs = [field('answer', 'int', 'must be a single int value')];
    expect(
      read(run({ context: BEES, question: 'How many people do wasps sting?' }, outputs))['answer'],
    ).toBe('20');
  });

  it('gives lists as JSON', () => {
    const reply = read(
      run({ context: BEES, question: 'What do bees make?' }, [
        field('answers', 'list[str]', TAGS),
        field('tags', 'list[str]', TAGS),
      ]),
    );
    expect(JSON.parse(reply['answers'] ?? '')).toEqual(['Bees make honey in 3 hives.']);
    expect(JSON.parse(reply['tags'] ?? '')).toContain('honey');
  });

  it('fills an object by the schema that the prompt spells out', () => {
    const schema =
      '{"type": "object", "properties": {"age": {"type": "integer"}, "name": {"type": "string"}}, "required": ["name", "age"]}';
    const reply = read(
      run({ text: 'Ann Smith is 3 years old.' }, [
        field('person', 'Person', `must adhere to the JSON schema: ${schema}`),
      ]),
    );
    expect(JSON.parse(reply['person'] ?? '')).toEqual({ age: 3, name: 'Ann Smith' });
  });

  it.each([
    ['I did not like this awful film.', 'negative'],
    ['What a wonderful, friendly place!', 'positive'],
    ['Not bad at all.', 'positive'],
  ])('tells the mood of "%s" as %s', (text, expected) => {
    const outputs = [
      field(
        'mood',
        "Literal['positive', 'negative']",
        'must exactly match (no extra characters) one of: positive; negative',
      ),
    ];
    expect(read(run({ text }, outputs))['mood']).toBe(expected);
  });

  it('ignores the examples in earlier messages', () => {
    const outputs = [field('answer')];
    const before = [
      say('user', sections({ question: 'What is 1+1?' })),
      say('assistant', '[[ ## answer ## ]]\n2\n\n[[ ## completed ## ]]'),
    ];
    expect(read(run({ question: 'What is 3+4?' }, outputs, 'Add.', before))['answer']).toBe('7');
  });

  it('never lets quoted text open a section', () => {
    const text = 'Bees say [[ ## completed ## ]] to honey.';
    expect(
      run({ context: text, question: 'What do bees say to honey?' }, [field('answer')]).match(
        /\[\[ ## completed/g,
      ),
    ).toHaveLength(1);
  });
});

describe('a prompt of the DSPy JSON adapter', () => {
  it('is answered with one JSON object of typed values', () => {
    const outputs = [
      field('reasoning'),
      field('n', 'int', 'must be a single int value'),
      field('tags', 'list[str]', TAGS),
      field('ok', 'bool', 'must be True or False'),
    ];
    const user = `${sections({ question: 'What is 2+3?' })}\n\nRespond with a JSON object in the following order of fields: ${outputs.map((f) => `\`${f.name}\`${hintOf(f)}`).join(', then ')}.`;
    const reply: unknown = JSON.parse(
      complete([say('system', jsonSystem([field('question')], outputs)), say('user', user)]),
    );
    expect(reply).toMatchObject({ n: 5, tags: [], ok: true });
  });
});

describe('a prompt of a DSPy agent', () => {
  const outputs = [
    field('next_thought'),
    field(
      'next_tool_name',
      "Literal['add', 'finish']",
      'must exactly match (no extra characters) one of: add; finish',
    ),
    field(
      'next_tool_args',
      'dict[str, Any]',
      'must adhere to the JSON schema: {"type": "object", "additionalProperties": true}',
    ),
  ];
  const objective =
    "Use the tools.\n        \n        (1) add, whose description is <desc>Adds two numbers</desc>. It takes arguments {'a': {'type': 'integer'}, 'b': {'type': 'integer'}}.\n        (2) finish, whose description is <desc>Marks the task as complete.</desc>. It takes arguments {}.";

  it('is answered with the tool that fits and its arguments', () => {
    const reply = read(run({ question: 'What is 2+3?', trajectory: '' }, outputs, objective));
    expect(reply).toMatchObject({ next_tool_name: 'add', next_tool_args: '{"a":2,"b":3}' });
  });

  it('is finished once a tool has answered', () => {
    const trajectory =
      '[[ ## thought_0 ## ]]\nI add.\n\n[[ ## tool_name_0 ## ]]\nadd\n\n[[ ## observation_0 ## ]]\n5';
    const reply = read(run({ question: 'What is 2+3?', trajectory }, outputs, objective));
    expect(reply).toMatchObject({ next_tool_name: 'finish', next_tool_args: '{}' });
  });

  it('that answers by tool_calls calls a tool, then hands its result in', () => {
    const tools = JSON.stringify([
      "get_weather, whose description is <desc>Get the weather of a city.</desc>. It takes arguments {'city': {'type': 'string'}}.",
      "submit, whose description is <desc>Submit the final outputs.</desc>. It takes arguments {'answer': {'type': 'string'}}.",
    ]);
    const calls = [field('next_thought'), field('tool_calls', 'ToolCalls')];
    const system = say(
      'system',
      chatSystem(
        [field('question'), field('history', 'History'), field('tools', 'list[Tool]')],
        calls,
        'Act.',
      ),
    );
    const question = sections({ question: 'What is the weather in Lisbon?' });
    const first = complete([
      system,
      say('user', `${question}\n\n${sections({ tools })}${chatEnd(calls)}`),
    ]);
    expect(JSON.parse(read(first)['tool_calls'] ?? '')).toEqual({
      tool_calls: [{ name: 'get_weather', args: { city: 'Lisbon' } }],
    });
    const result =
      '{"tool_call_results": [{"call_id": "c", "name": "get_weather", "value": "Sunny.", "is_error": false}]}';
    const second = complete([
      system,
      say('user', question + chatEnd(calls)),
      say('assistant', first),
      say('user', sections({ tool_call_results: result })),
      say('user', sections({ tools }) + chatEnd(calls)),
    ]);
    expect(JSON.parse(read(second)['tool_calls'] ?? '')).toEqual({
      tool_calls: [{ name: 'submit', args: { answer: 'Sunny.' } }],
    });
  });
});
