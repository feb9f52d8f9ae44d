// Do the adapters of LangChain, Transformers and scikit-learn do the same on mocks, behind scripted processes and on their frameworks? One suite for each, on all three layers.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  langchain,
  NdArray,
  sklearn,
  transformers,
  type BoundOf,
  type Runtime,
} from '../../src/index.ts';
import {
  adapterSuite,
  startLocalModel,
  type AdapterCase,
  type LocalModel,
} from '../../src/testing/index.ts';
import { collected } from '../support/langchain-runtime.ts';
import { PYTHON, rejection } from '../support/real-runtime.ts';
import { tinyModels } from '../support/tiny-models.ts';
import { IMPORT_MS } from '../support/transformers-runtime.ts';

const ada = { sessionId: 'ada' };
const bob = { sessionId: 'bob' };
const bridge = { pool: { size: 1 } };

let model: LocalModel;
beforeAll(async () => {
  model = await startLocalModel();
});
afterAll(() => model.close());

/** A case over the bound adapter, as its users see it. */
function on<Bound>(
  name: string,
  run: (bound: Bound, runtime: Runtime) => Promise<void>,
): AdapterCase {
  return {
    name,
    run: (runtime, context) => run(runtime.registry.getAdapter(context.bridge) as Bound, runtime),
  };
}

type Chains = BoundOf<ReturnType<typeof langchain>>;
const ofLangchain: readonly AdapterCase[] = [
  on<Chains>(
    'configures, creates a chain and runs it, by the unified interface too',
    async (chains, { ml }) => {
      const llm = { model_type: 'openai', api_base: model.baseUrl, api_key: 'none' } as const;
      expect(await chains.configureLlm(llm, ada)).toMatchObject({ scope: 'session' });
      const template = 'Answer this question: {question}';
      const id = await chains.createChain(template, ada);
      expect(id).toMatch(/^langchain_/u);
      const inputs = { question: 'What is 2 + 3?' };
      const { output } = (await ml.execute(id, inputs, ada)) as { output: unknown };
      expect(typeof output).toBe('string');
      expect(await ml.execute(id, inputs, ada)).toEqual({ output });
      const pieces = await collected(ml.stream(id, inputs, ada));
      expect(pieces.length).toBeGreaterThan(0);
      expect(pieces.join('')).toBe(output);
      const list = async (options: object) =>
        (await chains.executeOperation('list_chains', {}, options)) as {
          readonly chains: readonly { readonly id: string }[];
        };
      const { chains: listed } = await list(ada);
      expect(listed.map((chain) => chain.id)).toEqual([id]);
      expect((await list(bob)).chains).toEqual([]);
      await chains.deleteChain(id, ada);
      const gone = chains.runChain(id, inputs, ada);
      expect(await rejection(gone)).toMatchObject({ code: 'chain_not_found' });
    },
  ),
  on<Chains>('refuses a template that it cannot fill before anything is sent', async (chains) => {
    const refused = chains.executeOperation('create_chain', { template: 7 }, ada);
    expect(await rejection(refused)).toMatchObject({
      code: 'invalid_arguments',
      outcome: 'notSent',
    });
  }),
];

