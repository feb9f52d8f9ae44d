// How do these tests talk to a local model? A plain client over fetch, and a clock that moves by hand.
import type { LocalModel, LocalModelClock } from '../../../src/testing/index.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export async function post(model: LocalModel, path: string, body: unknown): Promise<Answered> {
  const response = await fetch(`${model.baseUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export function chatBody(text: string, more: object = {}): object {
  return { model: 'local', messages: [{ role: 'user', content: text }], ...more };
}

/** The first choice's message text of a whole completion. */
export function textOf(answered: Answered): string {
  const body = answered.body as { choices: { message: { content: string } }[] };
  return body.choices[0]?.message.content ?? '';
}

export interface Chunk {
  readonly object: string;
  readonly choices: readonly {
    readonly delta: {
      readonly role?: string;
      readonly content?: string;
      readonly tool_calls?: readonly {
        readonly function: { readonly name?: string; readonly arguments: string };
      }[];
    };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly total_tokens: number } | null;
}

/** Read a stream of server-sent events to its end: the data of each event. */
export async function readEvents(response: Response): Promise<string[]> {
  const text = await response.text();
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''));
}

export async function stream(model: LocalModel, body: object): Promise<Response> {
  return fetch(`${model.baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ ...body, stream: true }),
  });
}

export function chunksOf(events: readonly string[]): Chunk[] {
  return events.filter((event) => event !== '[DONE]').map((event) => JSON.parse(event) as Chunk);
}

/** A clock whose timers fire when the test says so. */
export class ManualClock implements LocalModelClock {
  readonly #armed = new Map<number, { readonly fn: () => void; readonly timeoutMs: number }>();
  readonly #waiting: ((timeoutMs: number) => void)[] = [];
  #lastId = 0;

  wallMs(): number {
    return 1_700_000_000_000;
  }

  setTimeout(fn: () => void, timeoutMs: number): unknown {
    this.#lastId += 1;
    this.#armed.set(this.#lastId, { fn, timeoutMs });
    this.#waiting.shift()?.(timeoutMs);
    return this.#lastId;
  }

  clearTimeout(id: unknown): void {
    this.#armed.delete(id as number);
  }

  get armedCount(): number {
    return this.#armed.size;
  }

  /** Resolves with the delay of the next timer that is armed from now on. */
  nextArmed(): Promise<number> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Fire all timers that are armed now. */
  fire(): void {
    const due = [...this.#armed.values()];
    this.#armed.clear();
    for (const { fn } of due) fn();
  }
}
