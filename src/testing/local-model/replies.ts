// How is an answer written on the wire? OpenAI's objects: completions, their chunks, embeddings, models, errors.
import type { Completion } from './chat.ts';
import { embedText, toBase64 } from './embeddings.ts';
import type { EmbeddingsRequest, Refusal } from './wire.ts';
import { tokensCountOf } from './text.ts';

/** What one reply is stamped with. */
export interface Stamp {
  readonly id: string;
  /** Seconds since 1970, as OpenAI counts. */
  readonly createdS: number;
}

/** A reply before any fault is applied. */
export type Reply =
  | {
      readonly type: 'json';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: unknown;
      /** Words of generated text: how long a slow model would take. */
      readonly wordsCount: number;
    }
  | { readonly type: 'events'; readonly events: readonly unknown[] };

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** A completion after `stop` and `max_tokens` have cut it. */
export interface Finished {
  readonly completion: Completion;
  readonly reason: 'stop' | 'length' | 'tool_calls';
}

const FINGERPRINT = 'fp_local_rules';

export function usageOf(promptText: string, completion: Completion): Usage {
  const text = completion.type === 'text' ? completion.text : JSON.stringify(completion.call);
  const [prompt, generated] = [tokensCountOf(promptText), tokensCountOf(text)];
  return { prompt_tokens: prompt, completion_tokens: generated, total_tokens: prompt + generated };
}

/** The whole completion in one object. */
export function completionReply(
  model: string,
  stamp: Stamp,
  finished: Finished,
  usage: Usage,
): Reply {
  const { completion } = finished;
  const message =
    completion.type === 'text'
      ? { role: 'assistant', content: completion.text, refusal: null }
      : {
          role: 'assistant',
          content: null,
          refusal: null,
          tool_calls: [toolCallObject(stamp, completion)],
        };
  return jsonReply(
    {
      ...head(model, stamp, 'chat.completion'),
      choices: [{ index: 0, message, logprobs: null, finish_reason: finished.reason }],
      usage,
    },
    piecesOf(completion).length,
  );
}

/** The completion as chunks: the role first, then word by word, then why it ended, then perhaps the usage. */
export function streamReply(
  model: string,
  stamp: Stamp,
  finished: Finished,
  usage: Usage | null,
): Reply {
  const { completion } = finished;
  const opening =
    completion.type === 'text'
      ? { role: 'assistant', content: '', refusal: null }
      : {
          role: 'assistant',
          content: null,
          tool_calls: [{ index: 0, ...toolCallObject(stamp, completion, '') }],
        };
  const deltas = piecesOf(completion).map((piece) =>
    completion.type === 'text'
      ? { content: piece }
      : { tool_calls: [{ index: 0, function: { arguments: piece } }] },
  );
  const chunk = (delta: object, reason: string | null): object => ({
    ...head(model, stamp, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
    ...(usage === null ? {} : { usage: null }),
  });
  const closing =
    usage === null ? [] : [{ ...head(model, stamp, 'chat.completion.chunk'), choices: [], usage }];
  return {
    type: 'events',
    events: [
      chunk(opening, null),
      ...deltas.map((delta) => chunk(delta, null)),
      chunk({}, finished.reason),
      ...closing,
    ],
  };
}

function head(model: string, stamp: Stamp, object: string): object {
  return {
    id: `chatcmpl-${stamp.id}`,
    object,
    created: stamp.createdS,
    model,
    system_fingerprint: FINGERPRINT,
  };
}

function toolCallObject(
  stamp: Stamp,
  completion: Extract<Completion, { type: 'tool-call' }>,
  args = JSON.stringify(completion.call.arguments),
): object {
  return {
    id: `call_${stamp.id}`,
    type: 'function',
    function: { name: completion.call.name, arguments: args },
  };
}

/** Words with the white space before them: joined, they are the text again. */
function piecesOf(completion: Completion): string[] {
  const text =
    completion.type === 'text' ? completion.text : JSON.stringify(completion.call.arguments);
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

export function embeddingsReply(request: EmbeddingsRequest): Reply {
  const tokens = request.inputs.reduce((sum, input) => sum + tokensCountOf(input), 0);
  const data = request.inputs.map((input, index) => {
    const vector = embedText(input, request.dimensions);
    const embedding = request.encoding === 'base64' ? toBase64(vector) : [...vector];
    return { object: 'embedding', index, embedding };
  });
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return jsonReply({ object: 'list', data, model: request.model, usage }, request.inputs.length);
}

export function modelObject(id: string): object {
  return { id, object: 'model', created: 0, owned_by: 'caduceus' };
}

export function jsonReply(body: unknown, wordsCount = 0): Reply {
  return { type: 'json', status: 200, headers: {}, body, wordsCount };
}

/** OpenAI's error object. */
export function errorReply(
  status: number,
  error: {
    readonly message: string;
    readonly type: string;
    readonly param?: string | null;
    readonly code?: string | null;
  },
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const { message, type, param = null, code = null } = error;
  return {
    type: 'json',
    status,
    headers,
    body: { error: { message, type, param, code } },
    wordsCount: 0,
  };
}

export function refusalReply(refusal: Refusal): Reply {
  return errorReply(400, { ...refusal, type: 'invalid_request_error' });
}
