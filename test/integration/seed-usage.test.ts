// Do the ported design's examples of use run, line by line, as TypeScript on real processes, and its four steps to a bridge of one's own?
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  createRuntime,
  defineAdapter,
  dspy,
  langchain,
  transformers,
  type CallOptions,
  type Runtime,
  type RuntimeConfig,
} from '../../src/index.ts';
import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';
import { fixture, PYTHON, rejection, workersOf } from '../support/real-runtime.ts';
import { tinyModels } from '../support/tiny-models.ts';
import { IMPORT_MS } from '../support/transformers-runtime.ts';

let runtime: Runtime | undefined;
let model: LocalModel;
beforeEach(async () => {
  model = await startLocalModel();
});
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
  await model.close();
});

/** All with one worker, so that a frame may have several. */
async function start<const Config extends RuntimeConfig>(config: Config): Promise<Runtime> {
  runtime = await createRuntime({ python: PYTHON, logger: false, ...config });
  return runtime;
}

const one = { size: 1, startTimeoutMs: IMPORT_MS };
const lm = () => ({ model: 'openai/local', apiBase: model.baseUrl, apiKey: 'not-needed' });
const llm = () => ({
  model_type: 'openai',
  api_key: 'not-needed',
  model_name: 'gpt-3.5-turbo',
  api_base: model.baseUrl,
});

describe('the ported design', { timeout: 2 * IMPORT_MS }, () => {
  it('Using DSPy: a program of structured fields, with no bridge named', async () => {
    const { ml } = await start({ bridges: { dspy: { adapter: dspy(), pool: one } } });
    await ml.configure('dspy', lm());
    const programId = await ml.createProgram({
      signature: {
        inputs: [{ name: 'question', type: 'str' }],
        outputs: [{ name: 'answer', type: 'str' }],
      },
    });
    expect(programId).toMatch(/^dspy_/u);
    const result = await ml.execute(programId, { question: 'What is 2 + 2?' });
    expect(result['answer']).toContain('4');
  });

  it('Using LangChain: configured, created and run by the bridge that is named', async () => {
    const { ml } = await start({ bridges: { langchain: { adapter: langchain(), pool: one } } });
    await ml.configure('langchain', llm());
    const chainId = await ml.createProgram(
      { prompt_template: 'Answer this question: {question}' },
      { bridge: 'langchain' },
    );
    expect(chainId).toMatch(/^langchain_/u);
    const question = { question: 'What is 17 * 23?' };
    const result = await ml.execute(chainId, question, { bridge: 'langchain' });
    expect(result).toEqual({ output: '17 * 23 = 391' });
    const refused = await rejection(ml.configure('langchain', { model_name: 'gpt-3.5-turbo' }));
    expect(refused.message).toContain('model_type is required');
    const { api_key: _, api_base: _base, ...keyless } = llm();
    expect((await rejection(ml.configure('langchain', keyless))).message).toContain(
      'api_key is required',
    );
  });

  it('Using Transformers: an adapter of its user, with load_model and generate', async () => {
    const { framework, pythonModule, zygote, transformRequest, transformResponse } = transformers();
    interface Generated {
      readonly text: string;
    }
    /** `MyApp.TransformersAdapter`. */
    const transformersAdapter = defineAdapter({
      framework,
      ...(pythonModule === undefined ? {} : { pythonModule }),
      ...(zygote === undefined ? {} : { zygote }),
      env: { OMP_NUM_THREADS: '1' },
      operations: {
        load_model: { change: 'create', key: (args) => String(args['id']) },
        generate: {},
      },
      ...(transformRequest === undefined ? {} : { transformRequest }),
      ...(transformResponse === undefined ? {} : { transformResponse }),
      methods: (self) => ({
        loadModel: (path: string, options: CallOptions = {}) =>
          self.executeOperation('load_model', { path }, options) as Promise<string>,
        generate: async (
          id: string,
          prompt: string,
          { maxLength = 100, ...options }: CallOptions & { readonly maxLength?: number } = {},
        ) => {
          const args = { id, prompt, maxLength };
          const generated = await self.executeOperation('generate', args, options);
          return (generated as Generated).text;
        },
      }),
    });
    const bridges = { mine: { adapter: transformersAdapter, pool: one } };
    const started = await createRuntime({ python: PYTHON, logger: false, bridges });
    runtime = started;
    const mine = started.registry.getAdapter('mine');
    const modelId = await mine.loadModel(tinyModels().llama);
    const text = await mine.generate(modelId, 'Once upon a time', { maxLength: 12 });
    expect(text).not.toBe('');
    expect(text).toBe(await mine.generate(modelId, 'Once upon a time', { maxLength: 12 }));
  });
});

