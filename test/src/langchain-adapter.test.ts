// Do the words of LangChain's adapter fit: what callers write, what Python gets, and what tests without Python answer?
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { langchain } from '../../src/adapters/langchain.ts';
import { variablesOf } from '../../src/adapters/langchain-requests.ts';
import type { Args, MockContext, OperationDefinition } from '../../src/adapters/operation.ts';
import { checkBy } from '../../src/adapters/standard-schema.ts';
import { secret } from '../../src/index.ts';
import { createTestRuntime } from '../../src/testing/index.ts';

const adapter = langchain();
const operations = adapter.operations as Record<string, OperationDefinition>;
const tools = { newId: () => 'langchain_new' };
const request = (op: string, args: Args): Args => adapter.transformRequest?.(op, args, tools) ?? {};

/** A scope whose mocks are asked as Python would be: checked on both sides. */
function scope(): (op: string, args?: Args) => unknown {
  const state = new Map<string, unknown>();
  const context: MockContext = { sessionId: 'ada', random: () => 0.5, state };
  return (op, args = {}) => {
    const operation = operations[op];
    if (operation?.args !== undefined)
      expect(checkBy(operation.args, args)).toMatchObject({ type: 'good' });
    const answer: unknown = operation?.mock?.(request(op, args), context);
    if (operation?.stream === true) return (answer as unknown[]).map((item) => checked(op, item));
    return checked(op, answer);
  };
}

/** What a caller gets, which its schema knows. */
function checked(op: string, answer: unknown): unknown {
  const { result, item } = operations[op] ?? {};
  const given: unknown = adapter.transformResponse?.(op, answer);
  const schema = result ?? item;
  if (schema !== undefined) expect(checkBy(schema, given)).toMatchObject({ type: 'good' });
  return given;
}

describe('a request', () => {
  it('to create a chain is the ported design’s', () => {
    const template = 'Answer {question} for {name}, {{braces}} aside';
    const expected = { id: 'langchain_new', template, input_variables: ['name', 'question'] };
    for (const key of ['promptTemplate', 'prompt_template', 'template'])
      expect(request('create_chain', { [key]: template })).toEqual(expected);
  });

  it('to run one is too, by whichever name the chain is given', () => {
    for (const key of ['id', 'chainId', 'chain_id'])
      expect(request('run_chain', { [key]: 'c', inputs: { a: 1 } })).toEqual({
        ...{ chain_id: 'c', inputs: { a: 1 } },
      });
  });

  it('to configure has Python’s names, in either spelling', () => {
    const snake = { model_type: 'openai', model_name: 'm', api_key: 'k', api_base: 'http://x/v1' };
    const camel = { modelType: 'openai', modelName: 'm', apiKey: 'k', apiBase: 'http://x/v1' };
    expect(request('configure_llm', snake)).toEqual(snake);
    expect(request('configure_llm', { ...camel, timeoutMs: 1_500 })).toEqual({
      ...snake,
      timeout_s: 1.5,
    });
  });

  it.each([
    ['create_chain', {}, 'promptTemplate or prompt_template or template'],
    ['create_chain', { promptTemplate: 'a', template: 'b' }, 'just one of them'],
    ['run_chain', { inputs: {} }, 'id or chainId or chain_id'],
    ['configure_llm', { modelName: 'a', model_name: 'b' }, 'they differ'],
  ])('that names a thing not at all or twice is refused: %s %o', (op, args, words) => {
    expect(() => request(op, args)).toThrow(words);
  });

  it.each([
    ['create_chain', { id: 'x', template: 't' }, 'delete_chain', { id: 'x' }, 'chain x'],
    ['create_agent', { id: 'x' }, 'delete_agent', { agentId: 'x' }, 'agent x'],
    ['set_memory', { messages: [] }, 'clear_memory', {}, 'memory default'],
    ['set_memory', { thread: 't', messages: [] }, 'clear_memory', { thread: 't' }, 'memory t'],
  ])('of %s names its thing as its opposite does', (make, made, drop, dropped, key) => {
    expect(operations[make]?.key?.(request(make, made))).toBe(key);
    expect(operations[drop]?.key?.(request(drop, dropped))).toBe(key);
  });
});

