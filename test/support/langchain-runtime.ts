// How does a test get LangChain in real processes, with a local model of its own?
import {
  createRuntime,
  langchain,
  type BoundOf,
  type PoolOptions,
  type Runtime,
  type RuntimeConfig,
} from '../../src/index.ts';
import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';
import { PYTHON } from './real-runtime.ts';

export interface LangchainWorld {
  readonly model: LocalModel;
  readonly runtime: Runtime;
  readonly chains: BoundOf<ReturnType<typeof langchain>>;
  /** What is asked of the model there. */
  readonly config: { readonly model_type: 'openai'; readonly api_base: string };
  stop(): Promise<void>;
}

/** A runtime with one bridge `langchain`; its workers' model is the local one, once `configure` says so. */
export async function startLangchain(
  pool: PoolOptions,
  {
    isConfigured = true,
    ...more
  }: Pick<RuntimeConfig, 'store'> & { readonly isConfigured?: boolean } = {},
): Promise<LangchainWorld> {
  const model = await startLocalModel();
  const runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    ...more,
    bridges: { langchain: { adapter: langchain(), pool } },
  });
  const config = { model_type: 'openai', api_base: model.baseUrl } as const;
  if (isConfigured) await runtime.ml.configure('langchain', config);
  return {
    model,
    runtime,
    chains: runtime.registry.getAdapter('langchain'),
    config,
    stop: async () => {
      await runtime.stop();
      await model.close();
    },
  };
}

/** A tool, as an agent is told of it. */
export const calculator = {
  name: 'calculate',
  description: 'Calculate an expression.',
  parameters: {
    type: 'object',
    properties: { expression: { type: 'string' } },
    required: ['expression'],
  },
};

export async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
