// How does a worker without a process run its calls? In the order in which they came, as many at a time as it was asked for, each answered by its mock.
import { encodeValue } from '../../../actors/port/codec.ts';
import { encodeCodedFrame, encodeFrame, excessOf } from '../../../actors/port/frame.ts';
import type { RemoteError } from '../../../actors/ground/worker-facts.ts';
import { UnencodableError } from '../../../actors/ground/errors.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import type { Args } from '../../adapters/adapter.ts';
import type { BuiltIns } from './built-ins.ts';
import {
  collect,
  remoteErrorOf,
  startMock,
  type MockAnswer,
  type MockedBridge,
  type MockItems,
} from './mock-answer.ts';

/** A call as it stands on the wire, its arguments decoded. */
export interface WireCall {
  readonly id: number;
  readonly op: string;
  readonly args: Args;
  readonly session: string | null;
  readonly stream?: { readonly credit: number } | undefined;
  readonly batch?: number | undefined;
}

interface Running {
  readonly call: WireCall;
  credit: number;
  items: MockItems | undefined;
  /** Wakes whoever waits for credit. */
  wake: () => void;
}

interface Waiting {
  readonly call: WireCall;
  refusal: 'withdrawn' | 'cancelled' | undefined;
}

interface Ports {
  readonly bridge: MockedBridge;
  readonly builtIns: BuiltIns;
  readonly concurrency: number;
  /** A frame for the lane `replies`, or the lane `control`. */
  readonly write: (lane: 'replies' | 'control', bytes: Buffer) => void;
  /** It was asked to end, and nothing runs any more. */
  readonly onIdleAfterShutdown: () => void;
}

const ANONYMOUS = '';

/** The calls of one worker, and what its mocks have kept. All of it goes with the worker. */
export class MockCalls {
  readonly #ports: Ports;
  readonly #states = new Map<string, Map<string, unknown>>();
  readonly #running = new Map<number, Running>();
  #waiting: Waiting[] = [];
  #phase: 'serving' | 'stopping' | 'gone' = 'serving';

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** The call that runs, as a heartbeat tells it. */
  get runningId(): number | null {
    const [id = null] = this.#running.keys();
    return id;
  }

