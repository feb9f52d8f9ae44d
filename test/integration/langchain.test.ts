// Do LangChain's chains work through the runtime: configurations, templates, streams, schemas, embeddings? A real framework in real processes, with the local model.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { LocalModel } from '../../src/testing/index.ts';
import { collected, startLangchain, type LangchainWorld } from '../support/langchain-runtime.ts';
import { rejection } from '../support/real-runtime.ts';

let world: LangchainWorld;
let model: LocalModel;
let runtime: LangchainWorld['runtime'];
let chains: LangchainWorld['chains'];

const BRIDGE = { bridge: 'langchain' };
const KEY = 'sk-a-key-that-nobody-may-see';

beforeAll(async () => {
  world = await startLangchain({ size: 1 });
  ({ model, runtime, chains } = world);
}, 60_000);
afterAll(() => world.stop());

/** The bodies of the requests that have this text in their prompt. */
function bodiesWith(text: string): readonly Record<string, unknown>[] {
  return model.requests
    .filter(({ promptText }) => promptText.includes(text))
    .map(({ body }) => body as Record<string, unknown>);
}

describe('the ported design’s example', () => {
  it('runs: configure, create a chain, run it', async () => {
    const program = { prompt_template: 'Answer this question: {question}' };
    const id = await runtime.ml.createProgram(program, BRIDGE);
    expect(id).toMatch(/^langchain_/u);
    const result = await runtime.ml.execute(id, { question: 'What is 17 * 23?' });
    expect(result).toEqual({ output: '17 * 23 = 391' });
  });

  it('has its words for what Python is asked and answers', async () => {
    const raw = await chains.configureLlm({ modelType: 'openai', apiBase: model.baseUrl });
    expect(raw).toEqual({
      status: 'configured',
      model_type: 'openai',
      model_name: 'gpt-4.1-mini',
      scope: 'bridge',
    });
    const id = await chains.createChain('Say "{word}" to {name}.', { id: 'greeting' });
    expect(id).toBe('greeting');
    const { chains: listed } = await chains.listChains({});
    const found = listed.find((chain) => chain.id === 'greeting');
    expect(found).toMatchObject({ input_variables: ['name', 'word'], run_count: 0 });
    expect(await chains.deleteChain('greeting')).toEqual({
      chain_id: 'greeting',
      status: 'deleted',
    });
    const error = await rejection(chains.runChain('greeting', { word: 'Hi', name: 'Ada' }));
    expect(error).toMatchObject({ code: 'chain_not_found', retryable: false });
    expect(error.message).toContain('Chain not found: greeting');
  });

  it.each([
    [{ api_key: 'k' }, 'model_type is required', 'config.model_type'],
    [{ model_type: 'openai' }, 'api_key is required', 'config.api_key'],
    [{ modelType: 'openai', apiKey: 'k', temprature: 1 }, 'temperature', 'config'],
    [{ model_type: 'magic', api_key: 'k' }, 'openai', 'config.model_type'],
  ])('refuses a configuration before anything is sent: %o', async (config, words, field) => {
    const error = await rejection(runtime.ml.configure('langchain', config));
    expect(error).toMatchObject({ code: 'invalid_config', field });
    expect(error.message).toContain(words);
  });
});

describe('a configuration', () => {
  it('reaches the server as it is: model, key, temperature 0.7 where nothing is said', async () => {
    const id = await chains.createChain('What is 2 * {n}?');
    const session = { sessionId: 'configured' };
    await runtime.ml.configure(
      'langchain',
      {
        modelType: 'openai',
        modelName: 'local',
        apiKey: KEY,
        apiBase: model.baseUrl,
        maxTokens: 9,
      },
      session,
    );
    const own = await chains.createChain('What is 3 * {n}?', session);
    await chains.runChain(id, { n: 11 });
    await chains.runChain(own, { n: 11 }, session);
    expect(bodiesWith('2 * 11')).toMatchObject([{ model: 'gpt-4.1-mini', temperature: 0.7 }]);
    expect(bodiesWith('3 * 11')).toMatchObject([
      { model: 'local', temperature: 0.7, max_completion_tokens: 9 },
    ]);
  });
});