describe('Creating Your Own Bridge', () => {
  /** Step 2: `MyApp.MyMLAdapter`. */
  const myMlAdapter = defineAdapter({
    framework: 'my_ml',
    operations: { my_operation: {} },
    validateConfig: () => undefined,
    transformRequest: (_op, args) => args,
    transformResponse: (_op, response) => response,
    methods: (self) => ({
      doMyOperation: (args: object, options?: CallOptions) =>
        self.executeOperation('my_operation', args, options),
    }),
  });
  /** Step 3, with step 1's file as it is printed. */
  const bridges = {
    my_ml: {
      adapter: myMlAdapter,
      pythonClass: 'MyMLBridge',
      scriptPath: fixture('seed/my_ml_bridge.py'),
      requiredPackages: [],
      minPythonVersion: '3.8.0',
      pool: { size: 1 },
    },
  };

  it('steps 1 to 4: it is used by its adapter, and through the unified interface', async () => {
    const started = await createRuntime({ python: PYTHON, logger: false, bridges });
    runtime = started;
    const adapter = started.registry.getAdapter('my_ml');
    expect(adapter.supportedOperations()).toEqual(['my_operation']);
    expect(await adapter.doMyOperation({ data: 'test' })).toEqual({ result: 'success' });
    const asked = started.ml.executeOperation(
      'my_operation',
      { data: 'test' },
      { bridge: 'my_ml' },
    );
    expect(await asked).toEqual({ result: 'success' });
    expect(await started.registry.validateBridge('my_ml')).toMatchObject({ ok: true });
  });

  it('is the same with the bridge left as version 1', async () => {
    // A script of version 1 makes its class itself.
    const { pythonClass: _, ...rest } = bridges.my_ml;
    const scriptPath = fixture('legacy/my_ml_bridge.py');
    const started = await start({ bridges: { my_ml: { ...rest, protocol: 'v1', scriptPath } } });
    const asked = started.ml.executeOperation(
      'my_operation',
      { data: 'test' },
      { bridge: 'my_ml' },
    );
    expect(await asked).toEqual({ result: 'success' });
  });
});

describe('several frameworks in one runtime', { timeout: 2 * IMPORT_MS }, () => {
  it('work side by side, each in a pool of its own, and an id goes to the one that made it', async () => {
    const { ml, ...started } = await startAll();
    await Promise.all([ml.configure('dspy', lm()), ml.configure('langchain', llm())]);
    const signature = 'question -> answer';
    const [program, chain] = await Promise.all([
      ml.createProgram({ id: 'mine', signature }),
      ml.createProgram({ id: 'yours', template: '{question}' }, { bridge: 'langchain' }),
    ]);
    expect([program, chain]).toEqual(['mine', 'yours']);
    const question = 'What is 6 * 7?';
    const [answer, output, own] = await Promise.all([
      ml.execute('mine', { question }),
      ml.execute('yours', { question }),
      ml.executeOperation('my_operation', {}, { bridge: 'my_ml' }),
    ]);
    expect(answer['answer']).toContain('42');
    expect(output).toEqual({ output: '6 * 7 = 42' });
    expect(own).toEqual({ result: 'success' });
    const paths = workersOf(started.runtime).map(({ path }) => path.split('/')[0]);
    expect(paths.toSorted()).toEqual(['dspy', 'langchain', 'my_ml']);
  });

  it('refuse an id that two of them have in a scope, naming both, until one is named or deletes it', async () => {
    const { ml } = await startAll();
    await Promise.all([ml.configure('dspy', lm()), ml.configure('langchain', llm())]);
    const inputs = { question: 'What is 6 * 7?' };
    await ml.createProgram({ id: 'qa', signature: 'question -> answer' });
    const other = { bridge: 'langchain' };
    await ml.createProgram({ id: 'qa', template: '{question}' }, other);
    const refused = await rejection(ml.execute('qa', inputs));
    expect(refused).toMatchObject({ code: 'ambiguous_id' });
    expect(refused.message).toMatch(/dspy.*langchain/u);
    expect(await ml.execute('qa', inputs, other)).toEqual({ output: '6 * 7 = 42' });
    // A session has ids of its own.
    const ada = { sessionId: 'ada' };
    await ml.createProgram({ id: 'qa', template: '{question}' }, { ...other, ...ada });
    expect(await ml.execute('qa', inputs, ada)).toEqual({ output: '6 * 7 = 42' });
    await ml.deleteProgram('qa', other);
    expect((await ml.execute('qa', inputs))['answer']).toContain('42');
  });

  async function startAll() {
    const started = await start({
      bridges: {
        dspy: { adapter: dspy(), pool: one },
        langchain: { adapter: langchain(), pool: one },
        my_ml: { scriptPath: fixture('seed/my_ml_bridge.py'), pool: one },
      },
    });
    return { ml: started.ml, runtime: started };
  }
});
