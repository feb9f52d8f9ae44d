// How does a model of Transformers become a server that every client of OpenAI's API can use? Plain HTTP over the calls of its bridge, streams and cancellation included.
import { randomUUID, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { isCaduceusError, type TransformersMethods } from '../../../src/index.ts';
import { readChatRequest, RequestError, type ChatRequest } from './openai-request.ts';

/** What the endpoint serves. */
export interface EndpointOptions {
  /** The bound adapter: `runtime.registry.getAdapter('transformers')`. */
  readonly transformers: Pick<TransformersMethods, 'streamGenerate'>;
  /** The ids of loaded models, by the names under which clients ask for them. */
  readonly models: Readonly<Record<string, string>>;
  /** What clients must give. Default: nothing. */
  readonly apiKey?: string;
  /** Default: any that is free. */
  readonly port?: number;
}

/** A running endpoint. */
export interface Endpoint extends AsyncDisposable {
  /** What clients take for `base_url`. */
  readonly baseUrl: string;
  readonly close: () => Promise<void>;
}

/** One request: 1 MiB of text is more than any small model can see. */
const BODY_BYTES_MAX = 1024 * 1024;
/** To write one answer. */
const ANSWER_MS = 120_000;

/** The statuses of what a call can fail with; all else is this server's fault. */
const STATUSES: Readonly<Record<string, number>> = {
  invalid_arguments: 400,
  context_length_exceeded: 400,
  model_not_found: 404,
  overloaded: 429,
  checkout_timeout: 429,
  circuit_open: 503,
  pool_stopped: 503,
  pool_failed: 503,
  runtime_stopped: 503,
  worker_crashed: 503,
  deadline_exceeded: 504,
};

/** Serve on 127.0.0.1 until it is closed. */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const server = createServer((request, response) => {
    void answer(options, request, response);
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { baseUrl: `http://127.0.0.1:${port}/v1`, close, [Symbol.asyncDispose]: close };
}

async function answer(
  options: EndpointOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // Whoever hangs up has had enough: the text ends after the token that is in the making.
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    authorize(options, request);
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const route = `${request.method} ${pathname}`;
    if (route === 'POST /v1/chat/completions') {
      const chat = readChatRequest(await jsonOf(request));
      const reply = chat.isStream ? sendChunks : sendCompletion;
      await reply(options, chat, response, gone.signal);
    } else if (route === 'GET /v1/models') {
      sendJson(response, 200, { object: 'list', data: Object.keys(options.models).map(modelOf) });
    } else if (request.method === 'GET' && pathname.startsWith('/v1/models/')) {
      const name = decodeURIComponent(pathname.slice('/v1/models/'.length));
      idOf(options, name);
      sendJson(response, 200, modelOf(name));
    } else {
      throw new RequestError(404, 'not_found', `there is no ${route}`);
    }
  } catch (error) {
    fail(response, error);
  }
}

function authorize({ apiKey }: EndpointOptions, { headers }: IncomingMessage): void {
  if (apiKey === undefined) return;
  const [wanted, given] = [`Bearer ${apiKey}`, headers.authorization ?? ''].map((text) =>
    Buffer.from(text),
  );
  if (wanted?.length === given?.length && timingSafeEqual(wanted as Buffer, given as Buffer))
    return;
  throw new RequestError(401, 'invalid_api_key', 'the API key is missing or wrong');
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) {
      throw new RequestError(413, 'too_large', `a body has at most ${BODY_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new RequestError(400, 'invalid_request', 'the body must be JSON');
  }
}

/** The pieces of the answer. Also one that is sent whole is written so: then it ends when its client is gone. */
function write(options: EndpointOptions, chat: ChatRequest, signal: AbortSignal) {
  const { model, messages, sampling } = chat;
  const call = { ...sampling, timeoutMs: ANSWER_MS, signal };
  return options.transformers.streamGenerate(idOf(options, model), messages, call);
}

async function sendCompletion(
  options: EndpointOptions,
  chat: ChatRequest,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  let content = '';
  for await (const { text, finishReason, usage } of write(options, chat, signal)) {
    content += text;
    if (usage === undefined) continue;
    const message = { role: 'assistant', content };
    sendJson(response, 200, {
      ...head(chat, 'chat.completion'),
      choices: [{ index: 0, message, finish_reason: finishReason, logprobs: null }],
      usage: usageOf(usage),
    });
  }
}

async function sendChunks(
  options: EndpointOptions,
  chat: ChatRequest,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const common = head(chat, 'chat.completion.chunk');
  const choice = (delta: object, finish_reason: string | null) => ({
    ...common,
    choices: [{ index: 0, delta, finish_reason }],
  });
  let isFirst = true;
  for await (const { text, finishReason, usage } of write(options, chat, signal)) {
    // Not before there is something to say: until then an error still has a status.
    if (isFirst) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
      await sendEvent(response, choice({ role: 'assistant', content: '' }, null));
    }
    isFirst = false;
    if (text !== '') await sendEvent(response, choice({ content: text }, null));
    if (usage === undefined) continue;
    await sendEvent(response, choice({}, finishReason ?? 'stop'));
    if (chat.isUsageWanted) {
      await sendEvent(response, { ...common, choices: [], usage: usageOf(usage) });
    }
  }
  response.end('data: [DONE]\n\n');
}

/** A reader that is slower than the model holds it up. */
async function sendEvent(response: ServerResponse, value: object): Promise<void> {
  if (response.write(`data: ${JSON.stringify(value)}\n\n`) || response.destroyed) return;
  await Promise.race([once(response, 'drain'), once(response, 'close')]);
}

function idOf({ models }: EndpointOptions, name: string): string {
  const id = Object.hasOwn(models, name) ? models[name] : undefined;
  if (id !== undefined) return id;
  const known = Object.keys(models).join(', ');
  throw new RequestError(
    404,
    'model_not_found',
    `there is no model ${name}, only ${known}`,
    'model',
  );
}

const startedS = Math.floor(Date.now() / 1000);

function modelOf(id: string): object {
  return { id, object: 'model', created: startedS, owned_by: 'caduceus' };
}

function head({ model }: ChatRequest, object: string) {
  return { id: `chatcmpl-${randomUUID()}`, object, created: Math.floor(Date.now() / 1000), model };
}

type Usage = Readonly<Record<'promptTokens' | 'completionTokens' | 'totalTokens', number>>;

function usageOf({ promptTokens, completionTokens, totalTokens }: Usage): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: totalTokens,
  };
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function fail(response: ServerResponse, error: unknown): void {
  const code = isCaduceusError(error) || error instanceof RequestError ? error.code : 'internal';
  const status = error instanceof RequestError ? error.status : (STATUSES[code] ?? 500);
  const param = error instanceof RequestError ? error.param : null;
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  const message = error instanceof Error ? error.message : 'unknown';
  const body = { error: { message, type, code, param } };
  if (!response.headersSent) {
    sendJson(response, status, body);
  } else if (!response.writableEnded) {
    // In the middle of a stream there is no status left to say it with.
    response.end(`data: ${JSON.stringify(body)}\n\n`);
  }
}