describe('chains', () => {
  it('have a system message and say what they cost', async () => {
    const id = await chains.createChain('What is {a} + {b}?', { system: 'You are {who}.' });
    const inputs = { a: 40, b: 2, who: 'a calculator' };
    const answer = await chains.executeOperation('run_chain', { id, inputs, usage: true });
    expect(answer).toMatchObject({
      output: '40 + 2 = 42',
      usage: { 'gpt-4.1-mini': { total_tokens: expect.any(Number) as number } },
    });
    const [body] = bodiesWith('40 + 2');
    expect(body?.['messages']).toMatchObject([
      { role: 'system', content: 'You are a calculator.' },
      { role: 'user', content: 'What is 40 + 2?' },
    ]);
  });

  it('stream their tokens', async () => {
    const id = await chains.createChain('What is {n} * 23?');
    const tokens = await collected(runtime.ml.stream(id, { n: 17 }));
    expect(tokens).toEqual(['17', ' *', ' 23', ' =', ' 391']);
    expect(await collected(chains.streamChain(id, { n: 2 }))).toEqual([
      '2',
      ' *',
      ' 23',
      ' =',
      ' 46',
    ]);
  });

  it('give an object where a schema says so', async () => {
    const outputSchema = {
      title: 'sum',
      type: 'object',
      properties: { result: { type: 'number' }, question: { type: 'string' } },
      required: ['result'],
    };
    const id = await chains.createChain('What is {a} * {b}?', { outputSchema });
    expect(await chains.runChain(id, { a: 6, b: 7 })).toMatchObject({ output: { result: 42 } });
    model.inject({ kind: 'nonsense' });
    const error = await rejection(chains.runChain(id, { a: 6, b: 7 }));
    expect(error).toMatchObject({ code: 'invalid_output' });
    expect(error.message).toContain('output_schema');
  });

  it('are refused when inputs are missing or unknown, and nothing is asked', async () => {
    const id = await chains.createChain('{question}');
    const asked = model.requestsCount;
    const error = await rejection(chains.runChain(id, { qestion: 'x' }));
    expect(error).toMatchObject({ code: 'invalid_arguments' });
    expect(error.message).toContain('missing question; unexpected qestion');
    expect(model.requestsCount).toBe(asked);
  });

  it.each([
    [{ promptTemplate: '{a.b}' }, 'invalid_template'],
    [{ promptTemplate: '{}' }, 'invalid_template'],
    [{ promptTemplate: '{open' }, 'invalid_template'],
    [{ promptTemplate: '{{ x }}', template_format: 'jinja2' }, 'invalid_arguments'],
    [{ promptTemplate: '{a}', input_variables: ['b'] }, 'invalid_arguments'],
  ])('have templates that are f-strings and nothing else: %o', async (program, code) => {
    const error = await rejection(runtime.ml.createProgram(program, BRIDGE));
    expect(error).toMatchObject({ code });
  });

  it('take doubled braces for braces', async () => {
    const id = await chains.createChain('Say "{{{word}}}"');
    expect(await chains.runChain(id, { word: 'hello' })).toEqual({ output: '{hello}' });
  });

  it('of a session are its own', async () => {
    const id = await chains.createChain('{x}', { sessionId: 'alice' });
    const error = await rejection(chains.runChain(id, { x: 1 }, { sessionId: 'bob' }));
    expect(error).toMatchObject({ code: 'chain_not_found' });
    const elsewhere = await rejection(chains.runChain(id, { x: 1 }));
    expect(elsewhere.message).toContain('a session has one: call it in that session');
    expect(elsewhere.message).not.toContain('alice');
  });
});

describe('embeddings', () => {
  it('cross as numbers in bulk, a row for each text', async () => {
    const { embeddings, dimensions } = await chains.embed([
      'a cat sat',
      'a cat sat',
      'stocks fell',
    ]);
    expect(embeddings.shape).toEqual([3, dimensions]);
    const [first, second, third] = [0, 1, 2].map((row) =>
      [...(embeddings.data as Float64Array)].slice(row * dimensions, (row + 1) * dimensions),
    );
    expect(first).toEqual(second);
    expect(first).not.toEqual(third);
  });
});

describe('what every bridge answers', () => {
  it('has the seed’s fields and LangChain’s name', async () => {
    const stats = await runtime.pool('langchain').call('get_stats');
    expect(stats).toMatchObject({
      framework: {
        name: 'langchain',
        version: expect.stringMatching(/^1\./u) as string,
        capabilities: ['chains', 'agents', 'prompts', 'memory', 'tools'],
      },
    });
    const { sessions } = runtime.pool('langchain').statistics().gauges;
    await runtime.pool('langchain').endSession('alice');
    expect(runtime.pool('langchain').statistics().gauges.sessions).toBe(sessions - 1);
  });
});
