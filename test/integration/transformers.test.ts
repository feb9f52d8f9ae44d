// Does real Transformers work through the runtime: every operation, by its methods and by the unified interface? Real torch in real processes, with tiny models and one real one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NdArray, type TransformersPiece } from '../../src/index.ts';
import { rejection, workersOf } from '../support/real-runtime.ts';
import { sentenceModel, tinyModels, type TinyModels } from '../support/tiny-models.ts';
import {
  IMPORT_MS,
  transformersStage,
  untilBusy,
  type TransformersStage,
} from '../support/transformers-runtime.ts';

const PROMPT = 'Once upon a time';

let models: TinyModels;
let stage: TransformersStage;
let llama: string;

beforeAll(async () => {
  models = tinyModels();
  stage = await transformersStage();
  llama = await stage.bound.loadModel(models.llama);
}, IMPORT_MS);
afterAll(() => stage.runtime.stop());

async function tokensWritten(): Promise<number> {
  const { models: listed } = await stage.bound.listModels();
  return listed.find(({ id }) => id === llama)?.tokensCount ?? Number.NaN;
}

describe('a worker', () => {
  it('is forked from a process that has imported torch, and computes with the threads it is given', async () => {
    const stats = await stage.bound.executeOperation('get_stats');
    expect(stats).toMatchObject({ threads_count: 1, framework: { name: 'transformers' } });
    const zygote = stage.runtime.tree().children.flatMap(({ children }) => children);
    expect(zygote.find(({ id }) => id === 'zygote')).toMatchObject({ state: 'ready' });
  });
});

describe('a model', () => {
  it('is loaded from a directory, listed and unloaded', async () => {
    const id = await stage.bound.loadModel(models.classifier, { id: 'mine' });
    expect(id).toBe('mine');
    const { models: listed } = await stage.bound.listModels();
    expect(listed.find((model) => model.id === 'mine')).toMatchObject({
      modelName: models.classifier,
      task: 'classify',
      architecture: 'BertForSequenceClassification',
      dtype: 'float32',
      device: 'cpu',
    });
    await stage.bound.unload('mine');
    expect((await stage.bound.listModels()).models.map((model) => model.id)).toEqual([llama]);
    expect(await rejection(stage.bound.classify('mine', 'x'))).toMatchObject({
      code: 'model_not_found',
      retryable: false,
    });
  });

  it('tells how far its loading is', async () => {
    const told: unknown[] = [];
    await stage.bound.loadModel(models.embedder, {
      id: 'told',
      onProgress: (value) => told.push(value),
    });
    expect(told).toEqual([{ phase: 'tokenizer' }, { phase: 'weights' }]);
    await stage.bound.unload('told');
  });

  it.each([
    [
      'a directory that is not there',
      { path: '/no/such/model' },
      'invalid_arguments',
      '/no/such/model',
    ],
    [
      'a name that is in no cache',
      { modelName: 'nobody/nothing' },
      'model_not_found',
      'downloads are off',
    ],
    ['neither name nor path', {}, 'invalid_arguments', 'either model_name or path'],
  ])('of %s is refused with a code', async (_what, model, code, text) => {
    const error = await rejection(stage.bound.loadModel(model));
    expect(error).toMatchObject({ code, bridge: 'transformers' });
    expect(error.message).toContain(text);
  });

  it('whose weights are a pickle is refused', async () => {
    const error = await rejection(stage.bound.loadModel(models.pickled));
    expect(error).toMatchObject({ code: 'invalid_arguments' });
    expect(error.message).toContain('pytorch_model.bin, a pickle');
  });

  it('is not asked for with options that there are not: nothing is sent', async () => {
    const misspelled = { path: models.llama, gguFile: 'x' } as object;
    expect(await rejection(stage.bound.loadModel(misspelled))).toMatchObject({
      code: 'invalid_arguments',
      outcome: 'notSent',
    });
  });
});

describe('generate', () => {
  it('gives the text, of a hundred tokens with its prompt unless told otherwise', async () => {
    const text = await stage.bound.generate(llama, PROMPT);
    const whole = await stage.bound.executeOperation('generate', { id: llama, prompt: PROMPT });
    expect(whole).toMatchObject({ id: llama, text, finishReason: 'length' });
    expect(whole).toMatchObject({ usage: { totalTokens: 100 } });
  });

  it('takes limits, seeds, stop strings and options of the call in one', async () => {
    const sampled = { maxLength: 40, temperature: 1.2, topP: 0.9, seed: 7, timeoutMs: 60_000 };
    const text = await stage.bound.generate(llama, PROMPT, sampled);
    expect(await stage.bound.generate(llama, PROMPT, sampled)).toBe(text);
    expect(await stage.bound.generate(llama, PROMPT, { ...sampled, seed: 8 })).not.toBe(text);
    const greedy = await stage.bound.generate(llama, PROMPT, { maxNewTokens: 30 });
    const stop = greedy.slice(8, 12);
    expect(await stage.bound.generate(llama, PROMPT, { maxNewTokens: 30, stop })).toBe(
      greedy.slice(0, greedy.indexOf(stop)),
    );
  });

  it('takes messages', async () => {
    const said = [{ role: 'user', content: 'hi' }];
    const text = await stage.bound.generate(llama, said, { maxNewTokens: 8 });
    const byHand = '<|user|>hi</s><|assistant|>';
    expect(await stage.bound.generate(llama, byHand, { maxNewTokens: 8 })).toBe(text);
  });

  it('is ended by an abort between two tokens', async () => {
    const before = await tokensWritten();
    const abort = new AbortController();
    const options = { maxNewTokens: 2_000, signal: abort.signal, timeoutMs: 60_000 };
    const written = rejection(stage.bound.generate(llama, PROMPT, options));
    await untilBusy(workersOf(stage.runtime)[0]?.pid ?? 0, 0.1);
    abort.abort();
    const error = await written;
    expect(error).toMatchObject({ code: 'aborted' });
    const { cancellation } = error as unknown as { cancellation: { settled: Promise<string> } };
    expect(await cancellation.settled).toBe('flag');
    expect((await tokensWritten()) - before).toBeLessThan(1_000);
  });
});

