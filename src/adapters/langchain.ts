// How does LangChain look from TypeScript? Its operations and methods, names translated to Python's, ids minted here.
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type { CallOptions } from '../calls/call-options.ts';
import type { CallStream } from '../calls/call-stream.ts';
import { defineAdapter, type AdapterCalls } from './adapter.ts';
import { fieldOf, findingOf } from './explain.ts';
import { langchainMocks as mocks } from './langchain-mocks.ts';
import { requestOf } from './langchain-requests.ts';
import * as schemas from './langchain-schemas.ts';
import type { Args, OperationMethods } from './operation.ts';

export type {
  LangchainAgent,
  LangchainChain,
  LangchainConfig,
  LangchainStep,
} from './langchain-schemas.ts';

/** What an agent may be asked: a text of the user's, or messages. */
export type LangchainAgentInput = OperationMethods<Operations>['runAgent'] extends (
  args: infer Given extends { input: unknown },
  ...rest: never[]
) => unknown
  ? Given['input']
  : never;

/** Options of `createChain`. */
export interface LangchainChainOptions extends CallOptions {
  /** Default: a new one, `langchain_…`. */
  readonly id?: string;
  readonly system?: string;
  readonly outputSchema?: Readonly<Record<string, unknown>>;
}

/** Options of what is about one conversation of a session. */
export interface LangchainThreadOptions extends CallOptions {
  /** Default: `default`. */
  readonly thread?: string;
}

/** Options of `runAgent` and `streamAgent`. */
export interface LangchainRunOptions extends LangchainThreadOptions {
  readonly memory?: boolean;
}

type Operations = typeof operations;
type Self = AdapterCalls & OperationMethods<Operations>;

/** The function with which the bridge has a run remembered (`REMEMBER` there). */
const REMEMBER = 'caduceus.langchain.remember';

/** Things of one scope share their journal: the kind keeps a chain and an agent of one name apart. */
function keyOf(kind: string, field: string, otherwise = ''): (args: Args) => string {
  return ({ [field]: name = otherwise }) => `${kind} ${name as string}`;
}

const operations = {
  configure_llm: {
    args: schemas.llmConfigSchema,
    result: schemas.configuredSchema,
    change: 'configure',
    secrets: ['api_key'],
    mock: mocks.configure_llm,
  },
  create_chain: {
    args: schemas.chainSchema,
    change: 'create',
    key: keyOf('chain', 'id'),
    mock: mocks.create_chain,
  },
  run_chain: {
    args: schemas.countedRunSchema,
    result: schemas.outputSchema,
    mock: mocks.run_chain,
  },
  stream_chain: {
    args: schemas.chainRunSchema,
    item: schemas.tokenSchema,
    stream: true,
    mock: mocks.stream_chain,
  },
  list_chains: {
    args: schemas.nothingSchema,
    result: schemas.chainsSchema,
    idempotent: true,
    mock: mocks.list_chains,
  },
  delete_chain: {
    args: schemas.chainNameSchema,
    change: 'delete',
    key: keyOf('chain', 'chain_id'),
    mock: mocks.delete_chain,
  },
  create_agent: {
    args: schemas.agentSchema,
    change: 'create',
    key: keyOf('agent', 'id'),
    mock: mocks.create_agent,
  },
  run_agent: {
    args: schemas.agentRunSchema,
    result: schemas.agentOutputSchema,
    mock: mocks.run_agent,
  },
  stream_agent: {
    args: schemas.agentRunSchema,
    item: schemas.stepSchema,
    stream: true,
    mock: mocks.stream_agent,
  },
  list_agents: {
    args: schemas.nothingSchema,
    result: schemas.agentsSchema,
    idempotent: true,
    mock: mocks.list_agents,
  },
  delete_agent: {
    args: schemas.agentNameSchema,
    change: 'delete',
    key: keyOf('agent', 'agent_id'),
    mock: mocks.delete_agent,
  },
  get_memory: {
    args: schemas.threadSchema,
    result: schemas.conversationSchema,
    idempotent: true,
    mock: mocks.get_memory,
  },
  // The whole conversation takes the place of what was there: a journal has each one once, however long it lasts.
  set_memory: {
    args: schemas.memorySchema,
    change: 'create',
    key: keyOf('memory', 'thread', 'default'),
    mock: mocks.set_memory,
  },
  clear_memory: {
    args: schemas.threadSchema,
    change: 'delete',
    key: keyOf('memory', 'thread', 'default'),
    mock: mocks.clear_memory,
  },
  embed: {
    args: schemas.embedSchema,
    result: schemas.embeddingsSchema,
    idempotent: true,
    mock: mocks.embed,
  },
  forget_session: { mock: mocks.forget_session },
} as const;

