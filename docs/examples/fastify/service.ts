// How does a web service embed the runtime? Routes of Fastify over one pool of DSPy: an answer, a stream of tokens for browsers, a page, health, and an end that lets calls finish.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';

import { createRuntime, dspy, isCaduceusError, type DspyConfig } from '../../../src/index.ts';

/** One answer. */
const ANSWER_MS = 60_000;
/** What is under way when the service stops may take so long to end; then it is given up. */
const GRACE_MS = 10_000;
const PAGE = path.resolve('docs/examples/fastify/page.html');
/** What a failed call means over HTTP; all else is the model's fault, or ours. */
const STATUSES: Readonly<Record<string, number>> = {
  overloaded: 429,
  checkout_timeout: 429,
  rate_limited: 429,
  pool_stopped: 503,
  runtime_stopped: 503,
  deadline_exceeded: 504,
};
const question = { type: 'string', minLength: 1, maxLength: 2_000 };
const asked = { type: 'object', required: ['question'], properties: { question } };
interface Asked {
  readonly question: string;
}

/** The service, with its workers running; `close()` ends both. */
export async function createService(model: DspyConfig): Promise<FastifyInstance> {
  const runtime = await createRuntime({
    bridges: { dspy: { adapter: dspy(), pool: { size: 2 } } },
  });
  await runtime.ml.configure('dspy', model);
  const bridge = runtime.registry.getAdapter('dspy');
  const id = await bridge.createProgram({ signature: 'question -> answer' });
  const ending = new AbortController();
  /** Options of a call that ends with its client: whoever goes away needs no answer, and no model should write it. */
  const until = (reply: FastifyReply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return { timeoutMs: ANSWER_MS, signal: AbortSignal.any([gone.signal, ending.signal]) };
  };

  const app = fastify();
  app.get('/', async (_request, reply) => reply.type('text/html').send(await readFile(PAGE)));

  app.post<{ Body: Asked }>('/ask', { schema: { body: asked } }, (request, reply) =>
    bridge.executeProgram({ id, inputs: { ...request.body } }, until(reply)),
  );

  app.get<{ Querystring: Asked }>(
    '/stream',
    { schema: { querystring: asked } },
    (request, reply) => {
      const items = bridge.streamProgram({ id, inputs: { ...request.query } }, until(reply));
      return reply
        .headers({ 'cache-control': 'no-cache', connection: 'close' })
        .type('text/event-stream')
        .send(Readable.from(eventsOf(items)));
    },
  );

  app.get('/health', async (_request, reply) => {
    const { state, gauges, counters } = runtime.pool('dspy').statistics();
    return reply.code(state === 'serving' ? 200 : 503).send({ state, gauges, counters });
  });

  app.setErrorHandler((error: Error, _request, reply) => {
    if (!isCaduceusError(error)) return reply.send(error);
    const status = STATUSES[error.code] ?? 502;
    return reply.code(status).send({ error: error.code, retryable: error.retryable });
  });

  // Fastify stops listening, waits for the replies that are under way and their connections, and then for the workers.
  const stopping = new AbortController();
  app.addHook('onSend', async (_request, reply) => {
    if (stopping.signal.aborted) reply.header('connection', 'close');
  });
  app.addHook('preClose', () => {
    stopping.abort();
    AbortSignal.timeout(GRACE_MS).addEventListener('abort', () => ending.abort());
    return Promise.resolve();
  });
  app.addHook('onClose', async () => {
    await runtime.stop();
  });
  return app;
}

type Item = { readonly text: string } | { readonly outputs: object };

/** The data of an `EventSource`: tokens, then how it ended. An error is an event too, for a browser sees neither status nor body. */
async function* eventsOf(items: AsyncIterable<Item>): AsyncGenerator<string> {
  const event = (name: string, data: unknown): string =>
    `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  try {
    for await (const item of items) {
      if ('text' in item) yield event('token', item.text);
      else yield event('done', item.outputs);
    }
  } catch (error) {
    if (!isCaduceusError(error)) throw error;
    yield event('failed', { error: error.code, retryable: error.retryable });
  }
}
