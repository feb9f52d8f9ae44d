// Do the tokens of a program come as they are written, and does whatever ends the stream early really end it?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DspyStreamItem, Runtime } from '../../src/index.ts';
import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';
import { boundDspy, configOf, dspyRuntime, type Dspy } from '../support/dspy-runtime.ts';
import { rejection, until } from '../support/real-runtime.ts';

let model: LocalModel;
let runtime: Runtime;
let bridge: Dspy;

beforeAll(async () => {
  model = await startLocalModel();
  runtime = await dspyRuntime({ size: 1 });
  bridge = boundDspy(runtime);
  await runtime.ml.configure('dspy', configOf(model));
});
afterAll(async () => {
  await runtime.stop();
  await model.close();
});

async function all(items: AsyncIterable<DspyStreamItem>): Promise<DspyStreamItem[]> {
  const read: DspyStreamItem[] = [];
  for await (const item of items) read.push(item);
  return read;
}

function textOf(items: readonly DspyStreamItem[], field: string): string {
  return items.map((item) => ('text' in item && item.field === field ? item.text : '')).join('');
}

describe('a stream', () => {
  it('gives each text field piece by piece, and at last all outputs with their cost', async () => {
    const id = await bridge.createProgram({
      signature: 'question -> answer',
      type: 'chain_of_thought',
    });
    const items = await all(bridge.streamProgram({ id, inputs: { question: 'What is 17 * 23?' } }));
    const last = items.at(-1);
    if (last === undefined || !('outputs' in last)) throw new Error('the last item is no result');
    expect(items.length).toBeGreaterThan(10);
    expect(textOf(items, 'reasoning')).toBe(last.outputs['reasoning']);
    expect(textOf(items, 'answer')).toBe(last.outputs['answer']);
    expect(last.usage['openai/local']?.['total_tokens']).toBeGreaterThan(0);
  });

  it('is what runtime.ml.stream reads', async () => {
    const id = await runtime.ml.createProgram({ signature: 'question -> answer' });
    const inputs = { question: 'What is 2 + 2?' };
    const items = await all(runtime.ml.stream<DspyStreamItem>(id, inputs));
    expect(items.at(-1)).toMatchObject({ outputs: { answer: '4' } });
  });

  it('of fields that are no texts gives the outputs alone', async () => {
    const id = await bridge.createProgram({ signature: 'question -> answer: int' });
    const items = await all(bridge.streamProgram({ id, inputs: { question: 'What is 2 + 3?' } }));
    expect(items).toMatchObject([{ outputs: { answer: 5 } }]);
  });

  it('of an agent gives its answer, and its steps as progress', async () => {
    const id = await bridge.createProgram({
      ...{ signature: 'question -> answer', type: 'react' },
      tools: [{ name: 'add', args: { a: { type: 'number' }, b: { type: 'number' } } }],
    });
    const steps: unknown[] = [];
    const callbacks = { add: ({ a, b }: { a: number; b: number }) => a + b };
    const items = await all(
      bridge.streamProgram(
        { id, inputs: { question: 'What is 12 + 23?' } },
        { callbacks, onProgress: (step) => steps.push(step) },
      ),
    );
    expect(steps).toMatchObject([{ tool: 'add' }]);
    expect(textOf(items, 'answer')).toContain('35');
  });

  it('may be read inside a tool of an agent that streams, in the same session', async () => {
    const ida = { sessionId: 'ida' };
    const inner = await bridge.createProgram({ signature: 'question -> answer' }, ida);
    const id = await bridge.createProgram(
      {
        ...{ signature: 'question -> answer', type: 'react' },
        tools: [{ name: 'add', args: { a: { type: 'number' }, b: { type: 'number' } } }],
      },
      ida,
    );
    const callbacks = {
      add: async ({ a, b }: { a: number; b: number }) => {
        const inputs = { question: `What is ${a} + ${b}?` };
        return textOf(await all(bridge.streamProgram({ id: inner, inputs }, ida)), 'answer');
      },
    };
    const inputs = { question: 'What is 40 + 23?' };
    const items = await all(bridge.streamProgram({ id, inputs }, { ...ida, callbacks }));
    expect(textOf(items, 'answer')).toContain('63');
  });

  it('with wrong inputs fails before the model is asked', async () => {
    const id = await bridge.createProgram({ signature: 'question -> answer' });
    const before = model.requestsCount;
    const error = await rejection(all(bridge.streamProgram({ id, inputs: { q: 'x' } })));
    expect(error).toMatchObject({ code: 'invalid_arguments' });
    expect(model.requestsCount).toBe(before);
  });
});

describe('a stream that is left early', () => {
  it('closes its connection to the model, and its worker stays', async () => {
    const id = await bridge.createProgram({ signature: 'question -> answer' });
    const { pid } = (await onlyWorker()) ?? {};
    const { aborted } = model;
    model.inject({ kind: 'slow_tokens', perTokenMs: 50 });
    for await (const item of bridge.streamProgram({ id, inputs: { question: 'Say something.' } })) {
      expect(item).toHaveProperty('text');
      break;
    }
    await until(() => model.aborted > aborted, 5_000);
    const inputs = { question: 'What is 4 + 4?' };
    expect(await bridge.executeProgram({ id, inputs })).toEqual({ answer: '8' });
    expect((await onlyWorker())?.pid).toBe(pid);
  });

  it('by its signal is over at once, without a kill', async () => {
    const id = await bridge.createProgram({ signature: 'question -> answer' });
    model.inject({ kind: 'hang' });
    const controller = new AbortController();
    const inputs = { question: 'Are you there?' };
    const read = rejection(
      all(bridge.streamProgram({ id, inputs }, { signal: controller.signal })),
    );
    await model.nextRequest({ matching: 'Are you there?' });
    controller.abort();
    const error = await read;
    expect(error).toMatchObject({ code: 'aborted' });
    const { settled } = error['cancellation'] as { settled: Promise<string> };
    expect(['flag', 'raise']).toContain(await settled);
  });
});

async function onlyWorker(): Promise<{ readonly pid: number } | undefined> {
  const ping = (await runtime.pool('dspy').call('ping')) as { worker_id: string };
  const [pool] = runtime.tree().children;
  const found = pool?.children.flatMap((child) => [child, ...child.children]);
  const worker = found?.find(({ kind, id, pid }) => kind === 'worker' && id !== 'zygote' && pid);
  return ping.worker_id === '' || worker?.pid === undefined ? undefined : { pid: worker.pid };
}
