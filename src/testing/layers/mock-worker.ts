// What is a worker without a process? One that says what a worker of Python says, on lanes that lead nowhere else, and ends when it is told to.
import type { Clock } from '../../../actors/ground/clock.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { decodeValue } from '../../../actors/port/codec.ts';
import { encodeFrame, FrameDecoder } from '../../../actors/port/frame.ts';
import { PYTHON_MIN } from '../../../actors/port/handshake.ts';
import type { KillSignal, ProcessFact } from '../../../actors/port/launcher.ts';
import {
  PROTOCOL_VERSION,
  type ControlOrder,
  type WelcomeMessage,
} from '../../../actors/port/message.ts';
import { LANES, type Lane, type LinkFact } from '../../../actors/port/transport.ts';
import type { Args } from '../../adapters/adapter.ts';
import { BuiltIns, frameworkOf, operationsOf, schemasOf } from './built-ins.ts';
import type { MockedBridge } from './mock-answer.ts';
import { MockCalls, type WireCall } from './mock-calls.ts';

type Header = Readonly<Record<string, unknown>>;

interface Ports {
  readonly pid: number;
  readonly clock: Clock;
  readonly bridgeOf: (name: string) => MockedBridge;
  readonly tellProcess: (fact: ProcessFact) => void;
  readonly tellLink: (fact: LinkFact) => void;
}

/** What was never compared with another bridge's: schemas of mocks say nothing. */
const NO_HASH = 'mock';

/** One incarnation. What it does with what it is told comes later, never from inside. */
export class MockWorker {
  readonly #ports: Ports;
  readonly #decoders = { control: decoder(), calls: decoder() };
  #calls: MockCalls | undefined;
  #life: 'alive' | 'dead' = 'alive';
  /** What is to happen next, in order; each turn of the event loop does all of it. */
  #next: (() => void)[] = [];

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#later(() => this.#start());
  }

  receive(lane: 'control' | 'calls', bytes: Buffer): void {
    this.#later(() => {
      if (this.#life === 'dead') return;
      this.#decoders[lane].feed(bytes, (header, segments) => {
        if (lane === 'calls') this.#onCall(header, segments);
        else this.#onOrder(header);
        return 'more';
      });
    });
  }

  kill(signal: KillSignal): void {
    this.#later(() => this.#exit(null, signal));
  }

  #start(): void {
    if (this.#life === 'dead') return;
    const { pid } = this.#ports;
    this.#ports.tellProcess({ type: 'spawned', pid });
    for (const lane of LANES) this.#ports.tellLink({ type: 'opened', lane });
    this.#say('control', {
      ...{ type: 'hello', protocol: PROTOCOL_VERSION, packageVersion: '0.1.0' },
      ...{ python: PYTHON_MIN, implementation: 'mock', pid, gil: 'enabled' },
    });
  }

  #onOrder(order: Header): void {
    const message = order as unknown as ControlOrder | WelcomeMessage | { type: 'refuse' };
    switch (message.type) {
      case 'welcome':
        this.#getReady(message);
        return;
      case 'refuse':
        this.#exit(2, null);
        return;
      case 'ping':
        this.#say('control', {
          ...{ type: 'pong', seq: message.seq },
          running: this.#calls?.runningId ?? null,
        });
        return;
      case 'credit':
        this.#calls?.credit(message.id, message.n);
        return;
      case 'cancel':
        this.#calls?.cancel(message.id);
        return;
      case 'withdraw':
        this.#calls?.withdraw(message.id);
        return;
      case 'shutdown':
        if (this.#calls === undefined) this.#exit(0, null);
        else this.#calls.shutdown();
        return;
      default:
        message satisfies never;
    }
  }

  #getReady({ workerId, concurrency = 1, bridge: source }: WelcomeMessage): void {
    const bridge = this.#ports.bridgeOf(source.framework);
    const { adapter, name } = bridge;
    this.#calls = new MockCalls({
      bridge,
      concurrency,
      builtIns: new BuiltIns(adapter, workerId, this.#ports.clock),
      write: (lane, bytes) => this.#write(lane, bytes),
      onIdleAfterShutdown: () => this.#exit(0, null),
    });
    this.#say('control', {
      ...{ type: 'ready', bridge: name, framework: frameworkOf(adapter) },
      ...{ operations: operationsOf(adapter), schemas: schemasOf(adapter), schemaHash: NO_HASH },
      ...{ execution: concurrency === 1 ? 'sync' : 'asyncio', concurrency },
    });
  }

  #onCall(header: Header, segments: readonly Buffer[]): void {
    const args = decodeValue(header['args'], header['tagged'] === true, segments) as Args;
    this.#calls?.take({ ...(header as unknown as WireCall), args });
  }

  #exit(status: number | null, signal: string | null): void {
    if (this.#life === 'dead') return;
    this.#life = 'dead';
    this.#calls?.die();
    const { tellProcess, tellLink } = this.#ports;
    // Behind what was written: replies that had been sent still arrive.
    this.#later(() => {
      for (const lane of LANES) tellLink({ type: 'ended', lane });
      tellProcess({ type: 'exited', status, signal });
      tellProcess({ type: 'closed' });
    });
  }

  #say(lane: Lane, message: object): void {
    this.#write(lane, encodeFrame(message));
  }

  #write(lane: Lane, bytes: Buffer): void {
    if (this.#life === 'dead') return;
    this.#later(() => this.#ports.tellLink({ type: 'bytes', lane, bytes }));
  }

  #later(happens: () => void): void {
    this.#next.push(happens);
    if (this.#next.length > 1) return;
    this.#ports.clock.afterPoll(() => {
      // What these cause comes in a turn of its own.
      const due = this.#next;
      this.#next = [];
      for (const each of due) each();
    });
  }
}

function decoder(): FrameDecoder {
  const { frameBytesMax, headerBytesMax } = LIMITS;
  return new FrameDecoder({ frameBytesMax, headerBytesMax });
}