describe('the variables of a template', () => {
  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/u);

  it('are the names in single braces, each once and in order', () => {
    const around = fc.constantFrom('', ' and ', '{{', '}}', '{{x}}', '\n');
    fc.assert(
      fc.property(fc.array(fc.tuple(around, name)), (parts) => {
        const template = parts.map(([text, each]) => `${text} {${each}} `).join('');
        const names = [...new Set(parts.map(([, each]) => each))].sort();
        expect(variablesOf(template)).toEqual(names);
      }),
    );
  });

  it('have neither conversions nor formats', () => {
    expect(variablesOf('{a!r} {b:>10} {{{c}}}')).toEqual(['a', 'b', 'c']);
  });
});

describe('a configuration', () => {
  it.each([
    { model_type: 'openai', api_key: 'k' },
    { modelType: 'openai', apiKey: secret('LLM_KEY') },
    { model_type: 'openai', apiBase: 'http://127.0.0.1:1/v1' },
  ])('is taken: %o', (config) => {
    expect(() => adapter.validateConfig?.(config)).not.toThrow();
  });

  it.each([
    [{}, 'model_type is required'],
    [{ api_key: 'k' }, 'model_type is required'],
    [{ model_type: 'openai' }, 'api_key is required'],
    [{ model_type: 'openai', api_key: '' }, 'api_key is required'],
  ])('is refused: %o', (config, words) => {
    expect(() => adapter.validateConfig?.(config)).toThrow(words);
  });
});

describe('a mock', () => {
  it('of each operation answers what its schema says', () => {
    const call = scope();
    call('configure_llm', { modelType: 'openai' });
    expect(call('create_chain', { promptTemplate: 'Say {word}' })).toBe('langchain_new');
    const chain = { id: 'langchain_new', inputs: { word: 'hi' } };
    expect(call('run_chain', chain)).toEqual({ output: 'mock: Say hi' });
    expect(call('stream_chain', chain)).toEqual(['mock: ', 'Say ', 'hi']);
    expect(call('list_chains')).toMatchObject({ total_count: 1 });
    call('delete_chain', { id: 'langchain_new' });
    expect(() => call('run_chain', chain)).toThrow('Chain not found: langchain_new');
    expect(call('create_agent', { id: 'a', tools: [{ name: 't', description: 'd' }] })).toBe('a');
    expect(call('run_agent', { id: 'a', input: 'hello' })).toMatchObject({ output: 'mock: hello' });
    expect(call('stream_agent', { id: 'a', input: 'hello' })).toHaveLength(3);
    expect(call('list_agents')).toMatchObject({ agents: [{ id: 'a', tools: ['t'] }] });
    call('delete_agent', { id: 'a' });
    expect(call('set_memory', { messages: [] })).toMatchObject({ messages_count: 0 });
    expect(call('get_memory')).toEqual({ thread: 'default', messages: [] });
    expect(call('clear_memory', { thread: 't' })).toEqual({ thread: 't', status: 'cleared' });
    expect(call('embed', { texts: ['a', 'b'] })).toMatchObject({ dimensions: 8 });
    call('forget_session');
    expect(call('list_agents')).toMatchObject({ total_count: 0 });
  });

  it('is there for every operation', () => {
    expect(Object.keys(operations).filter((op) => operations[op]?.mock === undefined)).toEqual([]);
    expect(([1, 2, 3] as const).map((layer) => adapter.supportsTestLayer(layer))).toEqual([
      ...[true, true, true],
    ]);
  });

  it.each([1, 2] as const)('stands in for LangChain on test layer %i', async (layer) => {
    await using runtime = await createTestRuntime({
      layer,
      bridges: { langchain: { adapter: langchain(), pool: { size: 1 } } },
    });
    const chains = runtime.registry.getAdapter('langchain');
    await runtime.ml.configure('langchain', { model_type: 'openai', api_key: 'k' });
    const id = await chains.createChain('Say {word}');
    expect(await chains.runChain(id, { word: 'hi' })).toEqual({ output: 'mock: Say hi' });
    const tokens: unknown[] = [];
    for await (const token of runtime.ml.stream(id, { word: 'hi' })) tokens.push(token);
    expect(tokens).toEqual(['mock: ', 'Say ', 'hi']);
  });
});
