// What is a v1 script asked next, and to which question is this the answer? One at a time: ping, capabilities, the calls, shutdown.
import type { Clock } from '../ground/clock.ts';
import { UnsupportedError } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';
import { ProtocolError } from '../ground/start-errors.ts';
import type { WorkerInfo } from '../ground/worker-facts.ts';
import { assertExpected } from './greeting.ts';
import { frameworkOf, legacyInfo, operationsOf } from './legacy-info.ts';
import { encodeV1, v1Args } from './legacy-v1.ts';
import type { CallMessage, ReplyMessage } from './message.ts';
import type { PortFact, PortRequest } from './port-types.ts';

const PING_ID = 1;
const CAPABILITIES_ID = 2;
/** Callers number their calls from 1, and so does the wire, where two come before them. */
const CALLS_AFTER_ID = 2;
/** An id that no call has, for a reply to a call that has not been written yet. */
const NO_CALL_ID = 0;

/** The question that the script works at. */
interface Asked {
  readonly id: number;
  readonly what: 'ping' | 'capabilities' | 'call' | 'shutdown';
}

type Phase =
  | { readonly type: 'starting' }
  /** It answers; what it can do is asked, which not every script knows. */
  | {
      readonly type: 'introducing';
      readonly framework: WorkerInfo['framework'];
      readonly timer: unknown;
    }
  | { readonly type: 'serving' }
  /** Nothing is asked any more but the shutdown. */
  | { readonly type: 'ending' }
  | { readonly type: 'over' };

interface Wire {
  readonly tell: (fact: PortFact) => void;
  readonly write: (bytes: Buffer) => void;
  readonly endInput: () => void;
  /** What it offers is not what was expected. */
  readonly refuse: (error: ProtocolError) => void;
}

/** The dialogue with one process. */
export class LegacyExchange {
  readonly #request: PortRequest;
  readonly #clock: Clock;
  readonly #wire: Wire;
  readonly #waiting = new Map<number, Buffer>();
  #phase: Phase = { type: 'starting' };
  #asked: Asked | undefined;
  #lastId = CALLS_AFTER_ID;

  constructor(request: PortRequest, clock: Clock, wire: Wire) {
    this.#request = request;
    this.#clock = clock;
    this.#wire = wire;
  }

  get isStarting(): boolean {
    return this.#phase.type === 'starting';
  }

  /** The process is there: it is ready once it has answered. */
  begin(): void {
    if (this.#phase.type === 'starting') this.#ask(PING_ID, 'ping');
  }

  /**
   * Write a call, or keep it until the one before it is answered.
   * @throws {@link UnencodableError}, {@link UnsupportedError}; nothing was written then.
   */
  call(callId: number, message: CallMessage): void {
    const { op, args, session, stream, nested } = message;
    if (stream !== undefined) throw new UnsupportedError(op, 'a v1 worker has no streams');
    if (nested !== undefined) throw new UnsupportedError(op, 'a v1 worker has no callbacks');
    const id = callId + CALLS_AFTER_ID;
    const bytes = encodeV1({ id, command: op, args: v1Args(args, session) });
    this.#lastId = Math.max(this.#lastId, id);
    this.#waiting.set(id, bytes);
    this.#askNext();
  }

  /** Take back a call that has not been written. Told later, as it would be by a process. */
  withdraw(callId: number): void {
    const ok = this.#waiting.delete(callId + CALLS_AFTER_ID);
    this.#clock.afterPoll(() => {
      this.#wire.tell({ type: 'withdrawn', id: callId, ok });
      if (!ok) return;
      const error = {
        type: 'Error',
        message: 'withdrawn',
        traceback: '',
        code: 'withdrawn',
      } as const;
      this.#wire.tell({ type: 'reply', id: callId, ok: false, error });
    });
  }

  /** Nothing that waits is asked any more; behind what the script works at comes the end. */
  end(): void {
    if (this.#phase.type === 'ending' || this.#phase.type === 'over') return;
    this.#become({ type: 'ending' });
    this.#waiting.clear();
    this.#askNext();
  }

  /** The process is gone. */
  forget(): void {
    this.#become({ type: 'over' });
    this.#waiting.clear();
  }

  /** What the script has answered. */
  take(reply: ReplyMessage): void {
    const asked = this.#asked;
    if (asked?.id !== reply.id) {
      this.#tellStray(reply);
      return;
    }
    this.#asked = undefined;
    switch (asked.what) {
      case 'ping':
        this.#onPing(reply);
        break;
      case 'capabilities':
        if (reply.ok) this.#serve(operationsOf(reply.result));
        else this.#serve([]);
        break;
      case 'call':
        this.#wire.tell({ ...reply, id: reply.id - CALLS_AFTER_ID });
        break;
      case 'shutdown':
        return;
      default:
        asked.what satisfies never;
    }
    this.#askNext();
  }

  /** It belongs to no call that runs, which whoever numbers the calls finds out: it is dropped and counted there. */
  #tellStray(reply: ReplyMessage): void {
    const id = this.#waiting.has(reply.id) ? NO_CALL_ID : reply.id - CALLS_AFTER_ID;
    this.#wire.tell({ ...reply, id });
  }

  #onPing(reply: ReplyMessage): void {
    if (this.#phase.type !== 'starting') return;
    if (!reply.ok) {
      const message = `its answer to ping is an error: ${reply.error.message}`;
      this.#become({ type: 'over' });
      this.#wire.tell({ type: 'failed', error: { ...reply.error, message } });
      return;
    }
    const framework = frameworkOf(reply.result, this.#request.bridge.framework);
    const timer = this.#clock.setTimeout(() => {
      // It may still answer: the reply is then one that nobody waits for.
      this.#asked = undefined;
      this.#serve([]);
      this.#askNext();
    }, LIMITS.v1CapabilitiesMs);
    this.#become({ type: 'introducing', framework, timer });
    this.#ask(CAPABILITIES_ID, 'capabilities');
  }

  #serve(operations: readonly string[]): void {
    if (this.#phase.type !== 'introducing') return;
    const info = legacyInfo(this.#request.bridge.framework, this.#phase.framework, operations);
    this.#become({ type: 'serving' });
    try {
      assertExpected(info, this.#request);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#wire.refuse(error);
      return;
    }
    this.#wire.tell({ type: 'ready', info });
  }

  #become(phase: Phase): void {
    if (this.#phase.type === 'introducing') this.#clock.clearTimeout(this.#phase.timer);
    this.#phase = phase;
  }

  #askNext(): void {
    if (this.#asked !== undefined) return;
    if (this.#phase.type === 'ending') {
      this.#become({ type: 'over' });
      this.#ask(this.#lastId + 1, 'shutdown');
      this.#wire.endInput();
      return;
    }
    if (this.#phase.type !== 'serving') return;
    const [next] = this.#waiting;
    if (next === undefined) return;
    const [id, bytes] = next;
    this.#waiting.delete(id);
    this.#asked = { id, what: 'call' };
    this.#wire.write(bytes);
  }

  #ask(id: number, what: 'ping' | 'capabilities' | 'shutdown'): void {
    const command = what === 'capabilities' ? 'get_capabilities' : what;
    this.#asked = { id, what };
    this.#wire.write(encodeV1({ id, command, args: {} }));
  }
}
