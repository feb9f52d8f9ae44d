// What has been asked so far, and who waits to hear of it? A bounded memory of requests with waiters.
import { LocalModelError } from './errors.ts';
import { LOCAL_MODEL_LIMITS } from './limits.ts';

/** A request as it arrived. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  /** The model it names; null when it names none. */
  readonly model: string | null;
  /** Parsed JSON; the raw text when it is not JSON; null without a body. */
  readonly body: unknown;
  /** All texts of the prompt, joined by line breaks. */
  readonly promptText: string;
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
}

/** Which request is awaited. */
export interface RequestFilter {
  /** A text that the prompt holds, exactly as it stands. Default: any prompt. */
  readonly matching?: string;
  /** Default: any path. */
  readonly path?: string;
}

interface Waiter {
  readonly filter: RequestFilter;
  readonly resolve: (request: RecordedRequest) => void;
  readonly reject: (error: Error) => void;
}

/** A memory of requests. Each one is handed to at most one waiter. */
export class RequestLog {
  #kept: readonly RecordedRequest[] = [];
  #keptChars = 0;
  #count = 0;
  readonly #handedOut = new WeakSet<RecordedRequest>();
  readonly #waiters = new Set<Waiter>();

  get kept(): readonly RecordedRequest[] {
    return this.#kept;
  }

  get count(): number {
    return this.#count;
  }

  record(request: RecordedRequest): void {
    this.#count += 1;
    this.#kept = [...this.#kept, request];
    this.#keptChars += charsOf(request);
    this.#forgetOldest();
    const waiter = [...this.#waiters].find((each) => fits(request, each.filter));
    if (waiter === undefined) return;
    this.#handedOut.add(request);
    this.#waiters.delete(waiter);
    waiter.resolve(request);
  }

  /** Hand over the oldest fitting request that nobody has had, now or when it arrives. Returns how to give up, too. */
  next(filter: RequestFilter): {
    readonly found: Promise<RecordedRequest>;
    readonly giveUp: (error: Error) => void;
  } {
    const seen = this.#kept.find(
      (request) => !this.#handedOut.has(request) && fits(request, filter),
    );
    if (seen !== undefined) {
      this.#handedOut.add(seen);
      return { found: Promise.resolve(seen), giveUp: () => undefined };
    }
    if (this.#waiters.size >= LOCAL_MODEL_LIMITS.waitersMax) {
      const message = `${LOCAL_MODEL_LIMITS.waitersMax} waits for requests are open already`;
      throw new LocalModelError('LOCAL_MODEL_TOO_MANY_WAITS', message);
    }
    const { promise, resolve, reject } = withResolvers<RecordedRequest>();
    const waiter: Waiter = { filter, resolve, reject };
    this.#waiters.add(waiter);
    return {
      found: promise,
      giveUp: (error) => {
        if (this.#waiters.delete(waiter)) reject(error);
      },
    };
  }

  /** Nothing more will arrive. */
  close(error: Error): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }

  #forgetOldest(): void {
    while (
      this.#kept.length > LOCAL_MODEL_LIMITS.requestsKeptMax ||
      (this.#keptChars > LOCAL_MODEL_LIMITS.requestsKeptCharsMax && this.#kept.length > 1)
    ) {
      const [oldest, ...rest] = this.#kept;
      this.#keptChars -= oldest === undefined ? 0 : charsOf(oldest);
      this.#kept = rest;
    }
  }
}

function fits(request: RecordedRequest, filter: RequestFilter): boolean {
  if (filter.path !== undefined && filter.path !== request.path) return false;
  return filter.matching === undefined || request.promptText.includes(filter.matching);
}

/** The prompt is nearly all of a request. */
function charsOf(request: RecordedRequest): number {
  return request.promptText.length;
}

/** Promise.withResolvers came with Node 22. */
function withResolvers<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
} {
  let settle: { resolve: (value: T) => void; reject: (error: Error) => void } | null = null;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // The executor has run by now: promises call it at once.
  return {
    promise,
    ...(settle as unknown as { resolve: (value: T) => void; reject: (error: Error) => void }),
  };
}
