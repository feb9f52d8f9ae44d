// Is the guide to DSPy true? Its snippets are what runs here.
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createRuntime, dspy } from '../../src/index.ts';
import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';

const GUIDE = path.resolve(import.meta.dirname, '../../docs/guide/dspy.md');
let model: LocalModel;
beforeAll(async () => {
  model = await startLocalModel();
});
afterAll(() => model.close());

/** What is done, without how it is laid out, what is imported, and how much is logged. */
function bare(text: string): string {
  return text
    .replaceAll(/^import .*$/gmu, '')
    .replaceAll('logger: false,', '')
    .replaceAll(/\s+/gu, '')
    .replaceAll(/,(?=[)\]}])/gu, '');
}

describe('the guide to DSPy', () => {
  it('shows nothing but what runs below', () => {
    const program = bare(readFileSync(import.meta.filename, 'utf8'));
    const snippets = [...readFileSync(GUIDE, 'utf8').matchAll(/^```ts\n([\s\S]*?)\n```$/gmu)].map(
      ([, code = '']) => bare(code),
    );
    expect(snippets.length).toBeGreaterThanOrEqual(9);
    expect(snippets.filter((code) => !program.includes(code))).toEqual([]);
  });

  it('does what it says', { timeout: 60_000 }, async () => {
    const runtime = await createRuntime({
      logger: false,
      bridges: { dspy: { adapter: dspy(), pool: { size: 2 } } },
    });
    const bridge = runtime.registry.getAdapter('dspy');
    const { baseUrl: apiBase } = model;
    const { signal } = new AbortController();
    const steps: unknown[] = [];
    let finished: unknown;
    const shown: string[] = [];
    const process = { stdout: { write: (text: string) => shown.push(text) } };
    // 1
    await runtime.ml.configure('dspy', { model: 'openai/local', apiBase, apiKey: 'none' });
    await runtime.ml.configure('dspy', { model: 'openai/other', apiBase }, { sessionId: 'ada' });
    // 2
    const id = await runtime.ml.createProgram({ signature: 'question -> answer: int' });
    const { answer } = await runtime.ml.execute(id, { question: 'What is 17 * 23?' });
    // 3
    const review = await bridge.createProgram({
      signature: {
        name: 'Review',
        description: 'Judge what a customer wrote.',
        inputs: [{ name: 'review', type: 'str', description: 'In the words of the customer.' }],
        outputs: [{ name: 'mood', type: "Literal['good', 'bad']" }],
      },
      type: 'chain_of_thought',
    });
    const { mood } = await bridge.executeProgram({ id: review, inputs: { review: 'I love it.' } });
    // 4
    const { outputs, usage } = await bridge.executeWithUsage(id, { question: 'What is 2 + 2?' });
    // 5
    for await (const item of bridge.streamProgram({
      id: review,
      inputs: { review: 'It broke.' },
    })) {
      if ('text' in item) process.stdout.write(item.text);
      else finished = item.outputs;
    }
    // 6
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
      maxIters: 5,
    });
    const callbacks = { add: ({ a, b }: { a: number; b: number }) => a + b };
    const sum = await bridge.executeProgram(
      { id: agent, inputs: { question: 'What is 17 + 23?' } },
      { callbacks },
    );
    // 7
    const trainset = [2, 3, 4].map((n) => ({ question: `What is ${n} + 70?`, answer: n + 70 }));
    const before = await bridge.evaluate(id, { devset: trainset });
    const found = await bridge.optimize(
      id,
      {
        trainset,
        maxBootstrappedDemos: 2,
        metric: (example, made) => example['answer'] === made['answer'],
      },
      { timeoutMs: 600_000, onProgress: (step) => steps.push(step), signal },
    );
    // 8
    const written = await bridge.dumpProgram({ id });
    await bridge.loadProgram({ id: 'sums', program: written }, { sessionId: 'ada' });

    expect([answer, mood, outputs['answer'], before.score]).toEqual([391, 'good', 4, 1]);
    expect(Object.keys(usage)).toEqual(['openai/local']);
    expect(finished).toMatchObject({ mood: 'bad', reasoning: shown.join('') });
    expect(sum['answer']).toContain('40');
    expect([found.bootstrapped_count, steps.length]).toEqual([2, 2]);
    const inSession = { sessionId: 'ada' };
    expect(await bridge.getProgramInfo({ id: 'sums' }, inSession)).toMatchObject({
      demos_count: found.demos_count,
    });
    await runtime.stop();
  });
});
