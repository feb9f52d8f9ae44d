// How is the service started, and ended? `node dist/docs/examples/fastify/main.js`, on PORT (3000) with the model at MODEL_URL (a local one, which works by rules). With `--check` it uses itself, and ends.
import { startLocalModel } from '../../../src/testing/index.ts';
import { check } from './check.ts';
import { createService } from './service.ts';

async function serve(): Promise<void> {
  const { PORT = '3000', MODEL_URL, MODEL = 'openai/local', MODEL_KEY = 'none' } = process.env;
  const local = MODEL_URL === undefined ? await startLocalModel() : undefined;
  const apiBase = MODEL_URL ?? local?.baseUrl ?? '';
  const service = await createService({ model: MODEL, apiBase, apiKey: MODEL_KEY });

  let closing: Promise<void> | undefined;
  const close = (): void => {
    // A second Ctrl-C waits for the same end.
    closing ??= service.close().then(() => local?.close());
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, close);
  console.log(await service.listen({ port: Number(PORT), host: '127.0.0.1' }));
}

await (process.argv.includes('--check') ? check() : serve());
