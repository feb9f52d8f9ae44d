// How do others speak of a worker's incarnation, and with it? As of any actor's: an event is an operation, its `from` gets the result.
import { errorFrom } from '../ground/error-from.ts';
import { PythonError, UnencodableError } from '../ground/errors.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import { LIMITS } from '../ground/limits.ts';
import { fromOf, type From } from '../lifecycle/from.ts';
import { Incarnation, type ActorEvent, type RefPorts } from '../lifecycle/ref.ts';
import { encodeValue, type EncodedValue } from '../port/codec.ts';
import type { SentOutcome } from './pending-calls.ts';
import type { Worker } from './worker-types.ts';

/** An event for a Python worker: its `type` is the operation. */
export interface WorkerCallEvent extends ActorEvent {
  /** The operation's arguments by name. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** Whose state the operation is about, where the bridge keeps such. */
  readonly session?: string;
  readonly from?: From;
}

/** The incarnation of a worker: what is sent to it runs in its process, one operation after the other; what nobody waits for runs too, and its result is dropped. */
export function workerRef(worker: Worker, epoch: number, ports: RefPorts): Incarnation {
  const { id, workerId: path } = worker;
  const quit = (reason: ExitReason): void => worker.stop(LIMITS.shutdownMs, reason);
  const deliver = (event: ActorEvent): void => deliverTo(worker, ref, event);
  const ref: Incarnation = new Incarnation({ id, path, epoch }, ports, deliver, quit);
  return ref;
}

function deliverTo(worker: Worker, ref: Incarnation, event: WorkerCallEvent): void {
  const from = fromOf(event);
  const { state } = worker;
  if (state !== 'ready' && state !== 'busy') {
    ref.drop(event);
    return;
  }
  try {
    const deadlineMs = Math.min(from?.timeoutMs ?? LIMITS.callTimeoutMs, Number.MAX_SAFE_INTEGER);
    const message = {
      ...{ op: event.type, args: encodeArgs(event.args ?? {}), deadlineMs },
      session: event.session ?? null,
    };
    worker.send(message, (outcome) => answer(from, outcome, ref));
  } catch (cause) {
    const error = errorFrom(cause);
    if (from === undefined) ref.drop(event);
    else from.settle({ type: 'error', error });
  }
}

function encodeArgs(args: unknown): EncodedValue {
  const encoded = encodeValue(args, 'args');
  if (typeof args !== 'object' || Array.isArray(args))
    throw new UnencodableError('args', 'arguments go by name: an object is expected');
  return encoded;
}

/** Of a crash the call hears by the end of the incarnation, with its reason. */
function answer(from: From | undefined, outcome: SentOutcome, ref: Incarnation): void {
  if (outcome.type === 'crashed') return;
  const { reply } = outcome;
  if (reply.ok) from?.settle({ type: 'value', value: reply.result });
  else {
    const error = new PythonError(reply.error, { workerId: ref.path, epoch: ref.epoch });
    from?.settle({ type: 'error', error });
  }
}
