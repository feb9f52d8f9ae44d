// What does the LangChain bridge answer where there is no LangChain? The same for the same arguments, for test layers 1 and 2.
import { NdArray } from '../../actors/port/nd-array.ts';
import type { Args, MockContext } from './operation.ts';

type Mock = (args: Args, context: MockContext) => unknown;

const DIMENSIONS = 8;
const THREAD = 'default';

/** What one scope has made of one kind: ids and what lists say of them. */
function made(context: MockContext, kind: string): Map<string, Args> {
  const { state } = context;
  const found = state.get(kind) as Map<string, Args> | undefined;
  if (found !== undefined) return found;
  const fresh = new Map<string, Args>();
  state.set(kind, fresh);
  return fresh;
}

function find(context: MockContext, kind: 'chain' | 'agent', id: unknown): Args {
  const found = made(context, kind).get(String(id));
  if (found !== undefined) return found;
  const what = kind === 'chain' ? 'Chain' : 'Agent';
  throw Object.assign(new Error(`${what} not found: ${String(id)}`), { code: `${kind}_not_found` });
}

function fill(template: unknown, inputs: unknown): string {
  const values = (inputs ?? {}) as Args;
  return String(template).replaceAll(/\{(\w+)\}/gu, (_, name: string) => String(values[name]));
}

function listOf(kind: 'chain' | 'agent'): Mock {
  return (_args, context) => {
    const all = [...made(context, kind).values()];
    return { [`${kind}s`]: all, total_count: all.length };
  };
}

function deletionOf(kind: 'chain' | 'agent'): Mock {
  return (args, context) => {
    const id = String(args[`${kind}_id`]);
    find(context, kind, id);
    made(context, kind).delete(id);
    return { [`${kind}_id`]: id, status: 'deleted' };
  };
}

function answerOf(args: Args, context: MockContext): string {
  const { template } = find(context, 'chain', args['chain_id']);
  return `mock: ${fill(template, args['inputs'])}`;
}

function turnOf(args: Args, context: MockContext): string {
  find(context, 'agent', args['agent_id']);
  const { input } = args;
  return `mock: ${typeof input === 'string' ? input : JSON.stringify(input)}`;
}

/** By operation. */
export const langchainMocks = {
  configure_llm: (args, { sessionId }) => ({
    status: 'configured',
    model_type: args['model_type'] ?? 'openai',
    model_name: args['model_name'] ?? 'mock',
    scope: sessionId === undefined ? 'bridge' : 'session',
  }),
  create_chain: (args, context) => {
    const { id, template, input_variables } = args;
    const entry = { id, template, input_variables, created_at: 0, run_count: 0 };
    made(context, 'chain').set(String(id), entry);
    return { chain_id: id, status: 'created', input_variables };
  },
  run_chain: (args, context) => ({
    chain_id: args['chain_id'],
    result: answerOf(args, context),
    execution_time: 0,
  }),
  stream_chain: (args, context) => answerOf(args, context).split(/(?<= )/u),
  list_chains: listOf('chain'),
  delete_chain: deletionOf('chain'),
  create_agent: (args, context) => {
    const tools = ((args['tools'] ?? []) as readonly Args[]).map(({ name }) => name);
    const { id, system_prompt = null } = args;
    const entry = { id, system_prompt, tools, created_at: 0, run_count: 0 };
    made(context, 'agent').set(String(id), entry);
    return { agent_id: id, status: 'created', tools };
  },
  run_agent: (args, context) => {
    const result = turnOf(args, context);
    return {
      agent_id: args['agent_id'],
      result,
      messages: [{ role: 'assistant', content: result }],
      execution_time: 0,
      usage: null,
      remembered_by: null,
    };
  },
  stream_agent: (args, context) => {
    const content = turnOf(args, context);
    const tokens = content.split(/(?<= )/u).map((text) => ({ type: 'token', text }));
    return [...tokens, { type: 'message', content, usage: null, remembered_by: null }];
  },
  list_agents: listOf('agent'),
  delete_agent: deletionOf('agent'),
  get_memory: ({ thread = THREAD }) => ({ thread, messages: [] }),
  set_memory: ({ thread = THREAD, messages }) => ({
    thread,
    status: 'set',
    messages_count: (messages as readonly unknown[]).length,
  }),
  clear_memory: ({ thread = THREAD }) => ({ thread, status: 'cleared' }),
  embed: ({ texts }, { random }) => {
    const count = (texts as readonly string[]).length;
    const numbers = Float64Array.from({ length: count * DIMENSIONS }, random);
    const embeddings = NdArray.from(numbers, [count, DIMENSIONS]);
    return { embeddings, dimensions: DIMENSIONS, model: 'mock' };
  },
  forget_session: (_args, { sessionId, state }) => {
    state.clear();
    return { session_id: sessionId, status: 'forgotten' };
  },
} satisfies Readonly<Record<string, Mock>>;
