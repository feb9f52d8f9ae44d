// What does a client of OpenAI's API ask for, in the words of Transformers? Only what can be done is taken; the rest is refused by name.
import type { TransformersMessage, TransformersSampling } from '../../../src/index.ts';

/** What is wrong with a request, as OpenAI's clients expect to be told. */
export class RequestError extends Error {
  readonly status: number;
  readonly code: string;
  readonly param: string | null;

  constructor(status: number, code: string, message: string, param: string | null = null) {
    super(message);
    this.name = 'RequestError';
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

/** A request for a chat completion, read. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly TransformersMessage[];
  readonly sampling: TransformersSampling;
  readonly isStream: boolean;
  /** Whether the last chunk of a stream tells what it cost. */
  readonly isUsageWanted: boolean;
}

/** OpenAI leaves the length to the model, which may never end. */
const NEW_TOKENS_DEFAULT = 256;

/** What would change the answer in a way that is not done here. */
const REFUSED: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value !== 1,
  tools: (value) => !Array.isArray(value) || value.length > 0,
  functions: (value) => !Array.isArray(value) || value.length > 0,
  logprobs: (value) => value !== false,
  response_format: (value) => (value as { type?: unknown }).type !== 'text',
  audio: () => true,
};

/** @throws {@link RequestError} naming the parameter. */
export function readChatRequest(body: unknown): ChatRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('the body must be an object', null);
  }
  const given = body as Readonly<Record<string, unknown>>;
  for (const [name, isRefused] of Object.entries(REFUSED)) {
    const value = given[name];
    if (value !== undefined && value !== null && isRefused(value)) {
      throw new RequestError(400, 'unsupported_parameter', `${name} is not supported here`, name);
    }
  }
  const { model } = given;
  if (typeof model !== 'string' || model === '') throw invalid('must name a model', 'model');
  const streamOptions = given['stream_options'] as { include_usage?: unknown } | null | undefined;
  return {
    model,
    messages: messagesOf(given['messages']),
    sampling: samplingOf(given),
    isStream: given['stream'] === true,
    isUsageWanted: streamOptions?.include_usage === true,
  };
}

function samplingOf(given: Readonly<Record<string, unknown>>): TransformersSampling {
  const newTokens = number(given, 'max_completion_tokens') ?? number(given, 'max_tokens');
  const temperature = number(given, 'temperature');
  const topP = number(given, 'top_p');
  const seed = number(given, 'seed');
  const { stop } = given;
  if (stop !== undefined && stop !== null && typeof stop !== 'string' && !isTexts(stop)) {
    throw invalid('must be a text, or a list of texts', 'stop');
  }
  return {
    maxNewTokens: newTokens ?? NEW_TOKENS_DEFAULT,
    // Without any of these the likeliest text is written: the same one each time.
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && temperature !== 0 && { topP }),
    ...(seed !== undefined && { seed }),
    ...(stop !== undefined &&
      stop !== null && { stop: typeof stop === 'string' ? stop : [...stop] }),
  };
}

function messagesOf(value: unknown): readonly TransformersMessage[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid('must be a list of messages', 'messages');
  }
  return value.map((message: unknown, index) => {
    const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
    const where = `messages[${index}]`;
    if (typeof role !== 'string') throw invalid('must have a role', where);
    // What OpenAI calls a developer is the system of every chat template.
    return { role: role === 'developer' ? 'system' : role, content: textOf(content, where) };
  });
}

/** Some clients send a text in parts. */
function textOf(content: unknown, where: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalid('must have a content of text', where);
  return content
    .map((part: unknown) => {
      const { type, text } = (part ?? {}) as { type?: unknown; text?: unknown };
      if (type !== 'text' || typeof text !== 'string') throw invalid('may have text only', where);
      return text;
    })
    .join('');
}

function number(given: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = given[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw invalid('must be a number', name);
  return value;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function invalid(problem: string, param: string | null): RequestError {
  const message = param === null ? problem : `${param} ${problem}`;
  return new RequestError(400, 'invalid_request', message, param);
}