/** The adapter of LangChain 1.x. Its workers need the packages `langchain` and `langchain-openai`. */
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- what it gives is inferred from its operations and methods
export function langchain() {
  return defineAdapter({
    framework: 'langchain',
    pythonModule: 'caduceus.bridges.langchain',
    requiredPackages: ['langchain>=1.4,<2', 'langchain-openai>=1.6,<2'],
    minPythonVersion: '3.10',
    // The ported design's.
    pool: { size: 2, overflow: 1, checkoutTimeoutMs: 10_000 },
    zygote: { preload: ['caduceus.bridges._langchain_preload'] },
    operations,
    roles: {
      configure: 'configure_llm',
      create: 'create_chain',
      execute: 'run_chain',
      stream: 'stream_chain',
      list: 'list_chains',
      delete: 'delete_chain',
      forget: 'forget_session',
    },
    validateConfig,
    transformRequest: requestOf,
    transformResponse: answerOf,
    callbacks: (execute) => ({
      // In the session of the run that it is for: nested in that, so that nothing comes between.
      [REMEMBER]: (change: Args, { sessionId }) => execute('set_memory', change, { sessionId }),
    }),
    methods: methodsOf,
  });
}

function validateConfig(config: Args): void {
  const finding = findingOf(schemas.llmConfigSchema, config);
  if (finding !== undefined)
    throw new InvalidConfigError(fieldOf('config', finding.path), finding.problem);
  const { model_type, modelType = model_type, api_key, apiKey = api_key } = config;
  const { api_base, apiBase = api_base } = config;
  if (modelType === undefined)
    throw new InvalidConfigError('config.model_type', 'model_type is required');
  // A server that is named by its address may need none.
  if ((apiKey === undefined || apiKey === '') && apiBase === undefined)
    throw new InvalidConfigError('config.api_key', 'api_key is required');
}

const MS_PER_S = 1000;

/** What the caller gets; Python's words stay Python's where the ported design has them. */
function answerOf(op: string, result: unknown): unknown {
  const found = result as Args;
  switch (op) {
    case 'create_chain':
      return found['chain_id'];
    case 'create_agent':
      return found['agent_id'];
    case 'run_chain': {
      const { result: output, usage } = found;
      return usage === undefined ? { output } : { output, usage };
    }
    case 'run_agent':
      return {
        output: found['result'],
        messages: found['messages'],
        usage: found['usage'],
        executionTimeMs: Number(found['execution_time']) * MS_PER_S,
        rememberedBy: found['remembered_by'],
      };
    case 'stream_agent': {
      if (found['type'] !== 'message') return found;
      const { remembered_by: rememberedBy, ...item } = found;
      return { ...item, rememberedBy };
    }
    default:
      return result;
  }
}

type Method<Name extends keyof OperationMethods<Operations>> = ReturnType<
  OperationMethods<Operations>[Name]
>;

/** The ported design's, and their like. */
interface LangchainMethods {
  createChain(template: string, options?: LangchainChainOptions): Promise<string>;
  runChain(chainId: string, inputs: object, options?: CallOptions): Method<'runChain'>;
  streamChain(chainId: string, inputs: object, options?: CallOptions): CallStream<string>;
  deleteChain(chainId: string, options?: CallOptions): Promise<unknown>;
  createAgent(agent: schemas.LangchainAgent, options?: CallOptions): Promise<string>;
  runAgent(
    agentId: string,
    input: LangchainAgentInput,
    options?: LangchainRunOptions,
  ): Method<'runAgent'>;
  streamAgent(
    agentId: string,
    input: LangchainAgentInput,
    options?: LangchainRunOptions,
  ): CallStream<schemas.LangchainStep>;
  deleteAgent(agentId: string, options?: CallOptions): Promise<unknown>;
  /** What a conversation of the session remembers. */
  getMemory(options?: LangchainThreadOptions): Method<'getMemory'>;
  clearMemory(options?: LangchainThreadOptions): Promise<unknown>;
  /** A row of 64-bit floats for each text. */
  embed(texts: readonly string[], options?: CallOptions): Method<'embed'>;
}

function methodsOf(self: Self): LangchainMethods {
  const run = (agentId: string, input: LangchainAgentInput, given: LangchainRunOptions = {}) => {
    const { thread, memory, ...options } = given;
    return { args: { agentId, input, thread, memory }, options };
  };
  return {
    createChain: async (template, { id, system, outputSchema, ...options } = {}) => {
      const args = { id, promptTemplate: template, system, outputSchema };
      return (await self.executeOperation('create_chain', args, options)) as string;
    },
    runChain: (chainId, inputs, options) =>
      self.runChain({ chainId, inputs: { ...inputs } }, options),
    streamChain: (chainId, inputs, options) =>
      self.streamChain({ chainId, inputs: { ...inputs } }, options),
    deleteChain: (chainId, options) => self.deleteChain({ chainId }, options),
    createAgent: async (agent, options) => (await self.createAgent(agent, options)) as string,
    runAgent: (agentId, input, given) => {
      const { args, options } = run(agentId, input, given);
      return self.runAgent(args, options);
    },
    streamAgent: (agentId, input, given) => {
      const { args, options } = run(agentId, input, given);
      return self.streamAgent(args, options);
    },
    deleteAgent: (agentId, options) => self.deleteAgent({ agentId }, options),
    getMemory: ({ thread, ...options } = {}) => self.getMemory({ thread }, options),
    clearMemory: ({ thread, ...options } = {}) => self.clearMemory({ thread }, options),
    embed: (texts, options) => self.embed({ texts: [...texts] }, options),
  };
}