  take(call: WireCall): void {
    if (this.#phase !== 'serving') return;
    this.#waiting.push({ call, refusal: undefined });
    this.#pump();
  }

  credit(id: number, count: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.credit += count;
    running.wake();
  }

  cancel(id: number): void {
    const waiting = this.#waiting.find(({ call }) => call.id === id);
    if (waiting !== undefined) waiting.refusal ??= 'cancelled';
    const running = this.#running.get(id);
    if (running === undefined) return;
    const error = refusal(running.call, 'CallCancelled', 'cancelled');
    this.#end(running, this.#failure(id, error));
  }

  withdraw(id: number): void {
    const waiting = this.#waiting.find(({ call }) => call.id === id);
    if (waiting !== undefined) waiting.refusal ??= 'withdrawn';
    const ok = waiting !== undefined;
    this.#ports.write('control', encodeFrame({ type: 'withdrawn', id, ok }));
  }

  /** Finish what runs, take no more. */
  shutdown(): void {
    if (this.#phase !== 'serving') return;
    this.#phase = 'stopping';
    this.#waiting = [];
    this.#lookIdle();
  }

  /** The worker is dead: nothing is said any more, and mocks that yield are closed. */
  die(): void {
    this.#phase = 'gone';
    this.#waiting = [];
    for (const running of this.#running.values()) {
      running.items?.close();
      running.wake();
    }
    this.#running.clear();
  }

  #pump(): void {
    while (this.#phase === 'serving' && this.#running.size < this.#ports.concurrency) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const { call, refusal: why } = next;
      if (why === undefined) void this.#run(call);
      else this.#ports.write('replies', this.#failure(call.id, refusal(call, 'BridgeError', why)));
    }
  }

  /** Never rejects: what a mock throws is an answer. */
  async #run(call: WireCall): Promise<void> {
    const { stream, batch } = call;
    const running: Running = {
      ...{ call, credit: stream?.credit ?? 0, items: undefined },
      wake: () => undefined,
    };
    this.#running.set(call.id, running);
    if (batch !== undefined) {
      await this.#runBatch(running, call.args['calls'] as readonly Args[]);
      return;
    }
    const answer = await this.#answer(call, call.args);
    if (answer.type !== 'items') {
      this.#settle(running, answer);
      return;
    }
    running.items = answer;
    if (!this.#isRunning(running)) answer.close();
    else if (stream === undefined) this.#settle(running, await collect(answer));
    else await this.#yieldItems(running, answer);
  }

  async #runBatch(running: Running, each: readonly Args[]): Promise<void> {
    const outcomes: object[] = [];
    for (const args of each) {
      if (!this.#isRunning(running)) return;
      const answer = await this.#answer(running.call, args);
      const whole = answer.type === 'items' ? await collect(answer) : answer;
      outcomes.push(
        whole.type === 'value'
          ? { ok: true, result: whole.value }
          : { ok: false, error: this.#counted(whole.error) },
      );
    }
    this.#settle(running, { type: 'value', value: outcomes });
  }

  async #answer({ op, session }: WireCall, args: Args): Promise<MockAnswer> {
    const { bridge, builtIns } = this.#ports;
    builtIns.commandCount += 1;
    const known = builtIns.answer(op);
    if (known !== undefined) return { type: 'value', value: known };
    const key = session ?? ANONYMOUS;
    const state = this.#states.get(key) ?? new Map<string, unknown>();
    this.#states.set(key, state);
    return startMock(bridge, { op, args, sessionId: session ?? undefined, state });
  }

  async #yieldItems(running: Running, items: MockItems): Promise<void> {
    for (let seq = 0; ; seq += 1) {
      await this.#forCredit(running);
      if (!this.#isRunning(running)) return;
      const step = await items.next();
      if (!this.#isRunning(running)) return;
      if (step.type !== 'item') {
        this.#settle(running, step.type === 'end' ? { type: 'value', value: null } : step);
        return;
      }
      running.credit -= 1;
      this.#sendItem(running, seq, step.value);
    }
  }

  #forCredit(running: Running): Promise<void> {
    if (running.credit > 0) return Promise.resolve();
    return new Promise((resolve) => {
      running.wake = resolve;
    });
  }

  #isRunning({ call }: Running): boolean {
    return this.#running.has(call.id);
  }

  /** A value for a reader of items is the only one. */
  #settle(running: Running, answer: Exclude<MockAnswer, MockItems>): void {
    if (!this.#isRunning(running)) return;
    const { id, op, stream } = running.call;
    if (op === 'shutdown') this.#phase = 'stopping';
    if (answer.type === 'failed') {
      this.#end(running, this.#failure(id, answer.error));
      return;
    }
    const isOnlyItem = stream !== undefined && running.items === undefined;
    if (isOnlyItem) this.#sendItem(running, 0, answer.value);
    const value = isOnlyItem ? null : answer.value;
    this.#end(running, this.#coded({ type: 'reply', id, ok: true }, 'result', value));
  }

  #sendItem({ call }: Running, seq: number, value: unknown): void {
    this.#ports.write('replies', this.#coded({ type: 'item', id: call.id, seq }, 'value', value));
  }

  #end(running: Running, frame: Buffer): void {
    this.#running.delete(running.call.id);
    running.items?.close();
    running.wake();
    this.#ports.write('replies', frame);
    this.#pump();
    this.#lookIdle();
  }

  #lookIdle(): void {
    if (this.#phase === 'stopping' && this.#running.size === 0) this.#ports.onIdleAfterShutdown();
  }

  #coded(header: Record<string, unknown>, field: string, value: unknown): Buffer {
    try {
      const parts = encodeCodedFrame(header, field, encodeValue(value, field));
      const excess = excessOf(parts, LIMITS);
      if (excess === undefined) return Buffer.concat(parts);
      throw new UnencodableError(field, excess);
    } catch (error) {
      const { id } = header as { id: number };
      return this.#failure(id, remoteErrorOf(error));
    }
  }

  #failure(id: number, error: RemoteError): Buffer {
    return encodeFrame({ type: 'reply', id, ok: false, error: this.#counted(error) });
  }

  #counted(error: RemoteError): RemoteError {
    this.#ports.builtIns.errorCount += 1;
    return error;
  }
}

function refusal({ id, op }: WireCall, type: string, code: string): RemoteError {
  return { type, message: `call ${id} (${op}) was ${code}`, traceback: '', code };
}
