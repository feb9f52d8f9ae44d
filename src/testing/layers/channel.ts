// How does a worker of layer 2 get the answers of the mocks? It asks this process, on a private socket, once for each start and each call.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { LIMITS } from '../../../actors/ground/limits.ts';
import { InvalidConfigError } from '../../../actors/ground/start-errors.ts';
import { decodeValue, encodeValue } from '../../../actors/port/codec.ts';
import { encodeCodedFrame, encodeFrame, FrameDecoder } from '../../../actors/port/frame.ts';
import type { Args } from '../../adapters/adapter.ts';
import { frameworkOf, schemasOf } from './built-ins.ts';
import type { Misbehaviours } from './misbehaviour.ts';
import {
  startMock,
  type MockAnswer,
  type MockedBridge,
  type MockItems,
  type MockStep,
} from './mock-answer.ts';

type Header = Readonly<Record<string, unknown>>;

interface Served {
  readonly bridgeOf: (name: string) => MockedBridge;
  readonly misbehaviours: Misbehaviours;
}

const FOLDER_PREFIX = 'caduceus-mocks-';
const ANONYMOUS = '';

/** The socket, and what the mocks have kept for each worker that asked. */
export class MockChannel {
  readonly address: string;
  readonly #folder: string;
  readonly #server: Server;
  readonly #served: Served;
  readonly #sockets = new Set<Socket>();
  /** By incarnation, then by session: a process that dies takes its own with it. */
  readonly #states = new Map<string, Map<string, Map<string, unknown>>>();

  private constructor(folder: string, served: Served) {
    this.#folder = folder;
    this.address = join(folder, 's');
    this.#served = served;
    this.#server = createServer((socket) => this.#greet(socket));
  }

  /**
   * Make the folder, and listen.
   * @throws {@link InvalidConfigError} when the socket's path would be longer than the system allows.
   */
  static async listen(served: Served): Promise<MockChannel> {
    const channel = new MockChannel(mkdtempSync(join(tmpdir(), FOLDER_PREFIX)), served);
    try {
      await channel.#listen();
    } catch (error) {
      channel.#removeFolder();
      throw error;
    }
    // A process that ends without stopping its runtime leaves no folder either.
    process.once('exit', channel.#removeFolder);
    return channel;
  }

  /** Every connection is closed, the folder gone. Also a second time. */
  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    process.off('exit', this.#removeFolder);
    return new Promise((resolve) => {
      this.#server.close(() => {
        this.#removeFolder();
        resolve();
      });
    });
  }

  #listen(): Promise<void> {
    const pathBytes = Buffer.byteLength(this.address);
    const { socketPathBytesMax } = LIMITS;
    if (pathBytes > socketPathBytesMax) {
      const problem = `the socket path ${this.address} has ${pathBytes} bytes, at most ${socketPathBytesMax} are allowed`;
      throw new InvalidConfigError('TMPDIR', `${problem}; name a shorter temporary directory`);
    }
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.address, resolve);
    });
  }

  readonly #removeFolder = (): void => {
    rmSync(this.#folder, { recursive: true, force: true });
  };

  /** One connection is one question; whoever hangs up does not want the rest of the answer. */
  #greet(socket: Socket): void {
    const { frameBytesMax, headerBytesMax } = LIMITS;
    const decoder = new FrameDecoder({ frameBytesMax, headerBytesMax });
    let items: MockItems | undefined;
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      items?.close();
    });
    socket.on('error', () => socket.destroy());
    const take = async (header: Header, segments: readonly Buffer[]): Promise<void> => {
      if (header['type'] === 'start') socket.write(encodeFrame(this.#started(header)));
      if (header['type'] === 'ask') {
        const { answer, misbehave } = await this.#ask(header, segments);
        if (answer.type === 'items') items = answer;
        if (socket.destroyed) items?.close();
        else write(socket, answer, misbehave);
      }
      if (header['type'] === 'next' && items !== undefined) write(socket, await items.next());
    };
    socket.on('data', (bytes: Buffer) => {
      decoder.feed(bytes, (header, segments) => {
        // What cannot be answered, e.g. more than a frame holds, is told by the end of the connection.
        take(header, segments).catch(() => socket.destroy());
        return 'more';
      });
    });
  }

  #started({ bridge }: Header): object {
    const { bridgeOf, misbehaviours } = this.#served;
    const { name, adapter } = bridgeOf(String(bridge));
    return {
      type: 'started',
      framework: frameworkOf(adapter),
      operations: Object.keys(adapter.operations),
      schemas: schemasOf(adapter),
      misbehave: misbehaviours.ofStart(name),
    };
  }

  async #ask(header: Header, segments: readonly Buffer[]) {
    const { bridgeOf, misbehaviours } = this.#served;
    const bridge = bridgeOf(String(header['bridge']));
    const op = String(header['op']);
    const args = decodeValue(header['args'], header['tagged'] === true, segments) as Args;
    const session = header['session'] as string | null;
    const state = this.#stateOf(String(header['incarnation']), session ?? ANONYMOUS);
    const misbehave = misbehaviours.ofCall(bridge.name, op);
    const call = { op, args, sessionId: session ?? undefined, state };
    return { answer: await startMock(bridge, call), misbehave };
  }

  #stateOf(incarnation: string, session: string): Map<string, unknown> {
    const states = this.#states.get(incarnation) ?? new Map<string, Map<string, unknown>>();
    this.#states.set(incarnation, states);
    const state = states.get(session) ?? new Map<string, unknown>();
    states.set(session, state);
    return state;
  }
}

function write(socket: Socket, said: MockAnswer | MockStep, misbehave?: object): void {
  const { type } = said;
  switch (type) {
    case 'value':
    case 'item': {
      const header = { type, ...(misbehave && { misbehave }) };
      for (const part of encodeCodedFrame(header, 'value', encodeValue(said.value, 'result')))
        socket.write(part);
      return;
    }
    case 'failed':
      socket.write(encodeFrame({ type, error: said.error, misbehave }));
      return;
    case 'items':
    case 'end':
      socket.write(encodeFrame({ type, misbehave }));
      return;
    default:
      said satisfies never;
  }
}
