// Is this body a request that OpenAI's API would take? Checks what is read and names the field that is wrong.
import type { ChatPrompt, ResponseFormat } from './chat.ts';
import { isRecord } from './fill.ts';
import { LOCAL_MODEL_LIMITS } from './limits.ts';
import type { ChatMessage } from './prompt.ts';
import type { Tool, ToolChoice } from './tools.ts';

/** A chat request, checked. Sampling settings are accepted and ignored: rules have no temperature. */
export interface ChatRequest extends ChatPrompt {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Null: no limit was set. */
  readonly completionTokensMax: number | null;
  readonly stop: readonly string[];
}

export interface EmbeddingsRequest {
  readonly model: string;
  readonly inputs: readonly string[];
  readonly encoding: 'float' | 'base64';
  readonly dimensions: number;
}

/** Why a body is refused, in the terms of OpenAI's error object. */
export interface Refusal {
  readonly type: 'refused';
  readonly message: string;
  readonly param: string | null;
  readonly code: string | null;
}

export type Parsed<T> = { readonly type: 'ok'; readonly request: T } | Refusal;

type Fields = Readonly<Record<string, unknown>>;

export function parseChatRequest(body: unknown): Parsed<ChatRequest> {
  if (!isRecord(body)) return refuse('The body must be a JSON object.', null);
  if (typeof body['model'] !== 'string' || body['model'] === '') {
    return refuse('You must provide a model parameter.', 'model');
  }
  if ((body['n'] ?? 1) !== 1) {
    return refuse('The local model gives one choice: n must be 1.', 'n', 'unsupported_value');
  }
  const messages = parseMessages(body['messages']);
  if ('type' in messages) return messages;
  const tools = parseTools(body['tools']);
  if ('type' in tools) return tools;
  const toolChoice = parseToolChoice(body['tool_choice'], tools);
  if (toolChoice.type === 'refused') return toolChoice;
  const responseFormat = parseResponseFormat(body['response_format']);
  if (responseFormat.type === 'refused') return responseFormat;
  const completionTokensMax = body['max_completion_tokens'] ?? body['max_tokens'] ?? null;
  if (completionTokensMax !== null && !isCount(completionTokensMax)) {
    return refuse('max_tokens must be a whole number of at least 1.', 'max_tokens');
  }
  const options = body['stream_options'];
  return {
    type: 'ok',
    request: {
      model: body['model'],
      messages,
      tools,
      toolChoice,
      responseFormat,
      stream: body['stream'] === true,
      includeUsage: isRecord(options) && options['include_usage'] === true,
      completionTokensMax,
      stop: [body['stop']]
        .flat()
        .filter((stop) => typeof stop === 'string' && stop !== '') as string[],
    },
  };
}

export function parseEmbeddingsRequest(body: unknown): Parsed<EmbeddingsRequest> {
  if (!isRecord(body)) return refuse('The body must be a JSON object.', null);
  if (typeof body['model'] !== 'string' || body['model'] === '') {
    return refuse('You must provide a model parameter.', 'model');
  }
  const inputs: unknown[] = [body['input']].flat();
  if (inputs.length === 0 || !inputs.every((input) => typeof input === 'string')) {
    return refuse(
      'input must be a string or a list of strings; token numbers are not understood here.',
      'input',
    );
  }
  if (inputs.length > LOCAL_MODEL_LIMITS.embeddingInputsMax) {
    return refuse(
      `input holds ${inputs.length} texts; the limit is ${LOCAL_MODEL_LIMITS.embeddingInputsMax}.`,
      'input',
    );
  }
  const encoding = body['encoding_format'] ?? 'float';
  if (encoding !== 'float' && encoding !== 'base64') {
    return refuse('encoding_format must be "float" or "base64".', 'encoding_format');
  }
  const dimensions = body['dimensions'] ?? LOCAL_MODEL_LIMITS.embeddingDimensions;
  if (!isCount(dimensions) || dimensions > LOCAL_MODEL_LIMITS.embeddingDimensionsMax) {
    return refuse(
      `dimensions must be 1 to ${LOCAL_MODEL_LIMITS.embeddingDimensionsMax}.`,
      'dimensions',
    );
  }
  return { type: 'ok', request: { model: body['model'], inputs, encoding, dimensions } };
}

