// What may be said to the LangChain bridge, and what does it answer? The schemas of its operations, in the caller's words.
import { z } from 'zod';

import { NdArray } from '../../actors/port/nd-array.ts';
import { secretTextSchema } from './secret-mark.ts';

const text = z.string().min(1);
const jsonObject = z.record(z.string(), z.unknown());
const optionalId = text.optional();

/** Each name in camel case, and as the ported design and Python have it. */
export const llmConfigSchema = z.strictObject({
  modelType: z.enum(['openai']).optional(),
  model_type: z.enum(['openai']).optional(),
  modelName: text.optional(),
  model_name: text.optional(),
  /** Or the name of one: `secret('OPENAI_API_KEY')`. */
  apiKey: secretTextSchema.optional(),
  api_key: secretTextSchema.optional(),
  /** Of a server that speaks OpenAI's protocol, up to and with `/v1`. */
  apiBase: z.url().optional(),
  api_base: z.url().optional(),
  /** Default 0.7. */
  temperature: z.number().min(0).optional(),
  maxTokens: z.int().positive().optional(),
  max_tokens: z.int().positive().optional(),
  /** Of one request to the model; the call's own deadline holds in any case. */
  timeoutMs: z.number().positive().optional(),
  /** Default `text-embedding-3-small`. */
  embeddingModel: text.optional(),
  embedding_model: text.optional(),
});

/** Configuration of LangChain's language model, for `runtime.ml.configure('langchain', …)`. */
export type LangchainConfig = z.input<typeof llmConfigSchema>;

/** `promptTemplate`, `prompt_template` or `template`: one of them. */
export const chainSchema = z.strictObject({
  id: optionalId,
  /** What the human says, an f-string: `Answer this question: {question}`. */
  promptTemplate: text.optional(),
  prompt_template: text.optional(),
  template: text.optional(),
  input_variables: z.array(text).optional(),
  /** What the system says before that, an f-string too. */
  system: text.optional(),
  /** JSON Schema of an object, which the output then is. */
  outputSchema: jsonObject.optional(),
  output_schema: jsonObject.optional(),
  template_format: z.string().optional(),
});

/** A chain, for `runtime.ml.createProgram`. */
export type LangchainChain = z.input<typeof chainSchema>;

/** `id`, `chainId` or `chain_id`: one of them. */
const chainName = { id: optionalId, chainId: optionalId, chain_id: optionalId };

export const chainNameSchema = z.strictObject(chainName);
export const chainRunSchema = z.strictObject({ ...chainName, inputs: jsonObject.optional() });
export const countedRunSchema = chainRunSchema.extend({
  /** Whether the answer has the tokens that it cost. */
  usage: z.boolean().optional(),
});

const toolSchema = z.strictObject({
  name: z.string().regex(/^[\w-]{1,64}$/u, 'must be 1 to 64 letters, digits, _ or -'),
  /** For the model: what it does, and when it helps. */
  description: text,
  /** JSON Schema of an object: its arguments. */
  parameters: jsonObject.optional(),
  /** The function among the `callbacks` that runs it. Default: the one of the tool's name. */
  callback: optionalId,
});

export const agentSchema = z.strictObject({
  id: optionalId,
  systemPrompt: text.optional(),
  system_prompt: text.optional(),
  tools: z.array(toolSchema).optional(),
  /** Questions to the model in one run. Default 12. */
  maxSteps: z.int().positive().optional(),
  max_steps: z.int().positive().optional(),
  /** Messages that a conversation remembers, the oldest exchanges going first. Default 200. */
  maxMessages: z.int().min(2).optional(),
  max_messages: z.int().min(2).optional(),
});

/** An agent, for `createAgent`. */
export type LangchainAgent = z.input<typeof agentSchema>;

const saidSchema = z.strictObject({
  role: z.enum(['user', 'assistant', 'system', 'human', 'ai']),
  content: z.string(),
});
const agentName = { id: optionalId, agentId: optionalId, agent_id: optionalId };

export const agentNameSchema = z.strictObject(agentName);
export const agentRunSchema = z.strictObject({
  ...agentName,
  input: z.union([text, z.array(saidSchema).min(1)]),
  /** Which conversation of the session. Default: `default`. */
  thread: text.optional(),
  /** Whether it goes on with what was said, and is remembered. Default: in a session. */
  memory: z.boolean().optional(),
});
export const threadSchema = z.strictObject({ thread: text.optional() });
/** `messages` as the bridge gave them to its journal; callers do not make them. */
export const memorySchema = threadSchema.extend({ messages: z.array(jsonObject) });
export const embedSchema = z.strictObject({ texts: z.array(z.string()).min(1) });
export const nothingSchema = z.strictObject({});

const usageSchema = z.record(
  z.string(),
  z.object({ input_tokens: z.number(), output_tokens: z.number(), total_tokens: z.number() }),
);
const toolCall = { id: z.string().nullable(), name: z.string(), args: jsonObject };
const toolCallSchema = z.object(toolCall);
const messageSchema = z.object({
  role: z.enum(['user', 'assistant', 'system', 'tool']),
  content: z.string(),
  tool_calls: z.array(toolCallSchema).optional(),
  name: z.string().nullish(),
  id: z.string().nullish(),
  status: z.enum(['success', 'error']).optional(),
});
/** `journal`: the pool has it, and it outlives the worker. `worker`: an adapter without the function that asks for that. Null: nothing was to be remembered. */
const rememberedBy = z.enum(['journal', 'worker']).nullable();

export const configuredSchema = z.object({
  status: z.literal('configured'),
  model_type: z.string(),
  model_name: z.string(),
  scope: z.enum(['bridge', 'session']),
});
export const outputSchema = z.object({
  output: z.union([z.string(), jsonObject]),
  usage: usageSchema.nullish(),
});
export const agentOutputSchema = z.object({
  output: z.string(),
  messages: z.array(messageSchema),
  usage: usageSchema.nullable(),
  executionTimeMs: z.number(),
  rememberedBy,
});
export const tokenSchema = z.string();
export const stepSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('token'), text: z.string() }),
  z.object({ type: z.literal('tool_call'), ...toolCall }),
  z.object({
    type: z.literal('tool_result'),
    id: z.string().nullable(),
    name: z.string().nullable(),
    content: z.string(),
    status: z.enum(['success', 'error']),
  }),
  z.object({
    type: z.literal('message'),
    content: z.string(),
    usage: usageSchema.nullable(),
    rememberedBy,
  }),
]);

/** What a running agent tells: a token, a call of a tool, its result, and last its answer. */
export type LangchainStep = z.output<typeof stepSchema>;

export const conversationSchema = z.object({
  thread: z.string(),
  messages: z.array(messageSchema),
});
const listed = { id: z.string(), created_at: z.number(), run_count: z.number() };
export const chainsSchema = z.object({
  chains: z.array(
    z.object({ ...listed, template: z.string(), input_variables: z.array(z.string()) }),
  ),
  total_count: z.number(),
});
export const agentsSchema = z.object({
  agents: z.array(
    z.object({ ...listed, system_prompt: z.string().nullable(), tools: z.array(z.string()) }),
  ),
  total_count: z.number(),
});
export const embeddingsSchema = z.object({
  /** One row of 64-bit floats for each text. */
  embeddings: z.instanceof(NdArray),
  dimensions: z.number(),
  model: z.string(),
});
