// What does DSPy look like from TypeScript? Two sessions with programs of their own, an agent whose tool is a function here, tokens as they come, and an optimiser. Its model is the local one, which works by rules.
import assert from 'node:assert/strict';
import { z } from 'zod';

import { createRuntime, dspy } from '../../../src/index.ts';
import { startLocalModel } from '../../../src/testing/index.ts';

const show = (what: string, value: unknown): void => console.log(`${what}:`, value);

await using model = await startLocalModel();
await using runtime = await createRuntime({
  bridges: { dspy: { adapter: dspy(), pool: { size: 2 } } },
});
const bridge = runtime.registry.getAdapter('dspy');
await runtime.ml.configure('dspy', { model: 'openai/local', apiBase: model.baseUrl });

// Two sessions: each has its own program under the same id, on a worker that it keeps.
const ada = { sessionId: 'ada' };
const grace = { sessionId: 'grace' };
await runtime.ml.createProgram({ id: 'qa', signature: 'question -> answer: int' }, ada);
await runtime.ml.createProgram({ id: 'qa', signature: 'question -> holds: bool' }, grace);
const [{ answer }, { holds }] = await Promise.all([
  runtime.ml.execute('qa', { question: 'What is 17 * 23?' }, ada),
  runtime.ml.execute('qa', { question: 'Is 17 less than 23?' }, grace),
]);
show('two sessions', { ada: answer, grace: holds });
assert.deepEqual({ answer, holds }, { answer: 391, holds: true });

// A worker may die: the session's program is made again on the next one.
const pid = runtime.pool('dspy').workerOf('ada')?.pid;
assert(pid !== undefined);
const died = new Promise<void>((resolve) => void runtime.on('child.crashed', () => resolve()));
process.kill(pid, 'SIGKILL');
await died; // a call that was on its way to it would fail with `worker_crashed`
const again = await runtime.ml.execute('qa', { question: 'What is 6 * 7?' }, ada);
show('after kill -9', again['answer']);
assert.equal(again['answer'], 42);

// An agent decides in Python when a function here is called.
const agent = await bridge.createProgram({
  signature: 'question -> answer',
  type: 'react',
  tools: [
    {
      name: 'add',
      description: 'Add two numbers.',
      args: z.object({ a: z.number(), b: z.number() }),
    },
  ],
});
const used: number[][] = [];
const add = ({ a, b }: { a: number; b: number }): number => {
  used.push([a, b]);
  return a + b;
};
const found = await bridge.executeProgram(
  { id: agent, inputs: { question: 'What is 17 + 23?' } },
  { callbacks: { add } },
);
show('agent', { answer: found['answer'], used });
assert.deepEqual(used, [[17, 23]]);
assert.match(String(found['answer']), /40/u);

// Tokens, while the model is still writing.
const chat = await bridge.createProgram({ signature: 'question -> answer' });
const tokens: string[] = [];
for await (const item of bridge.streamProgram({ id: chat, inputs: { question: 'What is 2 + 2?' } }))
  if ('text' in item) tokens.push(item.text);
show('tokens', tokens);
assert.match(tokens.join(''), /4/u);

// An optimiser runs the program on examples and keeps what went well as demonstrations.
const trainset = [2, 3, 4].map((n) => ({ question: `What is ${n} + 70?`, answer: `${n + 70}` }));
const metric = (example: object, made: object): boolean =>
  'answer' in example && 'answer' in made && String(made.answer).includes(String(example.answer));
const better = await bridge.optimize(chat, { trainset, maxBootstrappedDemos: 2, metric });
show('optimised', { demonstrations: better.demos_count, worked: better.bootstrapped_count });
assert.equal(better.bootstrapped_count, 2);
const { score } = await bridge.evaluate(chat, { devset: trainset, metric });
assert.equal(score, 1);