/** Every text that a person would call the prompt, joined: what faults and waiters look for. */
export function promptTextOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (!isRecord(body)) return '';
  const messages: unknown[] = Array.isArray(body['messages']) ? body['messages'] : [];
  const contents = messages.map((message) =>
    isRecord(message) ? contentText(message['content']) : null,
  );
  const inputs = [body['input'], body['prompt']]
    .flat()
    .filter((input) => typeof input === 'string');
  return [...contents, ...inputs].filter((text) => text !== null).join('\n');
}

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'] as const;

function parseMessages(value: unknown): ChatMessage[] | Refusal {
  if (!Array.isArray(value) || value.length === 0) {
    return refuse('messages must be a list with at least one message.', 'messages');
  }
  const messages: ChatMessage[] = [];
  for (const [index, message] of (value as unknown[]).entries()) {
    const param = `messages[${index}]`;
    if (!isRecord(message)) return refuse(`${param} must be an object.`, param);
    const role = ROLES.find((each) => each === message['role']);
    if (role === undefined) {
      return refuse(`${param}.role must be one of ${ROLES.join(', ')}.`, `${param}.role`);
    }
    const text = contentText(message['content'] ?? '');
    if (text === null) {
      return refuse(
        `${param}.content must be text: the local model neither sees nor hears.`,
        `${param}.content`,
      );
    }
    const toolCallId = message['tool_call_id'];
    messages.push({
      role,
      text,
      toolCallId: typeof toolCallId === 'string' ? toolCallId : null,
      toolCalls: toolCallsOf(message['tool_calls']),
    });
  }
  return messages;
}

/** Null when some part is not text. */
function contentText(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const parts = (content as unknown[]).map((part) =>
    isRecord(part) && typeof part['text'] === 'string' ? part['text'] : null,
  );
  return parts.every((part) => part !== null) ? parts.join('\n') : null;
}

function toolCallsOf(value: unknown): ChatMessage['toolCalls'] {
  if (!Array.isArray(value)) return [];
  return (value as unknown[]).flatMap((call) => {
    const called = isRecord(call) ? call['function'] : undefined;
    if (!isRecord(call) || !isRecord(called)) return [];
    return [{ id: String(call['id']), name: String(called['name']) }];
  });
}

function parseTools(value: unknown): Tool[] | Refusal {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return refuse('tools must be a list.', 'tools');
  const tools: Tool[] = [];
  for (const [index, tool] of (value as unknown[]).entries()) {
    const offered = isRecord(tool) && tool['type'] === 'function' ? tool['function'] : undefined;
    if (!isRecord(offered) || typeof offered['name'] !== 'string') {
      return refuse(`tools[${index}] must be a function with a name.`, `tools[${index}]`);
    }
    const { description, parameters } = offered as Fields & {
      description?: unknown;
      parameters?: unknown;
    };
    tools.push({
      name: offered['name'],
      description: typeof description === 'string' ? description : '',
      parameters: isRecord(parameters) ? parameters : {},
    });
  }
  return tools;
}

function parseToolChoice(value: unknown, tools: readonly Tool[]): ToolChoice | Refusal {
  const choice = value ?? 'auto';
  if (choice === 'none' || choice === 'auto') return { type: choice };
  if (tools.length === 0) return refuse('tool_choice needs tools.', 'tool_choice');
  if (choice === 'required') return { type: choice };
  const named = isRecord(choice) ? choice['function'] : undefined;
  const name = isRecord(named) ? named['name'] : undefined;
  const isOffered = tools.some((tool) => tool.name === name);
  return typeof name === 'string' && isOffered
    ? { type: 'named', name }
    : refuse('tool_choice must be none, auto, required or one of the tools.', 'tool_choice');
}

function parseResponseFormat(value: unknown): ResponseFormat | Refusal {
  if (value === undefined || value === null) return { type: 'text' };
  const type = isRecord(value) ? value['type'] : undefined;
  if (type === 'text' || type === 'json_object') return { type };
  const described = isRecord(value) && type === 'json_schema' ? value['json_schema'] : undefined;
  if (!isRecord(described) || !isRecord(described['schema'])) {
    return refuse(
      'response_format must be text, json_object or json_schema with a schema.',
      'response_format',
    );
  }
  return { type: 'json_schema', schema: described['schema'] };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1;
}

function refuse(message: string, param: string | null, code: string | null = null): Refusal {
  return { type: 'refused', message, param, code };
}
