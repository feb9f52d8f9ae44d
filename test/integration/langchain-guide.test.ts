// Is the guide to LangChain true? Its snippets are statements of this file, run with the local model.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

import { createRuntime, langchain, secret } from '../../src/index.ts';
import { startLocalModel } from '../../src/testing/index.ts';
import { calculator } from '../support/langchain-runtime.ts';
import { PYTHON } from '../support/real-runtime.ts';

const GUIDE = path.resolve(import.meta.dirname, '../../docs/guide/langchain.md');

/** What is done, without how it is laid out and what is imported. */
function wordsOf(text: string): string {
  return text
    .replaceAll(/^import .*$/gmu, '')
    .replaceAll(/\/\/.*$/gmu, '')
    .replaceAll(/[\s,]+/gu, '');
}

it('the guide to LangChain shows what is done here', () => {
  const own = wordsOf(
    readFileSync(import.meta.filename, 'utf8').replaceAll(
      /^ {4}(?:python|logger|secrets):.*$/gmu,
      '',
    ),
  );
  const found = [...readFileSync(GUIDE, 'utf8').matchAll(/^```ts\n([\s\S]*?)\n```$/gmu)];
  const snippets = found.map(([, code = '']) => code);
  expect(snippets.length).toBeGreaterThanOrEqual(7);
  expect(snippets.filter((snippet) => !own.includes(wordsOf(snippet)))).toEqual([]);
});

it('what the guide to LangChain shows works', { timeout: 60_000 }, async () => {
  await using model = await startLocalModel();
  const { parameters: schema } = calculator;
  const api_base = model.baseUrl;
  const tokens: string[] = [];
  const steps: string[] = [];

  const runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    secrets: { LLM_KEY: 'not-needed' },
    bridges: { langchain: { adapter: langchain() } },
  });
  await runtime.ml.configure('langchain', {
    model_type: 'openai',
    api_base,
    api_key: secret('LLM_KEY'),
  });
  const chains = runtime.registry.getAdapter('langchain');

  const id = await chains.createChain('Answer this question: {question}');
  const { output } = await chains.runChain(id, { question: 'What is 17 * 23?' });
  for await (const token of chains.streamChain(id, { question: 'What is 2 + 2?' }))
    tokens.push(token);
  expect([output, tokens.join('')]).toEqual(['17 * 23 = 391', '2 + 2 = 4']);

  const outputSchema = {
    type: 'object',
    properties: { total: { type: 'number' } },
    required: ['total'],
  };
  const adder = await chains.createChain('What is {a} + {b}?', { outputSchema });
  const sum = await chains.runChain(adder, { a: 20, b: 22 });
  expect(sum).toEqual({ output: { total: 42 } });

  const ada = { sessionId: 'ada' };
  const tools = [
    { name: 'calculate', description: 'Calculate an expression.', parameters: schema },
  ];
  const agent = await chains.createAgent({ systemPrompt: 'Be brief.', tools }, ada);
  const callbacks = {
    calculate: ({ expression }: { expression: string }) => `${expression} is 42`,
  };
  const run = await chains.runAgent(agent, 'What is 6 * 7?', { ...ada, callbacks });
  expect(run).toMatchObject({ output: 'calculate says: 6 * 7 is 42', rememberedBy: 'journal' });

  for await (const step of chains.streamAgent(agent, 'What is 3 * 14?', { ...ada, callbacks }))
    steps.push(step.type);
  expect([...new Set(steps)]).toEqual(['tool_call', 'tool_result', 'token', 'message']);

  const { messages } = await chains.getMemory(ada);
  await chains.clearMemory(ada);
  expect(messages).toHaveLength(8);
  expect((await chains.getMemory(ada)).messages).toEqual([]);

  const { embeddings } = await chains.embed(['a text', 'another one']);
  expect([embeddings.dtype, embeddings.shape[0]]).toEqual(['float64', 2]);
  await runtime.stop();
});
