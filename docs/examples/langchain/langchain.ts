// What does LangChain look like from TypeScript? A chain, an agent whose tool is a function here, and a conversation that survives the worker that led it. Its model is the local one, which works by rules.
import assert from 'node:assert/strict';

import { createRuntime, langchain } from '../../../src/index.ts';
import { startLocalModel } from '../../../src/testing/index.ts';

const show = (what: string, value: unknown): void => console.log(`${what}:`, value);

await using model = await startLocalModel();
await using runtime = await createRuntime({
  bridges: { langchain: { adapter: langchain(), pool: { size: 1 } } },
});
const chains = runtime.registry.getAdapter('langchain');
await runtime.ml.configure('langchain', { modelType: 'openai', apiBase: model.baseUrl });

// A chain: a template, whose names are its inputs, and the model.
const chain = await chains.createChain('Answer this question: {question}');
const { output } = await chains.runChain(chain, { question: 'What is 17 * 23?' });
show('chain', output);
assert.equal(output, '17 * 23 = 391');

const tokens: string[] = [];
for await (const token of chains.streamChain(chain, { question: 'What is 2 + 2?' }))
  tokens.push(token);
show('tokens', tokens);
assert.equal(tokens.join(''), '2 + 2 = 4');

// An agent: LangChain decides in Python when the function here is called.
const ada = { sessionId: 'ada' };
const multiply = {
  name: 'multiply',
  description: 'Multiply two numbers.',
  parameters: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
  },
};
const agent = await chains.createAgent({ systemPrompt: 'Be brief.', tools: [multiply] }, ada);
const used: number[][] = [];
const callbacks = {
  multiply: ({ a, b }: { a: number; b: number }): number => {
    used.push([a, b]);
    return a * b;
  },
};
const first = await chains.runAgent(agent, 'What is 6 * 7?', { ...ada, callbacks });
show('agent', { output: first.output, used });
assert.deepEqual(used, [[6, 7]]);
assert.match(first.output, /42/u);

// A conversation outlives its worker: nothing is asked and no tool is run again for that.
const before = await chains.getMemory(ada);
const pid = runtime.pool('langchain').workerOf('ada')?.pid;
assert(pid !== undefined);
process.kill(pid, 'SIGKILL');
const after = await chains.getMemory(ada);
assert.deepEqual(after, before);
assert.notEqual(runtime.pool('langchain').workerOf('ada')?.pid, pid);
show(
  'after kill -9',
  after.messages.map(({ role, content }) => `${role}: ${content}`),
);

const steps: string[] = [];
for await (const step of chains.streamAgent(agent, 'What is 3 * 14?', { ...ada, callbacks }))
  steps.push(step.type);
show('steps', steps);
assert.deepEqual(used, [
  [6, 7],
  [3, 14],
]);
const { messages } = await chains.getMemory(ada);
assert.equal(messages.length, 2 * before.messages.length);