type Models = BoundOf<ReturnType<typeof transformers>>;
const tiny = tinyModels();
const ofTransformers: readonly AdapterCase[] = [
  on<Models>('loads a model, writes with it, at once and piece by piece', async (models) => {
    const id = await models.loadModel(tiny.llama, ada);
    const options = { maxNewTokens: 5, ...ada };
    const text = await models.generate(id, 'Once upon a time', options);
    expect(typeof text).toBe('string');
    expect(await models.generate(id, 'Once upon a time', options)).toBe(text);
    const pieces = await collected(models.streamGenerate(id, 'Once upon a time', options));
    expect(pieces.map((piece) => piece.text).join('')).toBe(text);
    expect(pieces.at(-1)).toMatchObject({ finishReason: expect.any(String) as string });
    expect((await models.listModels({}, ada)).models.map((each) => each.id)).toEqual([id]);
    expect((await models.listModels({}, bob)).models).toEqual([]);
    await models.unload(id, ada);
    const gone = models.generate(id, 'x', options);
    expect(await rejection(gone)).toMatchObject({ code: 'model_not_found' });
  }),
  on<Models>('gives vectors as arrays, and labels with the likeliest first', async (models) => {
    const embedder = await models.loadModel(tiny.embedder, { task: 'embed', ...ada });
    const vectors = await models.embed(embedder, ['one text', 'another'], ada);
    expect(vectors).toMatchObject({ dtype: 'float32', shape: [2, expect.any(Number) as number] });
    const classifier = await models.loadModel(tiny.classifier, { task: 'classify', ...ada });
    const labels = (await models.classify(classifier, 'a text', ada)) as { score: number }[];
    const scores = labels.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((left, right) => right - left));
    expect(scores.length).toBeGreaterThan(1);
  }),
];

type Estimators = BoundOf<ReturnType<typeof sklearn>>;
const rows = NdArray.from(Float64Array.of(0, 0, 1, 1, 2, 2, 9, 9, 8, 8, 7, 7), [6, 2]);
const ofSklearn: readonly AdapterCase[] = [
  on<Estimators>('trains a model, predicts with it and measures it', async (models) => {
    const id = await models.loadModel({ estimator: 'LogisticRegression' }, ada);
    const untrained = models.predict({ id, X: rows }, ada);
    expect(await rejection(untrained)).toMatchObject({ code: 'not_trained' });
    const trained = await models.train({ id, X: rows, y: [0, 0, 0, 1, 1, 1] }, ada);
    expect(trained).toMatchObject({ samples: 6, features: 2, task: 'classification' });
    const { predictions } = await models.predict({ id, X: rows }, ada);
    expect(predictions).toHaveLength(6);
    const { metrics } = await models.evaluate({ id, X: rows, y: [0, 0, 0, 1, 1, 1] }, ada);
    expect(metrics).toMatchObject({ accuracy: expect.any(Number) as number });
    const other = models.predict({ id, X: rows }, bob);
    expect(await rejection(other)).toMatchObject({ code: 'model_not_found' });
  }),
  on<Estimators>(
    'has what was trained on the workers that come after a reload',
    async (models, runtime) => {
      const id = await models.loadModel({ estimator: 'LogisticRegression', id: 'kept' }, ada);
      await models.train({ id, X: rows, y: [0, 0, 0, 1, 1, 1] }, ada);
      const before = await models.predict({ id, X: rows }, ada);
      await runtime.pool('sklearn').reload();
      expect(await models.predict({ id, X: rows }, ada)).toEqual(before);
    },
  ),
  on<Estimators>('gives data sets as arrays', async (models) => {
    const { X } = await models.loadDataset({ name: 'iris' }, ada);
    expect(X).toMatchObject({ dtype: 'float64', shape: [expect.any(Number) as number, 4] });
  }),
];

const suites = {
  langchain: adapterSuite(langchain(), { python: PYTHON, bridge, cases: ofLangchain }),
  transformers: adapterSuite(transformers({ threads: 1 }), {
    ...{ python: PYTHON, bridge, cases: ofTransformers },
  }),
  sklearn: adapterSuite(sklearn(), { python: PYTHON, bridge, cases: ofSklearn }),
};

describe.each(Object.entries(suites))('the adapter of %s', (_name, layers) => {
  it('declares all three layers', () => {
    expect(layers.map(({ layer }) => layer)).toEqual([1, 2, 3]);
  });

  describe.each(layers)('on layer $layer', ({ start, cases }) => {
    let runtime: Runtime;
    beforeAll(async () => {
      runtime = await start();
    }, IMPORT_MS);
    afterAll(() => runtime.stop());

    it.each(cases)('$name', { timeout: IMPORT_MS }, ({ run }) => run(runtime));
  });
});
