// How does the local model live on a port? Sockets, timers and the wall clock; every decision is made elsewhere.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { systemClock } from '../../../actors/ground/clock.ts';
import { contentOf, deliver, readBody, watchAbort, type LocalModelClock } from './connection.ts';
import { planDelivery } from './delivery.ts';
import { LocalModelError } from './errors.ts';
import { checkFault, takeFault, type Fault } from './faults.ts';
import { isRecord } from './fill.ts';
import { LOCAL_MODEL_LIMITS } from './limits.ts';
import { RequestLog, type RecordedRequest, type RequestFilter } from './request-log.ts';
import { routeRequest, type Body } from './routes.ts';
import { promptTextOf } from './wire.ts';

export interface LocalModelOptions {
  /** TCP port on 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number;
  /** Faults to start with; see {@link LocalModel.inject}. */
  readonly faults?: readonly Fault[];
  /** What `GET /v1/models` lists. Any other name is answered as well. Default: `local` and `local-embeddings`. */
  readonly modelIds?: readonly string[];
  /** Default: real time. */
  readonly clock?: LocalModelClock;
  /** Ids for replies. Default: random UUIDs. */
  readonly ids?: () => string;
}

export interface NextRequestOptions extends RequestFilter {
  /** How long to wait at most; default 5 000. */
  readonly timeoutMs?: number;
  /** Gives the wait up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A running local model. Hold it with `await using`. */
export interface LocalModel extends AsyncDisposable {
  readonly port: number;
  /** For OpenAI clients: `http://127.0.0.1:PORT/v1`. */
  readonly baseUrl: string;
  /** The requests so far, oldest first: the last 512 at most, and fewer when they are large. */
  readonly requests: readonly RecordedRequest[];
  /** All requests so far, forgotten ones included. */
  readonly requestsCount: number;
  /** Requests whose client went away before its reply was complete. Replies that a fault cut do not count. */
  readonly aborted: number;
  /**
   * Add a fault behind those that wait already. Faults strike in order, each `times` times.
   * @throws {@link LocalModelError} `LOCAL_MODEL_BAD_FAULT` when it cannot be, or when 1 000 wait already.
   */
  inject(fault: Fault): void;
  /** Drop all faults that have not struck. Replies under way keep theirs. */
  clearFaults(): void;
  /**
   * Wait for a request to arrive. It has been recorded by then but not answered, so it is a fact to wait on.
   * Takes the oldest fitting request that no other call has taken, also one from before the call: no race can miss it.
   * @throws {@link LocalModelError} `LOCAL_MODEL_WAIT_TIMEOUT`, `LOCAL_MODEL_CLOSED` or `LOCAL_MODEL_TOO_MANY_WAITS`.
   */
  nextRequest(options?: NextRequestOptions): Promise<RecordedRequest>;
  /** End everything: replies under way, connections, timers, waits. A second call waits for the first. */
  close(): Promise<void>;
}

const MODEL_IDS = ['local', 'local-embeddings'] as const;
const HOST = '127.0.0.1';
const MS_PER_S = 1_000;

/**
 * Start a local model on 127.0.0.1: an OpenAI-compatible server that answers by rules, for demos and tests.
 * It is not a neural network and says so when asked. Not for production, and never reachable from other machines.
 * Rejects with Node's own error when the port is taken, and with {@link LocalModelError} when a fault cannot be.
 */
export async function startLocalModel(options: LocalModelOptions = {}): Promise<LocalModel> {
  const running = new RunningModel(options);
  await running.listen(options.port ?? 0);
  return running;
}

class RunningModel implements LocalModel {
  readonly #server: Server;
  readonly #clock: LocalModelClock;
  readonly #ids: () => string;
  readonly #modelIds: readonly string[];
  readonly #log = new RequestLog();
  #faults: readonly Fault[] = [];
  #aborted = 0;
  #port = 0;
  #closed: Promise<void> | null = null;

  constructor(options: LocalModelOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#ids = options.ids ?? randomUUID;
    this.#modelIds = options.modelIds ?? MODEL_IDS;
    for (const fault of options.faults ?? []) this.inject(fault);
    this.#server = createServer((request, response) => {
      this.#receive(request, response);
    });
  }

  get port(): number {
    return this.#port;
  }

  get baseUrl(): string {
    return `http://${HOST}:${this.#port}/v1`;
  }

  get requests(): readonly RecordedRequest[] {
    return this.#log.kept;
  }

  get requestsCount(): number {
    return this.#log.count;
  }

  get aborted(): number {
    return this.#aborted;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, HOST, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : port;
  }

  inject(fault: Fault): void {
    checkFault(fault);
    if (this.#faults.length >= LOCAL_MODEL_LIMITS.faultsMax) {
      const message = `${LOCAL_MODEL_LIMITS.faultsMax} faults wait already`;
      throw new LocalModelError('LOCAL_MODEL_BAD_FAULT', message);
    }
    this.#faults = [...this.#faults, fault];
  }

  clearFaults(): void {
    this.#faults = [];
  }

  async nextRequest(options: NextRequestOptions = {}): Promise<RecordedRequest> {
    const { timeoutMs = LOCAL_MODEL_LIMITS.nextRequestTimeoutMs, signal, ...filter } = options;
    signal?.throwIfAborted();
    if (this.#closed !== null) throw closedError();
    const { found, giveUp } = this.#log.next(filter);
    const timer = this.#clock.setTimeout(() => {
      const sought =
        filter.matching === undefined ? 'no request' : `no request with "${filter.matching}"`;
      giveUp(
        new LocalModelError('LOCAL_MODEL_WAIT_TIMEOUT', `${sought} arrived within ${timeoutMs} ms`),
      );
    }, timeoutMs);
    const onAbort = (): void => {
      giveUp(signal?.reason as Error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await found;
    } finally {
      this.#clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  close(): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => {
      this.#log.close(closedError());
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Read the body, remember the request, and answer it. */
  #receive(request: IncomingMessage, response: ServerResponse): void {
    // A client that goes away resets the socket; the fact is counted when the response closes.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    watchAbort(response, () => {
      if (this.#closed === null) this.#aborted += 1;
    });
    readBody(request, (body) => {
      this.#answer(request, response, body);
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse, body: Body): void {
    const method = request.method ?? 'GET';
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const content = contentOf(body);
    const promptText = promptTextOf(content);
    const atMs = this.#clock.wallMs();
    const model =
      isRecord(content) && typeof content['model'] === 'string' ? content['model'] : null;
    const { fault, left } = takeFault(this.#faults, { method, path, promptText });
    this.#faults = left;
    this.#log.record({ method, path, model, body: content, promptText, atMs });
    const stamp = { id: this.#ids(), createdS: Math.floor(atMs / MS_PER_S) };
    const reply = routeRequest({ method, path, body, stamp, modelIds: this.#modelIds });
    // A body that was not read to its end leaves the connection unusable for a next request.
    if (body.type === 'too-large') response.setHeader('connection', 'close');
    deliver(response, planDelivery(reply, fault), this.#clock);
  }
}

function closedError(): LocalModelError {
  return new LocalModelError('LOCAL_MODEL_CLOSED', 'the local model is closed');
}
