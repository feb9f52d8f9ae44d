// What goes over the socket, and when? A reply and perhaps a fault become pieces with pauses.
import type { FaultEffect } from './faults.ts';
import { errorReply, type Reply } from './replies.ts';
import { DONE_EVENT, formatEvent, SSE_HEADERS } from './sse.ts';

/** A plan that the server only has to carry out. */
export type Delivery =
  | { readonly type: 'hang' }
  | {
      readonly type: 'send';
      /** Before the headers. */
      readonly waitMs: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly pieces: readonly string[];
      /** Before each piece. */
      readonly betweenMs: number;
      /** `cut`: destroy the connection instead of ending the reply. */
      readonly end: 'finish' | 'cut';
    };

type Send = Extract<Delivery, { type: 'send' }>;

/** Plan a reply as it should be, then let the fault spoil it. Pure. */
export function planDelivery(reply: Reply, effect: FaultEffect | null): Delivery {
  const plan = planReply(reply);
  if (effect === null) return plan;
  switch (effect.kind) {
    case 'slow':
      return { ...plan, waitMs: effect.delayMs };
    case 'hang':
      return { type: 'hang' };
    case 'status':
      return planReply(errorOfStatus(effect.status, effect.retryAfterS));
    case 'break_stream':
      return cut(reply, plan, effect.afterChunks);
    case 'nonsense':
      return planReply(nonsenseFor(reply));
    case 'bad_json':
      return withPieces(plan, reply.type === 'json' ? [BROKEN_JSON] : [`data: ${BROKEN_JSON}\n\n`]);
    case 'slow_tokens':
      return reply.type === 'json'
        ? { ...plan, waitMs: effect.perTokenMs * reply.wordsCount }
        : { ...plan, betweenMs: effect.perTokenMs };
    default:
      return effect satisfies never;
  }
}

const BROKEN_JSON = '{"id": "chatcmpl-broken", "choices": [{"index": 0, ';
const NONSENSE = 'purple seventeen of the backwards, wherefore umbrella {{ [[ ## ]] ((';

function planReply(reply: Reply): Send {
  if (reply.type === 'events') {
    const pieces = [...reply.events.map(formatEvent), DONE_EVENT];
    return {
      type: 'send',
      waitMs: 0,
      status: 200,
      headers: SSE_HEADERS,
      pieces,
      betweenMs: 0,
      end: 'finish',
    };
  }
  const plan: Send = {
    type: 'send',
    waitMs: 0,
    status: reply.status,
    headers: { ...reply.headers, 'content-type': 'application/json' },
    pieces: [],
    betweenMs: 0,
    end: 'finish',
  };
  return withPieces(plan, [JSON.stringify(reply.body)]);
}

/** A body in one piece names its length, so that a client can tell a whole one from a cut one. */
function withPieces(plan: Send, pieces: readonly string[]): Send {
  if (plan.headers === SSE_HEADERS) return { ...plan, pieces };
  const bytes = Buffer.byteLength(pieces.join(''));
  return { ...plan, pieces, headers: { ...plan.headers, 'content-length': String(bytes) } };
}

function cut(reply: Reply, plan: Send, afterChunks: number): Send {
  if (reply.type === 'events')
    return { ...plan, pieces: plan.pieces.slice(0, afterChunks), end: 'cut' };
  const body = plan.pieces.join('');
  return { ...plan, pieces: [body.slice(0, Math.floor(body.length / 2))], end: 'cut' };
}

/** The same shape as a true reply, so that only the text is wrong. */
function nonsenseFor(reply: Reply): Reply {
  if (reply.type === 'json') {
    const choice = {
      index: 0,
      message: { role: 'assistant', content: NONSENSE },
      finish_reason: 'stop',
    };
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const body = {
      id: 'chatcmpl-nonsense',
      object: 'chat.completion',
      created: 0,
      model: 'local',
      choices: [choice],
      usage,
    };
    return { ...reply, status: 200, headers: {}, body };
  }
  const chunk = (delta: object, reason: string | null): object => ({
    id: 'chatcmpl-nonsense',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'local',
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  return {
    type: 'events',
    events: [chunk({ role: 'assistant', content: NONSENSE }, null), chunk({}, 'stop')],
  };
}

const TOO_MANY_REQUESTS = 429;
const SERVER_ERROR_MIN = 500;

function errorOfStatus(status: number, retryAfterS: number | undefined): Reply {
  const headers = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  const message = `The local model was told to answer with status ${status}.`;
  if (status === TOO_MANY_REQUESTS) {
    return errorReply(
      status,
      { message, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
      headers,
    );
  }
  const type = status >= SERVER_ERROR_MIN ? 'server_error' : 'invalid_request_error';
  return errorReply(status, { message, type }, headers);
}
