// Does a client of OpenAI's API get what it expects from a model of Transformers? Over real HTTP, with real torch.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startEndpoint, type Endpoint } from '../../docs/examples/smollm2/openai-endpoint.ts';
import { tinyModels } from '../support/tiny-models.ts';
import {
  IMPORT_MS,
  transformersStage,
  type TransformersStage,
} from '../support/transformers-runtime.ts';

const KEY = 'key-of-a-test';
const MESSAGES = [{ role: 'user', content: 'hi' }];
const TEMPLATED = '<|user|>hi</s><|assistant|>';

let stage: TransformersStage;
let endpoint: Endpoint;
let id: string;

beforeAll(async () => {
  const { llama } = tinyModels();
  stage = await transformersStage();
  id = await stage.bound.loadModel(llama);
  endpoint = await startEndpoint({ transformers: stage.bound, models: { tiny: id }, apiKey: KEY });
}, IMPORT_MS);
afterAll(async () => {
  await endpoint.close();
  await stage.runtime.stop();
});

function ask(path: string, body?: unknown, options: RequestInit = {}): Promise<Response> {
  return fetch(`${endpoint.baseUrl}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...options,
  });
}

const complete = (more: object = {}, options: RequestInit = {}): Promise<Response> =>
  ask('/chat/completions', { model: 'tiny', messages: MESSAGES, max_tokens: 8, ...more }, options);

/** The data of each event. */
async function eventsOf(response: Response): Promise<string[]> {
  const text = await response.text();
  return text
    .split('\n\n')
    .filter(Boolean)
    .map((event) => event.replace(/^data: /u, ''));
}

interface Chunk {
  readonly object: string;
  readonly choices: readonly {
    readonly delta: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly total_tokens: number };
}

async function tokensWritten(): Promise<number> {
  const { models } = await stage.bound.listModels({});
  return models[0]?.tokensCount ?? Number.NaN;
}

describe('/v1/chat/completions', () => {
  it('answers with what the model writes, and what it cost', async () => {
    const text = await stage.bound.generate(id, TEMPLATED, { maxNewTokens: 8 });
    const response = await complete();
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      object: 'chat.completion',
      model: 'tiny',
      choices: [
        { index: 0, message: { role: 'assistant', content: text }, finish_reason: 'length' },
      ],
      usage: { completion_tokens: 8 },
    });
  });

  it('takes sampling options, stop strings and texts in parts', async () => {
    const sampling = { temperature: 1.3, top_p: 0.9, seed: 3, max_completion_tokens: 12 };
    const parts = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'h' },
          { type: 'text', text: 'i' },
        ],
      },
    ];
    const contentOf = async (response: Response): Promise<string> => {
      const { choices } = (await response.json()) as {
        choices: { message: { content: string }; finish_reason: string }[];
      };
      return choices[0]?.message.content ?? '';
    };
    const whole = await contentOf(await complete(sampling));
    expect(await contentOf(await complete({ ...sampling, messages: parts }))).toBe(whole);
    const stop = whole.slice(3, 6);
    expect(await contentOf(await complete({ ...sampling, stop: [stop] }))).toBe(
      whole.slice(0, whole.indexOf(stop)),
    );
  });

  it('streams it as events, with the cost where that is asked for', async () => {
    const text = await stage.bound.generate(id, TEMPLATED, { maxNewTokens: 8 });
    const response = await complete({ stream: true, stream_options: { include_usage: true } });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const events = await eventsOf(response);
    expect(events.at(-1)).toBe('[DONE]');
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event) as Chunk);
    const said = chunks.map(({ choices }) => choices[0]?.delta.content ?? '');
    expect(said.join('')).toBe(text);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('length');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 8 } });
    expect(new Set(chunks.map(({ object }) => object))).toEqual(new Set(['chat.completion.chunk']));
  });

  it('stops the model when its client hangs up', async () => {
    const before = await tokensWritten();
    const abort = new AbortController();
    const response = await complete({ stream: true, max_tokens: 2_000 }, { signal: abort.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    abort.abort();
    // The worker runs one call at a time: this one's turn comes when the stream is over.
    expect((await tokensWritten()) - before).toBeLessThan(1_000);
  });

  it.each([
    ['another model', { model: 'gpt-x' }, 404, 'model_not_found', 'model'],
    ['no messages', { messages: [] }, 400, 'invalid_request', 'messages'],
    ['tools', { tools: [{ type: 'function' }] }, 400, 'unsupported_parameter', 'tools'],
    [
      'a picture',
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      400,
      'invalid_request',
      'messages[0]',
    ],
    [
      'more than the model sees',
      { messages: [{ role: 'user', content: '7'.repeat(3_000) }] },
      400,
      'context_length_exceeded',
      null,
    ],
    [
      'more than the model sees, as a stream',
      { messages: [{ role: 'user', content: '7'.repeat(3_000) }], stream: true },
      400,
      'context_length_exceeded',
      null,
    ],
  ])('refuses %s with a status and a code', async (_what, more, status, code, param) => {
    const response = await complete(more);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      error: { type: 'invalid_request_error', code, param },
    });
  });

  it('refuses what is no JSON, is too large, or has no key', async () => {
    expect((await ask('/chat/completions', '{')).status).toBe(400);
    expect((await ask('/chat/completions', '"'.padEnd(1_100_000))).status).toBe(413);
    expect((await complete({}, { headers: {} })).status).toBe(401);
  });
});

describe('/v1/models', () => {
  it('lists what there is, and tells of each', async () => {
    expect(await (await ask('/models')).json()).toMatchObject({
      object: 'list',
      data: [{ id: 'tiny', object: 'model' }],
    });
    expect(await (await ask('/models/tiny')).json()).toMatchObject({ id: 'tiny' });
    expect((await ask('/models/other')).status).toBe(404);
    expect((await ask('/other')).status).toBe(404);
  });
});
