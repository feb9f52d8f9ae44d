import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  LOCAL_MODEL_LIMITS,
  startLocalModel,
  type LocalModel,
} from '../../../src/testing/index.ts';
import { chatBody, chunksOf, post, readEvents, stream, textOf } from './local-model-client.ts';

let model: LocalModel;
beforeAll(async () => {
  model = await startLocalModel({ ids: () => 'id-1' });
});
afterAll(() => model.close());

describe('chat completions', () => {
  it('are answered in the wire format of OpenAI', async () => {
    const answered = await post(model, '/chat/completions', chatBody('What is 17 * 23?'));
    expect(answered.status).toBe(200);
    expect(answered.body).toEqual({
      id: 'chatcmpl-id-1',
      object: 'chat.completion',
      created: expect.any(Number) as number,
      model: 'local',
      system_fingerprint: 'fp_local_rules',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: '17 * 23 = 391', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 6, completion_tokens: 5, total_tokens: 11 },
    });
  });

  it('take content in text parts', async () => {
    const content = [
      { type: 'text', text: 'What is' },
      { type: 'text', text: '2+2?' },
    ];
    const body = { model: 'local', messages: [{ role: 'user', content }] };
    expect(textOf(await post(model, '/chat/completions', body))).toBe('2 + 2 = 4');
  });

  it('carry tool calls with JSON arguments', async () => {
    const tools = [
      {
        type: 'function',
        function: { name: 'calc', parameters: { properties: { expression: { type: 'string' } } } },
      },
    ];
    const { body } = await post(model, '/chat/completions', chatBody('What is 2+2?', { tools }));
    expect(body).toMatchObject({
      choices: [
        {
          message: {
            content: null,
            tool_calls: [
              {
                id: 'call_id-1',
                type: 'function',
                function: { name: 'calc', arguments: '{"expression":"2 + 2"}' },
              },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
    });
  });

  it('stop at the token limit and say so', async () => {
    const { body } = await post(
      model,
      '/chat/completions',
      chatBody('Who are you?', { max_tokens: 3 }),
    );
    expect(body).toMatchObject({
      choices: [{ message: { content: 'I am the' }, finish_reason: 'length' }],
    });
  });

  it('stop before a stop sequence', async () => {
    const answered = await post(
      model,
      '/chat/completions',
      chatBody('What is 2+2?', { stop: [' ='] }),
    );
    expect(textOf(answered)).toBe('2 + 2');
  });
});

describe('streams', () => {
  it('begin with the role, go word by word, end with the reason and [DONE]', async () => {
    const response = await stream(model, chatBody('What is 17 * 23?'));
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const events = await readEvents(response);
    const chunks = chunksOf(events);
    expect(events.at(-1)).toBe('[DONE]');
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '')).toEqual([
      '',
      '17',
      ' *',
      ' 23',
      ' =',
      ' 391',
      '',
    ]);
    expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason)).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
      'stop',
    ]);
    expect(new Set(chunks.map((chunk) => chunk.object))).toEqual(
      new Set(['chat.completion.chunk']),
    );
  });

  it('tell the usage in a last chunk without choices when asked', async () => {
    const events = await readEvents(
      await stream(model, chatBody('2+2', { stream_options: { include_usage: true } })),
    );
    const last = chunksOf(events).at(-1);
    expect(last?.choices).toEqual([]);
    expect(last?.usage?.total_tokens).toBeGreaterThan(0);
  });

  it('carry a tool call in parts that join to JSON', async () => {
    const tools = [
      {
        type: 'function',
        function: { name: 'calc', parameters: { properties: { expression: { type: 'string' } } } },
      },
    ];
    const chunks = chunksOf(
      await readEvents(await stream(model, chatBody('What is 2+2?', { tools }))),
    );
    const calls = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    expect(calls[0]?.function.name).toBe('calc');
    expect(JSON.parse(calls.map((call) => call.function.arguments).join(''))).toEqual({
      expression: '2 + 2',
    });
  });

  it('join to the same text as a whole completion', async () => {
    const prompt = 'Summarise: Bees make honey. Bees live in hives.\n\nCats sleep.';
    const chunks = chunksOf(await readEvents(await stream(model, chatBody(prompt))));
    const joined = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    expect(joined).toBe(textOf(await post(model, '/chat/completions', chatBody(prompt))));
  });
});

