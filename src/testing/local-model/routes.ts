// Which reply belongs to a request? Method, path and body in, a reply as data out.
import { completeChat, type Completion } from './chat.ts';
import {
  completionReply,
  embeddingsReply,
  errorReply,
  jsonReply,
  modelObject,
  refusalReply,
  streamReply,
  usageOf,
  type Finished,
  type Reply,
  type Stamp,
} from './replies.ts';
import { tokensCountOf } from './text.ts';
import {
  parseChatRequest,
  parseEmbeddingsRequest,
  promptTextOf,
  type ChatRequest,
} from './wire.ts';

/** A request's body once it has been read. */
export type Body =
  | { readonly type: 'none' }
  | { readonly type: 'json'; readonly value: unknown }
  | { readonly type: 'not-json'; readonly text: string }
  | { readonly type: 'too-large'; readonly bytesMax: number };

export interface RouteInput {
  readonly method: string;
  readonly path: string;
  readonly body: Body;
  readonly stamp: Stamp;
  readonly modelIds: readonly string[];
}

const CHAT_PATH = '/v1/chat/completions';
const EMBEDDINGS_PATH = '/v1/embeddings';
const MODELS_PATH = '/v1/models';

/** Answer a request. Pure. */
export function routeRequest(input: RouteInput): Reply {
  const { method, path } = input;
  if (path === CHAT_PATH || path === EMBEDDINGS_PATH) {
    if (method !== 'POST') return wrongMethod(method, path, 'POST');
    return replyToBody(input);
  }
  if (path === MODELS_PATH || path.startsWith(`${MODELS_PATH}/`)) {
    if (method !== 'GET') return wrongMethod(method, path, 'GET');
    return path === MODELS_PATH
      ? jsonReply({ object: 'list', data: input.modelIds.map(modelObject) })
      : replyToModel(path.slice(MODELS_PATH.length + 1), input.modelIds);
  }
  return errorReply(404, {
    message: `The local model has no ${method} ${path}. It serves ${CHAT_PATH}, ${EMBEDDINGS_PATH} and ${MODELS_PATH}.`,
    type: 'invalid_request_error',
    code: 'unknown_url',
  });
}

function replyToBody(input: RouteInput): Reply {
  const { body } = input;
  switch (body.type) {
    case 'too-large': {
      const message = `The body is larger than ${body.bytesMax} bytes.`;
      return errorReply(413, { message, type: 'invalid_request_error' });
    }
    case 'none':
    case 'not-json':
      return errorReply(400, {
        message: 'The body is not valid JSON.',
        type: 'invalid_request_error',
      });
    case 'json':
      return input.path === CHAT_PATH
        ? replyToChat(body.value, input.stamp)
        : replyToEmbeddings(body.value);
    default:
      return body satisfies never;
  }
}

function replyToChat(body: unknown, stamp: Stamp): Reply {
  const parsed = parseChatRequest(body);
  if (parsed.type === 'refused') return refusalReply(parsed);
  const { request } = parsed;
  const finished = finish(completeChat(request), request);
  const usage = usageOf(promptTextOf(body), finished.completion);
  return request.stream
    ? streamReply(request.model, stamp, finished, request.includeUsage ? usage : null)
    : completionReply(request.model, stamp, finished, usage);
}

function replyToEmbeddings(body: unknown): Reply {
  const parsed = parseEmbeddingsRequest(body);
  return parsed.type === 'refused' ? refusalReply(parsed) : embeddingsReply(parsed.request);
}

function replyToModel(encodedId: string, modelIds: readonly string[]): Reply {
  const id = modelIds.find((each) => encodeURIComponent(each) === encodedId || each === encodedId);
  if (id !== undefined) return jsonReply(modelObject(id));
  const message = `The model '${encodedId}' does not exist`;
  return errorReply(404, {
    message,
    type: 'invalid_request_error',
    param: 'model',
    code: 'model_not_found',
  });
}

function wrongMethod(method: string, path: string, allowed: string): Reply {
  const message = `Not allowed to ${method} on ${path}; use ${allowed}.`;
  return errorReply(
    405,
    { message, type: 'invalid_request_error', code: 'method_not_supported' },
    { allow: allowed },
  );
}

/** Cut the text at a stop sequence or at the token limit. A tool call is never cut: half of its JSON is worth nothing. */
function finish(completion: Completion, request: ChatRequest): Finished {
  if (completion.type === 'tool-call') return { completion, reason: 'tool_calls' };
  const stops = request.stop.map((stop) => completion.text.indexOf(stop)).filter((at) => at >= 0);
  const text = completion.text.slice(0, Math.min(completion.text.length, ...stops));
  const limit = request.completionTokensMax;
  if (limit === null || tokensCountOf(text) <= limit) {
    return { completion: { type: 'text', text }, reason: 'stop' };
  }
  return { completion: { type: 'text', text: withinTokens(text, limit) }, reason: 'length' };
}

function withinTokens(text: string, tokensMax: number): string {
  let kept = '';
  for (const piece of text.match(/\s*\S+/g) ?? []) {
    if (tokensCountOf(kept + piece) > tokensMax) break;
    kept += piece;
  }
  return kept;
}
