// How does a program run a language model of its own, with nothing outside itself? A small chat model on one worker, served in OpenAI's protocol, is the model of a DSPy program on another. Its argument is the model's GGUF file.
import assert from 'node:assert/strict';
import path from 'node:path';

import { createRuntime, dspy, transformers } from '../../../src/index.ts';
import { startEndpoint } from './openai-endpoint.ts';

/** Its weights are unpacked from four bits each: half a minute on a machine with other work. */
const LOAD_MS = 300_000;
const ANSWER_MS = 240_000;
const MAX_TOKENS = 60;
const [file] = process.argv.slice(2);
assert(file !== undefined, 'name the GGUF file, or run `npm run examples smollm2`');
const show = (what: string, value: unknown): void => console.log(`${what}:`, value);
const secondsSince = (startMs: number): number => (performance.now() - startMs) / 1_000;

await using runtime = await createRuntime({
  bridges: {
    transformers: { adapter: transformers({ threads: 2 }) },
    dspy: { adapter: dspy(), pool: { size: 1, callTimeoutMs: ANSWER_MS } },
  },
});
const writer = runtime.registry.getAdapter('transformers');
const bridge = runtime.registry.getAdapter('dspy');

const loadMs = performance.now();
const id = await writer.loadModel({ path: path.resolve(file) }, { timeoutMs: LOAD_MS });
show('loaded after s', secondsSince(loadMs).toFixed(1));

// The model itself, with nothing in between.
const messages = [{ role: 'user', content: 'Why is the sky blue?' }];
const limits = { maxNewTokens: MAX_TOKENS, timeoutMs: ANSWER_MS };
let said = '';
let firstMs = 0;
for await (const { text, usage } of writer.streamGenerate(id, messages, limits)) {
  firstMs ||= performance.now();
  said += text;
  if (usage === undefined) continue;
  const speed = (usage.completionTokens - 1) / secondsSince(firstMs);
  show('written', { ...usage, tokensPerS: Number(speed.toFixed(1)) });
}
show('said', said);
assert.match(said, /sky/iu);

// Any client of OpenAI's protocol can use it now: here DSPy, whose worker only knows its address.
await using endpoint = await startEndpoint({ transformers: writer, models: { smollm2: id } });
const { baseUrl: apiBase } = endpoint;
const timeoutMs = ANSWER_MS;
const config = { model: 'openai/smollm2', apiBase, maxTokens: MAX_TOKENS, timeoutMs };
await runtime.ml.configure('dspy', config);

// So small a model does not follow DSPy's layout of an answer from its description. Three examples show it how.
const program = await bridge.createProgram({ signature: 'question -> answer' });
const trainset = [
  { question: 'What is the capital of Spain?', answer: 'Madrid' },
  { question: 'What is the capital of Germany?', answer: 'Berlin' },
  { question: 'Which animal barks?', answer: 'A dog' },
];
await bridge.optimize(program, { optimizer: 'labeled_few_shot', trainset });

for (const [country, city] of [
  ['France', /Paris/u],
  ['Italy', /Rome/u],
] as const) {
  const askedMs = performance.now();
  const inputs = { question: `What is the capital of ${country}?` };
  const { answer } = await bridge.executeProgram({ id: program, inputs });
  show(inputs.question, { answer, afterS: Number(secondsSince(askedMs).toFixed(1)) });
  assert.match(String(answer), city);
}
