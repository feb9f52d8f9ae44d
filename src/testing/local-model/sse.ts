// How is a stream of events written? Server-sent events, one JSON object each, closed as OpenAI closes them.

export const SSE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
};

/** The last event. It is not JSON. */
export const DONE_EVENT = 'data: [DONE]\n\n';

/** JSON has no raw line breaks, so one line always holds the whole event. */
export function formatEvent(event: unknown): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}
