// What happens on one connection? Reads a request's body and carries a delivery out; the plan is made elsewhere.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Delivery } from './delivery.ts';
import { LOCAL_MODEL_LIMITS } from './limits.ts';
import type { Body } from './routes.ts';

/** The part of the runtime's clock that the local model needs; `Clock` of the runtime fits. */
export interface LocalModelClock {
  /** Wall clock, milliseconds since 1970. */
  wallMs(): number;
  /** Call `fn` once after `timeoutMs`. The handle is opaque. */
  setTimeout(fn: () => void, timeoutMs: number): unknown;
  clearTimeout(id: unknown): void;
}

/** Responses that a fault cut: their end is not the client's doing. */
const CUT_BY_FAULT = new WeakSet<ServerResponse>();

/** Call `onAbort` once if the client goes before its reply is complete. */
export function watchAbort(response: ServerResponse, onAbort: () => void): void {
  response.once('close', () => {
    if (!response.writableFinished && !CUT_BY_FAULT.has(response)) onAbort();
  });
}

/** Collect the body and hand it over once; nothing is handed over when the client goes first. */
export function readBody(request: IncomingMessage, done: (body: Body) => void): void {
  const parts: Buffer[] = [];
  let bytes = 0;
  const onData = (part: Buffer): void => {
    bytes += part.length;
    parts.push(part);
    if (bytes <= LOCAL_MODEL_LIMITS.bodyBytesMax) return;
    request.off('data', onData).off('end', onEnd);
    // Keep the bytes coming, unread: a client that is still sending would not see the reply.
    request.resume();
    done({ type: 'too-large', bytesMax: LOCAL_MODEL_LIMITS.bodyBytesMax });
  };
  const onEnd = (): void => {
    done(bodyOf(Buffer.concat(parts).toString('utf8')));
  };
  request.on('data', onData).on('end', onEnd);
}

function bodyOf(text: string): Body {
  if (text === '') return { type: 'none' };
  try {
    return { type: 'json', value: JSON.parse(text) };
  } catch {
    // The reply will say so.
    return { type: 'not-json', text };
  }
}

/** What a body says: JSON, else its text, else null. */
export function contentOf(body: Body): unknown {
  switch (body.type) {
    case 'json':
      return body.value;
    case 'not-json':
      return body.text;
    case 'none':
    case 'too-large':
      return null;
    default:
      return body satisfies never;
  }
}

/** Carry a plan out. One timer at a time, and none once the response has closed. */
export function deliver(response: ServerResponse, plan: Delivery, clock: LocalModelClock): void {
  if (plan.type === 'hang' || response.destroyed) return;
  let timer: unknown = null;
  const after = (timeoutMs: number, fn: () => void): void => {
    if (timeoutMs === 0) fn();
    else timer = clock.setTimeout(fn, timeoutMs);
  };
  response.once('close', () => {
    if (timer !== null) clock.clearTimeout(timer);
  });
  const sendFrom = (index: number): void => {
    const piece = plan.pieces[index];
    if (piece === undefined) {
      end(response, plan.end);
      return;
    }
    after(plan.betweenMs, () => {
      // The next piece follows once this one is on its way: no piece is lost by a cut, and no queue grows.
      response.write(piece, () => {
        if (!response.destroyed) sendFrom(index + 1);
      });
    });
  };
  after(plan.waitMs, () => {
    response.writeHead(plan.status, plan.headers);
    response.flushHeaders();
    sendFrom(0);
  });
}

function end(response: ServerResponse, how: 'finish' | 'cut'): void {
  if (how === 'finish') {
    response.end();
    return;
  }
  CUT_BY_FAULT.add(response);
  response.destroy();
}