describe('embeddings', () => {
  const embed = async (
    body: object,
  ): Promise<{ status: number; vectors: (number[] | string)[] }> => {
    const answered = await post(model, '/embeddings', { model: 'local-embeddings', ...body });
    const { data } = answered.body as { data?: { embedding: number[] | string }[] };
    return { status: answered.status, vectors: (data ?? []).map(({ embedding }) => embedding) };
  };
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

  it('are vectors of length 1, the same for the same text', async () => {
    const { vectors } = await embed({ input: ['red apples', 'red apples', ''] });
    const [first = [], second, empty = []] = vectors as number[][];
    expect(first).toHaveLength(LOCAL_MODEL_LIMITS.embeddingDimensions);
    expect(first).toEqual(second);
    expect(dot(first, first)).toBeCloseTo(1, 5);
    expect(dot(empty, empty)).toBeCloseTo(1, 5);
  });

  it('lie closer for like texts', async () => {
    const { vectors } = await embed({
      input: [
        'a worker crashed in the night',
        'the workers crash at night',
        'recipes for apple cake',
      ],
    });
    const [a = [], like = [], other = []] = vectors as number[][];
    expect(dot(a, like)).toBeGreaterThan(0.6);
    expect(dot(a, other)).toBeLessThan(0.3);
  });

  it('come as base64 of little-endian floats', async () => {
    const asFloats = await embed({ input: 'red apples', dimensions: 8 });
    const asBase64 = await embed({ input: 'red apples', dimensions: 8, encoding_format: 'base64' });
    const bytes = Buffer.from(asBase64.vectors[0] as string, 'base64');
    const read = Array.from({ length: 8 }, (_, i) => bytes.readFloatLE(i * 4));
    expect(read).toEqual(asFloats.vectors[0]);
  });

  it.each([
    { input: [] },
    { input: [1, 2] },
    { input: 'a', dimensions: 0 },
    { input: 'a', encoding_format: 'hex' },
  ])('refuse %j', async (body) => {
    expect((await embed(body)).status).toBe(400);
  });
});

describe('models', () => {
  it('are listed and described', async () => {
    const list: unknown = await (await fetch(`${model.baseUrl}/models`)).json();
    expect(list).toMatchObject({
      object: 'list',
      data: [{ id: 'local', object: 'model' }, { id: 'local-embeddings' }],
    });
    const one: unknown = await (await fetch(`${model.baseUrl}/models/local`)).json();
    expect(one).toMatchObject({ id: 'local', owned_by: 'caduceus' });
  });

  it('that do not exist are not found', async () => {
    const response = await fetch(`${model.baseUrl}/models/other`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { code: 'model_not_found', param: 'model' },
    });
  });
});

describe('a request that cannot be answered', () => {
  it.each([
    ['that is not JSON', '{"model": ', 400],
    ['that is no object', '[]', 400],
    ['without a model', { messages: [{ role: 'user', content: 'a' }] }, 400],
    ['without messages', { model: 'local', messages: [] }, 400],
    ['with an unknown role', { model: 'local', messages: [{ role: 'robot', content: 'a' }] }, 400],
    [
      'with an image',
      {
        model: 'local',
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }],
      },
      400,
    ],
    ['for two choices', chatBody('a', { n: 2 }), 400],
    ['with a broken tool', chatBody('a', { tools: [{ type: 'function' }] }), 400],
    [
      'that forces a tool it does not offer',
      chatBody('a', { tool_choice: { type: 'function', function: { name: 'x' } } }),
      400,
    ],
    ['with an unknown response format', chatBody('a', { response_format: { type: 'xml' } }), 400],
    ['with no tokens allowed', chatBody('a', { max_tokens: 0 }), 400],
    ['larger than the bound', `"${'a'.repeat(LOCAL_MODEL_LIMITS.bodyBytesMax)}"`, 413],
  ])('%s is refused with an error object of OpenAI', async (_, body, status) => {
    const answered = await post(model, '/chat/completions', body);
    expect(answered.status).toBe(status);
    expect(answered.body).toMatchObject({
      error: { message: expect.any(String) as string, type: 'invalid_request_error' },
    });
  });

  it.each(['/responses', '/completions', '/other'])('to %s is not found', async (path) => {
    expect(await post(model, path, {})).toMatchObject({
      status: 404,
      body: { error: { code: 'unknown_url' } },
    });
  });

  it('by the wrong method is told the right one', async () => {
    const response = await fetch(`${model.baseUrl}/chat/completions`);
    await response.arrayBuffer();
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });
});