describe('stream_generate', () => {
  it('yields the text piece by piece, and at last its end and its cost', async () => {
    const text = await stage.bound.generate(llama, PROMPT);
    const pieces: TransformersPiece[] = [];
    for await (const piece of stage.bound.streamGenerate(llama, PROMPT)) pieces.push(piece);
    expect(pieces.map((piece) => piece.text).join('')).toBe(text);
    expect(pieces.length).toBeGreaterThan(20);
    expect(pieces.at(-1)).toMatchObject({ text: '', finishReason: 'length' });
    expect(pieces.at(-1)?.usage?.totalTokens).toBe(100);
    expect(pieces[0]).toEqual({ text: pieces[0]?.text });
  });

  it('ends when its reader leaves, no more than its queues later', async () => {
    const before = await tokensWritten();
    let seen = 0;
    for await (const _piece of stage.bound.streamGenerate(llama, PROMPT, { maxNewTokens: 2_000 })) {
      seen += 1;
      if (seen === 5) break;
    }
    const after = (await tokensWritten()) - before;
    // Sixteen are on their way to the reader, sixteen wait in Python, and a piece may have two tokens.
    expect(after).toBeLessThan(120);
  });

  it('tells an error in place of its first piece', async () => {
    const stream = stage.bound.streamGenerate('nobody', PROMPT);
    expect(await rejection(stream.next())).toMatchObject({ code: 'model_not_found' });
  });
});

describe('embed', () => {
  it('gives vectors in which near sentences are nearer than far ones', async () => {
    const id = await stage.bound.loadModel(sentenceModel(), { task: 'embed' });
    const texts = [
      'A cat sits on the mat.',
      'A kitten is lying on a rug.',
      'The central bank raised its interest rates.',
    ] as const;
    const rows = await stage.bound.embed(id, texts);
    expect(rows).toBeInstanceOf(NdArray);
    expect([rows.dtype, rows.shape]).toEqual(['float32', [3, 384]]);
    const vectors = [0, 1, 2].map((row) =>
      Array.from(rows.data, Number).slice(row * 384, (row + 1) * 384),
    );
    const likeness = (left: number, right: number): number =>
      (vectors[left] ?? []).reduce(
        (sum, value, at) => sum + value * (vectors[right]?.[at] ?? 0),
        0,
      );
    expect(likeness(0, 1)).toBeGreaterThan(0.5);
    expect(likeness(0, 2)).toBeLessThan(0.2);
    const one = await stage.bound.embed(id, texts[0]);
    expect(one).toBeInstanceOf(Float32Array);
    expect(one.length).toBe(384);
    expect(Math.abs((one[0] ?? 0) - Number(rows.data[0]))).toBeLessThan(1e-5);
    await stage.bound.unload(id);
  });

  it('of many callers is one pass of the model', async () => {
    const id = await stage.bound.loadModel(models.embedder);
    const { batches, batchedCalls } = stage.runtime.pool('transformers').statistics().counters;
    const words = Array.from({ length: 32 }, (_, index) => `word ${index}`);
    const vectors = await Promise.all(words.map((word) => stage.bound.embed(id, word)));
    const alone = await stage.bound.embed(id, words);
    vectors.forEach((vector, row) => {
      expect(Math.abs((vector[0] ?? 0) - Number(alone.data[row * 32]))).toBeLessThan(1e-5);
    });
    const { counters } = stage.runtime.pool('transformers').statistics();
    const calls = counters.batchedCalls - batchedCalls;
    expect(calls).toBeGreaterThan(16);
    expect(counters.batches - batches).toBeLessThan(calls / 4);
  });
});

describe('classify', () => {
  it('gives the labels of one text, and of many', async () => {
    const id = await stage.bound.loadModel(models.classifier);
    const labels = await stage.bound.classify(id, 'good');
    expect(labels.map(({ label }) => label).toSorted()).toEqual([
      'negative',
      'neutral',
      'positive',
    ]);
    expect(labels.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1);
    const several = await stage.bound.classify(id, ['good', 'bad'], { topK: 1 });
    expect(several.map((each) => each.length)).toEqual([1, 1]);
    expect(several[0]?.[0]?.label).toBe(labels[0]?.label);
  });
});

describe('the unified interface', () => {
  it('makes a model, runs it, reads it, lists it and deletes it', async () => {
    const { ml } = stage.runtime;
    const id = await ml.createProgram({ path: models.llama });
    expect(id).toMatch(/^transformers_/u);
    const inputs = { prompt: PROMPT, maxNewTokens: 6 };
    const written = await ml.execute(id, inputs);
    expect(written).toMatchObject({ id, finishReason: 'length', usage: { completionTokens: 6 } });
    const texts: string[] = [];
    for await (const piece of ml.stream<{ readonly text: string }>(id, inputs)) {
      texts.push(piece.text);
    }
    expect(texts.join('')).toBe(written['text']);
    expect(JSON.stringify(await ml.listPrograms())).toContain(id);
    await ml.deleteProgram(id);
    expect(await rejection(ml.execute(id, inputs))).toMatchObject({ code: 'model_not_found' });
  });
});
